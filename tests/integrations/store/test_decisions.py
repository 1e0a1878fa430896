"""From looks to findings and notices: day one is listed, what becomes true later notifies once, and what cannot be said waits."""

import threading
from datetime import date
from functools import partial
from typing import Any

import pytest

from integrations.store import cases, finding_rows, lookups, policies, quarantine
from integrations.store.decisions import decide
from models.entries import Reject
from models.findings import Finding, FindingHistory, Look, PolicyVersion
from models.instants import DAY, HOUR, start_of, wall_of
from models.notices import Notice
from models.people import Client
from models.rules import rules_version
from tests.builders import NOW, ZONE, Clinic, a_reading, an_appointment, days_ago, each, in_days

LATER = NOW + HOUR


def opened(clinic: Clinic) -> dict[tuple[str, str], str]:
    """How each open finding came to be."""
    number = clinic.numbers()
    return {(number[f.client_id], f.kind): f.opened for f in clinic.rows(Finding) if f.cleared_at is None}


def in_care(clinic: Clinic, *numbers: str, last: int = 20) -> None:
    """Weekly clients, seen last so many days ago, with an appointment in three days in their therapist's calendar."""
    for number in numbers:
        if number not in {row["id"] for row in clinic.clients}:
            clinic.client(number)
        name = next(row["name"] for row in clinic.clients if row["id"] == number)
        clinic.seen(number, *each(7, 6, days_ago(last)))
        clinic.entry("t1", f"next-{number}", in_days(3), name)
    clinic.entry("t1", "team", in_days(60), "Team day")  # a calendar that is suddenly empty would be asked about


def call_off(clinic: Clinic, *numbers: str) -> None:
    clinic.drop("t1", *(f"next-{number}" for number in numbers))


# ---------------------------------------------------------------- day one (contract 7)


def test_what_is_true_at_the_first_look_is_listed_and_never_notified(clinic):
    clinic.seen("1001", *each(7, 6, days_ago(40)))
    clinic.sync()
    decided = clinic.look()
    assert (decided.opened, decided.day_one, decided.notices) == (1, 1, 0)
    assert opened(clinic) == {("1001", "quiet"): "day_one"}
    for days in (1, 5, 30):
        clinic.sync(NOW + days * DAY)
        clinic.look(NOW + days * DAY)
    assert clinic.notices() == []


def test_what_becomes_true_later_notifies_once(clinic):
    in_care(clinic, "1001")
    clinic.sync()
    assert clinic.look().opened == 0
    call_off(clinic, "1001")
    clinic.sync(LATER)
    decided = clinic.look(LATER)
    assert (decided.opened, decided.day_one, decided.notices) == (1, 0, 1)
    (notice,) = clinic.notices()
    assert (notice.purpose, notice.recipient, notice.generation) == ("stalled.quiet", "therapist:T1", 1)
    clinic.look(LATER + 60)
    assert len(clinic.notices()) == 1


def test_a_client_who_comes_new_is_listed_once_and_others_go_on(clinic):
    in_care(clinic, "1001")
    clinic.sync()
    clinic.look()
    clinic.client("1002")
    clinic.seen("1002", *each(7, 6, days_ago(60)))
    call_off(clinic, "1001")
    clinic.sync(LATER)
    clinic.look(LATER)
    assert opened(clinic) == {("1001", "quiet"): "noticed", ("1002", "quiet"): "day_one"}


def test_a_tightened_policy_gives_a_list_and_a_loosened_one_clears_it(a_clinic):
    clinic = a_clinic(policy="quiet_after_days = 30\nquiet_factor = 4")
    clinic.client("1001", "Anna Müller")
    in_care(clinic, "1001")
    call_off(clinic, "1001")
    clinic.sync()
    assert clinic.look().opened == 0
    tight = a_clinic(policy="quiet_after_days = 14")
    decided = tight.look(LATER)
    assert (decided.looked, decided.day_one, decided.notices) == (1, 1, 0)
    loose = a_clinic(policy="quiet_after_days = 30\nquiet_factor = 4")
    assert loose.look(LATER + HOUR).cleared == 1
    assert loose.notices() == []
    # What becomes true under the new policy is news.
    late = days_ago(20) + 30 * DAY
    clinic.sync(late)
    assert loose.look(late).notices == 1


