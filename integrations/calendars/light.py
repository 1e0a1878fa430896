"""The light reader: one pass over a calendar that keeps the few properties an appointment needs and counts the rest."""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field

from integrations.calendars.text import logical_lines
from integrations.calendars.values import Property, plain_text, split_line
from models.invitations import NOWHERE


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# All that is ever read of an entry. DESCRIPTION, LOCATION and the like stay at the border, only counted; so do people, unless asked for.
# Of who is invited to an entry of our own it is read what they answered (see reading.py), and nothing else leaves this folder.
ONCE = _names("UID DTSTART DTEND DURATION RECURRENCE-ID STATUS SUMMARY SEQUENCE LAST-MODIFIED DTSTAMP TRANSP")
REPEATED = _names("RRULE EXRULE RDATE EXDATE CATEGORIES X-TENDING-CLIENT")
PEOPLE = _names("ATTENDEE ORGANIZER")
# Names that may be counted by name. A line broken by a careless program may begin with anything, even a person's name.
COUNTED = _names(
    "ATTACH ATTENDEE CLASS COLOR COMMENT CONFERENCE CONTACT CREATED DESCRIPTION GEO IMAGE LOCATION NAME ORGANIZER "
    "PRIORITY RELATED-TO REQUEST-STATUS RESOURCES STRUCTURED-DATA STYLED-DESCRIPTION URL"
)
OTHER = "other properties"
UNREADABLE = "unreadable lines"
_OTHER_COMPONENTS = frozenset(("VTODO", "VJOURNAL", "VFREEBUSY", "VALARM", "VAVAILABILITY"))
_STAMP = re.compile(r"^DTSTAMP[:;].*\n?", re.MULTILINE)


@dataclass(slots=True)
class Calendar:
    """What a VCALENDAR says about all its entries: METHOD and X-WR-TIMEZONE, empty when absent."""

    method: str = ""
    zone: str = ""


@dataclass(slots=True)
class Event:
    """One VEVENT: the properties kept, the lines [first, end) it stands on (from 0), and whether it was closed."""

    calendar: Calendar
    first: int
    end: int = 0
    closed: bool = False
    once: dict[str, Property] = field(default_factory=dict)
    repeated: dict[str, list[Property]] = field(default_factory=dict)
    people: list[tuple[str, Property]] = field(
        default_factory=list
    )  # of an entry of our own alone, by name of property
    uid: str = ""

    @property
    def ours(self) -> bool:
        """Whether we wrote it, by its UID."""
        return self.uid.endswith(f"@{NOWHERE}")

    def all(self, name: str) -> list[Property]:
        """Every property of that name which may be repeated."""
        return self.repeated.get(name, [])


@dataclass(slots=True)
class Feed:
    """What one file holds: its entries, its own VTIMEZONEs (lines by TZID), what was left at the border, by name."""

    lines: list[str]
    events: list[Event] = field(default_factory=list)
    zones: dict[str, list[str]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)

    def raw(self, event: Event) -> bytes:
        """The entry as written, for quarantine."""
        return ("\n".join(self.lines[event.first : event.end]) + "\n").encode()


def scan(lines: list[str], *, people: bool = False) -> Feed:
    """Read the lines of a whole calendar (see text.whole_lines); with `people` also who was invited and by whom."""
    feed = Feed(lines)
    repeated = REPEATED | PEOPLE if people else REPEATED
    calendar = Calendar()
    event: Event | None = None
    zone_lines: list[str] | None = None
    inside: list[str] = []  # components open below the calendar or entry that are passed over
    dropped = feed.dropped
    for index, line in logical_lines(lines):
        begins = line[0] in "Bb" and line[:6].upper() == "BEGIN:"
        if begins or (line[0] in "Ee" and line[:4].upper() == "END:"):
            component = line[6 if begins else 4 :].strip().upper()
            if component == "VCALENDAR":
                _close(feed, event, index, closed=False)
                calendar, event, zone_lines, inside = Calendar(), None, None, []
            elif component == "VEVENT":
                # An entry that begins inside another one, or ends twice, was never closed: it is handed on as such.
                _close(feed, event, index if begins else index + 1, closed=not begins and not inside)
                event, inside = (Event(calendar, index), []) if begins else (None, [])
            elif component == "VTIMEZONE" and event is None:
                if not begins and zone_lines is not None:
                    _keep_zone(feed, zone_lines)
                zone_lines = [] if begins else None
            elif zone_lines is not None:
                zone_lines.append(line)
            elif begins:
                inside.append(component)
                dropped[component if component in _OTHER_COMPONENTS else "other components"] += 1
            elif inside and component in inside:
                del inside[inside.index(component) :]
            continue
        if zone_lines is not None:
            zone_lines.append(line)
            continue
        if inside:
            continue
        found = split_line(line)
        if found is None:
            dropped[UNREADABLE] += 1
            continue
        name, prop = found
        if event is None:
            if name == "METHOD":
                calendar.method = prop.value.strip().upper()
            elif name == "X-WR-TIMEZONE":
                calendar.zone = prop.value.strip()
        elif name in ONCE:
            event.once.setdefault(name, prop)
        elif name in repeated:
            event.repeated.setdefault(name, []).append(prop)
        else:
            dropped[name if name in COUNTED else OTHER] += 1
        if name in PEOPLE and event is not None:
            event.people.append(found)
    return feed


def _close(feed: Feed, event: Event | None, end: int, *, closed: bool) -> None:
    if event is None:
        return
    event.end = end
    event.closed = closed
    uid = event.once.get("UID")
    event.uid = uid.value.strip() if uid is not None else ""
    if not event.uid:
        # Without an id of its own an entry is known by its words: the same words are the same entry.
        words = _STAMP.sub("", feed.raw(event).decode())
        event.uid = "no-uid-" + hashlib.blake2b(words.encode(), digest_size=12).hexdigest()
    if not event.ours:
        event.people.clear()
    feed.events.append(event)


def _keep_zone(feed: Feed, lines: list[str]) -> None:
    for line in lines:
        found = split_line(line)
        if found is not None and found[0] == "TZID":
            # The first definition of a name counts; a second one under the same name is a repetition.
            feed.zones.setdefault(plain_text(found[1]), lines)
            return
