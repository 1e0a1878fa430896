"""A leave plan at the desk: the caseload in one view, decided in forms, and nothing happens before somebody says go."""

import pytest

from models.ending_acts import QUESTION
from models.leave_plan import LeaveChoice, LeavePlan
from models.notices import Notice
from models.terminations import TerminationRow
from tests.builders import NOW, days_ago, each
from tests.desk.conftest import DESK, forms
from tests.desk.test_ending import code_of, team, text_of
from tests.desk.test_pages_of_roles import statements

FOR_GOOD = {"from": "2027-02-01", "to": "", "for_good": "yes"}
SOME_WEEKS = {"from": "2027-02-01", "to": "2027-02-12", "for_good": ""}


@pytest.fixture
def desk(serve):
    return serve(team, more=DESK + 'label = "name"\n')


def form_to(page, end):
    return next(f for f in forms(page.text) if f.action.endswith(end))


def plan(sitting, **days):
    page = sitting.get("/leave/T1")
    return sitting.send(form_to(page, "/leave/T1"), **days)


def choose(page, sitting, code, choice, to=""):
    form = next(f for f in forms(page.text) if f.action.endswith("/choice") and f.fields["code"] == code)
    return sitting.send(form, choice=choice, to=to)


def happened(desk):
    """What may only happen after go."""
    return len(desk.clinic.rows(Notice)), len(desk.clinic.rows(TerminationRow))


def test_the_whole_caseload_is_planned_and_nothing_happens_before_go(desk, kim):
    assert "Nothing is planned." in kim.get("/leave").text
    page = plan(kim, **FOR_GOOD)
    said = text_of(page)
    for words in (
        "From Mon 1 Feb, for good: a draft. Nothing has happened.",
        "Anna Müller",
        "Berta Braun",
        "Transfers to",
    ):
        assert words in said, words
    assert QUESTION not in said  # nobody ends
    page = choose(page, kim, code_of(desk), "ends")
    assert QUESTION in text_of(page)
    assert "1 ending will begin" in text_of(page)
    assert happened(desk) == (0, 0)
    desk.clinic.look(NOW)
    assert happened(desk) == (0, 0)
    unanswered = kim.send(form_to(page, "/go"), personal="")
    assert (unanswered.status_code, "nothing was done" in unanswered.text) == (409, True)
    assert happened(desk) == (0, 0)
    form = form_to(kim.get("/leave/T1"), "/go")
    for _ in range(2):
        done = kim.send(form, personal="no")
        assert "somebody said go, Mon 23 Nov, today." in text_of(done)
    assert [row.state for row in desk.clinic.rows(TerminationRow)] == ["waiting"]
    assert len(desk.clinic.rows(Notice)) == 2  # the supervisor's confirmation, and who takes over
    assert not [f for f in forms(done.text) if f.action.endswith(("/go", "/choice", "/drop"))]


def test_a_yes_to_the_question_begins_nothing_and_leaves_the_draft(desk, kim):
    page = choose(plan(kim, **FOR_GOOD), kim, code_of(desk), "ends")
    done = kim.send(form_to(page, "/go"), personal="yes")
    assert "Care is not ended in order to begin a personal relationship" in text_of(done)
    assert "The plan is a draft as before." in text_of(done)
    assert happened(desk) == (0, 0)
    assert "a draft. Nothing has happened." in text_of(kim.get("/leave/T1"))


def test_go_does_only_what_was_looked_at(desk, kim, sam):
    page = plan(kim, **FOR_GOOD)
    assert 'value="waits"' not in page.text, "nobody waits for who does not come back"
    choose(sam.get("/leave/T1"), sam, code_of(desk), "ends")
    done = kim.send(form_to(page, "/go"))
    assert (done.status_code, "The plan has changed since you opened the page" in done.text) == (409, True)
    assert happened(desk) == (0, 0)