def test_a_new_client_of_a_known_caseload_is_news_when_it_became_so_since(clinic):
    clinic.entry("t1", "team", in_days(60), "Team day")
    clinic.sync()
    clinic.look()
    clinic.client("1002")
    later = NOW + 40 * DAY
    clinic.seen("1002", *each(7, 3, NOW + 10 * DAY))
    clinic.client("1003")
    clinic.seen("1003", *each(7, 6, days_ago(60)))
    clinic.sync(later)
    decided = clinic.look(later)
    assert (decided.opened, decided.day_one, decided.notices) == (2, 1, 1)
    assert opened(clinic) == {("1002", "quiet"): "noticed", ("1003", "quiet"): "day_one"}


def test_a_caseload_that_comes_new_is_a_list(clinic):
    """Another therapist joins: of nobody whom they bring is the administrator or they written to."""
    clinic.sync()
    clinic.look()
    later = NOW + 40 * DAY
    clinic.therapist("T2")
    for number in ("1002", "1003"):
        clinic.client(number, therapist="T2")
        clinic.seen(number, *each(7, 6, NOW + 10 * DAY), therapist="T2")
    clinic.sync(later)
    decided = clinic.look(later)
    assert (decided.opened, decided.day_one, decided.notices) == (2, 2, 0)


def test_a_new_client_who_could_not_be_judged_at_first_is_news_all_the_same(clinic):
    clinic.entry("t1", "team", in_days(60), "Team day")
    clinic.sync()
    clinic.look()
    later = NOW + 40 * DAY
    clinic.client("1002")
    clinic.seen("1002", *each(7, 3, NOW + 10 * DAY))
    clinic.sync(later, "records")
    assert clinic.look(later).blind == 1
    clinic.sync(later + HOUR)
    assert clinic.look(later + HOUR).notices == 1


def test_what_happens_while_the_policy_changes_is_news(a_clinic):
    clinic = a_clinic()
    in_care(clinic, "1001")
    in_care(clinic, "1002", last=9)
    clinic.sync()
    clinic.look()
    call_off(clinic, "1001", "1002")
    clinic.sync(LATER)
    tight = a_clinic(policy="quiet_after_days = 4\nquiet_factor = 1")
    decided = tight.look(LATER)
    assert (decided.opened, decided.day_one, decided.notices) == (2, 1, 1)
    assert opened(clinic) == {("1001", "quiet"): "noticed", ("1002", "quiet"): "day_one"}


def test_what_fell_due_while_nothing_ran_and_the_policy_changed_is_news(a_clinic):
    clinic = a_clinic()
    clinic.client("1001")
    clinic.seen("1001", *each(7, 6, days_ago(10)))
    clinic.sync()
    assert clinic.look().opened == 0
    due = days_ago(10) + 14 * DAY
    clinic.sync(due + HOUR)
    assert a_clinic(policy="quiet_after_days = 13").look(due + HOUR).notices == 1


def test_what_a_new_source_tells_of_the_past_is_a_list(a_clinic):
    clinic = a_clinic(calendars=())
    clinic.client("1001", "Anna Müller")
    clinic.seen("1001", days_ago(9))
    clinic.sync()
    clinic.look()
    more = a_clinic(more='[[source]]\nname = "old"\nkind = "records"\npath = "old"\n')
    (more.folder / "old").mkdir()
    rows = "".join(f"o{n},1001,T1,2026-11-{17 + n} 18:00,50,missed\n" for n in range(2))
    (more.folder / "old" / "appointments.csv").write_text("id,client,therapist,start,minutes,status\n" + rows)
    more.clients, more.appointments = clinic.clients, clinic.appointments
    more.sync(NOW + DAY)
    assert more.look(NOW + DAY).notices == 0
    assert opened(more) == {("1001", "missed"): "day_one"}


def test_other_holidays_are_looked_at_anew(a_clinic):
    clinic = a_clinic(holidays="DE-BE")
    clinic.client("1001")
    clinic.sync()
    clinic.look()
    again = a_clinic(holidays="US")
    assert again.look(LATER).looked == 1
    assert again.look(LATER + 1).looked == 0


# ---------------------------------------------------------------- findings open, clear and come back


def test_a_finding_clears_and_says_when(clinic):
    in_care(clinic, "1001")
    clinic.sync()
    clinic.look()
    call_off(clinic, "1001")
    clinic.sync(LATER)
    clinic.look(LATER)
    clinic.entry("t1", "new", in_days(9), "Anna Müller")
    clinic.sync(LATER + HOUR)
    assert clinic.look(LATER + HOUR).cleared == 1
    assert clinic.findings() == set()
    (finding,) = clinic.rows(Finding)
    assert finding.cleared_at == LATER + HOUR


