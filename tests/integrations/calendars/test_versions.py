"""A folder that holds older downloads of a calendar: each entry once, in its newest version."""

import pytest

from integrations.calendars.reading import read_calendars
from models.entries import AppointmentEntry, Plan, Reading
from tests.integrations.calendars.ics import FROM, TO, calendar, entries, starts

SESSION = "UID:one@x\nDTSTART:20260302T090000Z\nDURATION:PT50M\nSUMMARY:Session"
OFF = f"{SESSION}\nSTATUS:CANCELLED"
WEEKLY = "UID:w@x\nDTSTART:20260302T090000Z\nDURATION:PT50M\nSUMMARY:Weekly\nRRULE:FREQ=WEEKLY"


def read(*files: bytes, names: str = "zyxwv") -> Reading:
    """Read as the files of a folder, oldest first; by name the newest comes first."""
    return read_calendars(
        [(f"{name}.ics", data) for name, data in zip(names, files, strict=False)],
        zone="Europe/Berlin",
        therapist_id="T1",
        window_from=FROM,
        window_to=TO,
    )


def plans(reading: Reading) -> list[tuple[str, Plan]]:
    return [(entry.id, entry.plan) for entry in entries(reading)]


def revised(event: str, number: int = 0, modified: str = "", stamp: str = "") -> str:
    lines = [f"SEQUENCE:{number}"] * bool(number)
    lines += [f"LAST-MODIFIED:{modified}"] * bool(modified) + [f"DTSTAMP:{stamp}"] * bool(stamp)
    return "\n".join([event, *lines])


@pytest.mark.parametrize(
    ("older", "newer", "plan"),
    [
        (SESSION, OFF, Plan.cancelled),  # nothing else tells: the newer file holds
        (OFF, SESSION, Plan.booked),
        (revised(OFF, 2), revised(SESSION, 1), Plan.cancelled),  # a revision beats the file's age
        (revised(SESSION, 1), revised(OFF, 2), Plan.cancelled),
        (revised(OFF, 9), revised(SESSION, 10), Plan.booked),
        (revised(OFF, 1, "20260102T000000Z"), revised(SESSION, 1, "20260101T000000Z"), Plan.cancelled),
        (revised(OFF, 1, "", "20260102T000000Z"), revised(SESSION, 1, "", "20260101T000000Z"), Plan.cancelled),
        (revised(OFF, 1, "", "20260101T000000Z"), revised(SESSION, 1, "", "20260101T000000Z"), Plan.booked),
    ],
)
def test_of_one_entry_the_newest_version_holds(older: str, newer: str, plan: Plan) -> None:
    reading = read(calendar(older), calendar(newer))
    assert plans(reading) == [("one@x", plan)]
    assert (reading.dropped, reading.rejects) == ({"older versions of an entry": 1}, [])


def test_a_moved_entry_stands_once_where_it_was_moved_to() -> None:
    moved = SESSION.replace("T090000", "T150000")
    renamed = moved.replace("Session", "Renamed")
    assert starts(read(calendar(SESSION), calendar(moved), calendar(renamed))) == ["2026-03-02T15:00"]
    assert starts(read(calendar(SESSION), calendar(moved))) == ["2026-03-02T15:00"]


def test_three_downloads_count_once() -> None:
    assert plans(read(*[calendar(SESSION, WEEKLY + ";COUNT=2")] * 3)) == plans(
        read(calendar(SESSION, WEEKLY + ";COUNT=2"))
    )


def test_a_series_that_was_ended_does_not_go_on_from_the_older_file() -> None:
    ended = revised(WEEKLY + ";UNTIL=20260310T000000Z", 1)
    assert starts(read(calendar(WEEKLY), calendar(ended))) == ["2026-03-02T09:00", "2026-03-09T09:00"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_changed_occurrence_of_one_file_belongs_to_the_series_of_the_other(order: int) -> None:
    off = "UID:w@x\nRECURRENCE-ID:20260309T090000Z\nDTSTART:20260309T090000Z\nSUMMARY:Weekly\nSTATUS:CANCELLED"
    files = [calendar(WEEKLY + ";COUNT=3", SESSION), calendar(off)][::order]
    found = entries(read(*files))
    assert [(e.start - found[0].start, e.plan, e.group) for e in found if e.group == "w@x"] == [
        (0, Plan.booked, "w@x"),
        (7 * 86400, Plan.cancelled, "w@x"),
        (14 * 86400, Plan.booked, "w@x"),
    ]
    assert len(found) == 4


def test_a_cancellation_by_letter_in_a_file_of_its_own_counts_and_a_reply_does_not() -> None:
    assert plans(read(calendar(SESSION), calendar(revised(SESSION, 1), head="METHOD:CANCEL"))) == [
        ("one@x", Plan.cancelled)
    ]
    assert plans(read(calendar(SESSION), calendar(revised(OFF, 9), head="METHOD:REPLY"))) == [("one@x", Plan.booked)]


def test_numbered_entries_of_different_calendars_are_no_versions() -> None:
    one, other = "UID:1\nDTSTART:20260302T090000Z\nSUMMARY:A", "UID:1\nDTSTART:20260303T090000Z\nSUMMARY:B"
    assert [(entry.id, entry.title) for entry in entries(read(calendar(one), calendar(other)))] == [
        ("z.ics/1", "A"),
        ("1", "B"),
    ]


def test_a_zone_that_only_the_other_file_defines_is_known() -> None:
    zone = (
        "BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\n"
        "END:STANDARD\nEND:VTIMEZONE"
    )
    moved = "UID:w@x\nRECURRENCE-ID:20260309T090000Z\nDTSTART;TZID=Ours:20260309T120000\nSUMMARY:Weekly"
    reading = read(calendar(WEEKLY + ";COUNT=2"), calendar(moved, head=zone))
    assert (starts(reading), reading.rejects) == (["2026-03-02T09:00", "2026-03-09T11:00"], [])


def test_a_row_that_is_put_aside_names_its_own_file_and_line() -> None:
    bad = "UID:bad\nDTSTART:20260230T090000Z\nSUMMARY:Bad"
    reading = read(calendar(SESSION, "UID:a\nDTSTART:20260401T090000Z"), calendar(SESSION, bad))
    assert [(reject.place, reject.entry_id) for reject in reading.rejects] == [("y.ics, line 10", "bad")]
    assert b"UID:bad" in reading.rejects[0].raw
    assert {e.title for e in reading.entries if isinstance(e, AppointmentEntry) and e.group == "one@x"} == {"Session"}
