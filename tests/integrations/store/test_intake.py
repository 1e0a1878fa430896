"""What a reading writes: new rows for what is new, nothing for what is known, absences only for what is surely gone."""

import pytest

from integrations.store import quarantine
from integrations.store.sources import all_rows, release_held
from models.appointments import Appointment, Participant
from models.changes import Change
from models.digest import Digest
from models.entries import Attendance, Plan, Reject
from models.errors import SourceError, TendingError, UsageError
from models.instants import DAY, HOUR
from models.observations import Observation, Subject
from models.people import Break, Client, Leave, Relation, Therapist
from models.quarantine import Quarantine
from tests.builders import NOW, a_reading, an_appointment, days_ago, each, in_days

LATER = NOW + HOUR


def booked(clinic):
    """Starts of appointments that stand, in days from now."""
    standing = {(p.appointment_id) for p in clinic.rows(Participant) if p.plan != Plan.cancelled}
    return sorted((a.start_at - NOW) / DAY for a in clinic.rows(Appointment) if a.id in standing)


def held(clinic, name="cal-t1"):
    with clinic.practice.store.read() as connection:
        return all_rows(connection)[name].held


# ---------------------------------------------------------------- writing what is new, once


def test_an_unchanged_reading_writes_nothing_but_the_source(clinic):
    clinic.seen("1001", *each(7, 5, days_ago(3)))
    clinic.entry("t1", "u", in_days(4), "Anna Müller")
    clinic.sync()
    tables = (Observation, Subject, Appointment, Participant, Digest, Change, Client, Relation, Therapist)
    before = [clinic.rows(model) for model in tables]
    first = clinic.sync(LATER)
    assert all(taken.unchanged for taken in first.values())
    with clinic.practice.store.write() as connection:
        connection.exec_driver_sql("UPDATE source SET fingerprint = ''")
    second = clinic.sync(LATER + HOUR)
    assert [(t.new, t.changed, t.vanished, t.unchanged) for t in second.values()] == [(0, 0, 0, False)] * 2
    assert [clinic.rows(model) for model in tables] == before


@pytest.mark.parametrize("second", [NOW, NOW - HOUR], ids=["the same second", "a clock set back"])
def test_of_two_readings_the_later_one_holds_whatever_the_clock_says(clinic, second):
    clinic.sync(NOW, "records")
    for turn in range(4):
        there = [an_appointment("u", in_days(3), "1001")] if turn % 2 == 0 else []
        clinic.take("cal-t1", a_reading(*there, kinds=["appointment"]), NOW if turn == 0 else second)
        assert booked(clinic) == ([3] if there else [])


def test_a_correction_is_a_new_row_and_the_old_one_stays(clinic):
    clinic.sync(NOW, "records")
    clinic.take("cal-t1", a_reading(an_appointment("u", in_days(3), "1001"), kinds=["appointment"]), NOW)
    clinic.take("cal-t1", a_reading(an_appointment("u", in_days(5), "1001"), kinds=["appointment"]), LATER)
    versions = clinic.rows(Observation, kind="appointment")
    assert [(v.facts["start"], v.known_at, v.current) for v in versions] == [
        (in_days(3), NOW, False),
        (in_days(5), LATER, True),
    ]
    assert booked(clinic) == [5]
    assert len(clinic.rows(Appointment)) == 1


def test_two_versions_of_one_entry_in_one_reading_are_one_whatever_their_order(clinic):
    clinic.sync(NOW, "records")
    old, new = (an_appointment("u", in_days(d), "1001", said_at=NOW + d) for d in (3, 5))
    for now, pair in ((NOW, (old, new)), (LATER, (new, old))):
        clinic.take("cal-t1", a_reading(*pair, kinds=["appointment"]), now)
        assert booked(clinic) == [5]
    assert len(clinic.rows(Observation, kind="appointment")) == 1