def back_again(clinic: Clinic, clear_for: int, *, told: bool = True) -> Any:
    """Quiet, booked, and quiet again after so many seconds; answers the finding."""
    in_care(clinic, "1001")
    clinic.sync()
    clinic.look()
    call_off(clinic, "1001")
    clinic.sync(LATER)
    clinic.look(LATER)
    if told:
        sent(clinic)
    clinic.entry("t1", "new", in_days(30), "Anna Müller")
    clinic.sync(LATER + HOUR)
    clinic.look(LATER + HOUR)
    clinic.drop("t1", "new")
    again = LATER + HOUR + clear_for
    clinic.sync(again)
    clinic.look(again)
    (finding,) = clinic.rows(Finding)
    assert finding.cleared_at is None
    return finding


def sent(clinic: Clinic, recipient: str = "therapist:T1") -> None:
    """Every waiting notice was sent to this recipient."""
    with clinic.practice.store.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO message (recipient, channel, message_id_header, sealed, urgency, state, claimed_at, claimed_by, problem) "
            f"SELECT '{recipient}', 'mail', 'h' || id, '', urgency, 'sent', made_at, '', '' FROM notice WHERE state = 'waiting'"
        )
        connection.exec_driver_sql(
            "UPDATE notice SET state = 'taken', message_id = (SELECT id FROM message WHERE message_id_header = 'h' || notice.id) "
            "WHERE state = 'waiting'"
        )


def test_back_within_the_grace_time_it_is_the_same_and_is_not_told_again_at_once(clinic):
    assert back_again(clinic, 7 * DAY - 1).generation == 1
    assert [n.generation for n in clinic.notices()] == [1]


def test_back_within_the_grace_time_and_still_so_after_it_is_told_again_once(clinic):
    finding = back_again(clinic, 2 * DAY)
    assert finding.speaks_at == finding.opened_at + 7 * DAY
    (look,) = clinic.rows(Look)
    assert look.next_look <= finding.speaks_at
    clinic.sync(finding.speaks_at - 1)
    clinic.look(finding.speaks_at - 1)
    assert [n.generation for n in clinic.notices()] == [1]
    clinic.sync(finding.speaks_at)
    assert clinic.look(finding.speaks_at).notices == 1
    assert [n.generation for n in clinic.notices()] == [1, 2]
    (finding,) = clinic.rows(Finding)
    assert (finding.generation, finding.speaks_at) == (2, None)
    clinic.sync(finding.opened_at + 30 * DAY)
    clinic.look(finding.opened_at + 30 * DAY)
    assert len(clinic.notices(step=0)) == 2


def test_back_and_gone_again_within_the_grace_time_says_no_more(clinic):
    finding = back_again(clinic, 2 * DAY)
    clinic.entry("t1", "newer", finding.opened_at + 20 * DAY, "Anna Müller")
    clinic.sync(finding.opened_at + DAY)
    clinic.look(finding.opened_at + DAY)
    clinic.sync(finding.speaks_at)
    clinic.look(finding.speaks_at)
    assert [n.generation for n in clinic.notices()] == [1]


def test_while_its_notice_still_waits_it_needs_no_other(clinic):
    assert back_again(clinic, 60, told=False).speaks_at is None
    assert len(clinic.notices(state="waiting")) == 1


def test_back_after_the_grace_time_it_is_another_one(clinic):
    assert back_again(clinic, 7 * DAY).generation == 2
    assert [n.generation for n in clinic.notices()] == [1, 2]


def test_a_reason_that_is_back_before_anybody_was_told_is_told(clinic):
    """The notice was called off because the finding had cleared; then the new appointment was cancelled too."""
    in_care(clinic, "1001")
    clinic.sync()
    clinic.look()
    call_off(clinic, "1001")
    clinic.sync(LATER)
    clinic.look(LATER)
    with clinic.practice.store.write() as connection:
        connection.exec_driver_sql("UPDATE notice SET state = 'cancelled', outcome = 'the finding has cleared'")
        connection.exec_driver_sql(f"UPDATE finding SET cleared_at = {LATER}")
        connection.exec_driver_sql("UPDATE look SET next_look = 0")
    decided = clinic.look(LATER + DAY)
    assert (decided.opened, decided.notices) == (1, 1)
    (notice,) = clinic.notices()
    assert (notice.state, notice.outcome, notice.generation) == ("waiting", "", 1)
    assert notice.not_before > LATER + DAY


