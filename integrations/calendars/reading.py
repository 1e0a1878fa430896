"""One complete look at a calendar: entries for what could be read, rejects for what could not, counts for the rest."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import unquote

from integrations.calendars.expand import Occurrence, expand
from integrations.calendars.light import PEOPLE, Event, Feed, scan
from integrations.calendars.text import whole_lines
from integrations.calendars.values import BadValueError, plain_text, whole_number
from integrations.calendars.whole_days import FREE_DAYS, is_for_days, taken, takes_no_time
from integrations.calendars.zones import ZoneTable
from models.entries import AppointmentEntry, BusyEntry, CancelledBy, Entry, Plan, Reading, Reject
from models.errors import SourceError
from models.instants import DAY, Instant, instant_of
from models.subjects import mail_addresses

KINDS = frozenset({"appointment", "busy"})
CODE = re.compile(r"(?<![0-9A-Za-z-])C-[0-9A-HJKMNP-TV-Z]{7,}(?![0-9A-Za-z])")
OUTSIDE = "entries outside the window"
LETTERS = "replies and requests about an entry"
_LETTERS = frozenset(("REPLY", "REFRESH", "COUNTER", "DECLINECOUNTER"))
_STAMP = re.compile(rb"\n(DTSTAMP[:;][^\n]*\n(?:[ \t][^\n]*\n)*)+")
_MONTHS_BACK = 14  # from the first of this month: at least 424 days
_MONTHS_AHEAD = 5  # from the first of this month: at least 120 days after its last


def window(now: Instant) -> tuple[Instant, Instant]:
    """The window to read, [from, to): at least 400 days back and 120 ahead.

    Whole months by the month of `now`, so an unchanged calendar read again in the same month gives the same entries.
    """
    today = datetime.fromtimestamp(now, UTC)
    month = today.year * 12 + today.month - 1
    return _first_of(month - _MONTHS_BACK), _first_of(month + _MONTHS_AHEAD)


def _first_of(month: int) -> Instant:
    return instant_of(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC))


def fingerprint(
    *files: bytes, zone: str = "", therapist_id: str | None = None, window_from: Instant = 0, window_to: Instant = 0
) -> str:
    """A hash of all that a reading follows from: the terms, and the bytes less the DTSTAMPs that servers renew.

    Equal fingerprints mean equal readings, so an unchanged calendar need not be parsed. Give read_calendar's keywords.
    """
    sums = [hashlib.blake2b(_STAMP.sub(b"\n", data), digest_size=16).hexdigest() for data in files]
    terms = "\n".join((*sums, zone, therapist_id or "", str(window_from), str(window_to)))
    return hashlib.blake2b(terms.encode(), digest_size=16).hexdigest()


def read_calendar(
    data: bytes,
    *,
    name: str,
    zone: str,
    therapist_id: str | None,
    window_from: Instant,
    window_to: Instant,
    people: bool = False,
) -> Reading:
    """Read one calendar.

    `name` stands in messages (a file's name or a URL's host); `zone` (IANA) is the source's, for times written without
    one; with `people` the mail addresses in an entry are read too. Entries are those of [window_from, window_to) plus
    single entries and changed occurrences after it. Raises SourceError, with nothing taken, for what is no whole
    calendar; UnknownZoneError for `zone`. A calendar without entries is a valid reading.
    """
    feed = scan(whole_lines(data, name), people=people)
    zones = ZoneTable(zone, feed.zones, window_from, window_to)
    entries: list[Entry] = []
    rejects: list[Reject] = []
    dropped: Counter[str] = Counter(feed.dropped)
    for uid, events in _groups(feed, dropped).items():
        counts: Counter[str] = Counter()
        try:
            occurrences = expand(events, zones, window_from, window_to, counts)
            found = list(_entries(uid, occurrences, therapist_id, people, counts))
        except Exception as error:  # one entry that nobody foresaw never stops the rest: it is kept, counted and shown
            rejects.append(_reject(feed, uid, events, name, therapist_id, _understood(error)))
            continue
        if not found and not counts.total():
            counts[OUTSIDE] = len(events)
        entries += found
        dropped.update(counts)
    return Reading(
        entries=entries,
        rejects=rejects,
        kinds=KINDS,
        window_from=window_from,
        window_to=window_to,
        dropped={what: count for what, count in sorted(dropped.items()) if count},
        fingerprint=fingerprint(
            data, zone=zone, therapist_id=therapist_id, window_from=window_from, window_to=window_to
        ),
    )


def read_calendars(
    files: Sequence[tuple[str, bytes]],
    *,
    zone: str,
    therapist_id: str | None,
    window_from: Instant,
    window_to: Instant,
    people: bool = False,
) -> Reading:
    """Read (name, bytes) of one file, or of each file of a folder, into one reading; see read_calendar.

    One file alone that is no whole calendar raises SourceError, and so do several if none is. Among others it becomes a
    reject and the others go through, but then the reading says of no kind that it was read completely, so nothing may be
    taken for absent. A UID that an earlier file (by name) has already used gets its own file's name in front.
    """
    readings: list[Reading] = []
    rejects: list[Reject] = []
    used: set[str] = set()
    failed: SourceError | None = None
    dropped: Counter[str] = Counter()
    for name, data in sorted(files, key=lambda file: file[0]):
        try:
            reading = read_calendar(
                data,
                name=name,
                zone=zone,
                therapist_id=therapist_id,
                window_from=window_from,
                window_to=window_to,
                people=people,
            )
        except SourceError as error:
            if len(files) == 1:
                raise
            failed = failed or error
            rejects.append(Reject(place=name, reason="not-whole", sentence=str(error), raw=data))
            continue
        groups = {entry.group for entry in reading.entries if isinstance(entry, AppointmentEntry)}
        entries: list[Entry] = [_told_apart(entry, name, used) for entry in reading.entries]
        rejects += [
            replace(reject, entry_id=f"{name}/{reject.entry_id}") if reject.entry_id in used else reject
            for reject in reading.rejects
        ]
        readings.append(replace(reading, entries=entries))
        used |= groups | {reject.entry_id for reject in reading.rejects}
        dropped.update(reading.dropped)
    if failed is not None and not readings:
        raise failed
    return Reading(
        entries=[entry for reading in readings for entry in reading.entries],
        rejects=rejects,
        kinds=KINDS if len(readings) == len(files) else frozenset(),
        window_from=window_from,
        window_to=window_to,
        dropped=dict(sorted(dropped.items())),
        fingerprint=fingerprint(
            *(data for _, data in files),
            zone=zone,
            therapist_id=therapist_id,
            window_from=window_from,
            window_to=window_to,
        ),
    )


def _understood(error: Exception) -> BadValueError:
    if isinstance(error, BadValueError):
        return error
    if isinstance(error, OverflowError):
        return BadValueError("bad-date", "holds a date that lies too far away; correct the entry in the calendar")
    return BadValueError("not-understood", "cannot be understood; enter it anew in the calendar")


def _told_apart(entry: Entry, name: str, used: set[str]) -> Entry:
    if isinstance(entry, BusyEntry):
        return replace(entry, id=f"{name}/{entry.id}")
    if not isinstance(entry, AppointmentEntry) or entry.group not in used:
        return entry
    return replace(entry, id=f"{name}/{entry.id}", group=f"{name}/{entry.group}")


def _groups(feed: Feed, dropped: Counter[str]) -> dict[str, list[Event]]:
    """Entries by UID. What answers an invitation, or asks about one, is a letter and no state of a calendar."""
    groups: dict[str, list[Event]] = {}
    for event in feed.events:
        if event.calendar.method in _LETTERS:
            dropped[LETTERS] += 1
        else:
            groups.setdefault(event.uid, []).append(event)
    return groups


def _entries(
    uid: str, occurrences: Iterable[Occurrence], therapist_id: str | None, people: bool, dropped: Counter[str]
) -> Iterator[AppointmentEntry | BusyEntry]:
    words: dict[int, _Words] = {}
    for_days: set[int] = set()
    free: set[int] = set()
    for event, key, wall, zone, start, end, firm in occurrences:
        said = words.get(event.first)
        if said is None:
            said = words[event.first] = _words(event, people)
            for_days |= {event.first} if is_for_days(event) else set()
        entry_id = uid if key is None else f"{uid}#{key}"
        if event.first in for_days:
            if said.plan is Plan.cancelled or takes_no_time(event):
                free.add(event.first)
                dropped[FREE_DAYS] = len(free)
            else:
                yield taken(entry_id, therapist_id, wall, (end - start) // DAY, said.said_at)
            continue
        plan = said.plan if firm or said.plan is Plan.cancelled else Plan.proposed
        yield AppointmentEntry(
            id=entry_id,
            wall=wall,
            zone=zone,
            start=start,
            end=end,
            plan=plan,
            cancelled_by=CancelledBy.unknown if plan is Plan.cancelled else None,
            client_ids=said.codes,
            therapist_id=therapist_id,
            title=said.title,
            group=uid,
            said_at=said.said_at,
            sequence=said.sequence,
            mails=said.mails,
        )


class _Words(NamedTuple):
    """What one VEVENT says of each of its occurrences; `plan` where a person entered the occurrence."""

    title: str
    codes: tuple[str, ...]
    plan: Plan
    said_at: Instant | None
    sequence: int
    mails: tuple[str, ...]


def _words(event: Event, people: bool = False) -> _Words:
    summary, modified = event.once.get("SUMMARY"), event.once.get("LAST-MODIFIED")
    title = plain_text(summary) if summary is not None else ""
    said_at = _said_at(modified.value) if modified is not None else None
    sequence = whole_number(event.once.get("SEQUENCE"))
    return _Words(title, _codes(event, title), _plan(event), said_at, sequence, _mails(event, title) if people else ())


def _plan(event: Event) -> Plan:
    status = event.once["STATUS"].value.strip().upper() if "STATUS" in event.once else ""
    answer = _answer(event)
    if status == "CANCELLED" or event.calendar.method == "CANCEL" or answer == "DECLINED":
        return Plan.cancelled
    if answer == "ACCEPTED":
        return Plan.booked
    return Plan.proposed if answer or status == "TENTATIVE" else Plan.booked


def _answer(event: Event) -> str:
    """What was answered to an invitation of ours, a word of PARTSTAT (RFC 5545, 3.2.12); empty where the entry is none, or shows nobody
    invited. Programs enter an invitation by themselves: until somebody accepts it, that is nobody's act."""
    if not event.people:
        return ""
    hosts = {prop.value.casefold() for name, prop in event.people if name == "ORGANIZER"}
    invited = [prop for name, prop in event.people if name == "ATTENDEE"]
    # A practice may send from the therapist's own address: then the host is the guest.
    guests = [prop for prop in invited if prop.value.casefold() not in hosts] or invited
    words = {prop.parameter("PARTSTAT").upper() or "NEEDS-ACTION" for prop in guests}
    # Of several guests nobody can tell which one its owner is: where they differ it is not answered.
    return words.pop() if len(words) == 1 else "NEEDS-ACTION" if words else ""


