"""Series: what is taken out, added, moved or cancelled, what was said to end, and what only goes on."""

from datetime import timedelta

import pytest

from models.entries import BusyEntry, Plan, Reading
from tests.integrations.calendars.ics import calendar, entries, read, reasons, starts, walls

WEEKLY = "UID:w\nDTSTART;TZID=Europe/Berlin:20260302T100000\nDURATION:PT50M\nSUMMARY:Session\n"


def series(rule: str, *more: str) -> str:
    return WEEKLY + "\n".join((f"RRULE:{rule}", *more))


def change(of: str, *lines: str) -> str:
    return "\n".join(("UID:w", f"RECURRENCE-ID{of}", "SUMMARY:Changed", *lines))


def days(reading_starts: list[str]) -> list[str]:
    return [start[5:10] for start in reading_starts]


# ---------------------------------------------------------------- whose act is it


def test_the_tail_of_an_endless_series_is_nobodys_act() -> None:
    moved = change(";TZID=Europe/Berlin:20260309T100000", "DTSTART;TZID=Europe/Berlin:20260310T110000")
    found = entries(read(calendar(series("FREQ=WEEKLY", "RDATE;TZID=Europe/Berlin:20260304T150000"), moved)))
    assert [entry.wall[5:16] for entry in found if entry.plan is Plan.booked] == ["03-04T15:00", "03-10T11:00"]
    assert {entry.plan for entry in found} == {Plan.booked, Plan.proposed}
    assert len(found) == 44 + 1  # Mondays from 2 March to 28 December, one of them moved, one day added


@pytest.mark.parametrize("rule", ["FREQ=WEEKLY;COUNT=3", "FREQ=WEEKLY;UNTIL=20260316T090000Z"])
def test_a_finite_series_is_booked(rule: str) -> None:
    found = entries(read(calendar(series(rule))))
    assert [(entry.wall[:10], entry.plan) for entry in found] == [
        ("2026-03-02", Plan.booked),
        ("2026-03-09", Plan.booked),
        ("2026-03-16", Plan.booked),
    ]
    assert [entry.id for entry in found] == [f"w#{entry.start}" for entry in found]
    assert {entry.group for entry in found} == {"w"}


def test_a_cancelled_series_is_cancelled_throughout() -> None:
    found = read(calendar(series("FREQ=WEEKLY", "STATUS:CANCELLED")))
    assert {entry.plan for entry in entries(found)} == {Plan.cancelled}


def test_a_tentative_change_of_an_endless_series_stays_proposed() -> None:
    moved = change(";TZID=Europe/Berlin:20260309T100000", "DTSTART:20260310T110000Z", "STATUS:TENTATIVE")
    assert starts(read(calendar(series("FREQ=WEEKLY"), moved)), Plan.booked) == []


# ---------------------------------------------------------------- the end


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260316", "03-16"),  # a day means the whole of it, in the zone of the series
        ("20260315", "03-09"),
        ("20260316T090000Z", "03-16"),
        ("20260316T085959Z", "03-09"),
        ("20260316T100000", "03-16"),
        ("20260316T095959", "03-09"),
    ],
)
def test_until(until: str, last: str) -> None:
    assert days(starts(read(calendar(series(f"FREQ=WEEKLY;UNTIL={until}")))))[-1] == last


def test_counting_starts_at_the_beginning_and_not_at_the_window() -> None:
    long_ago = "UID:w\nDTSTART;TZID=Europe/Berlin:20250602T100000\nRRULE:FREQ=WEEKLY;COUNT=33"
    assert starts(read(calendar(long_ago))) == ["2026-01-05T09:00", "2026-01-12T09:00"]


def test_a_start_that_its_own_rule_does_not_meet_counts_all_the_same() -> None:
    assert days(starts(read(calendar(series("FREQ=WEEKLY;BYDAY=TH;UNTIL=20260313"))))) == ["03-02", "03-05", "03-12"]


def test_a_rule_written_twice_is_one_rule() -> None:
    twice = series("FREQ=WEEKLY;COUNT=2", "RRULE:FREQ=WEEKLY;COUNT=2")
    assert days(starts(read(calendar(twice)))) == ["03-02", "03-09"]


# ---------------------------------------------------------------- taken out and added


@pytest.mark.parametrize(
    "line",
    [
        "EXDATE;TZID=Europe/Berlin:20260309T100000",
        "EXDATE:20260309T090000Z",
        "EXDATE:20260309T100000",  # no zone: that of the series
        "EXDATE;VALUE=DATE:20260309",
        "EXDATE;TZID=America/New_York:20260309T050000",
        "EXRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=1;BYDAY=MO\nEXDATE;TZID=Europe/Berlin:20260309T100000",
    ],
)
def test_what_was_taken_out_stays_out(line: str) -> None:
    kept = days(starts(read(calendar(series("FREQ=WEEKLY;COUNT=3", line)))))
    assert "03-09" not in kept
    assert kept[-1] == "03-16"