# ---------------------------------------------------------------- notices: whom, when


def gone_to(clinic: Clinic, therapist: str, now: Any = LATER + HOUR) -> list[tuple[str, str]]:
    """T1's client is quiet and T1 was told, or is to be; then the client is another therapist's. Answers notices by state."""
    clinic.clients[0]["therapist"] = therapist
    clinic.sync(now)
    clinic.look(now)
    clinic.look(now + 1)
    return [(n.recipient, n.state) for n in clinic.notices()]


def quiet_with_t1(clinic: Clinic) -> None:
    clinic.therapist("T2")
    in_care(clinic, "1001")
    clinic.sync()
    clinic.look()
    call_off(clinic, "1001")
    clinic.sync(LATER)
    clinic.look(LATER)


def test_who_takes_a_client_over_is_told_what_stands(clinic):
    quiet_with_t1(clinic)
    sent(clinic)
    assert gone_to(clinic, "T2") == [("therapist:T1", "taken"), ("therapist:T2", "waiting")]
    sent(clinic, "therapist:T2")
    assert [to for to, _ in gone_to(clinic, "T1", LATER + 2 * HOUR)] == ["therapist:T1", "therapist:T2"]
    assert [f.generation for f in clinic.rows(Finding)] == [1]


def test_what_still_waited_for_the_other_is_called_off(clinic):
    quiet_with_t1(clinic)
    assert gone_to(clinic, "T2") == [("therapist:T1", "cancelled"), ("therapist:T2", "waiting")]
    assert gone_to(clinic, "T1", LATER + 2 * HOUR) == [("therapist:T1", "waiting"), ("therapist:T2", "cancelled")]


def test_who_was_told_already_as_the_cover_is_not_told_twice(clinic):
    quiet_with_t1(clinic)
    sent(clinic, "therapist:T2")
    assert gone_to(clinic, "T2") == [("therapist:T1", "taken")]


def test_a_client_whom_nobody_has_any_more_is_the_administrators(clinic):
    quiet_with_t1(clinic)
    sent(clinic)
    assert gone_to(clinic, "") == [("therapist:T1", "taken"), ("admin", "waiting")]


def test_what_is_to_sort_stays_to_sort_with_another_therapist(clinic):
    clinic.therapist("T2")
    clinic.seen("1001", *each(7, 6, days_ago(40)))
    clinic.sync()
    clinic.look()
    assert gone_to(clinic, "T2") == []


def test_an_ordinary_notice_waits_for_the_next_working_morning_in_the_therapists_zone(clinic):
    clinic.therapists[0]["zone"] = "America/New_York"
    in_care(clinic, "1001")
    clinic.entry("t1", "next-1001", in_days(9), "Anna Müller")
    clinic.sync()
    clinic.look()
    call_off(clinic, "1001")
    friday = NOW + 4 * DAY + 6 * HOUR  # half past ten in New York
    clinic.sync(friday)
    clinic.look(friday)
    (notice,) = clinic.notices()
    assert wall_of(notice.not_before, "America/New_York") == "2026-11-30T08:00:00"
    assert notice.expires_at == notice.not_before + 14 * DAY


def test_speaking_at_once_means_inside_working_hours(a_clinic):
    clinic = a_clinic(policy='speak = "at_once"')
    clinic.client("1001", "Anna Müller")
    in_care(clinic, "1001")
    clinic.sync()
    clinic.look()
    call_off(clinic, "1001")
    clinic.sync(LATER)
    clinic.look(LATER)
    assert [n.not_before for n in clinic.notices()] == [LATER]


def test_a_client_without_a_therapist_is_the_administrators(clinic):
    clinic.clients[0]["therapist"] = ""
    clinic.seen("1001", *each(7, 6, days_ago(13)))
    clinic.sync()
    clinic.look()
    clinic.sync(NOW + 2 * DAY)
    clinic.look(NOW + 2 * DAY)
    assert [n.recipient for n in clinic.notices()] == ["admin"]


