"""One appointment from several sources: one-to-one, nearest first, the same whatever arrives first, and keeping its identity."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from models.appointments import Mark
from models.entries import Attendance, CancelledBy, Plan
from models.instants import DAY, HOUR
from models.matching import Derived, Said, Trait, derive
from tests.builders import NOW

MINUTE = 60
TOLERANCE = 15 * MINUTE
TRAITS = {"records": Trait(), "cal": Trait(past_booking="attended"), "news": Trait(delivers="changes")}


def said(source: str, entry: str, start: int, known: int = 0, **more: Any) -> Said:
    """A version of an entry, `start` and `known` in minutes from NOW."""
    begin = NOW + start * MINUTE
    facts: dict[str, Any] = {"said_at": None, "sequence": 0, "content_hash": f"{start}{sorted(more)}", "gone": False}
    facts |= {"wall": str(begin), "zone": "UTC", "start": begin, "end": begin + HOUR, "therapist_id": "T1"}
    return Said(source, entry, NOW + known * MINUTE, **(facts | more))


def gone(source: str, entry: str, known: int) -> Said:
    return Said(source, entry, NOW + known * MINUTE, None, 0, "", True)


def derived(*versions: Said, clients: dict[tuple[str, str], set[int]] | None = None) -> list[Derived]:
    whom = {(v.source, v.entry_id): frozenset((clients or {}).get((v.source, v.entry_id), {1})) for v in versions}
    return derive(versions, whom, TRAITS, TOLERANCE)


def starts(found: list[Derived]) -> list[int]:
    return [(a.start - NOW) // MINUTE for a in found]


@pytest.mark.parametrize(("apart", "appointments"), [(0, 1), (15, 1), (16, 2), (-15, 1), (-16, 2)])
def test_within_the_tolerance_they_are_one(apart, appointments):
    assert len(derived(said("cal", "u", 0), said("records", "r", apart))) == appointments


def test_two_entries_of_one_source_are_two_however_near():
    assert len(derived(said("cal", "u1", 0), said("cal", "u2", 0), said("records", "r", 0))) == 2


def test_entries_of_different_clients_are_not_one():
    found = derived(said("cal", "u", 0), said("records", "r", 0), clients={("cal", "u"): {1}, ("records", "r"): {2}})
    assert [[p.client_id for p in a.parts] for a in found] in ([[1], [2]], [[2], [1]])


def test_the_nearest_are_matched_first():
    found = derived(
        said("cal", "u1", 0), said("cal", "u2", 10), said("records", "r", 8, known=1, attendance="attended")
    )
    assert [(minute, a.parts[0].attendance) for minute, a in zip(starts(found), found, strict=True)] == [
        (0, Attendance.unknown),
        (8, Attendance.attended),  # the newest word on the time holds
    ]


def test_what_was_once_one_stays_one_when_it_moves():
    first = [said("cal", "u", 0), said("records", "r", 5)]
    moved = [*first, said("cal", "u", 7 * 24 * 60, known=10)]
    assert len(derived(*first)) == 1
    assert [a.id for a in derived(*moved)] == [a.id for a in derived(*first)]
    assert starts(derived(*moved)) == [7 * 24 * 60]


def test_of_two_that_fit_a_moved_entry_the_one_at_its_time_is_it():
    """An entry moved to Tuesday, where the records have a new row, and the old row stands cancelled on Monday."""
    found = derived(
        said("cal", "u", 0),
        said("cal", "u", 1440, known=10),
        said("records", "monday", 0),
        said("records", "monday", 0, known=20, plan="cancelled"),
        said("records", "tuesday", 1440, known=20),
    )
    assert [(minute, a.parts[0].plan) for minute, a in zip(starts(found), found, strict=True)] == [
        (0, Plan.cancelled),
        (1440, Plan.booked),
    ]


@pytest.mark.parametrize(("old", "new"), [("u1", "u2"), ("u2", "u1")])
def test_an_entry_made_anew_in_place_of_a_deleted_one_is_the_records_partner(old, new):
    """Both ever stood at the row's time; whichever name comes first, what is gone does not cancel the row."""
    found = derived(said("cal", old, 0), said("records", "r", 0), gone("cal", old, 5), said("cal", new, 0, known=5))
    assert sorted((a.parts[0].plan, a.known_since) for a in found) == [
        (Plan.booked, NOW),
        (Plan.cancelled, NOW),
    ]


