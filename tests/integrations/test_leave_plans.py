"""A therapist goes: the caseload in one view, people decide, and only go makes anything happen; thirty endings at once, and no flood."""

from datetime import date

import pytest
from sqlalchemy import event

from integrations import ending
from integrations.delivery import deliver
from integrations.messages.mailbox import Mailbox, read_mails
from integrations.store import leave_going, leave_plans
from integrations.store.rebuild import rebuild
from integrations.store.terminations import Start
from models.audit import Audit
from models.ending_acts import QUESTION, State, What
from models.errors import UsageError
from models.instants import DAY, FAR, HOUR, day_of, start_of
from models.leave_plan import Choice, LeaveChoice, LeavePlan
from models.notices import Notice
from models.people import Leave
from models.terminations import TerminationRow
from tests.builders import NOW, ZONE, days_ago, each, in_days

FROM, BACK = NOW + 40 * DAY, NOW + 100 * DAY


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mails") as mailbox:
        yield mailbox


def make(a_clinic, mailbox, count):
    """T1 with so many clients, supervised by T2; T3 has nobody."""
    clinic = a_clinic(port=mailbox.port, policy='speak = "at_once"')
    for number in range(1001, 1001 + count):
        clinic.client(str(number), f"Anna Nummer{number}")
        clinic.seen(str(number), *each(7, 4, days_ago(3)))
        clinic.entry("t1", f"next-{number}", in_days(4), f"Anna Nummer{number}")
    clinic.therapists[0] |= {"supervisor": "T2"}
    clinic.therapist("T2")
    clinic.therapist("T3")
    clinic.arm()
    clinic.sync(NOW)
    clinic.look(NOW)
    return clinic


@pytest.fixture
def clinic(a_clinic, mailbox):
    return make(a_clinic, mailbox, 3)


def drafted(clinic, from_at=FROM, to_at=FAR, now=NOW):
    with clinic.practice.store.write() as connection:
        plan_id = leave_plans.draft(clinic.practice, connection, "T1", from_at, to_at, "clerk", now)
        return leave_plans.view(clinic.practice, connection, plan_id, now)


def choose(clinic, plan, line, choice, to="", now=NOW):
    with clinic.practice.store.write() as connection:
        leave_plans.choose(connection, plan.id, line.client_id, choice, to, "clerk", now)
        return leave_plans.view(clinic.practice, connection, plan.id, now)


def go(clinic, plan, personal="no", now=NOW):
    with clinic.practice.store.write() as connection:
        return leave_going.go(clinic.practice, connection, plan.id, "clerk", personal, now)


def test_the_whole_caseload_is_proposed_for_and_nothing_happens(clinic, mailbox):
    acts = len(clinic.rows(Audit))
    plan = drafted(clinic)
    assert [(line.choice, line.to_therapist, line.decided) for line in plan.lines] == [
        (Choice.transfers, "T2", False),
        (Choice.transfers, "T3", False),
        (Choice.transfers, "T2", False),
    ]
    assert [line.standing.before for line in plan.lines] == [1, 1, 1]
    assert [act.act for act in clinic.rows(Audit)[acts:]] == ["leave planned"]
    assert clinic.rows(Notice) == []
    assert clinic.rows(TerminationRow) == []
    deliver(clinic.practice, NOW + DAY, "test")
    assert read_mails(mailbox.folder) == []


def test_the_same_days_are_the_same_draft_and_other_days_another(clinic):
    plan = drafted(clinic)
    choose(clinic, plan, plan.lines[0], Choice.ends)
    assert drafted(clinic).id == plan.id
    assert drafted(clinic).lines[0].decided
    other = drafted(clinic, to_at=BACK)
    assert other.id != plan.id
    assert [row.dropped_at is None for row in clinic.rows(LeavePlan)] == [False, True]


