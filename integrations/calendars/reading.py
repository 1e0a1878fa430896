"""One complete look at a calendar: entries for what could be read, rejects for what could not, counts for the rest."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from integrations.calendars.expand import Occurrence, expand
from integrations.calendars.light import Event, Feed, scan
from integrations.calendars.text import whole_lines
from integrations.calendars.values import BadValueError
from integrations.calendars.versions import keep_newest
from integrations.calendars.whole_days import FREE_DAYS, is_for_days, taken, takes_no_time
from integrations.calendars.words import Words, words_of
from integrations.calendars.zones import ZoneTable
from models.entries import LONGEST_AHEAD, AppointmentEntry, BusyEntry, CancelledBy, Entry, Plan, Reading, Reject
from models.errors import SourceError
from models.instants import DAY, Instant, instant_of

KINDS = frozenset({"appointment", "busy"})
OUTSIDE = "entries outside the window"
LETTERS = "replies and requests about an entry"
_STAMP = re.compile(rb"\n(DTSTAMP[:;][^\n]*\n(?:[ \t][^\n]*\n)*)+")
_MONTHS_BACK = 14  # from the first of this month: at least 424 days
_MONTHS_AHEAD = 5  # from the first of this month: at least 120 days after its last
_LATEST = LONGEST_AHEAD - 150 * DAY  # after the window's end, so that it is the same all month


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
    return read_calendars(
        [(name, data)],
        zone=zone,
        therapist_id=therapist_id,
        window_from=window_from,
        window_to=window_to,
        people=people,
    )


def _read(
    feed: Feed,
    name: str,
    zone: str,
    therapist_id: str | None,
    window_from: Instant,
    window_to: Instant,
    people: bool,
) -> Reading:
    """The entries and rejects of one file."""
    zones = ZoneTable(zone, feed.zones, window_from, window_to)
    entries: list[Entry] = []
    rejects: list[Reject] = []
    dropped: Counter[str] = Counter(feed.dropped)
    for uid, events in _groups(feed, dropped).items():
        counts: Counter[str] = Counter()
        try:
            occurrences = expand(events, zones, window_from, window_to, counts)
            found = list(_entries(uid, occurrences, therapist_id, people, counts))
            _not_too_far(found, window_to)
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
    """Read (name, bytes) of one file, or of each file of a folder, oldest first, into one reading; see read_calendar.

    One file alone that is no whole calendar raises SourceError, and so do several if none is. Among others it becomes a
    reject and the others go through, but then the reading says of no kind that it was read completely, so nothing may be
    taken for absent. An entry that stands in several files is read once, in its newest version; another one under the same UID gets
    its own file's name in front.
    """
    readings: list[Reading] = []
    rejects: list[Reject] = []
    used: set[str] = set()
    failed: SourceError | None = None
    dropped: Counter[str] = Counter()
    lines: list[str] = []
    feeds: dict[str, Feed] = {}
    for name, data in files:
        try:
            whole = whole_lines(data, name)
        except SourceError as error:
            if len(files) == 1:
                raise
            failed = failed or error
            rejects.append(Reject(place=name, reason="not-whole", sentence=str(error), raw=data))
            continue
        first = len(lines)
        lines += whole
        feeds[name] = scan(lines, people=people, first=first)
    keep_newest(list(feeds.values()))
    for name, feed in sorted(feeds.items()):
        reading = _read(feed, name, zone, therapist_id, window_from, window_to, people)
        groups = {_uid(entry) for entry in reading.entries}
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


def _not_too_far(found: Iterable[Entry], window_to: Instant) -> None:
    """Raise BadValueError where one begins so late that its year is mistyped: taken for a booking, it would silence what is asked
    about its client for ever."""
    if any(isinstance(entry, AppointmentEntry) and entry.start > window_to + _LATEST for entry in found):
        raise BadValueError(
            "too-far-ahead", "begins more than two years ahead; correct its year in the calendar, or delete it there"
        )


def _understood(error: Exception) -> BadValueError:
    if isinstance(error, BadValueError):
        return error
    if isinstance(error, OverflowError):
        return BadValueError("bad-date", "holds a date that lies too far away; correct the entry in the calendar")
    return BadValueError("not-understood", "cannot be understood; enter it anew in the calendar")


def _uid(entry: Entry) -> str:
    return entry.group if isinstance(entry, AppointmentEntry) else entry.id.partition("#")[0]


def _told_apart(entry: Entry, name: str, used: set[str]) -> Entry:
    if _uid(entry) not in used:
        return entry
    if isinstance(entry, BusyEntry):
        return replace(entry, id=f"{name}/{entry.id}")
    assert isinstance(entry, AppointmentEntry)
    return replace(entry, id=f"{name}/{entry.id}", group=f"{name}/{entry.group}")


def _groups(feed: Feed, dropped: Counter[str]) -> dict[str, list[Event]]:
    """Entries by UID. What answers an invitation, or asks about one, is a letter and no state of a calendar."""
    groups: dict[str, list[Event]] = {}
    for event in feed.events:
        if event.calendar.is_letter:
            dropped[LETTERS] += 1
        else:
            groups.setdefault(event.uid, []).append(event)
    return groups


def _entries(
    uid: str, occurrences: Iterable[Occurrence], therapist_id: str | None, people: bool, dropped: Counter[str]
) -> Iterator[AppointmentEntry | BusyEntry]:
    words: dict[int, Words] = {}
    for_days: set[int] = set()
    free: set[int] = set()
    for event, key, wall, zone, start, end, firm in occurrences:
        said = words.get(event.first)
        if said is None:
            said = words[event.first] = words_of(event, people)
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


def _reject(
    feed: Feed, uid: str, events: list[Event], name: str, therapist_id: str | None, error: BadValueError
) -> Reject:
    line = events[0].first - feed.first + 1
    words = [words_of(event) for event in events]
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