def test_a_couple_in_one_entry_and_in_two_rows_is_one_appointment_of_two():
    clients = {("cal", "u"): {1, 2}, ("records", "r1"): {1}, ("records", "r2"): {2}}
    (found,) = derived(
        said("cal", "u", 0),
        said("records", "r1", 0, attendance="attended"),
        said("records", "r2", 0, plan="cancelled", cancelled_by="client"),
        clients=clients,
    )
    assert [(p.client_id, p.plan, p.attendance, p.cancelled_by) for p in found.parts] == [
        (1, Plan.booked, Attendance.attended, None),
        (2, Plan.cancelled, Attendance.unknown, CancelledBy.client),
    ]


@pytest.mark.parametrize(
    ("calendar", "record", "plan", "mark"),
    [
        ({}, {}, Plan.booked, Mark.presumed),
        ({"plan": "proposed"}, {"plan": "proposed"}, Plan.proposed, Mark.presumed),
        ({"plan": "proposed"}, {}, Plan.booked, Mark.presumed),
        ({}, {"attendance": "attended"}, Plan.booked, Mark.attended),
        ({}, {"attendance": "no_show"}, Plan.booked, Mark.no_show),
        ({"plan": "cancelled"}, {}, Plan.cancelled, Mark.unknown),
        ({}, {"plan": "cancelled"}, Plan.cancelled, Mark.unknown),
        ({"gone": True}, {}, Plan.cancelled, Mark.unknown),
        ({"gone": True}, {"attendance": "attended"}, Plan.booked, Mark.attended),  # who came, came
        ({"plan": "cancelled"}, {"attendance": "no_show"}, Plan.booked, Mark.no_show),
    ],
)
def test_what_two_sources_say_together(calendar, record, plan, mark):
    first = said("cal", "u", 0)
    then = [gone("cal", "u", 5)] if calendar.pop("gone", False) else [said("cal", "u", 0, known=5, **calendar)]
    (found,) = derived(first, *then, said("records", "r", 0, known=1, **record))
    assert (found.parts[0].plan, found.parts[0].mark) == (plan, mark)


def test_who_is_back_after_being_gone_is_booked():
    (found,) = derived(said("cal", "u", 0), gone("cal", "u", 5), said("cal", "u", 0, known=9))
    assert found.parts[0].plan == Plan.booked


def test_news_that_comes_late_does_not_undo_what_is_newer():
    """A source of changes orders its versions by their revision, whatever comes in first."""
    (found,) = derived(said("news", "n", 30, known=1, sequence=2), said("news", "n", 0, known=9, sequence=1))
    assert starts([found]) == [30]


def test_first_known_and_first_cancelled_are_kept():
    (found,) = derived(
        said("cal", "u", 0, known=3),
        said("records", "r", 0, known=1),
        said("records", "r", 0, known=7, plan="cancelled"),
        gone("cal", "u", 9),
    )
    assert (found.known_since, found.parts[0].cancelled_known_at) == (NOW + MINUTE, NOW + 7 * MINUTE)


# ---------------------------------------------------------------- whatever they say

SOURCES = ("cal", "records", "news")


def versions(minutes: st.SearchStrategy[int]) -> st.SearchStrategy[Said]:
    """What a source may say of an entry that starts at one of these minutes."""
    return st.builds(
        lambda source, entry, start, known, sequence, plan, attendance: said(
            source, f"{source}{entry}", start, known, sequence=sequence, plan=plan, attendance=attendance
        ),
        st.sampled_from(SOURCES),
        st.integers(0, 4),
        minutes,
        st.integers(0, 30),
        st.integers(0, 3),
        st.sampled_from(("booked", "booked", "proposed", "cancelled")),
        st.sampled_from(("unknown", "unknown", "attended", "no_show")),
    )


absences = st.builds(lambda entry, known: gone("cal", f"cal{entry}", known), st.integers(0, 4), st.integers(0, 30))
by_five = st.integers(0, 12).map(lambda n: n * 5)
# One source says one thing of an entry at one time.
histories = st.lists(versions(by_five) | absences, max_size=14, unique_by=lambda v: (v.source, v.entry_id, v.known_at))
whom = st.dictionaries(
    st.tuples(st.sampled_from(SOURCES), st.integers(0, 4)).map(lambda k: (k[0], f"{k[0]}{k[1]}")),
    st.sets(st.integers(1, 2), min_size=1),
)


@given(histories, whom, st.randoms())
@settings(max_examples=150)
def test_the_order_of_arrival_does_not_matter(found, clients, random):
    before = derived(*found, clients=clients)
    shuffled = list(found)
    random.shuffle(shuffled)
    assert derived(*shuffled, clients=clients) == before