def test_identity_and_ids_of_clients_are_not_in_the_open(clinic):
    clinic.sync(NOW, "records")
    clinic.take("cal-t1", a_reading(an_appointment("u", in_days(3), "1001", title="Anna Müller")), NOW)
    (row,) = clinic.rows(Observation, kind="client")
    assert "1001" not in f"{row.entry_id} {row.facts} {row.hints}"
    (entry,) = clinic.rows(Observation, kind="appointment")
    assert "Müller" not in f"{entry.facts} {entry.hints}"
    assert clinic.practice.vault.open(entry.sealed) == {"title": "Anna Müller", "client_ids": ["1001"]}


def test_changes_say_in_one_word_what_happened(clinic):
    clinic.sync(NOW, "records")

    def words(now, *entries):
        newest = max((c.id for c in clinic.rows(Change)), default=0)
        clinic.take("cal-t1", a_reading(*entries, kinds=["appointment"]), now)
        return [c.kind for c in clinic.rows(Change) if c.id > newest and c.client_id is not None]

    assert words(NOW, an_appointment("u", in_days(3), "1001")) == ["appointment.booked"]
    assert words(NOW + 1, an_appointment("u", in_days(4), "1001")) == ["appointment.moved"]
    assert words(NOW + 2, an_appointment("u", in_days(4), "1001", therapist="T2")) == ["appointment.changed"]
    assert words(NOW + 3, an_appointment("u", in_days(4), "1001", attendance=Attendance.no_show)) == [
        "appointment.missed"
    ]
    assert words(NOW + 4, an_appointment("u", in_days(4), "1001", attendance=Attendance.attended)) == [
        "appointment.attended"
    ]
    assert words(NOW + 5, an_appointment("u", in_days(4), "1001", plan=Plan.cancelled)) == ["appointment.cancelled"]
    assert words(NOW + 6, an_appointment("u", in_days(4), "1001")) == ["appointment.booked"]
    assert words(NOW + 7) == ["appointment.cancelled"]
    assert words(NOW + 8) == []


# ---------------------------------------------------------------- whom entries concern, in any order of arrival


def test_an_entry_waits_for_its_client(clinic):
    clinic.entry("t1", "u", in_days(3), "Anna Müller")
    assert clinic.sync(NOW, "cal-t1")["cal-t1"].unmatched == 1
    assert booked(clinic) == []
    clinic.sync(LATER, "records")
    assert booked(clinic) == [3]
    assert {s.how for s in clinic.rows(Subject)} == {"name"}


def test_the_second_of_a_couple_may_become_known_later(clinic):
    couple = an_appointment("u", in_days(3), "1001", "1002")
    clinic.sync(NOW, "records")
    clinic.take("cal-t1", a_reading(couple, kinds=["appointment"]), NOW)
    assert [s.how for s in clinic.rows(Subject)] == ["some"]
    clinic.client("1002")
    clinic.sync(LATER, "records")
    assert [s.how for s in clinic.rows(Subject)] == ["id", "id"]
    assert len(clinic.rows(Participant)) == 2
    assert len(clinic.rows(Appointment)) == 1


def test_one_of_a_couple_leaving_the_entry_keeps_the_other(clinic):
    clinic.client("1002")
    clinic.sync(NOW, "records")
    clinic.take("cal-t1", a_reading(an_appointment("u", in_days(3), "1001", "1002"), kinds=["appointment"]), NOW)
    clinic.take("cal-t1", a_reading(an_appointment("u", in_days(3), "1001"), kinds=["appointment"]), LATER)
    assert [p.client_id for p in clinic.rows(Participant)] == [clinic.id_of("1001")]
    assert clinic.digest("1002").line == b""


def test_a_name_that_becomes_ambiguous_means_nobody_any_more(clinic):
    clinic.entry("t1", "u", in_days(3), "Anna Müller")
    clinic.sync()
    assert booked(clinic) == [3]
    clinic.client("1002", "Müller, Anna")
    clinic.sync(LATER)
    assert booked(clinic) == []
    clinic.clients[-1]["name"] = "Anna Meier"
    clinic.sync(LATER + HOUR)
    assert booked(clinic) == [3]


