"""When a therapist is free, and which of these times suit a client: half-open spans of instants, from wall times in a zone."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from models.clock import Spans, merged
from models.instants import DAY, Instant, at_wall, local
from models.timing import Hours

QUARTER = 15 * 60
"""Appointments begin on the quarter of an hour, unless the client's own usual time is another."""
LOOKED_AT = 6
"""How many of the last appointments show a client's usual weekday and hour."""
WEEKLY = 5
"""Whoever comes no more often than so many days apart has a weekday."""
WEEKS = 26
"""So many weeks later than asked for is looked for a time; after that nothing is proposed."""
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Usual(NamedTuple):
    """When a client usually comes, in the therapist's zone: Monday is 0, the hour is a wall time."""

    weekday: int
    hour: time

    def __str__(self) -> str:
        return f"{_WEEKDAYS[self.weekday]} at {self.hour:%H:%M}"


class Proposal(NamedTuple):
    """One time that is free, [start, end), and what speaks for it."""

    start: Instant
    end: Instant
    reason: str


def working(hours: Hours, first: date, last: date) -> Spans:
    """The working hours of every working day from first to last, both included."""
    days = (first + timedelta(days=ahead) for ahead in range((last - first).days + 1))
    return merged((hours.opens(day), hours.closes(day)) for day in days if hours.works_on(day))


def less(spans: Spans, taken: Iterable[tuple[Instant, Instant]]) -> Spans:
    """What of sorted, disjoint spans remains when others are taken out of them."""
    result: list[tuple[Instant, Instant]] = []
    away = merged(taken)
    at = 0
    for start, end in spans:
        while at < len(away) and away[at][1] <= start:
            at += 1
        here = at
        while here < len(away) and away[here][0] < end:
            if away[here][0] > start:
                result.append((start, away[here][0]))
            start = max(start, away[here][1])
            here += 1
        if start < end:
            result.append((start, end))
    return tuple(result)


def free(hours: Hours, busy: Iterable[tuple[Instant, Instant]], first: date, last: date, *, buffer: int = 0) -> Spans:
    """When somebody with these hours (their days off are leave and public holidays) has nothing entered, from first to last day.

    `busy` are half-open spans; `buffer` seconds before and after each stay free. What takes no time takes nothing away.
    """
    kept = ((start - buffer, end + buffer) for start, end in busy if start < end)
    return less(working(hours, first, last), kept)


def usual(starts: Sequence[Instant], zone: str) -> Usual | None:
    """The weekday and hour at which most of the last appointments began; None where no two agree."""
    walls = [local(start, zone) for start in sorted(starts)[-LOOKED_AT:]]
    counts = Counter(Usual(wall.weekday(), wall.time().replace(second=0, microsecond=0)) for wall in walls)
    newest = {Usual(wall.weekday(), wall.time().replace(second=0, microsecond=0)): n for n, wall in enumerate(walls)}
    best = max(counts, key=lambda each: (counts[each], newest[each]), default=None)
    return best if best is not None and counts[best] > 1 else None


def proposals(
    spans: Spans,
    *,
    zone: str,
    since: Instant,
    count: int,
    length: int,
    rhythm_days: float = 0,
    when: Usual | None = None,
    buffer: int = 0,
) -> tuple[Proposal, ...]:
    """Up to `count` times of `length` seconds inside free spans, from `since` on, one after another.

    With a rhythm each is looked for about so many days after the one before, at the usual time if there is one: the same weekday and
    hour come first, then the same weekday, then the same hour, then what lies nearest. Where a whole week has nothing (leave,
    holidays), the next one is tried, and those after it follow from there. Where the usual weekday is seldom free, all of them lie on
    one other weekday, at the usual hour as far as it can be, if there is one that has them as soon. Without a rhythm they are the first
    free times. `buffer` seconds stay free between them.
    """
    search = _Search(spans, zone, since, count, length, rhythm_days, when, buffer)
    found, late = search.times()
    days = Counter(local(each.start, zone).weekday() for each in found)
    usually = days[when.weekday] if when is not None else 0
    if rhythm_days < WEEKLY or len(days) < 2 or 2 * usually > len(found):
        return found
    own = when or Usual(local(found[0].start, zone).weekday(), local(found[0].start, zone).time())

    def unlike(times: tuple[Proposal, ...]) -> tuple[int, int]:
        walls = [local(each.start, zone) for each in times]
        ahead = (walls[0].weekday() - own.weekday) % 7
        return sum(wall.time() != own.hour for wall in walls), min(ahead, 7 - ahead)

    on_one = (search.times(weekday) for weekday in range(7))
    as_soon = [times for times, later in on_one if len(times) == len(found) and later <= late]
    return min(as_soon, key=unlike, default=found)


