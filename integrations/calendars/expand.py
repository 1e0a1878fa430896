"""From the entries of one UID to its occurrences in a window: the series, and what was taken out, added or changed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple

from integrations.calendars import rules
from integrations.calendars.light import Event
from integrations.calendars.values import (
    BadValueError,
    Moment,
    Property,
    duration,
    moment,
    moment_of,
    moments,
    whole_number,
)
from integrations.calendars.whole_days import first_of, how_many, is_for_days, midnight
from integrations.calendars.zones import Zone, ZoneTable
from models.instants import DAY, Instant

OLDER = "older versions of an entry"
AFTER_THE_END = "changes to a series after its end"
_MOST_IN_WINDOW = 2_000


class Occurrence(NamedTuple):
    """One time something is entered: `event` has its words, `key` the instant of its recurrence id (None: no series).

    `wall` is ISO text in `zone` (IANA). `firm` is false for what only follows from a series that nobody said an end of.
    """

    event: Event
    key: Instant | None
    wall: str
    zone: str
    start: Instant
    end: Instant
    firm: bool


@dataclass(slots=True)
class _Span:
    """A timed entry: wall time as written, zone, instant, the wall time to keep (ISO text), length in seconds."""

    event: Event
    wall: datetime
    zone: Zone
    start: Instant
    kept: str
    length: int


def expand(
    events: list[Event], zones: ZoneTable, window_from: Instant, window_to: Instant, dropped: Counter[str]
) -> Iterator[Occurrence]:
    """The occurrences of one UID that start in [window_from, window_to), and single entries and changed ones after it.

    What a person entered for a day beyond the window is handed on, so that moving an appointment far ahead never looks
    like its absence.
    Raises BadValueError where the group cannot be understood; `dropped` gains what is left out on purpose.
    """
    for event in events:
        if not event.closed:
            raise BadValueError("not-closed", "is not closed by END:VEVENT; export the calendar again")
    only = events[0]
    if len(events) == 1 and "RECURRENCE-ID" not in only.once and not only.repeated.keys() & {"RRULE", "RDATE"}:
        # Nearly every entry is one of these.
        span = _span(only, zones)
        if span.start >= window_from:
            yield _occurrence(span, None, firm=True)
        return
    yield from _Series(events, zones, dropped).occurrences(window_from, window_to)


class _Series:
    """One UID with its master, if it has one, and its changed occurrences by the instant they were first meant for."""

    def __init__(self, events: list[Event], zones: ZoneTable, dropped: Counter[str]) -> None:
        self.zones = zones
        self.dropped = dropped
        masters = [event for event in events if "RECURRENCE-ID" not in event.once]
        self.master_event = self._newest(masters) if masters else None
        self.master = _span(self.master_event, zones) if self.master_event else None
        self.for_days = self.master_event is not None and is_for_days(self.master_event)
        changed: dict[Instant, list[Event]] = {}
        for event in events:
            if "RECURRENCE-ID" in event.once:
                key = self._instant(moment(event.once["RECURRENCE-ID"]), event)
                changed.setdefault(key, []).append(event)
        self.changed = {key: self._newest(versions) for key, versions in changed.items()}
        self.onward = [
            key
            for key, event in self.changed.items()
            if event.once["RECURRENCE-ID"].parameter("RANGE").upper() == "THISANDFUTURE"
        ]
        self.first_onward = min(self.onward, default=None)

    def _newest(self, versions: list[Event]) -> Event:
        self.dropped[OLDER] += len(versions) - 1
        if len(versions) == 1:
            return versions[0]
        newest = max(versions, key=lambda event: (_revision(event), event.first))
        if any(_revision(other) == _revision(newest) and _when(other) != _when(newest) for other in versions):
            raise BadValueError(
                "duplicate-uid",
                "shares its UID and revision with another entry at another time; enter one of them anew",
            )
        return newest

    def _instant(self, found: Moment, event: Event) -> Instant:
        """What EXDATE, RDATE or RECURRENCE-ID mean: a day is the series' time on it, no zone is the series' zone."""
        if found.day is not None:
            found = Moment(wall=datetime.combine(found.day, self.master.wall.time() if self.master else time()))
        assert found.wall is not None
        if self.for_days and not found.utc:
            return self.zones.utc.instant(midnight(found.wall.date()))  # some write the day's midnight
        if found.utc:
            return self.zones.utc.instant(found.wall)
        if found.tzid:
            return self.zones.named(found.tzid).instant(found.wall)
        own = self.master.zone if self.master else self.zones.floating(event.calendar.zone)
        return own.instant(found.wall)

    def occurrences(self, window_from: Instant, window_to: Instant) -> Iterator[Occurrence]:
        excluded: set[Instant] = set()
        last = None
        if self.master:
            event = self.master.event
            excluded = {self._instant(found, event) for prop in event.all("EXDATE") for found in moments(prop)}
            series = self._rules(event, "RRULE")
            ends = [rule.until for rule in series]
            last = max((end for end in ends if end is not None), default=None) if None not in ends else None
            generated = self._generated(series, excluded, window_from, window_to)
            for taken, (key, kept, length, firm) in enumerate(generated):
                if taken >= _MOST_IN_WINDOW:
                    raise BadValueError("too-many", "repeats too often to be appointments; enter the times one by one")
                if self.first_onward is not None and self.first_onward <= key:
                    yield from self._moved_on(key, firm, window_from, window_to)
                elif window_from <= key < window_to:
                    yield Occurrence(event, key, kept, self.master.zone.name, key, key + length, firm)
        for key, event in self.changed.items():
            span = _span(event, self.zones)
            if last is not None and key > last:
                self.dropped[AFTER_THE_END] += 1
            elif key not in excluded and (span.start >= window_from or window_from <= key < window_to):
                yield _occurrence(span, key, firm=True)

    def _rules(self, event: Event, name: str) -> list[rules.Rule]:
        assert self.master is not None
        # A rule written twice, or without content, is the same rule, or none.
        texts = dict.fromkeys(prop.value.strip() for prop in event.all(name) if prop.value.strip())
        return [rules.parse(text, self.master.zone.instant, self.zones.utc.instant) for text in texts]

    def _generated(
        self, series: list[rules.Rule], excluded: set[Instant], window_from: Instant, window_to: Instant
    ) -> Iterator[tuple[Instant, str, int, bool]]:
        """(recurrence instant, wall time, length, firm) of start, rules and RDATE, less what was taken out or moved."""
        master = self.master
        assert master is not None
        low, high = window_from, window_to
        for key in self.onward:
            # An occurrence that a change shifts into the window may first have been meant for a day outside it.
            span = _span(self.changed[key], self.zones)
            shift = abs(span.start - key) + DAY
            low, high = min(low, window_from - shift), max(high, window_to + shift)
        seen = excluded | self.changed.keys()
        for rule in self._rules(master.event, "EXRULE"):
            seen.update(instant for instant, _ in self._instants(rule, low, high))
        for instant, length in self._added(master):
            if instant not in seen and low <= instant < high:
                seen.add(instant)
                yield instant, master.zone.placed(master.zone.wall(instant))[1], length, True
        if master.start not in seen and low <= master.start < high:
            # The start counts even where its own rule would not meet it: somebody entered it.
            seen.add(master.start)
            yield master.start, master.kept, master.length, not any(rule.endless for rule in series)
        for rule in series:
            for instant, kept in self._instants(rule, low, high):
                if instant not in seen:
                    seen.add(instant)
                    yield instant, kept, master.length, not rule.endless

    def _instants(self, rule: rules.Rule, low: Instant, high: Instant) -> Iterator[tuple[Instant, str]]:
        master = self.master
        assert master is not None
        if rule.until is not None:
            high = min(high, rule.until + 1)
        if high <= low:
            return
        # A day more on either side: wall times of one zone may lie an hour or two askew of instants.
        zone, after, before = master.zone, master.zone.wall(low - DAY), master.zone.wall(high + DAY)
        for wall in rules.walls(rule, master.wall, after, before):
            placed = zone.placed(wall)
            if low <= placed[0] < high:
                yield placed

    def _added(self, master: _Span) -> Iterator[tuple[Instant, int]]:
        for prop in master.event.all("RDATE"):
            if "PERIOD" not in prop.parameters.upper() and "/" not in prop.value:
                for found in moments(prop):
                    yield self._instant(found, master.event), master.length
                continue
            tzid = prop.parameter("TZID")
            for part in filter(None, (part.strip() for part in prop.value.split(","))):
                first, _, then = part.partition("/")
                start = self._instant(moment_of(first, tzid), master.event)
                if then[:1].upper() in ("P", "+", "-"):
                    length = int(duration(then).total_seconds())
                else:
                    length = self._instant(moment_of(then, tzid), master.event) - start
                yield start, max(0, length)

    def _moved_on(self, key: Instant, firm: bool, window_from: Instant, window_to: Instant) -> Iterator[Occurrence]:
        """Where an occurrence lies that a change of 'this one and all that follow' has moved."""
        since = max(changed for changed in self.onward if changed <= key)
        span = _span(self.changed[since], self.zones)
        start, kept = span.zone.placed(span.zone.wall(key) + (span.wall - span.zone.wall(since)))
        if window_from <= start < window_to:
            yield Occurrence(span.event, key, kept, span.zone.name, start, start + span.length, firm)


def _occurrence(span: _Span, key: Instant | None, *, firm: bool) -> Occurrence:
    return Occurrence(span.event, key, span.kept, span.zone.name, span.start, span.start + span.length, firm)


def _span(event: Event, zones: ZoneTable) -> _Span:
    """The time of an entry; whole days are days of UTC. Raises BadValueError ('no-start', 'bad-date', 'unknown-zone')."""
    once, first = event.once, first_of(event)
    if first.wall is None:
        assert first.day is not None
        wall = midnight(first.day)
        return _Span(event, wall, zones.utc, *zones.utc.placed(wall), how_many(event, first.day) * DAY)
    zone = _zone_of(first, event, zones)
    instant, kept = zone.placed(first.wall)
    length = 0
    if "DTEND" in once:
        length = _end(once["DTEND"], event, zone, zones) - instant
    elif "DURATION" in once:
        length = int(duration(once["DURATION"].value).total_seconds())
    # An end before the start is some program's slip; the start is what counts.
    return _Span(event, first.wall, zone, instant, kept, max(0, length))


def _end(prop: Property, event: Event, zone: Zone, zones: ZoneTable) -> Instant:
    last = moment(prop)
    if last.day is not None:
        return zone.instant(datetime.combine(last.day, time()) + timedelta(days=1))
    assert last.wall is not None
    return (_zone_of(last, event, zones) if last.tzid or last.utc else zone).instant(last.wall)


def _zone_of(found: Moment, event: Event, zones: ZoneTable) -> Zone:
    if found.utc:
        return zones.utc
    return zones.named(found.tzid) if found.tzid else zones.floating(event.calendar.zone)


def _revision(event: Event) -> tuple[int, str, str]:
    modified, stamp = (
        event.once[name].value.strip() if name in event.once else "" for name in ("LAST-MODIFIED", "DTSTAMP")
    )
    return whole_number(event.once.get("SEQUENCE")), modified, stamp


def _when(event: Event) -> tuple[str, ...]:
    return tuple(event.once[name].value.strip() if name in event.once else "" for name in ("DTSTART", "STATUS"))