def test_a_code_in_a_title_is_found_before_and_after_its_client(clinic):
    clinic.clients[0]["code"] = "C-7F3K9QX"
    clinic.entry("t1", "u1", in_days(3), "C-7F3K9QX")
    clinic.entry("t1", "u2", in_days(4), "C-2222222")
    clinic.sync(NOW, "cal-t1")
    clinic.sync(NOW, "records")
    assert booked(clinic) == [3]
    clinic.entry("t1", "u3", in_days(5), "C-7F3K9QX")
    clinic.sync(LATER)
    assert booked(clinic) == [3, 5]
    clinic.client("1002", code="C-2222222")
    clinic.sync(LATER + HOUR)
    assert booked(clinic) == [3, 4, 5]


def test_another_name_pattern_finds_others(a_clinic):
    clinic = a_clinic()
    clinic.client("1001", "Anna Müller")
    clinic.entry("t1", "u", in_days(3), "Anna Müller with Ben Ünal")
    clinic.client("1002", "Ben Ünal")
    clinic.sync()
    assert booked(clinic) == []  # either may be meant
    again = a_clinic(calendar="name_pattern = '^(.+) with'")
    again.clients, again.calendars = clinic.clients, clinic.calendars
    again.sync(LATER)
    assert {clinic_id: len(again.digest(clinic_id).line) // 8 for clinic_id in ("1001", "1002")} == {
        "1001": 1,
        "1002": 0,
    }


# ---------------------------------------------------------------- what is missing


def with_singles(clinic, count, first=1):
    for number in range(count):
        clinic.entry("t1", f"u{number}", in_days(first + number), "Anna Müller")


def test_a_few_that_vanish_are_cancelled_in_the_future_only(clinic):
    with_singles(clinic, 3)
    clinic.entry("t1", "past", days_ago(2), "Anna Müller")
    clinic.sync()
    clinic.drop("t1", "u0", "past")
    taken = clinic.sync(LATER)["cal-t1"]
    assert (taken.vanished, taken.held) == (1, 0)
    assert booked(clinic) == [-2, 2, 3]


def test_what_begins_this_second_is_not_past(clinic):
    clinic.sync(NOW, "records")
    entry = an_appointment("u", LATER, "1001")
    clinic.take("cal-t1", a_reading(entry, kinds=["appointment"]), NOW)
    clinic.take("cal-t1", a_reading(kinds=["appointment"]), LATER)
    assert booked(clinic) == []


def test_what_began_a_second_ago_is_past(clinic):
    clinic.sync(NOW, "records")
    entry = an_appointment("u", LATER - 1, "1001")
    clinic.take("cal-t1", a_reading(entry, kinds=["appointment"]), NOW)
    clinic.take("cal-t1", a_reading(kinds=["appointment"]), LATER)
    assert len(booked(clinic)) == 1


def test_what_was_taken_out_before_it_began_is_gone_though_read_after(clinic):
    """Cancelled an hour before: read only when it would have been over. What the last reading had seen begin stays."""
    clinic.sync(NOW, "records")
    old, begun, next_one = (
        an_appointment(name, start, "1001") for name, start in (("a", days_ago(9)), ("b", NOW - 1), ("c", NOW + HOUR))
    )
    clinic.take("cal-t1", a_reading(old, begun, next_one, kinds=["appointment"]), NOW)
    clinic.take("cal-t1", a_reading(old, kinds=[]), NOW + 2 * HOUR)  # a file of it could not be read
    clinic.take("cal-t1", a_reading(old, kinds=["appointment"]), NOW + DAY)
    assert [round(d) for d in booked(clinic)] == [-9, 0]
    assert booked(clinic)[1] < 0


def test_what_began_while_a_question_was_open_is_gone_with_the_answer(clinic):
    clinic.entry("t1", "old", days_ago(9), "Anna Müller")
    held_clinic(clinic)
    speak(clinic, cancelled=True)
    assert clinic.sync(in_days(4.5))["cal-t1"].vanished == 10
    assert booked(clinic) == [-9]