def test_unconfirmed_is_no_notice(clinic):
    clinic.seen("1001", *each(7, 3, days_ago(1)), status="")
    clinic.entry("t1", "next", in_days(3), "Anna Müller")
    clinic.sync()
    clinic.look()
    clinic.sync(NOW + 2 * DAY)
    clinic.look(NOW + 2 * DAY)
    assert opened(clinic) == {("1001", "unconfirmed"): "noticed"}
    assert clinic.notices() == []


def test_somebody_who_died_or_ended_has_no_findings(clinic):
    for number in ("1001", "1002"):
        in_care(clinic, number)
    clinic.sync()
    clinic.look()
    call_off(clinic, "1001", "1002")
    clinic.sync(LATER)
    clinic.look(LATER)
    assert len(clinic.findings()) == 2
    clinic.clients[0]["died"] = "2026-11-20"
    clinic.clients[1]["status"] = "ended"
    clinic.sync(LATER + 60)
    assert clinic.look(LATER + 60).cleared == 2
    assert clinic.findings() == set()


# ---------------------------------------------------------------- what cannot be said (contract 5)


def test_while_the_calendar_was_never_read_nothing_is_said_and_then_it_is_day_one(clinic):
    clinic.seen("1001", *each(7, 6, days_ago(40)))
    clinic.sync(NOW, "records")
    decided = clinic.look()
    assert (decided.blind, decided.opened) == (1, 0)
    assert clinic.why("1001")["quiet"] == (None, "blind")
    clinic.sync(LATER)
    decided = clinic.look(LATER)
    assert (decided.opened, decided.day_one, decided.notices) == (1, 1, 0)


def test_a_stale_calendar_silences_absence_and_its_return_speaks(clinic):
    clinic.seen("1001", *each(7, 6, days_ago(10)))
    clinic.sync()
    assert clinic.look().opened == 0
    due = days_ago(10) + 14 * DAY
    clinic.sync(due, "records")
    decided = clinic.look(due)
    assert (decided.blind, decided.opened) == (1, 0)
    assert clinic.why("1001", due)["quiet"] == (None, "blind")
    back = due + 3 * DAY
    clinic.sync(back)
    decided = clinic.look(back)
    assert (decided.opened, decided.day_one, decided.notices) == (1, 0, 1)


def test_a_stale_calendar_of_somebody_else_silences_nobody(a_clinic):
    clinic = a_clinic(calendars=("t1", "t2"))
    clinic.client("1001")
    clinic.seen("1001", *each(7, 6, days_ago(40)))
    clinic.sync(NOW, "records", "cal-t1")
    assert clinic.look().opened == 1


def test_an_open_finding_outlives_a_blind_time(clinic):
    in_care(clinic, "1001")
    clinic.sync()
    clinic.look()
    call_off(clinic, "1001")
    clinic.sync(LATER)
    clinic.look(LATER)
    later = LATER + 5 * DAY
    clinic.sync(later, "records")
    with clinic.practice.store.write() as connection:
        decide(clinic.practice, connection, [clinic.id_of("1001")], later)
    assert clinic.findings() == {("1001", "quiet")}
    assert clinic.why("1001", later)["quiet"] == (None, "blind")


def with_a_row_aside(clinic):
    """A row about 1001 is not understood; the instant at which clients who were last seen ten days ago are quiet."""
    clinic.sync()
    clinic.look()
    due = days_ago(10) + 14 * DAY
    bad = Reject("appointments.csv, row 9", "bad-date", "The date cannot be read.", b"x", "a9", ("1001",))
    clinic.take("cal-t1", a_reading(rejects=[bad], kinds=["appointment"]), due)
    clinic.sync(due, "records")
    return due


def test_a_quarantined_row_of_a_client_silences_absence_about_that_client_alone(clinic):
    clinic.client("1002")
    for number in ("1001", "1002"):
        clinic.seen(number, *each(7, 6, days_ago(10)))
    due = with_a_row_aside(clinic)
    decided = clinic.look(due)
    assert (decided.blind, decided.opened) == (1, 1)
    assert clinic.findings() == {("1002", "quiet")}
    assert clinic.why("1001", due)["quiet"] == (None, "blind")
    mended = due + 60  # at once, not when what waits is tried again
    clinic.take("cal-t1", a_reading(kinds=["appointment"]), mended)
    assert clinic.look(mended).notices == 1
    assert clinic.findings() == {("1001", "quiet"), ("1002", "quiet")}