@given(histories, whom)
@settings(max_examples=150)
def test_matching_is_one_to_one_and_loses_nothing(found, clients):
    entries = {(v.source, v.entry_id) for v in found if not v.gone}
    result = derived(*found, clients=clients)
    assert len({a.id for a in result}) == len(result)
    for client in (1, 2):
        mine = [e for e in entries if client in clients.get(e, {1})]
        appointments = sum(any(p.client_id == client for p in a.parts) for a in result)
        most = max((sum(e[0] == source for e in mine) for source in SOURCES), default=0)
        assert most <= appointments <= len(mine)


def nearness(found: list[Said], clients: dict[tuple[str, str], set[int]]) -> dict[frozenset[tuple[str, str]], int]:
    """How near two entries of different sources and a common client ever stood, of those that did within the tolerance."""
    least: dict[frozenset[tuple[str, str]], int] = {}
    times = [((v.source, v.entry_id), v.start) for v in found if not v.gone]
    for (a, start), (b, other) in combinations(times, 2):
        apart = abs(start - other)
        if a[0] != b[0] and apart <= TOLERANCE and clients.get(a, {1}) & clients.get(b, {1}):
            pair = frozenset((a, b))
            least[pair] = min(apart, least.get(pair, apart))
    return least


# By the minute: of pairs that are as near as one another the rule promises less.
finely = st.lists(
    versions(st.integers(0, 60)) | absences,
    min_size=4,
    max_size=9,
    unique_by=lambda v: (v.source, v.entry_id, v.known_at),
)


@given(finely, whom, st.lists(st.integers(1, 20), min_size=1, max_size=3), st.data())
@settings(max_examples=300)
def test_identity_outlives_moves(found, clients, weeks, data):
    """Moved far away, as often as it may be, an entry stays in its appointment with whomever it was one with, and no other appointment
    changes. Only where the entry stood as near to one as some other two stood to each other may it be with another then."""
    present = sorted({(v.source, v.entry_id) for v in found if not v.gone})
    assume(present)
    key = data.draw(st.sampled_from(present))
    near = nearness(found, clients)
    assume(all(list(near.values()).count(near[pair]) == 1 for pair in near if key in pair))
    moves = [said(*key, far * 7 * 24 * 60, known=99 + n, sequence=9 + n) for n, far in enumerate(weeks)]
    before = {a.id: a for a in derived(*found, clients=clients)}
    after = {a.id: a for a in derived(*found, *moves, clients=clients)}
    assert after.keys() == before.keys()
    (moved,) = [a for a in after.values() if a.start == moves[-1].start]
    event(f"one of {len([pair for pair in near if key in pair])} near pairs")
    stayed = before[moved.id]
    assert moved.known_since == stayed.known_since
    assert [part.client_id for part in moved.parts] == [part.client_id for part in stayed.parts]
    assert {i: a for i, a in after.items() if i != moved.id} == {i: a for i, a in before.items() if i != moved.id}


@pytest.mark.parametrize("first", ["cal", "records"])
@pytest.mark.parametrize("third", [False, True])
def test_when_one_source_moves_and_the_others_follow_it_is_the_same_appointment_all_along(first, third):
    """Whichever knew of it first gives the name, and a source that is behind keeps its part in it."""
    known = {"cal": 1, "records": 1, "news": 2, first: 0}
    sources = ("cal", "records", "news") if third else ("cal", "records")
    told = [said(source, f"{source}1", 0, known=known[source]) for source in sources]
    (before,) = derived(*told)
    assert before.id == derived(told[sources.index(first)])[0].id
    for number, source in enumerate(sources):
        told.append(said(source, f"{source}1", 1440, known=10 + number, sequence=1))
        (after,) = derived(*told)
        assert (after.id, starts([after])) == (before.id, [1440])


@given(st.lists(st.integers(0, 40), max_size=5, unique=True), st.lists(st.integers(0, 40), max_size=5, unique=True))
@settings(max_examples=200)
def test_as_many_are_matched_as_nearest_first_gives(left, right):
    """Against a plain greedy matching, minutes apart; ties leave the count open only where distances are equal."""
    pairs = sorted((abs(a - b), a, b) for a in left for b in right if abs(a - b) <= 15)
    if len({d for d, _, _ in pairs}) < len(pairs):
        return
    taken: set[tuple[str, int]] = set()
    count = 0
    for _, a, b in pairs:
        if ("a", a) not in taken and ("b", b) not in taken:
            taken |= {("a", a), ("b", b)}
            count += 1
    found = derived(*(said("cal", f"u{a}", a) for a in left), *(said("records", f"r{b}", b) for b in right))
    assert len(found) == len(left) + len(right) - count


def test_days_apart_are_days_apart():
    assert starts(derived(said("cal", "u", 0), said("records", "r", DAY // MINUTE))) == [0, DAY // MINUTE]
