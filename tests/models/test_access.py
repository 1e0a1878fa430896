"""Who may see what: every page against every role, and every way in which a client is somebody's on every day that matters."""

from datetime import date

import pytest

from models.access import FIRST_PAGE, PAGES, PARTS, Away, Page, Part, Through, Tie, covered_by, holds, parts, reach
from models.accounts import Role

TODAY = date(2026, 11, 23)
BEFORE, AFTER = date(2026, 11, 22), date(2026, 11, 24)

WITH_CLIENTS = {
    Page.today,
    Page.clients,
    Page.client,
    Page.answer,
    Page.ending,
    Page.confirm,
    Page.referral,
    Page.leave,
}
MAY = {
    Role.therapist: {Page.home, Page.sign_out, *WITH_CLIENTS},
    Role.supervisor: {Page.home, Page.sign_out, Page.who, *WITH_CLIENTS},
    Role.front_office: {Page.home, Page.sign_out, Page.client, Page.look_up},
    Role.technical: {Page.home, Page.sign_out, Page.practice},
}


@pytest.mark.parametrize("role", Role)
def test_every_page_against_every_role(role):
    assert {page for page in Page if role in PAGES[page]} == MAY[role]
    assert role in FIRST_PAGE


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("through", Through)
def test_every_part_of_a_client_against_every_role_and_way(role, through):
    clinical = through in (Through.own, Through.cover) and role in (Role.therapist, Role.supervisor)
    wanted = set(Part) if clinical else set()
    if (role, through) == (Role.supervisor, Through.team):
        wanted = {Part.findings, Part.answering}
    if (role, through) == (Role.front_office, Through.practice):
        wanted = {Part.name, Part.appointments}
    assert parts(role, through) == wanted
    assert ((role, through) in PARTS) == bool(wanted)


DAYS = [
    ("main", None, None, True),
    ("main", TODAY, None, True),
    ("main", AFTER, None, False),
    ("main", None, TODAY, False),  # moved on today
    ("main", None, AFTER, True),
    ("main", None, BEFORE, False),
    ("co", None, TODAY, True),
    ("co", None, BEFORE, False),
    ("cover", TODAY, TODAY, True),
    ("cover", AFTER, AFTER, False),
]


@pytest.mark.parametrize(("kind", "from_on", "to_on", "wanted"), DAYS)
def test_a_relation_holds_on_its_days_and_a_transfer_moves_a_client_the_same_day(kind, from_on, to_on, wanted):
    assert holds(Tie(1, "T1", kind, from_on, to_on), TODAY) is wanted
    assert (1 in reach(Role.therapist, "T1", TODAY, [Tie(1, "T1", kind, from_on, to_on)], (), ())) is wanted


@pytest.mark.parametrize(
    ("from_on", "to_on", "wanted"),
    [(TODAY, TODAY, True), (BEFORE, AFTER, True), (AFTER, AFTER, False), (BEFORE, BEFORE, False)],
)
def test_whoever_is_named_covers_on_the_days_of_the_leave(from_on, to_on, wanted):
    away = [Away("T2", "T1", from_on, to_on), Away("T3", None, from_on, to_on), Away("T4", "T5", from_on, to_on)]
    assert covered_by("T1", away, TODAY) == ({"T2"} if wanted else set())


def test_the_nearest_way_counts_and_only_a_supervisor_has_a_team():
    ties = [Tie(n, who, "main", None, None) for n, who in ((1, "S"), (2, "T2"), (3, "T3"), (4, "T9"))]
    ties.append(Tie(3, "S", "co", None, None))
    mine = reach(Role.supervisor, "S", TODAY, ties, ["T2"], ["T2", "T3"])
    assert mine == {1: Through.own, 2: Through.cover, 3: Through.own}
    assert reach(Role.therapist, "S", TODAY, ties, [], ["T2", "T3"]) == {1: Through.own, 3: Through.own}
    assert reach(Role.technical, "", TODAY, [Tie(1, "", "main", None, None)], [], []) == {}