def test_a_client_is_looked_at_again_once_their_row_is_discarded(clinic):
    clinic.client("1002")
    clinic.seen("1001", *each(7, 6, days_ago(10)))
    due = with_a_row_aside(clinic)
    clinic.look(due)
    practice = clinic.practice
    with practice.store.read() as connection:
        assert len(finding_rows.unsaid(connection, "T1")) == 1
        assert finding_rows.unsaid(connection, "T2") == []
    assert clinic.findings() == set()
    (row,) = quarantine.listed(practice.store)
    quarantine.discard(practice.store, practice.vault, row.id, "root", "a line of totals", due + 60)
    assert clinic.look(due + 60).notices == 1
    assert clinic.findings() == {("1001", "quiet")}
    with practice.store.read() as connection:
        assert finding_rows.unsaid(connection) == []


def test_a_source_that_goes_and_one_that_comes_are_looked_at(a_clinic):
    clinic = a_clinic(calendars=("t1",))
    clinic.client("1001")
    clinic.seen("1001", *each(7, 6, days_ago(40)))
    clinic.sync(NOW, "records")
    assert clinic.look().blind == 1
    without = a_clinic(calendars=())
    decided = without.look(LATER)
    assert (decided.looked, decided.opened) == (1, 1)


# ---------------------------------------------------------------- why, at any past instant (contract 5)


def test_why_knows_what_was_known_then(clinic):
    in_care(clinic, "1001")
    clinic.sync()
    clinic.look()
    call_off(clinic, "1001")
    clinic.sync(LATER)
    clinic.look(LATER)
    clinic.entry("t1", "new", in_days(9), "Anna Müller")
    clinic.sync(LATER + HOUR)
    clinic.look(LATER + HOUR)
    said = [clinic.why("1001", now)["quiet"] for now in (NOW, LATER - 1, LATER, LATER + HOUR - 1, LATER + HOUR)]
    assert said == [
        (False, "booked"),
        (False, "booked"),
        (True, "quiet"),
        (True, "quiet"),
        (False, "booked"),
    ]


def test_why_knows_what_could_not_be_said_then(clinic):
    clinic.seen("1001", *each(7, 6, days_ago(40)))
    clinic.sync(NOW)
    stale_from = NOW + 26 * HOUR
    back = NOW + 5 * DAY
    clinic.sync(back)
    for now, blind in (
        (NOW, False),
        (stale_from, False),
        (stale_from + 1, True),
        (back - 1, True),
        (back, False),
    ):
        assert (clinic.why("1001", now)["quiet"][1] == "blind") == blind, now


def test_a_booking_at_the_time_of_a_missing_one_is_relied_on(clinic):
    clinic.seen("1001", *each(7, 6, days_ago(20)))
    old = {"twice": in_days(3)} | {f"old-{n}": in_days(3 + 7 * n) for n in range(6)}
    for uid, start in old.items():
        clinic.entry("t1", uid, start, "Anna Müller")
    clinic.sync()
    assert clinic.why("1001", NOW)["quiet"] == (False, "booked")
    clinic.drop("t1", *old)
    assert clinic.sync(LATER)["cal-t1"].held == 7
    assert clinic.why("1001", LATER)["quiet"] == (None, "blind")  # both that began then are missing
    clinic.entry("t1", "new", in_days(3), "Anna Müller")
    assert clinic.sync(LATER + HOUR)["cal-t1"].held == 7
    assert clinic.why("1001", LATER + HOUR)["quiet"] == (False, "booked")
    assert clinic.why("1001", LATER + HOUR, known_at=LATER)["quiet"] == (None, "blind")


def test_a_calendar_that_was_named_later_leaves_nothing_unsaid_before(a_clinic):
    clinic = a_clinic(calendars=())
    clinic.client("1001")
    clinic.seen("1001", *each(7, 6, days_ago(40)))
    clinic.sync(NOW)
    clinic.look(NOW)
    assert clinic.why("1001", NOW)["quiet"] == (True, "quiet")
    later = a_clinic(calendars=("t1",))
    later.clients, later.appointments = clinic.clients, clinic.appointments
    added = NOW + 2 * HOUR
    assert later.look(added - HOUR).blind == 1  # named, and not read yet
    later.sync(added)
    later.look(added)
    said = [later.why("1001", when)["quiet"][1] for when in (NOW, added - HOUR - 1, added - HOUR, added)]
    assert said == ["quiet", "quiet", "blind", "quiet"]