@pytest.mark.parametrize(
    ("from_at", "to_at", "why"),
    [(FROM, FROM, "ends before it begins"), (FROM, FROM - 1, "ends before it begins"), (NOW - 2, NOW, "have passed")],
)
def test_days_that_cannot_be_are_refused(clinic, from_at, to_at, why):
    with pytest.raises(UsageError, match=why):
        drafted(clinic, from_at, to_at)
    assert clinic.rows(LeavePlan) == []


def test_a_choice_is_kept_once_and_can_be_changed(clinic):
    plan = drafted(clinic)
    for choice, to in ((Choice.transfers, ""), (Choice.transfers, "T3"), (Choice.ends, "")):
        line = choose(clinic, plan, plan.lines[0], choice, to).lines[0]
        assert (line.choice, line.to_therapist, line.decided) == (
            choice,
            to or ("T2" if choice is Choice.transfers else ""),
            True,
        )
    assert len(clinic.rows(LeaveChoice)) == 1
    with pytest.raises(UsageError, match="the therapist who goes"):
        choose(clinic, plan, plan.lines[0], Choice.transfers, "T1")
    with pytest.raises(UsageError, match="transfers"):
        choose(clinic, plan, plan.lines[0], Choice.ends, "T2")


def test_nobody_waits_for_who_does_not_come_back(clinic):
    plan = drafted(clinic)
    with pytest.raises(UsageError, match="does not come back, so nobody can wait"):
        choose(clinic, plan, plan.lines[0], Choice.waits)
    assert clinic.rows(LeaveChoice) == []
    back = drafted(clinic, to_at=BACK)
    assert choose(clinic, back, back.lines[0], Choice.waits).lines[0].choice is Choice.waits


def test_whose_ending_is_closed_is_left_out_until_they_come_back(clinic):
    number = clinic.id_of("1001")
    lines = drafted(clinic).lines
    (first,) = (line.code for line in lines if line.client_id == number)
    others = [line.code for line in lines if line.client_id != number]
    clinic.calendars["t1"].clear()  # nothing of anybody lies ahead any more

    def said(what, **more):
        with clinic.practice.store.write() as connection:
            ending.say(clinic.practice, connection, number, What(what), "therapist:T1", NOW + 60, **more)

    with clinic.practice.store.write() as connection:
        ending.begin(clinic.practice, connection, number, Start("wish", "no"), "therapist:T1", NOW)
    clinic.sync(NOW + 60)
    said("could-not", step="referral", reason="declined")
    said("done", step="letter")
    said("done", step="records")
    assert first in [line.code for line in drafted(clinic, now=NOW + HOUR).lines], "it is not closed yet"
    said("closed")
    assert [line.code for line in drafted(clinic, now=NOW + HOUR).lines] == others
    clinic.entry("t1", "back", NOW + 3 * DAY, "Anna Nummer1001")
    clinic.sync(NOW + 2 * HOUR)
    assert first in [line.code for line in drafted(clinic, now=NOW + 2 * HOUR).lines], "booked again"
    clinic.calendars["t1"].clear()
    clinic.seen("1001", NOW + 3 * DAY)
    clinic.sync(NOW + 4 * DAY)
    assert first in [line.code for line in drafted(clinic, now=NOW + 4 * DAY).lines], "seen again"


def test_go_tells_colleagues_once_and_clients_nothing(clinic, mailbox):
    plan = drafted(clinic)
    assert go(clinic, plan) == leave_going.Went(2, (), ())
    with pytest.raises(UsageError, match="no draft any more"):
        go(clinic, plan)
    deliver(clinic.practice, NOW + DAY, "test")
    mails = {mail.to.partition("@")[0]: " ".join(mail.text.split()) for mail in read_mails(mailbox.folder)}
    codes = [line.code for line in plan.lines]
    assert sorted(mails) == ["t2", "t3"]
    assert "take over 2 clients" in mails["t2"]
    assert [code in mails["t2"] for code in codes] == [True, False, True]
    assert codes[1] in mails["t3"]
    assert "Nummer" not in "".join(mails.values())


