"""Calendars: reading a large one, importing it first, and reading it again when nothing in it has changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from dateutil.rrule import rrulestr  # type: ignore[import-untyped]  # it carries no types
from icalendar import Calendar
from sqlalchemy import event

from benchmarks.claims import Claim, Told, duration, in_turns, timed
from benchmarks.clients import ZONE, fill
from benchmarks.databases import Database
from benchmarks.practices import NOW, practice_on
from integrations.calendars.reading import read_calendar, window
from integrations.reading import read_source
from models.instants import DAY, wall_of

EVENTS = 10_000
ENTRIES = 5_000
CLIENTS = 250
ROUNDS = 3
AGAIN = 10


def reading() -> Told:
    """The calendar's own cost, without a database, against icalendar with dateutil for the series."""
    told = Told(f"Reading a calendar of {EVENTS:,} events, one in twenty of them a weekly series")
    data = calendar(EVENTS, series=20)
    first, last = window(NOW)
    ours = read_calendar(data, name="calendar", zone=ZONE, therapist_id="T1", window_from=first, window_to=last)
    if ours.rejects or not ours.entries:
        raise AssertionError("every event of the calendar should be understood")
    theirs = by_library(data, first, last)
    told.remarks.append(f"{len(ours.entries):,} appointments of ours, {theirs:,} of theirs")

    def read() -> None:
        read_calendar(data, name="calendar", zone=ZONE, therapist_id="T1", window_from=first, window_to=last)

    found = in_turns(ROUNDS, read, lambda: _nothing(by_library(data, first, last)))
    told.claims.append(found.claim("our reader", 0, "icalendar with dateutil", 1, 1))
    return told


def by_library(data: bytes, first: int, last: int) -> int:
    """What a user would write: icalendar for the text, dateutil for the series. Answers how many appointments there are."""
    start, end = (datetime.fromtimestamp(instant, UTC) for instant in (first, last))
    count = 0
    for found in Calendar.from_ical(data).walk("VEVENT"):
        each: Any = found
        begins = each["DTSTART"].dt
        if "RRULE" in each:
            rule = rrulestr(each["RRULE"].to_ical().decode(), dtstart=begins.replace(tzinfo=None))
            zone = begins.tzinfo
            walls = rule.between(
                start.astimezone(zone).replace(tzinfo=None), end.astimezone(zone).replace(tzinfo=None), inc=True
            )
            count += sum(start <= wall.replace(tzinfo=zone) < end for wall in walls)
        elif begins >= start:
            count += 1
    return count


def _nothing(_: object) -> None:
    """So that a work's answer does not pass for its cost."""


def syncing(database: Database, _: int) -> Told:
    """A first import, and the same calendar read again."""
    told = Told(f"A calendar of {ENTRIES:,} entries for {CLIENTS} clients, {database.name}")
    with practice_on(database, "calendar") as practice:
        source = practice.settings.source[0]
        with practice.store.write() as connection:
            fill(connection, CLIENTS, NOW)
        place = practice.folder / "calendar.ics"
        place.write_bytes(calendar(ENTRIES, series=0))
        with timed() as first:
            taken = read_source(practice, source, NOW)
        if taken.new != ENTRIES or len(taken.clients) != CLIENTS:
            raise AssertionError("every entry should be new and belong to a client")
        written: list[str] = []
        record = Recorder(written)
        event.listen(practice.store.engine, "before_cursor_execute", record)
        same = in_turns(AGAIN, lambda: _nothing(read_source(practice, source, NOW + 60)))
        event.remove(practice.store.engine, "before_cursor_execute", record)
        tables = sorted({statement.replace('"', "").split()[_TABLE[statement.split()[0]]] for statement in written})
        # An export that says the same in other bytes has to be read through.
        place.write_bytes(calendar(ENTRIES, series=0, note="X-EXPORTED:again"))
        with timed() as through:
            again = read_source(practice, source, NOW + 120)
        if again.new or again.changed:
            raise AssertionError("nothing should be new in other bytes that say the same")
        costs = (duration(same.cost(0)), duration(first[0]))
        told.claims += [
            Claim("read again, unchanged", "its first import", same.cost(0) / first[0], 0.05, *costs),
            Claim("tables written by that, besides the source's own row", "", len(set(tables) - {"source"}), 0),
            Claim(
                "read again, the same in other bytes",
                "its first import",
                through[0] / first[0],
                None,
                duration(through[0]),
                duration(first[0]),
            ),
        ]
    return told


_TABLE = {"INSERT": 2, "UPDATE": 1, "DELETE": 2}


class Recorder:
    """Keeps the statements that write."""

    def __init__(self, written: list[str]) -> None:
        self._written = written

    def __call__(self, _c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.split()[0] in _TABLE:
            self._written.append(statement)


def calendar(count: int, *, series: int, note: str = "") -> bytes:
    """A calendar file of so many events of synthetic clients; every `series`-th is weekly for a year, none if 0."""
    begin = datetime.fromisoformat(wall_of(NOW - 380 * DAY, ZONE)).replace(minute=0, second=0)
    entries = []
    for number in range(count):
        start = begin + timedelta(days=number * 7 // 100, hours=number % 9)
        rule = "RRULE:FREQ=WEEKLY;COUNT=52" if series and number % series == 0 else ""
        entries.append(entry(str(number), start.isoformat(), f"C-{number % CLIENTS + 1:07d}", rule=rule))
    return file_of(entries, note)


def entry(uid: str, wall: str, code: str, *, status: str = "CONFIRMED", rule: str = "") -> str:
    """One event of fifty minutes, with what programs write besides."""
    start = datetime.fromisoformat(wall)
    lines = [
        "BEGIN:VEVENT",
        f"UID:{uid}@benchmark.example",
        "DTSTAMP:20261101T080000Z",
        f"DTSTART;TZID={ZONE}:{start:%Y%m%dT%H%M%S}",
        f"DTEND;TZID={ZONE}:{start + timedelta(minutes=50):%Y%m%dT%H%M%S}",
        f"SUMMARY:Session {code}",
        f"STATUS:{status}",
        "DESCRIPTION:Room 2\\, please ring twice. This text is never read.",
        "LOCATION:Practice",
        "TRANSP:OPAQUE",
        rule,
        "END:VEVENT",
    ]
    return "\r\n".join(filter(None, lines))


def file_of(entries: list[str], note: str = "") -> bytes:
    """A calendar file of these entries."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tending//benchmark//EN", note, *entries, "END:VCALENDAR"]
    return ("\r\n".join(filter(None, lines)) + "\r\n").encode()
