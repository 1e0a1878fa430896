"""Writes the demonstration practice as what a clinic has: an .ics file for each therapist, CSV exports, and practice.toml."""

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

from icalendar import Calendar, Event

from models.instants import DAY, HOUR, Instant, at_wall
from models.settings import DeskPart
from tending.demo.diary import MINUTES, ZONE, Meeting
from tending.demo.exports import exports
from tending.demo.names import THERAPISTS
from tending.demo.world import WITH_CODES, WITHOUT_RECORDS, Person, World

NAME = "Northside"
ADMIN = "office@northside.example"
SENDER = "tending@northside.example"
PROTOCOL = "Northside's protocol: the red folder in the office, page 2."
IN_SERIES = "T2"  # enters weekly series with exceptions; the others single appointments
AT_ONCE = "T2"  # hears at any hour, so that what the reader tries shows at once
WINDOWS_ZONE = {WITH_CODES: "GMT Standard Time"}  # as one widespread program writes it
TRY_ID = "try-cancelling-this@northside.example"
OWN_ENTRIES_FROM = 100 * DAY

SETTINGS = """# A practice that does not exist, made by `tending demo`.
[practice]
name = "{name}"
zone = "{zone}"
locale = "en_GB"
holidays = "{holidays}"

[mail]
host = "127.0.0.1"
port = {port}
sender = "{sender}"

[invitations]
# A number that nobody has.
phone = "020 7946 0123"

[admin]
email = "{admin}"

[safety]
protocol = "{protocol}"

[desk]
# On this machine only, since the address says so; a practice names the https address of its own web server.
public_url = "http://127.0.0.1:{desk}"
port = {desk}
label = "initials"

[policy.therapist.{at_once}]
# For what you may try in the demonstration: this therapist hears at once, at any hour of a working day.
speak = "at_once"
work_from = "00:00"
work_until = "23:59"

[[source]]
name = "records"
kind = "records"
path = "exports"
every_minutes = 0.05
"""
CALENDAR = """
[[source]]
name = "calendar-{name}"
kind = "calendar"
path = "calendars/{name}.ics"
therapist = "{therapist}"
every_minutes = 0.05
"""


def write_settings(folder: Path, port: int, holidays: str, desk: int = DeskPart().port) -> Path:
    """Write practice.toml, with the mail server and the desk at these ports of this machine; gives its path."""
    text = SETTINGS.format(
        name=NAME,
        zone=ZONE,
        holidays=holidays,
        port=port,
        sender=SENDER,
        admin=ADMIN,
        at_once=AT_ONCE,
        desk=desk,
        protocol=PROTOCOL,
    )
    text += "".join(CALENDAR.format(name=therapist.lower(), therapist=therapist) for therapist, *_ in THERAPISTS)
    path = folder / "practice.toml"
    _replace(path, text.encode())
    return path


def write_files(world: World, folder: Path, when: Instant) -> None:
    """Write all exports and calendars as they were at an instant, each file whole or not at all."""
    (folder / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "exports").mkdir(parents=True, exist_ok=True)
    (folder / "calendars").mkdir(parents=True, exist_ok=True)
    for name, rows in exports(world, when).items():
        _replace(folder / "exports" / f"{name}.csv", rows)
    for therapist, *_ in THERAPISTS:
        _replace(folder / "calendars" / f"{therapist.lower()}.ics", calendar(world, therapist, when))