def test_why_knows_policy_facts_of_people_as_they_were(clinic):
    clinic.seen("1001", *each(7, 6, days_ago(40)))
    clinic.sync(NOW)
    clinic.clients[0]["paused until"] = "2027-01-10"
    clinic.sync(LATER)
    clinic.clients[0]["paused until"] = ""
    clinic.clients[0]["status"] = "ended"
    clinic.sync(LATER + HOUR)
    reasons = [clinic.why("1001", now)["quiet"][1] for now in (NOW, LATER, LATER + HOUR)]
    assert reasons == ["quiet", "paused", "ended"]


def test_why_knows_the_policy_and_the_holidays_that_held_then(a_clinic):
    clinic = a_clinic(policy="quiet_after_days = 30\nquiet_factor = 4", holidays="DE-BE")
    clinic.client("1001")
    clinic.seen("1001", *each(7, 6, days_ago(20)))
    clinic.sync()
    clinic.look()
    tight = a_clinic(policy="quiet_after_days = 14", holidays="US")
    tight.look(LATER)
    loose = a_clinic(policy="quiet_after_days = 60\nquiet_factor = 4")
    loose.look(LATER + HOUR)
    said = [loose.why("1001", now)["quiet"] for now in (NOW, LATER - 1, LATER, LATER + HOUR)]
    assert said == [(False, "seen_lately"), (False, "seen_lately"), (True, "quiet"), (False, "seen_lately")]
    with loose.practice.store.read() as connection:
        then = cases.shared(loose.practice, connection, NOW, NOW)
        today = cases.shared(loose.practice, connection, LATER + HOUR, LATER + HOUR)
        (row,) = cases.digests(connection, [loose.id_of("1001")])
    assert (len(then.case(row).pauses) > 10, today.case(row).pauses) == (True, ())
    assert [v.from_at for v in loose.rows(PolicyVersion)] == [NOW, LATER, LATER + HOUR]


def test_looks_under_the_same_terms_keep_no_other_version(clinic):
    clinic.sync()
    clinic.look()
    clinic.client("1002")
    clinic.sync(LATER)
    clinic.look(LATER)
    assert len(clinic.rows(PolicyVersion)) == 1


def stood(clinic: Clinic, number: str, when: Any) -> list[tuple[Any, ...]]:
    """A client's findings as they stood at an instant: kind, generation, opened, cleared, how."""
    with clinic.practice.store.read() as connection:
        (client,) = clinic.rows(Client, id=clinic.id_of(number))
        who = lookups.about(connection, client.code)
        assert who is not None
        found = finding_rows.findings_then(connection, who, when)
    return [(f.kind, f.generation, f.opened_at, f.cleared_at, f.opened) for f in found]


def test_what_came_back_does_not_overwrite_its_past(clinic):
    again = back_again(clinic, 2 * DAY).opened_at
    speaks = again + 7 * DAY
    clinic.sync(speaks)
    clinic.look(speaks)
    assert stood(clinic, "1001", LATER - 1) == []
    assert stood(clinic, "1001", LATER) == [("quiet", 1, LATER, None, "noticed")]
    assert stood(clinic, "1001", LATER + HOUR) == [("quiet", 1, LATER, LATER + HOUR, "noticed")]
    assert stood(clinic, "1001", again) == [("quiet", 1, again, None, "noticed")]
    assert stood(clinic, "1001", speaks) == [("quiet", 2, again, None, "noticed")]
    assert [row.what for row in clinic.rows(FindingHistory)] == ["opened", "cleared", "opened", "raised"]


def test_other_evidence_is_kept_beside_the_first(clinic):
    clinic.seen("1001", days_ago(9), days_ago(5), status="missed")
    clinic.sync()
    clinic.look()
    clinic.seen("1001", days_ago(1), status="missed")
    clinic.sync(LATER)
    clinic.look(LATER)
    rows = clinic.rows(FindingHistory)
    assert [(row.what, row.evidence["facts"]) for row in rows] == [
        ("opened", [days_ago(9), days_ago(5)]),
        ("said", [days_ago(5), days_ago(1)]),
    ]
    assert [row.opened for row in rows] == ["day_one", "day_one"]
    clinic.look(LATER + DAY)
    assert len(clinic.rows(FindingHistory)) == 2