def test_outside_the_window_that_was_read_nothing_goes_missing(clinic):
    clinic.sync(NOW, "records")
    far = an_appointment("u", in_days(401), "1001")
    clinic.take("cal-t1", a_reading(far, kinds=["appointment"]), NOW)
    clinic.take("cal-t1", a_reading(kinds=["appointment"]), LATER)
    assert booked(clinic) == [401]


@pytest.mark.parametrize(
    ("ahead", "vanish", "is_held"),
    [
        (1, 1, False),
        (2, 2, True),
        (5, 4, False),
        (5, 5, True),
        (40, 8, False),
        (40, 9, True),
        (6, 5, False),
        (25, 5, False),
        (30, 6, False),
    ],
)
def test_more_than_a_few_at_once_are_held(clinic, ahead, vanish, is_held):
    with_singles(clinic, ahead)
    clinic.sync()
    clinic.drop("t1", *(f"u{n}" for n in range(vanish)))
    taken = clinic.sync(LATER)["cal-t1"]
    assert (taken.held, taken.vanished) == ((vanish, 0) if is_held else (0, vanish))
    assert len(booked(clinic)) == (ahead if is_held else ahead - vanish)
    assert bool(held(clinic)) == is_held


def test_the_tail_of_an_endless_series_was_never_booked_and_does_not_count(clinic):
    clinic.sync(NOW, "records")
    tail = [an_appointment(f"s#{n}", in_days(7 * n), "1001", plan=Plan.proposed, group="s") for n in range(1, 40)]
    clinic.take("cal-t1", a_reading(*tail, kinds=["appointment"]), NOW)
    taken = clinic.take("cal-t1", a_reading(kinds=["appointment"]), LATER)
    assert (taken.held, taken.vanished) == (0, 39)


def test_a_series_that_ends_is_one_act(clinic):
    clinic.sync(NOW, "records")
    series = [an_appointment(f"s#{n}", in_days(7 * n), "1001", group="s") for n in range(1, 30)]
    clinic.take("cal-t1", a_reading(*series, kinds=["appointment"]), NOW)
    taken = clinic.take("cal-t1", a_reading(kinds=["appointment"]), LATER)
    assert (taken.held, taken.vanished) == (0, 29)


def held_clinic(clinic, count=10):
    with_singles(clinic, count)
    clinic.sync()
    clinic.drop("t1", *(f"u{n}" for n in range(count)))
    assert clinic.sync(LATER)["cal-t1"].held == count
    return held(clinic)["since"]


def speak(clinic, *, cancelled, at=LATER + 600):
    with clinic.practice.store.write() as connection:
        return release_held(connection, "cal-t1", at, cancelled=cancelled)


def test_a_persons_word_that_they_are_cancelled(clinic):
    held_clinic(clinic)
    assert speak(clinic, cancelled=True) == {"appointment": 10}
    taken = clinic.sync(LATER + HOUR)["cal-t1"]
    assert (taken.held, taken.vanished) == (0, 10)
    assert booked(clinic) == []
    assert held(clinic) == {}


def test_a_persons_word_that_they_stand(clinic):
    held_clinic(clinic)
    assert speak(clinic, cancelled=False) == {"appointment": 10}
    for hours in (1, 2, 3):
        with clinic.practice.store.write() as connection:
            connection.exec_driver_sql("UPDATE source SET fingerprint = ''")
        taken = clinic.sync(LATER + hours * HOUR)["cal-t1"]
        assert (taken.held, taken.vanished) == (0, 0)
        assert len(booked(clinic)) == 10
    with_singles(clinic, 10)  # the calendar is mended, and later some are really taken out
    clinic.sync(LATER + 4 * HOUR)
    assert held(clinic) == {}
    clinic.drop("t1", "u1", "u2")
    assert clinic.sync(LATER + 5 * HOUR)["cal-t1"].vanished == 2