def _codes(event: Event, title: str) -> tuple[str, ...]:
    texts: Iterable[str] = (title,)
    if event.repeated:
        texts = (title, *(prop.value for name in ("CATEGORIES", "X-TENDING-CLIENT") for prop in event.all(name)))
    return tuple(dict.fromkeys(code for text in texts if "C-" in text for code in CODE.findall(text)))


def _mails(event: Event, title: str) -> tuple[str, ...]:
    """Who was invited, by whom, and the addresses in the title. Some programs have the address in EMAIL, and an id as the value."""
    people = [prop for name in PEOPLE for prop in event.all(name)]
    texts = [title, *(f"{unquote(prop.value)} {prop.parameter('EMAIL')}" for prop in people)]
    return tuple(sorted({mail for text in texts for mail in mail_addresses(text)}))


def _said_at(text: str) -> Instant | None:
    try:
        found = datetime.fromisoformat(text.strip()[:15])
    except ValueError:
        return None  # a time stamp nobody can read says nothing; the entry itself is sound
    return instant_of(found.replace(tzinfo=UTC))


def _reject(
    feed: Feed, uid: str, events: list[Event], name: str, therapist_id: str | None, error: BadValueError
) -> Reject:
    line = events[0].first + 1
    words = [_words(event) for event in events]
    return Reject(
        place=f"{name}, line {line}",
        reason=error.reason,
        sentence=f"The entry at line {line} of {name} {error}.",
        raw=b"".join(feed.raw(event) for event in events),
        entry_id=uid,
        client_ids=tuple(sorted({code for said in words for code in said.codes})),
        kind="appointment",
        titles=tuple(sorted({said.title for said in words if said.title and not said.codes})),
        therapist_id=therapist_id,
    )