def _replace(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(data)
    partial.replace(path)


# ---------------------------------------------------------------- calendars


def calendar(world: World, therapist: str, when: Instant) -> bytes:
    """A therapist's calendar as it was at an instant: clients by name or code, in the therapist's own way, and other things."""
    made = Calendar()
    made.add("prodid", "-//Northside//Calendar//EN")
    made.add("version", "2.0")
    people = {person.id: person for person in world.people}
    shown = [m for m in world.meetings if m.therapist == therapist and m.booked_at <= when and not _erased(m, when)]
    series: dict[str, list[Meeting]] = {}
    for meeting in shown:
        if therapist in (IN_SERIES, WITHOUT_RECORDS) and people[meeting.clients[0]].part != "tries":
            series.setdefault(meeting.clients[0], []).append(meeting)
        else:
            made.add_component(_single(meeting, [people[ref] for ref in meeting.clients], when))
    for ref, meetings in series.items():
        for event in _series(people[ref], meetings, when):
            made.add_component(event)
    for event in _own_entries(world, therapist):
        made.add_component(event)
    return bytes(made.to_ical())


def _erased(meeting: Meeting, when: Instant) -> bool:
    return meeting.erased and meeting.cancelled(when)


def _event(uid: str, title: str, start: datetime, said: Instant, therapist: str, minutes: int = MINUTES) -> Event:
    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", datetime.fromtimestamp(said, UTC))
    event.add("summary", title)
    zone = WINDOWS_ZONE.get(therapist, ZONE)
    event.add("dtstart", start, parameters={"TZID": zone})
    event.add("dtend", start + timedelta(minutes=minutes), parameters={"TZID": zone})
    return event


def _uid(meeting: Meeting) -> str:
    return f"{meeting.id.lower()}@northside.example"


def _single(meeting: Meeting, people: list[Person], when: Instant) -> Event:
    tried = people[0].part == "tries" and meeting.booked_at > 0 and not meeting.outcome
    uid = TRY_ID if tried else _uid(meeting)
    event = _event(uid, _title(people), meeting.start, max(meeting.booked_at, 0), meeting.therapist)
    if meeting.cancelled(when):
        event.add("status", "CANCELLED")
    elif tried:
        event.add("status", "CONFIRMED")
    return event


def _title(people: list[Person]) -> str:
    """As each of them writes it."""
    person = people[0]
    match person.therapist:
        case "T1":
            return " & ".join(each.name for each in people) + ", session"
        case "T3":
            return " + ".join(each.code for each in people)
        case "T4":
            return f"{person.last}, {person.first}"
        case "T5":
            return f"{person.name} (room 2)"
    return person.name


def _series(person: Person, meetings: list[Meeting], when: Instant) -> list[Event]:
    """One weekly (or two- or four-weekly) series with what was taken out of it and what was moved.

    Who keeps no records lets the series run on without an end, but for somebody who stopped coming.
    """
    standing = [m for m in meetings if not m.cancelled(when)] or meetings
    starts = [m.start for m in standing]
    step = min((b - a for a, b in itertools.pairwise(starts)), default=timedelta(days=7))
    days = max(1, round(step.days / 7)) * 7
    first, last = starts[0], starts[-1]
    endless = person.therapist == WITHOUT_RECORDS and person.part != "series ended" and person.part != "ended"
    uid = f"s-{person.id}-{standing[0].id.lower()}@northside.example"
    master = _event(uid, _title([person]), first, standing[0].booked_at, person.therapist)
    rule: dict[str, object] = {"FREQ": "WEEKLY", "INTERVAL": days // 7}
    if not endless:
        rule["UNTIL"] = _utc(last)
    master.add("rrule", rule)
    regular = [first + timedelta(days=n * days) for n in range((last - first).days // days + 1)]
    wanted = set(starts)
    events = [master]
    others = [m for m in standing if m.start not in set(regular)]
    for slot in regular:
        if slot in wanted:
            continue
        moved = next((m for m in others if timedelta(0) < m.start - slot < timedelta(days=7)), None)
        if moved is None:
            master.add("exdate", slot, parameters={"TZID": ZONE})
            continue
        others.remove(moved)
        change = _event(uid, _title([person]), moved.start, moved.booked_at, person.therapist)
        change.add("recurrence-id", slot, parameters={"TZID": ZONE})
        events.append(change)
    return events + [_single(meeting, [person], when) for meeting in others]


def _utc(wall: datetime) -> datetime:
    return datetime.fromtimestamp(at_wall(wall, ZONE), UTC)


def _own_entries(world: World, therapist: str) -> list[Event]:
    """What else stands in a calendar: a meeting every week, supervision, a day off, and in one an entry without a start."""
    monday = world.diary.day(-100 - world.diary.today.weekday())
    monday -= timedelta(days=monday.weekday())
    said = world.week_ago - OWN_ENTRIES_FROM
    team = _event(
        f"team-{therapist.lower()}@northside.example", "Team meeting", world.diary.at(monday, 12), said, therapist
    )
    team.add("rrule", {"FREQ": "WEEKLY"})
    events = [team]
    for number in range(1, 4):
        day = world.diary.near(therapist, -28 * number)
        uid = f"supervision-{therapist.lower()}-{number}@northside.example"
        events.append(_event(uid, "Supervision", world.diary.at(day, 20), said - HOUR, therapist, 90))
    if therapist == "T1":
        day_off = Event()
        day_off.add("uid", "bank@northside.example")
        day_off.add("dtstamp", datetime.fromtimestamp(said, UTC))
        day_off.add("summary", "Accounts")
        day_off.add("dtstart", world.diary.day(-30))
        events.append(day_off)
    if therapist == "T4":
        broken = Event()
        broken.add("uid", "insurance@northside.example")
        broken.add("dtstamp", datetime.fromtimestamp(said, UTC))
        broken.add("summary", "Ring the insurance")
        events.append(broken)
    return events