def test_what_vanishes_after_a_persons_word_is_counted_by_itself(clinic):
    with_singles(clinic, 30)
    clinic.sync()
    clinic.drop("t1", *(f"u{n}" for n in range(10)))
    clinic.sync(LATER)
    speak(clinic, cancelled=True)
    clinic.drop("t1", "u10")
    taken = clinic.sync(LATER + HOUR)["cal-t1"]
    assert (taken.held, taken.vanished) == (0, 11)


def test_the_question_stays_one_while_fewer_are_missing_and_is_another_when_more_are(clinic):
    since = held_clinic(clinic, 12)
    clinic.entry("t1", "u0", in_days(1), "Anna Müller")
    clinic.sync(LATER + HOUR)
    assert (held(clinic)["since"], held(clinic)["count"]) == (since, 11)
    clinic.sync(LATER + 3 * DAY)  # two of them are past by now: they cannot vanish any more
    assert (held(clinic)["since"], held(clinic)["count"]) == (since, 9)
    clinic.drop("t1", "u0")
    with_singles(clinic, 2, first=20)
    clinic.sync(LATER + 4 * DAY)
    clinic.drop("t1", "u0", "u1")
    clinic.sync(LATER + 5 * DAY)
    assert held(clinic)["since"] == LATER + 5 * DAY


def test_what_is_back_needs_no_word(clinic):
    held_clinic(clinic)
    with_singles(clinic, 10)
    clinic.sync(LATER + HOUR)
    assert held(clinic) == {}
    assert len(booked(clinic)) == 10
    with pytest.raises(UsageError, match="Nothing is held"):
        speak(clinic, cancelled=True)


def test_a_source_of_changes_says_nothing_by_what_it_leaves_out(a_clinic):
    clinic = a_clinic(calendar='delivers = "changes"')
    clinic.client("1001", "Anna Müller")
    with_singles(clinic, 3)
    clinic.sync()
    clinic.drop("t1", "u0", "u1", "u2")
    assert clinic.sync(LATER)["cal-t1"].vanished == 0
    assert len(booked(clinic)) == 3


