"""What an entry says: plan, words, codes, revisions, and what stays at the border."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.calendars.reading import KINDS, fingerprint, read_calendars, window
from models.entries import AppointmentEntry, Attendance, BusyEntry, CancelledBy, Plan
from models.errors import SourceError
from models.instants import DAY
from tests.integrations.calendars.ics import FROM, TO, calendar, entries, read, reasons, starts, walls

SESSION = """
    UID:one@practice
    DTSTAMP:20260101T000000Z
    DTSTART;TZID=Europe/Berlin:20260302T100000
    DTEND;TZID=Europe/Berlin:20260302T105000
    SUMMARY:Session
"""


def test_a_session_comes_out_whole() -> None:
    extra = SESSION + "SEQUENCE:3\nLAST-MODIFIED:20260201T120000Z\n"
    assert read(calendar(extra)).entries == [
        AppointmentEntry(
            id="one@practice",
            wall="2026-03-02T10:00:00",
            zone="Europe/Berlin",
            start=1772442000,
            end=1772442000 + 50 * 60,
            plan=Plan.booked,
            attendance=Attendance.unknown,
            therapist_id="T1",
            title="Session",
            group="one@practice",
            said_at=1769947200,
            sequence=3,
        )
    ]


@pytest.mark.parametrize(
    ("status", "head", "plan"),
    [
        ("", "", Plan.booked),
        ("STATUS:CONFIRMED", "", Plan.booked),
        ("STATUS:TENTATIVE", "", Plan.proposed),
        ("STATUS:CANCELLED", "", Plan.cancelled),
        ("", "METHOD:PUBLISH", Plan.booked),
        ("", "METHOD:CANCEL", Plan.cancelled),
    ],
)
def test_plan(status: str, head: str, plan: Plan) -> None:
    (entry,) = entries(read(calendar(SESSION + status, head=head)))
    assert entry.plan is plan
    assert entry.cancelled_by is (CancelledBy.unknown if plan is Plan.cancelled else None)


@pytest.mark.parametrize("method", ["REPLY", "COUNTER", "REFRESH"])
def test_letters_about_an_entry_are_no_entry(method: str) -> None:
    reading = read(calendar(SESSION, head=f"METHOD:{method}"))
    assert reading.entries == []
    assert reading.dropped["replies and requests about an entry"] == 1


def test_nothing_but_the_title_is_taken_and_the_rest_is_counted_by_name() -> None:
    private = """
        DESCRIPTION:told me about the mother\\, cried
        ATTENDEE;CN="Meier: Anna":mailto:anna@example.org
        ATTENDEE:mailto:bert@example.org
        LOCATION:Room 3
        X-NOTE:secret
        MEIER HAT ANGERUFEN: secret
        secret line without a colon
    """
    reading = read(calendar(SESSION + private))
    assert len(reading.entries) == 1
    assert reading.dropped == {
        "ATTENDEE": 2, "DESCRIPTION": 1, "LOCATION": 1, "other properties": 2, "unreadable lines": 1
    }  # fmt: skip
    assert not any(word in repr(reading) for word in ("mother", "secret", "MEIER", "example.org", "Room"))


def test_an_alarm_inside_an_entry_is_passed_over() -> None:
    alarm = (
        "BEGIN:VALARM\nTRIGGER:-PT15M\nSUMMARY:Not the title\nDTSTART:20270101T000000Z\nEND:VALARM\nSTATUS:TENTATIVE"
    )
    (entry,) = entries(read(calendar(SESSION + alarm)))
    assert (entry.title, entry.plan) == ("Session", Plan.proposed)


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        ("SUMMARY:C-7F3K9QX", ("C-7F3K9QX",)),
        ("SUMMARY:Session with C-7F3K9QX (first)", ("C-7F3K9QX",)),
        ("SUMMARY:Couple C-7F3K9QX/C-0000001A", ("C-7F3K9QX", "C-0000001A")),
        ("SUMMARY:Session\nCATEGORIES:Work,C-7F3K9QX", ("C-7F3K9QX",)),
        ("SUMMARY:C-7F3K9QX\nX-TENDING-CLIENT:C-7F3K9QX\nX-TENDING-CLIENT:C-AAAAAAA", ("C-7F3K9QX", "C-AAAAAAA")),
        ("SUMMARY:C-7F3K9Q", ()),  # six characters are too few
        ("SUMMARY:VITAMIN-C-1234567", ()),  # part of another word
        ("SUMMARY:C-7F3K9QXu", ()),  # U is no such character
    ],
)
def test_codes(lines: str, codes: tuple[str, ...]) -> None:
    (entry,) = entries(read(calendar(SESSION.replace("SUMMARY:Session", lines))))
    assert entry.client_ids == codes


def test_a_folded_and_escaped_title() -> None:
    data = calendar(SESSION).replace(
        b"SUMMARY:Session", "SUMMARY:Müller\\, An\r\n na\\nfirst\\; C-7F\r\n\t3K9QX".encode()
    )
    (entry,) = entries(read(data))
    assert entry.title == "Müller, Anna first; C-7F3K9QX"
    assert entry.client_ids == ("C-7F3K9QX",)


@pytest.mark.parametrize(
    ("lines", "taken"),
    [
        ("", ("2026-03-02", "2026-03-02")),
        ("\nDTEND;VALUE=DATE:20260302", ("2026-03-02", "2026-03-02")),  # some programs name the last day
        ("\nDTEND;VALUE=DATE:20260303", ("2026-03-02", "2026-03-02")),
        ("\nDTEND;VALUE=DATE:20260401", ("2026-03-02", "2026-03-31")),  # clocks go forward meanwhile
        ("\nDURATION:P2W", ("2026-03-02", "2026-03-15")),
        ("\nTRANSP:OPAQUE", ("2026-03-02", "2026-03-02")),
        ("\nSTATUS:TENTATIVE", ("2026-03-02", "2026-03-02")),
        ("\nTRANSP:transparent", None),
        ("\nSTATUS:CANCELLED", None),
    ],
)
def test_all_day_entries_are_no_appointments_and_take_days(lines: str, taken: tuple[str, str] | None) -> None:
    reading = read(calendar(f"UID:holiday\nDTSTART;VALUE=DATE:20260302\nSUMMARY:Urlaub Müller{lines}", SESSION))
    assert [entry.id for entry in entries(reading)] == ["one@practice"]
    busy = [entry for entry in reading.entries if isinstance(entry, BusyEntry)]
    assert [(str(entry.from_on), str(entry.to_on), entry.therapist_id) for entry in busy] == (
        [(*taken, "T1")] if taken else []
    )
    assert reading.dropped == ({} if taken else {"all-day entries that take no time": 1})
    assert "Urlaub" not in repr(busy)
    assert reading.rejects == []


def test_tasks_and_free_time_are_counted_not_read() -> None:
    tail = "BEGIN:VTODO\nUID:t\nSUMMARY:Call\nEND:VTODO\nBEGIN:VFREEBUSY\nEND:VFREEBUSY"
    assert read(calendar(SESSION, tail=tail)).dropped == {"VFREEBUSY": 1, "VTODO": 1}


@pytest.mark.parametrize(
    ("length", "minutes"),
    [
        ("DTEND;TZID=Europe/Berlin:20260302T105000", 50),
        ("DTEND:20260302T095000Z", 50),
        ("DTEND:20260302T105000", 50),  # no zone: that of the start
        ("DURATION:PT1H30M", 90),
        ("DURATION:P1D", 24 * 60),
        ("", 0),
        ("DTEND;TZID=Europe/Berlin:20260302T093000", 0),  # ends before it starts
    ],
)
def test_length(length: str, minutes: int) -> None:
    (entry,) = entries(read(calendar("UID:a\nDTSTART;TZID=Europe/Berlin:20260302T100000\n" + length)))
    assert entry.end - entry.start == minutes * 60


# ---------------------------------------------------------------- the same entry twice


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("SEQUENCE:1\nLAST-MODIFIED:20260303T000000Z", "SEQUENCE:2\nLAST-MODIFIED:20260301T000000Z"),
        ("SEQUENCE:1\nLAST-MODIFIED:20260301T000000Z", "SEQUENCE:1\nLAST-MODIFIED:20260302T000000Z"),
        ("DTSTAMP:20260301T000000Z", "DTSTAMP:20260302T000000Z"),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_the_newest_of_two_versions_counts(older: str, newer: str, swapped: bool) -> None:
    events = [f"UID:a\nDTSTART:20260302T100000Z\n{older}", f"UID:a\nDTSTART:20260302T120000Z\n{newer}"]
    reading = read(calendar(*(reversed(events) if swapped else events)))
    assert starts(reading) == ["2026-03-02T12:00"]
    assert reading.dropped["older versions of an entry"] == 1


def test_one_id_for_two_times_is_asked_about() -> None:
    same = "UID:a\nSEQUENCE:1\nDTSTAMP:20260301T000000Z\n"
    reading = read(calendar(same + "DTSTART:20260302T100000Z", same + "DTSTART:20260309T100000Z", SESSION))
    assert reasons(reading) == ["duplicate-uid"]
    assert [entry.id for entry in entries(reading)] == ["one@practice"]


def test_the_same_entry_written_twice_is_one() -> None:
    assert len(read(calendar(SESSION, SESSION)).entries) == 1


def test_an_entry_without_an_id_keeps_the_one_made_from_its_words() -> None:
    nameless = "DTSTART:20260302T100000Z\nSUMMARY:Session"
    (first,) = entries(read(calendar("DTSTAMP:20260101T000000Z\n" + nameless)))
    (later,) = entries(read(calendar(SESSION.replace("0302", "0309"), "DTSTAMP:20260202T000000Z\n" + nameless)))[:1]
    assert first.id == later.id
    assert first.id.startswith("no-uid-")


# ---------------------------------------------------------------- one bad entry, the others sound

BAD = [
    ("UID:bad", "no-start"),
    ("UID:bad\nDTSTART:tomorrow", "bad-date"),
    ("UID:bad\nDTSTART:20260230T100000Z", "bad-date"),
    ("UID:bad\nDTSTART:20260301T250000Z", "bad-date"),
    ("UID:bad\nDTSTART:20260301T100000Z\nDTEND:None", "bad-date"),
    ("UID:bad\nDTSTART:20260301T100000Z\nDURATION:an hour", "bad-duration"),
    ("UID:bad\nDTSTART;TZID=Nowhere/Middle:20260301T100000", "unknown-zone"),
    ('UID:bad\nDTSTART;TZID="(UTC+01:00) Amsterdam, Berlin":20260301T100000', "unknown-zone"),
    ("UID:bad\nDTSTART;TZID=Customized Time Zone:20260301T100000", "unknown-zone"),
    ("UID:bad\nDTSTART:20260301T100000Z\nEXDATE;TZID=Nowhere:20260302T100000\nRRULE:FREQ=DAILY", "unknown-zone"),
    ("UID:bad\nDTSTART:20260301T100000Z\nRRULE:FREQ=HOURLY", "sub-daily"),
    ("UID:bad\nDTSTART:20260301T100000Z\nRRULE:FREQ=SECONDLY", "sub-daily"),
    ("UID:bad\nDTSTART:20260301T100000Z\nRRULE:FREQ=OFTEN", "bad-rule"),
    ("UID:bad\nDTSTART:20260301T100000Z\nRRULE:FREQ=WEEKLY;INTERVAL=0", "bad-rule"),
    ("UID:bad\nDTSTART:20260301T100000Z\nRRULE:FREQ=WEEKLY;BYDAY=XX", "bad-rule"),
    ("UID:bad\nDTSTART:20260301T100000Z\nRRULE:FREQ=WEEKLY;UNTIL=someday", "bad-date"),
    ("UID:bad\nDTSTART:20260301T100000Z\nRRULE:FREQ=MONTHLY;BYDAY=0MO", "bad-rule"),
    ("UID:bad\nDTSTART:20260301T100000Z\nRRULE:FREQ=MONTHLY;BYDAY=3MO,WE", "bad-rule"),
    ("UID:bad\nDTSTART:20260301T100000Z\nRRULE:FREQ=DAILY;BYHOUR=8,9,10,11,12,13,14,15", "too-many"),
    ("UID:bad\nDTSTART:20260301T100000Z\nBEGIN:VEVENT", "not-closed"),
]


@pytest.mark.parametrize(("event", "reason"), BAD)
def test_a_bad_entry_is_put_aside_and_the_others_go_through(event: str, reason: str) -> None:
    reading = read(calendar(SESSION.replace("one@", "before@"), event + "\nSUMMARY:Meier C-7F3K9QX", SESSION))
    assert {"before@practice", "one@practice"} <= {entry.id for entry in entries(reading)}
    assert reading.kinds == KINDS
    reject = next(reject for reject in reading.rejects if reject.entry_id == "bad")
    assert reject.reason == reason
    assert reject.place == "anna.ics, line 11"
    assert reject.sentence.startswith("The entry at line 11 of anna.ics ")
    assert "calendar" in reject.sentence or "enter" in reject.sentence
    assert not any(word in reject.sentence for word in ("Meier", "C-7F3K9QX", "Nowhere", "Amsterdam", "tomorrow"))
    if reason != "not-closed":
        assert reject.client_ids == ("C-7F3K9QX",)
        assert reject.raw.startswith(b"BEGIN:VEVENT\nUID:bad\n")
        assert reject.raw.endswith(b"SUMMARY:Meier C-7F3K9QX\nEND:VEVENT\n")


def test_a_rule_that_nothing_ever_meets_comes_to_nothing() -> None:
    reading = read(calendar("UID:a\nDTSTART:20000101T100000Z\nRRULE:FREQ=YEARLY;COUNT=5;BYMONTH=2;BYMONTHDAY=30"))
    assert (reading.entries, reading.rejects) == ([], [])


LINES = [line.strip() for event, _ in BAD for line in event.splitlines()] + [
    "UID:a",
    "UID:b",
    "DTSTART:20260301T100000Z",
    "DTSTART;VALUE=DATE:20260301",
    "DTSTART;TZID=Europe/Berlin:20260301T100000",
    "DTEND:20260301T110000Z",
    "RRULE:FREQ=WEEKLY;COUNT=5",
    "RRULE:FREQ=MONTHLY;BYDAY=1MO",
    "RRULE:FREQ=DAILY;UNTIL=99991231",
    "DTSTART:99991231T235959Z",
    "DTSTART;TZID=Pacific/Apia:00010101T000000",
    "DURATION:P999999999W",
    "RDATE:20260305T100000Z",
    "RDATE;VALUE=PERIOD:20260305T100000Z/PT1H",
    "RDATE;VALUE=PERIOD:20260305T100000Z",
    "EXDATE;VALUE=DATE:20260308",
    "EXDATE:",
    "RECURRENCE-ID:20260308T100000Z",
    "RECURRENCE-ID;RANGE=THISANDFUTURE:20260308T100000Z",
    "RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20260308",
    "SEQUENCE:x",
    "LAST-MODIFIED:yesterday",
    "STATUS:CANCELLED",
    'SUMMARY;X="a:b',
    "BEGIN:VALARM",
    "END:VALARM",
    "END:VEVENT",
    "BEGIN:VEVENT",
    "BEGIN:VTIMEZONE",
    "END:VTIMEZONE",
    "TZID:Nowhere",
    "METHOD:CANCEL",
    "",
    " folded",
    ":",
    ";",
]


@settings(max_examples=400)
@given(st.lists(st.sampled_from(LINES), max_size=25))
def test_no_mixture_of_lines_is_a_crash_or_a_loss(lines: list[str]) -> None:
    data = calendar(SESSION, "\n".join(lines) if lines else "UID:empty")
    reading = read(data)
    assert "not-understood" not in reasons(reading)
    assert "one@practice" in {entry.group for entry in entries(reading)}
    ids = [entry.id for entry in entries(reading)]
    assert len(ids) == len(set(ids))


# ---------------------------------------------------------------- what is no whole calendar

WHOLE = calendar(SESSION)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\r\n  \r\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "login page"),
        (b"\n <html>", "login page"),
        (b'{"error": "unauthorized"}', "does not begin with BEGIN:VCALENDAR"),
        (WHOLE[: len(WHOLE) // 2], "is cut off"),
        (WHOLE[:-8], "is cut off"),
        (WHOLE + WHOLE[: len(WHOLE) // 2], "is cut off"),
        (WHOLE.decode().encode("utf-16")[:-31], "is cut off"),
        (b"PK\x03\x04\x00\x00zip", "no text"),
    ],
)
def test_what_is_no_whole_calendar_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(SourceError, match="Nothing was taken") as caught:
        read(data)
    assert says in str(caught.value)
    assert str(caught.value).startswith("anna.ics ")


def test_a_calendar_without_entries_is_a_reading() -> None:
    reading = read(calendar())
    assert (reading.entries, reading.rejects, reading.kinds) == ([], [], KINDS)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"]
)
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r", "\r\r\n"])
def test_encodings_and_line_ends(encoding: str, newline: str) -> None:
    text = calendar(SESSION.replace("Session", "Grüße an Zoë")).decode().replace("\r\n", newline)
    (entry,) = entries(read(text.encode(encoding)))
    assert entry.title == "Grüße an Zoë"


def test_names_in_small_letters() -> None:
    text = (
        "begin:vcalendar\nbegin:vevent\nuid:a\ndtstart:20260302T100000Z\nsummary:Session\nend:vevent\nend:vcalendar\n"
    )
    assert starts(read(text.encode())) == ["2026-03-02T10:00"]


# ---------------------------------------------------------------- several files


def terms(**other: object) -> dict[str, object]:
    return {"zone": "Europe/Berlin", "therapist_id": "T1", "window_from": FROM, "window_to": TO, **other}


def test_one_id_in_two_files_is_told_apart_by_the_later_file() -> None:
    files = [("b.ics", calendar(SESSION, SESSION.replace("one@", "two@"))), ("a.ics", calendar(SESSION))]
    reading = read_calendars(files, **terms())  # type: ignore[arg-type]
    assert [entry.id for entry in reading.entries] == ["one@practice", "b.ics/one@practice", "two@practice"]
    assert reading.kinds == KINDS


def test_a_broken_file_among_others_leaves_the_reading_incomplete() -> None:
    files = [("a.ics", calendar(SESSION)), ("b.ics", b"<html>")]
    reading = read_calendars(files, **terms())  # type: ignore[arg-type]
    assert [entry.id for entry in reading.entries] == ["one@practice"]
    assert [(reject.place, reject.reason) for reject in reading.rejects] == [("b.ics", "not-whole")]
    assert reading.kinds == frozenset()


@pytest.mark.parametrize("files", [[("a.ics", b"<html>")], [("a.ics", b""), ("b.ics", b"<html>")]])
def test_where_no_file_is_whole_nothing_is_taken(files: list[tuple[str, bytes]]) -> None:
    with pytest.raises(SourceError, match=r"^a\.ics "):
        read_calendars(files, **terms())  # type: ignore[arg-type]


# ---------------------------------------------------------------- the window, and what did not change


def test_the_window_stands_still_for_a_month_and_is_wide_enough() -> None:
    for day in range(4 * 366):
        now = FROM + day * DAY + 40_000
        window_from, window_to = window(now)
        assert now - window_from >= 400 * DAY
        assert window_to - now >= 120 * DAY
    assert window(FROM) == window(FROM + 31 * DAY - 1) != window(FROM + 31 * DAY)


def test_only_what_starts_in_the_window_and_what_was_entered_for_later() -> None:
    def session(uid: str, when: str) -> str:
        return f"UID:{uid}\nDTSTART:{when}"

    reading = read(
        calendar(
            session("too early", "20251231T235959Z"),
            session("first", "20260101T000000Z"),
            session("last", "20261231T235959Z"),
            session("later", "20270101T000000Z"),
        )
    )
    assert [entry.id for entry in entries(reading)] == ["first", "last", "later"]
    assert reading.dropped == {"entries outside the window": 1}


def test_a_fingerprint_changes_with_words_and_terms_but_not_with_the_time_of_asking() -> None:
    data = calendar(SESSION)
    base = fingerprint(data, **terms())  # type: ignore[arg-type]
    assert read(data).fingerprint == base
    assert fingerprint(calendar(SESSION.replace("DTSTAMP:2026", "DTSTAMP:2027")), **terms()) == base  # type: ignore[arg-type]
    assert fingerprint(calendar(SESSION.replace("Session", "Sessions")), **terms()) != base  # type: ignore[arg-type]
    assert fingerprint(data, **terms(zone="Europe/Vienna")) != base  # type: ignore[arg-type]
    assert fingerprint(data, **terms(window_to=TO + 1)) != base  # type: ignore[arg-type]


def test_reading_the_same_bytes_again_gives_the_same_reading() -> None:
    data = calendar(SESSION, "UID:w\nDTSTART;TZID=Europe/Berlin:20250106T090000\nRRULE:FREQ=WEEKLY")
    assert read(data) == read(data)
    assert walls(read(data))[0] == "2026-01-05T09:00 Europe/Berlin"