def test_what_cannot_be_told_as_it_was_is_named(a_clinic):
    clinic = a_clinic()
    clinic.client("1001")
    clinic.sync()
    clinic.look()
    other = a_clinic(calendars=("t1", "t2"), zone="Europe/Lisbon")
    other.look(LATER)
    with other.practice.store.read() as connection:
        then, today = (policies.held_at(connection, when) for when in (NOW, LATER))
        assert policies.not_as_then(other.practice, today, rules_version()) == []
        sentences = " ".join(policies.not_as_then(other.practice, then, "another"))
    for word in ("rules are this version's", "Sources have been changed", "time zone"):
        assert word in sentences


def test_today_as_known_today_is_what_the_digest_says(clinic):
    clinic.breaks.append({"client": "1001", "from": "2026-11-01", "to": "2026-11-05"})
    in_care(clinic, "1001")
    clinic.sync()
    clinic.look()
    with clinic.practice.store.read() as connection:
        (stored,) = cases.digests(connection, [clinic.id_of("1001")])
        fresh = cases.digest_known(clinic.practice, connection, clinic.id_of("1001"), NOW)
    assert fresh == stored


# ---------------------------------------------------------------- two at once (contract 2)


def at_once(*jobs: Any) -> None:
    """Run jobs in threads that begin together; the first error is raised."""
    barrier = threading.Barrier(len(jobs))
    errors: list[BaseException] = []

    def run(job: Any) -> None:
        try:
            barrier.wait(10)
            job()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]


def test_two_workers_make_one_finding_and_one_notice(clinic):
    numbers = [str(n) for n in range(1001, 1011)]
    in_care(clinic, *numbers)
    clinic.sync()
    clinic.look()
    call_off(clinic, *numbers[:5])
    clinic.sync(LATER)
    ids = [row.id for row in clinic.rows(Client)]

    def work(order: list[int]) -> None:
        with clinic.practice.store.write() as connection:
            decide(clinic.practice, connection, order, LATER)

    at_once(lambda: work(ids), lambda: work(ids[::-1]), lambda: work(ids))
    assert len(clinic.rows(Finding)) == 5
    assert sorted(n.subject for n in clinic.rows(Notice)) == sorted(
        f"client:{clinic.id_of(number)}" for number in numbers[:5]
    )


def test_news_and_a_look_at_once_lose_neither(clinic):
    """Whichever comes first: in the end the look is at the news."""
    numbers = [str(n) for n in range(1001, 1006)]
    in_care(clinic, *numbers)
    clinic.sync()
    clinic.look()
    for turn in range(6):
        now = LATER + turn * HOUR
        call_off(clinic, *numbers)
        if turn % 2:
            in_care(clinic, *numbers)
        at_once(
            lambda now=now: clinic.sync(now, "cal-t1"),
            lambda now=now: clinic.look(now),
        )
        clinic.look(now + 1)
        wanted = set() if turn % 2 else {(number, "quiet") for number in numbers}
        assert clinic.findings() == wanted


def test_two_sources_read_at_once_both_count(a_clinic):
    """Each speaks of the same clients: derived side by side, neither may overwrite the other."""
    clinic = a_clinic(calendars=("t1", "t2"))
    numbers = [str(n) for n in range(1001, 1013)]
    for number in numbers:
        clinic.client(number)
    clinic.sync()
    readings = {
        name: a_reading(
            *(an_appointment(f"{name}-{n}", in_days(days), n, therapist=None) for n in numbers), kinds=["appointment"]
        )
        for name, days in (("cal-t1", 3), ("cal-t2", 9))
    }
    at_once(*(partial(clinic.take, name, reading, LATER) for name, reading in readings.items()))
    assert {len(clinic.digest(number).line) // 8 for number in numbers} == {2}
    assert {row.next_look for row in clinic.rows(Look)} == {0}


@pytest.mark.parametrize("zone", [ZONE, "America/New_York", "Pacific/Auckland"])
def test_days_are_the_practices_days(a_clinic, zone):
    clinic = a_clinic(zone=zone)
    clinic.client("1001", status="intake", intake="2026-11-09")
    clinic.entry("t1", "team", in_days(60), "Team day")
    clinic.sync()
    clinic.look(NOW - 3 * DAY)
    first_second = start_of(date(2026, 11, 23), zone)
    for now, fired in ((first_second - 1, False), (first_second, True)):
        with clinic.practice.store.read() as connection:
            (row,) = cases.digests(connection, [clinic.id_of("1001")])
            verdicts = cases.shared(clinic.practice, connection, now).look(row).verdicts
        assert [v.fired for v in verdicts if v.kind == "not_started"] == [fired]