def test_a_leave_that_ends_pauses_the_clocks_from_go_on(clinic):
    begins, ends = start_of(day_of(NOW + 6 * DAY, ZONE), ZONE), start_of(day_of(NOW + 56 * DAY, ZONE), ZONE)
    plan = drafted(clinic, begins, ends)
    assert {line.choice for line in plan.lines} == {Choice.transfers}
    for line in plan.lines:
        choose(clinic, plan, line, Choice.waits)
    at = NOW + 35 * DAY

    def quiet():
        clinic.sync(at)
        return clinic.why("1001", at)["quiet"][0]

    assert quiet()  # a month without a word: a draft changes nothing
    go(clinic, plan)
    (leave,) = clinic.rows(Leave)
    assert (leave.therapist_id, leave.source, (leave.to_on - leave.from_on).days) == ("T1", "desk", 49)
    assert not quiet()
    assert rebuild(clinic.practice, at, dry_run=True).differed == ()


def test_thirty_endings_begin_at_once_each_to_be_confirmed(a_clinic, mailbox):
    clinic = make(a_clinic, mailbox, 30)
    plan = drafted(clinic)
    for line in plan.lines:
        choose(clinic, plan, line, Choice.ends)
    with pytest.raises(UsageError) as refused:
        go(clinic, plan, personal="")
    assert QUESTION in str(refused.value)
    assert clinic.rows(TerminationRow) == []
    went = go(clinic, plan)
    assert sorted(went.begun) == [line.code for line in plan.lines]
    rows = clinic.rows(TerminationRow)
    assert [(row.state, row.reason, row.needs_confirmation_of) for row in rows] == [
        (State.waiting, "leaving", "T2")
    ] * 30
    for later in range(1, 12):  # five a day at most
        deliver(clinic.practice, NOW + later * DAY, "test")
    mails = read_mails(mailbox.folder)
    assert {mail.to.partition("@")[0] for mail in mails} == {"t2"}
    assert len(mails) == 6
    said = "".join(mail.text for mail in mails)
    assert all(code in said for code in went.begun)


def test_a_yes_to_the_question_stops_it_all(clinic):
    plan = drafted(clinic)
    choose(clinic, plan, plan.lines[0], Choice.ends)
    went = go(clinic, plan, personal="yes")
    assert went.stopped
    assert went.begun == ()
    assert "Care is not ended in order to begin" in went.refused[0][1]
    assert clinic.rows(TerminationRow) == []
    assert clinic.rows(Notice) == []
    assert any(act.act == "ending stopped" for act in clinic.rows(Audit))
    assert drafted(clinic).id == plan.id  # a draft as before
    went = go(clinic, plan)  # the answer was a slip
    assert went.begun == (plan.lines[0].code,)
    assert [row.state for row in clinic.rows(TerminationRow)] == [State.waiting]


def test_a_day_is_the_same_day_for_a_colleague_far_away(clinic, mailbox):
    clinic.therapists[1]["zone"] = "America/New_York"
    clinic.sync(NOW)
    begins = start_of(date(2027, 1, 25), ZONE)
    go(clinic, drafted(clinic, begins))
    for hours in (24, 34):  # the one works while the other sleeps
        deliver(clinic.practice, NOW + hours * HOUR, "test")
    mails = {mail.to.partition("@")[0]: " ".join(mail.text.split()) for mail in read_mails(mailbox.folder)}
    assert all("(T1) goes on Mon 25 Jan, in 6" in text for text in mails.values()), mails
    assert len(mails) == 2


@pytest.mark.parametrize("count", [1, 12])
def test_the_view_needs_a_constant_number_of_queries(a_clinic, mailbox, count):
    clinic = make(a_clinic, mailbox, count)
    plan = drafted(clinic)
    asked = []
    store = clinic.practice.store

    def count_it(*said):
        asked.append(said[2])

    event.listen(store._reader, "before_cursor_execute", count_it)
    try:
        with store.read() as connection:
            leave_plans.view(clinic.practice, connection, plan.id, NOW)
    finally:
        event.remove(store._reader, "before_cursor_execute", count_it)
    assert len([s for s in asked if s.startswith("SELECT")]) <= 16