@pytest.mark.parametrize(
    "content",
    [b"", b"<!doctype html><title>Sign in</title>", b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:u0\r\n"],
    ids=["empty", "a login page", "cut off"],
)
def test_what_is_no_whole_calendar_cancels_nothing(clinic, content):
    with_singles(clinic, 3)
    clinic.sync()
    clinic.write()
    (clinic.folder / "t1.ics").write_bytes(content)
    source = clinic.practice.settings.source_named("cal-t1")
    from integrations.reading import read_source

    with pytest.raises(SourceError):
        read_source(clinic.practice, source, LATER)
    (clinic.folder / "t1.ics").unlink()
    with pytest.raises(TendingError):
        read_source(clinic.practice, source, LATER + 1)
    assert len(booked(clinic)) == 3
    with clinic.practice.store.read() as connection:
        row = all_rows(connection)["cal-t1"]
    assert (row.read_at, row.tried_at) == (NOW, LATER + 1)
    assert row.problem
    assert row.told


def test_a_calendar_that_is_suddenly_empty_is_asked_about(clinic):
    with_singles(clinic, 7)
    clinic.sync()
    clinic.calendars["t1"] = []
    taken = clinic.sync(LATER)["cal-t1"]
    assert (taken.held, len(booked(clinic))) == (7, 7)


def test_a_rejected_row_is_never_taken_for_gone(clinic):
    clinic.sync(NOW, "records")
    entries = [an_appointment(f"u{n}", in_days(n), "1001") for n in (1, 2, 3)]
    series = an_appointment("s#1", in_days(4), "1001", group="s")
    clinic.take("cal-t1", a_reading(*entries, series, kinds=["appointment"]), NOW)
    bad = Reject("t1.ics, line 5", "bad-date", "The entry at line 5 has no date.", b"x", "u1")
    bad_series = Reject("t1.ics, line 9", "bad-rule", "The entry at line 9 repeats oddly.", b"y", "s")
    taken = clinic.take("cal-t1", a_reading(entries[1], rejects=[bad, bad_series], kinds=["appointment"]), LATER)
    assert (taken.vanished, taken.rejected) == (1, 2)
    assert booked(clinic) == [1, 2, 4]
    clinic.take("cal-t1", a_reading(rejects=[nameless()], kinds=["appointment"]), LATER + 1)
    assert booked(clinic) == [1, 2, 4]
    assert {q.state for q in clinic.rows(Quarantine)} == {"held", "gone"}


def nameless(kind=""):
    return Reject("a file, row 5", "bad-date", "The row has no date.", f"z{kind}".encode(), kind=kind)


def test_a_row_without_an_id_keeps_only_its_own_kind_from_being_gone(clinic):
    clinic.sync(NOW, "records")
    entries = [an_appointment(f"u{n}", in_days(n), "1001") for n in (1, 2)]
    clinic.take("cal-t1", a_reading(*entries, kinds=["appointment"]), NOW)
    bad = nameless("client")
    clinic.take("cal-t1", a_reading(entries[0], rejects=[bad], kinds=["appointment"]), LATER)
    assert booked(clinic) == [1]


def test_what_may_be_the_row_that_was_not_understood_is_neither_gone_nor_relied_on(clinic):
    clinic.seen("1001", *each(7, 5, days_ago(30)))
    clinic.sync(NOW)
    entry = an_appointment("u", in_days(2), "1001")
    clinic.take("cal-t1", a_reading(entry, kinds=["appointment"]), NOW)
    assert clinic.why("1001")["quiet"] == (False, "booked")
    bad = nameless("appointment")
    clinic.look(NOW)
    clinic.take("cal-t1", a_reading(rejects=[bad], kinds=["appointment"]), LATER)
    assert booked(clinic)[-1] == 2
    assert clinic.why("1001", LATER)["quiet"] == (None, "blind")
    assert clinic.look(LATER).blind == 1
    (item,) = quarantine.listed(clinic.practice.store)
    quarantine.discard(clinic.practice.store, clinic.practice.vault, item.id, "anna", "not ours", LATER + 1)
    with clinic.practice.store.read() as connection:
        assert all_rows(connection)["cal-t1"].fingerprint == "", "the same bytes would not be read again"
    clinic.take("cal-t1", a_reading(rejects=[bad], kinds=["appointment"]), LATER + 2)
    assert booked(clinic)[-1] == -30
    assert clinic.why("1001", LATER + 2)["quiet"] == (True, "quiet")


def test_a_kind_that_was_not_read_whole_loses_nothing_and_answers_no_question(clinic):
    since = held_clinic(clinic)
    clinic.take("cal-t1", a_reading(kinds=[]), LATER + HOUR)
    assert held(clinic)["since"] == since
    assert len(booked(clinic)) == 10


def test_clients_and_therapists_never_vanish_but_breaks_and_leave_do(clinic):
    clinic.breaks.append({"client": "1001", "from": "2026-12-01", "to": "2026-12-05"})
    clinic.leave.append({"therapist": "T1", "from": "2026-12-01", "to": "2026-12-05"})
    clinic.client("1002")
    clinic.sync(NOW, "records")
    assert len(clinic.rows(Break)) == len(clinic.rows(Leave)) == 1
    clinic.clients.pop()
    clinic.breaks[0] = {"client": "1001", "from": "2026-12-02", "to": "2026-12-05"}
    clinic.leave[0] = {"therapist": "T1", "from": "2026-12-02", "to": "2026-12-05"}
    clinic.sync(LATER, "records")
    assert len(clinic.rows(Client)) == 2
    assert [str(b.from_on) for b in (*clinic.rows(Break), *clinic.rows(Leave))] == ["2026-12-02"] * 2


def test_a_break_waits_for_its_client(clinic):
    clinic.clients = []
    clinic.breaks.append({"client": "1001", "from": "2026-12-01", "to": "2026-12-05"})
    clinic.sync(NOW, "records")
    assert clinic.rows(Break) == []
    clinic.client("1001")
    clinic.sync(LATER, "records")
    assert len(clinic.rows(Break)) == 1
    assert clinic.digest("1001").breaks != b""