def test_taken_out_beats_changed() -> None:
    moved = change(";TZID=Europe/Berlin:20260309T100000", "DTSTART;TZID=Europe/Berlin:20260310T110000")
    event = series("FREQ=WEEKLY;COUNT=3", "EXDATE;TZID=Europe/Berlin:20260309T100000")
    assert days(starts(read(calendar(event, moved)))) == ["03-02", "03-16"]


def test_added_days() -> None:
    more = [
        "RDATE;TZID=Europe/Berlin:20260304T150000,20260305T150000",
        "RDATE;VALUE=DATE:20260306",
        "RDATE;VALUE=PERIOD:20260307T080000Z/PT2H,20260308T080000Z/20260308T083000Z",
    ]
    found = entries(read(calendar(WEEKLY + "\n".join(more))))
    assert [(entry.wall[5:16], (entry.end - entry.start) // 60, entry.plan) for entry in found] == [
        ("03-02T10:00", 50, "booked"),
        ("03-04T15:00", 50, "booked"),
        ("03-05T15:00", 50, "booked"),
        ("03-06T10:00", 50, "booked"),
        ("03-07T09:00", 120, "booked"),
        ("03-08T09:00", 30, "booked"),
    ]


# ---------------------------------------------------------------- single occurrences that were changed


@pytest.mark.parametrize(
    "of",
    [";TZID=Europe/Berlin:20260309T100000", ":20260309T090000Z", ":20260309T100000", ";VALUE=DATE:20260309"],
)
def test_a_moved_occurrence_keeps_its_id(of: str) -> None:
    moved = change(of, "DTSTART;TZID=Europe/Berlin:20260311T140000", "SEQUENCE:2")
    before = {entry.id for entry in entries(read(calendar(series("FREQ=WEEKLY;COUNT=3"))))}
    found = entries(read(calendar(series("FREQ=WEEKLY;COUNT=3"), moved)))
    assert {entry.id for entry in found} == before
    assert [(entry.wall[5:16], entry.title, entry.sequence) for entry in found] == [
        ("03-02T10:00", "Session", 0),
        ("03-11T14:00", "Changed", 2),
        ("03-16T10:00", "Session", 0),
    ]


def test_a_cancelled_occurrence_is_said_to_be_cancelled() -> None:
    off = change(";TZID=Europe/Berlin:20260309T100000", "STATUS:CANCELLED")  # some programs leave the start out
    found = entries(read(calendar(series("FREQ=WEEKLY;COUNT=3"), off)))
    assert [(entry.wall[5:10], entry.plan) for entry in found] == [
        ("03-02", Plan.booked),
        ("03-09", Plan.cancelled),
        ("03-16", Plan.booked),
    ]


def test_an_occurrence_moved_beyond_the_window_is_not_absent() -> None:
    moved = change(";TZID=Europe/Berlin:20260309T100000", "DTSTART;TZID=Europe/Berlin:20280311T140000")
    assert starts(read(calendar(series("FREQ=WEEKLY;COUNT=2"), moved))) == ["2026-03-02T09:00", "2028-03-11T13:00"]


def test_an_occurrence_moved_into_the_window_is_seen() -> None:
    old = "UID:w\nDTSTART;TZID=Europe/Berlin:20251201T100000\nRRULE:FREQ=WEEKLY;COUNT=2"
    moved = change(";TZID=Europe/Berlin:20251208T100000", "DTSTART;TZID=Europe/Berlin:20260105T100000")
    assert starts(read(calendar(old, moved))) == ["2026-01-05T09:00"]


def test_a_change_without_its_series_stands_by_itself() -> None:
    moved = change(":20260309T090000Z", "DTSTART:20260310T090000Z")
    (entry,) = entries(read(calendar(moved)))
    assert (entry.id, entry.group, entry.plan) == ("w#1773046800", "w", Plan.booked)


def test_a_change_left_behind_after_the_end_of_its_series_is_none() -> None:
    stale = change(";TZID=Europe/Berlin:20260330T100000", "DTSTART;TZID=Europe/Berlin:20260331T100000")
    reading = read(calendar(series("FREQ=WEEKLY;UNTIL=20260316T090000Z"), stale))
    assert days(starts(reading)) == ["03-02", "03-09", "03-16"]
    assert reading.dropped == {"changes to a series after its end": 1}


def test_an_occurrence_made_all_day_is_no_appointment() -> None:
    holiday = change(";TZID=Europe/Berlin:20260309T100000", "DTSTART;VALUE=DATE:20260309")
    reading = read(calendar(series("FREQ=WEEKLY;COUNT=3"), holiday))
    assert days(starts(reading)) == ["03-02", "03-16"]
    assert whole_days(reading) == ["03-09"]


def test_the_newest_version_of_a_change_counts() -> None:
    first = change(":20260309T090000Z", "DTSTART:20260310T090000Z", "SEQUENCE:1")
    second = change(";TZID=Europe/Berlin:20260309T100000", "DTSTART:20260311T090000Z", "SEQUENCE:2")
    assert days(starts(read(calendar(second, series("FREQ=WEEKLY;COUNT=2"), first)))) == ["03-02", "03-11"]


# ---------------------------------------------------------------- this one and all that follow

ONWARD = ";RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260316T100000"


def test_a_series_moved_from_one_day_on() -> None:
    moved = change(ONWARD, "DTSTART;TZID=Europe/Berlin:20260317T143000", "DURATION:PT90M")
    found = entries(read(calendar(series("FREQ=WEEKLY;COUNT=5"), moved)))
    assert [(entry.wall[5:16], entry.title, (entry.end - entry.start) // 60) for entry in found] == [
        ("03-02T10:00", "Session", 50),
        ("03-09T10:00", "Session", 50),
        ("03-17T14:30", "Changed", 90),
        ("03-24T14:30", "Changed", 90),
        ("03-31T14:30", "Changed", 90),  # clocks went forward on 29 March
    ]
    assert [entry.id for entry in found] == [
        entry.id for entry in entries(read(calendar(series("FREQ=WEEKLY;COUNT=5"))))
    ]


def test_a_change_of_one_day_beats_the_change_of_all() -> None:
    moved = change(ONWARD, "DTSTART;TZID=Europe/Berlin:20260317T143000")
    single = change(";TZID=Europe/Berlin:20260323T100000", "DTSTART;TZID=Europe/Berlin:20260327T080000")
    found = read(calendar(series("FREQ=WEEKLY;COUNT=5"), moved, single))
    assert [wall[5:16] for wall in walls(found)] == [
        "03-02T10:00", "03-09T10:00", "03-17T14:30", "03-27T08:00", "03-31T14:30"
    ]  # fmt: skip


def test_a_series_cancelled_from_one_day_on() -> None:
    off = change(ONWARD, "DTSTART;TZID=Europe/Berlin:20260316T100000", "STATUS:CANCELLED")
    found = read(calendar(series("FREQ=WEEKLY"), off))
    assert days(starts(found, Plan.proposed)) == ["03-02", "03-09"]
    assert len(starts(found, Plan.cancelled)) == 42


def test_the_tail_of_an_endless_series_stays_proposed_after_a_move() -> None:
    moved = change(ONWARD, "DTSTART;TZID=Europe/Berlin:20260317T143000")
    found = read(calendar(series("FREQ=WEEKLY"), moved))
    assert days(starts(found, Plan.booked)) == ["03-17"]


# ---------------------------------------------------------------- all-day series


def test_a_timed_day_of_an_all_day_series_is_an_appointment() -> None:
    allday = "UID:w\nDTSTART;VALUE=DATE:20260302\nRRULE:FREQ=WEEKLY"
    timed = change(";VALUE=DATE:20260309", "DTSTART:20260309T090000Z")
    reading = read(calendar(allday, timed))
    assert starts(reading) == ["2026-03-09T09:00"]
    assert whole_days(reading)[:3] == ["03-02", "03-16", "03-23"]


@pytest.mark.parametrize(
    "exdate", ["EXDATE;VALUE=DATE:20260309", "EXDATE;TZID=Europe/Berlin:20260309T000000", "EXDATE:20260309T000000Z"]
)
def test_an_all_day_series_takes_each_of_its_days_but_those_taken_out(exdate: str) -> None:
    closed = (
        f"UID:w\nDTSTART;VALUE=DATE:20260302\nDTEND;VALUE=DATE:20260304\nRRULE:FREQ=WEEKLY;UNTIL=20260316\n{exdate}"
    )
    reading = read(calendar(closed))
    assert (starts(reading), whole_days(reading)) == ([], ["03-02", "03-16"])
    assert {entry.to_on - entry.from_on for entry in reading.entries if isinstance(entry, BusyEntry)} == {
        timedelta(days=1)
    }


def whole_days(reading: Reading) -> list[str]:
    """The first days of what takes whole days, as month and day."""
    return sorted(str(entry.from_on)[5:] for entry in reading.entries if isinstance(entry, BusyEntry))


def test_one_bad_change_puts_its_whole_series_aside() -> None:
    reading = read(calendar(series("FREQ=WEEKLY;COUNT=3"), change(":20260309T090000Z", "DTSTART:never")))
    assert (reading.entries, reasons(reading)) == ([], ["bad-date"])
    assert reading.rejects[0].raw.count(b"BEGIN:VEVENT") == 2