def test_a_supervisor_plans_for_their_team_by_code_and_nobody_for_others(desk, kim, sam):
    page = plan(sam, **SOME_WEEKS)
    code = code_of(desk)
    assert code in page.text
    assert "Müller" not in page.text
    assert "/leave/T1" in sam.get("/leave").text
    assert sam.get("/leave/P2").status_code == 404
    assert kim.get("/leave/S1").status_code == 404
    stranger = desk.seated("therapist", "P2")
    assert stranger.get("/leave/T1").status_code == 404
    token = form_to(stranger.get("/leave/P2"), "/leave/P2").fields["form"]
    for end in ("", "/choice", "/go", "/drop"):
        assert stranger.post(f"/leave/T1{end}", {"form": token}).status_code == 404, end
    assert len(desk.clinic.rows(LeavePlan)) == 1


def test_days_that_are_none_and_drafts_that_are_over_are_refused_in_a_sentence(desk, kim):
    for days, why in (
        ({"from": "", "to": "", "for_good": "yes"}, "Say from which day"),
        ({"from": "2027-02-01", "to": "", "for_good": ""}, "Say from which day"),
        ({"from": "2027-02-01", "to": "2027-01-01", "for_good": ""}, "ends before it begins"),
        ({"from": "2026-01-01", "to": "2026-01-05", "for_good": ""}, "These days have passed"),
        ({"from": "soon", "to": "", "for_good": "yes"}, "That is no day"),
    ):
        done = plan(kim, **days)
        assert (done.status_code, why in done.text) == (409, True), days
        assert '<a href="/leave/T1">Back to the page</a>' in done.text
    page = plan(kim, **SOME_WEEKS)
    choice = next(f for f in forms(page.text) if f.action.endswith("/choice"))
    drop = form_to(page, "/drop")
    for _ in range(2):
        assert "Plan it" in kim.send(drop).text
    late = kim.send(choice, choice="waits", to="")
    assert (late.status_code, "no draft any more" in late.text) == (409, True)
    assert kim.send(form_to(page, "/go")).status_code == 409
    for changed in ({"choice": "flies"}, {"choice": "transfers", "to": "nobody"}, {"choice": "transfers", "to": "T1"}):
        fresh = next(f for f in forms(plan(kim, **SOME_WEEKS).text) if f.action.endswith("/choice"))
        done = kim.send(fresh, **{"to": ""} | changed)
        assert (done.status_code, "<h1>" in done.text) == (409, True), changed
    assert desk.clinic.rows(LeaveChoice) == []


def test_the_page_needs_as_many_queries_for_many_clients_as_for_few(serve):
    def many(clinic):
        clinic.therapist("T2")
        for number in range(2000, 2120):
            clinic.client(str(number), f"Klara Nr{number}", therapist="T2")
            clinic.seen(str(number), *each(7, 4, days_ago(3)), therapist="T2")
        clinic.seen("1001", *each(7, 4, days_ago(3)))
        clinic.sync(NOW)
        clinic.look(NOW)

    desk = serve(many, more=DESK + 'label = "name"\n', calendars=())
    counts = []
    for who in ("T1", "T2"):
        sitting = desk.seated("therapist", who)
        form = form_to(sitting.get(f"/leave/{who}"), f"/leave/{who}")
        sitting.send(form, **SOME_WEEKS)
        counts.append(statements(desk, sitting, f"/leave/{who}"))
    assert counts[0] == counts[1]


def test_therapists_are_named_and_chosen_by_their_name(desk, kim, sam):
    assert "Dr T1 (T1)" in text_of(sam.get("/leave"))
    page = plan(kim, **FOR_GOOD)
    assert '<option value="P2">Dr P2 (P2)</option>' in page.text
    page = choose(page, kim, code_of(desk), "transfers", "P2")
    assert "Transfers to Dr P2 (P2)." in text_of(page)
    assert "Leave of Dr T1 (T1)" in text_of(sam.get("/leave/T1"))