class _Search(NamedTuple):
    """What `proposals` looks for."""

    spans: Spans
    zone: str
    since: Instant
    most: int
    length: int
    rhythm_days: float
    when: Usual | None
    buffer: int

    def times(self, weekday: int | None = None) -> tuple[tuple[Proposal, ...], int]:
        """One time after another, all on one weekday if one is named; and how many seconds they come late, all together."""
        spans, zone, length, when = self.spans, self.zone, self.length, self.when
        found: list[Proposal] = []
        lost = 0
        earliest, target = self.since, _first_target(self.since, when, zone)
        for _ in range(self.most):
            fits = _starts(spans, earliest, length, when, zone)
            if weekday is not None:
                fits = [start for start in fits if local(start, zone).weekday() == weekday]
            if not fits:
                break
            if self.rhythm_days:
                best, late = _nearest(fits, target, self.rhythm_days, when, zone)
                if best is None:
                    break
                lost += late
                found.append(Proposal(best, best + length, _said(best, target, when, zone, late)))
                target = _on(best if when is None else target + late, _step(self.rhythm_days, when), zone)
            else:
                best, reason = _first(fits, when, zone)
                found.append(Proposal(best, best + length, reason))
            earliest = found[-1].end + self.buffer
        return tuple(found), lost


# ---------------------------------------------------------------- candidates


def _starts(spans: Spans, since: Instant, length: int, when: Usual | None, zone: str) -> list[Instant]:
    """Instants at which an appointment could begin: quarters of an hour, and the usual time of each day."""
    result: set[Instant] = set()
    for start, end in spans:
        start = max(start, since)
        if end - start < length:
            continue
        result.update(range(-(-start // QUARTER) * QUARTER, end - length + 1, QUARTER))
        if when is not None:
            day = local(start, zone).date()
            own = at_wall(datetime.combine(day, when.hour), zone)
            if start <= own <= end - length:
                result.add(own)
    return sorted(result)


def _first_target(since: Instant, when: Usual | None, zone: str) -> Instant:
    """The usual time on the first day that has it from `since` on; else `since` itself."""
    if when is None:
        return since
    day = local(since, zone).date()
    for ahead in range(8):
        own = at_wall(datetime.combine(day + timedelta(days=ahead), when.hour), zone)
        if own >= since and (day + timedelta(days=ahead)).weekday() == when.weekday:
            return own
    raise AssertionError("every weekday comes once in eight days")


def _step(rhythm_days: float, when: Usual | None) -> int:
    """The rhythm in whole days; in whole weeks where somebody has a weekday and comes no more often than weekly."""
    days = max(1, round(rhythm_days))
    return 7 * max(1, round(days / 7)) if when is not None and days >= WEEKLY else days


def _on(instant: Instant, days: int, zone: str) -> Instant:
    """The same wall time so many days later."""
    wall = local(instant, zone)
    return at_wall(datetime.combine(wall.date() + timedelta(days=days), wall.time()), zone)


def _nearest(
    fits: Sequence[Instant], target: Instant, rhythm_days: float, when: Usual | None, zone: str
) -> tuple[Instant | None, int]:
    """The best start in the first week about the target that has any, and how many seconds that week lies after the target."""
    reach = max(3.5, min(rhythm_days, 28) / 2) * DAY
    for weeks in range(WEEKS + 1):
        middle = _on(target, 7 * weeks, zone)
        near = [start for start in fits if abs(start - middle) < reach]
        if near:
            return min(near, key=lambda start: _rank(start, middle, when, zone)), middle - target
    return None, 0


def _rank(start: Instant, target: Instant, when: Usual | None, zone: str) -> tuple[int, int, Instant]:
    """Lower is better."""
    if when is None:
        return 0, abs(start - target), start
    wall = local(start, zone)
    off = abs((wall.hour * 60 + wall.minute) - (when.hour.hour * 60 + when.hour.minute))
    if wall.weekday() == when.weekday:
        return (0 if not off else 1), off + abs(start - target) // DAY * 1440, start
    return (2, abs(start - target), start) if not off else (3, abs(start - target), start)


def _said(start: Instant, target: Instant, when: Usual | None, zone: str, late: int) -> str:
    weeks = round(late / (7 * DAY))
    later = f", {weeks} week{'s' if weeks > 1 else ''} later since nothing is free before" if weeks else ""
    if when is None:
        return f"nearest to the client's rhythm{later}"
    wall = local(start, zone)
    same_day, same_hour = wall.weekday() == when.weekday, (wall.hour, wall.minute) == (when.hour.hour, when.hour.minute)
    words = {
        (True, True): "same weekday and hour",
        (True, False): "same weekday, another hour",
        (False, True): "same hour, another weekday",
        (False, False): "nearest to the usual time",
    }
    return words[same_day, same_hour] + later


def _first(fits: Sequence[Instant], when: Usual | None, zone: str) -> tuple[Instant, str]:
    return fits[0], "first free time" if when is None else f"first free time; usually {when}"
