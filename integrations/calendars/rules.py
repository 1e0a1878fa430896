"""Recurrence rules: DAILY and WEEKLY by arithmetic, the rest through dateutil, sub-daily ones refused."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import islice, takewhile

from dateutil.rrule import rrulestr  # type: ignore[import-untyped]

from integrations.calendars.values import BadValueError, moment_of
from models.instants import Instant

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_SLOW = frozenset(("DAILY", "WEEKLY", "MONTHLY", "YEARLY"))
_FAST = frozenset(("SECONDLY", "MINUTELY", "HOURLY"))
_SIMPLE_DAILY = frozenset(("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"))
_SIMPLE_WEEKLY = _SIMPLE_DAILY | {"BYDAY"}
_KNOWN = _SIMPLE_WEEKLY.union(
    ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "BYHOUR", "BYMINUTE", "BYSECOND")
)
_FIRST_YEAR = 1900  # no care began earlier; a rule walked day by day from the year 1 would take seconds
_MOST_OCCURRENCES = 20_000  # of one rule, from its first day to the window's end, when it must be walked
_NUMBER = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One RRULE. `until` is the last instant that may still be meant; `parts` are the parts as written, in capitals."""

    frequency: str
    interval: int
    count: int | None
    until: Instant | None
    days: tuple[int, ...]
    week_start: int
    parts: dict[str, str]

    @property
    def endless(self) -> bool:
        """Whether nobody ever said when it stops."""
        return self.count is None and self.until is None

    @property
    def simple(self) -> bool:
        """Whether arithmetic is enough."""
        enough = {"DAILY": _SIMPLE_DAILY, "WEEKLY": _SIMPLE_WEEKLY}.get(self.frequency, frozenset())
        return self.parts.keys() <= enough


def parse(text: str, instant: Callable[[datetime], Instant], utc: Callable[[datetime], Instant]) -> Rule:
    """Read a rule; the two functions give the instant of a wall time in the series' zone and in UTC.

    An UNTIL that is a date means that whole day in the series' zone. Raises BadValueError ('bad-rule', 'sub-daily').
    """
    parts: dict[str, str] = {}
    for part in text.upper().split(";"):
        name, _, value = part.strip().partition("=")
        if name in _KNOWN:
            parts[name] = value.strip()
        elif name and not name.startswith("X-"):
            raise _bad("uses a repetition this reader does not know")
    frequency = parts.get("FREQ", "")
    if frequency in _FAST:
        raise BadValueError(
            "sub-daily", "repeats more often than daily, which no appointment does; enter the times one by one"
        )
    if frequency not in _SLOW:
        raise _bad("does not say how often it repeats")
    until = parts.get("UNTIL")
    count = parts.get("COUNT")
    return Rule(
        frequency=frequency,
        interval=_positive(parts.get("INTERVAL", "1")),
        count=None if count is None else _positive(count),
        until=None if until is None else _until(until, instant, utc),
        days=_days(parts) if parts.keys() <= _SIMPLE_WEEKLY and frequency == "WEEKLY" else (),
        week_start=_day(parts.get("WKST", "MO")),
        parts=parts,
    )


def _bad(what: str) -> BadValueError:
    return BadValueError("bad-rule", f"{what}; set its repetition anew in the calendar")


def _positive(text: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) < 1:
        raise _bad("repeats at an interval or for a number of times that cannot be read")
    return int(text)


def _day(text: str) -> int:
    if text not in DAYS:
        raise _bad("repeats on a day of the week that cannot be read")
    return DAYS.index(text)


def _days(parts: dict[str, str]) -> tuple[int, ...]:
    # A number before the day means nothing in a weekly rule, so the day alone counts.
    names = [name.strip().lstrip("+-0123456789") for name in parts.get("BYDAY", "").split(",")]
    return tuple(sorted({_day(name) for name in names if name}))


def _until(text: str, instant: Callable[[datetime], Instant], utc: Callable[[datetime], Instant]) -> Instant:
    last = moment_of(text)
    if last.wall is not None:
        return utc(last.wall) if last.utc else instant(last.wall)
    assert last.day is not None
    return instant(datetime.combine(last.day, time(23, 59, 59)))


def walls(rule: Rule, start: datetime, low: datetime, high: datetime) -> Iterator[datetime]:
    """The wall times of the rule in [low, high), in order; UNTIL is left to the caller, who knows instants.

    `start` itself counts only where the rule meets it. Raises BadValueError ('bad-rule', 'too-many').
    """
    if not rule.simple:
        return _walked(rule, start, low, high)
    return _daily(rule, start, low, high) if rule.frequency == "DAILY" else _weekly(rule, start, low, high)


def _daily(rule: Rule, start: datetime, low: datetime, high: datetime) -> Iterator[datetime]:
    step = timedelta(days=rule.interval)
    number = max(0, -((start - low) // step)) if low > start else 0
    wall = start + number * step
    while wall < high and (rule.count is None or number < rule.count):
        if wall >= low:
            yield wall
        wall += step
        number += 1


def _weekly(rule: Rule, start: datetime, low: datetime, high: datetime) -> Iterator[datetime]:
    into_week = (start.weekday() - rule.week_start) % 7
    days = sorted((day - rule.week_start) % 7 for day in rule.days) or [into_week]
    week_start = start - timedelta(days=into_week)
    skipped = sum(day < into_week for day in days)  # days of the first week that lie before the start
    step = timedelta(weeks=rule.interval)
    week = max(0, (low - week_start) // step) if low > week_start else 0
    week_at = week_start + week * step
    while week_at < high:
        for place, day in enumerate(days):
            number = week * len(days) + place - skipped
            wall = week_at + timedelta(days=day)
            if number < 0 or wall < low:
                continue
            if wall >= high or (rule.count is not None and number >= rule.count):
                return
            yield wall
        week_at += step
        week += 1


def _walked(rule: Rule, start: datetime, low: datetime, high: datetime) -> Iterator[datetime]:
    if start.year < _FIRST_YEAR and rule.frequency in ("DAILY", "WEEKLY"):
        raise _bad("repeats since before 1900")
    parts = {name: value for name, value in rule.parts.items() if name not in ("COUNT", "UNTIL")}
    named = [name.strip() for name in parts.get("BYDAY", "").split(",") if name.strip()]
    if len({name[-2:] == name for name in named}) > 1:
        raise _bad("mixes every such day with only the first or second of the month")  # dateutil would find none at all
    if "BYWEEKNO" in parts and not parts.keys() & {"BYDAY", "BYMONTHDAY", "BYYEARDAY"}:
        parts["BYDAY"] = DAYS[start.weekday()]  # what other programs read; dateutil alone would take all seven days
    # COUNT is counted below, for dateutil takes no COUNT beside an UNTIL. (A rule that nothing ever meets, such as every
    # 30 February, still costs it a second or two: it looks as far as the year 9999.)
    parts["UNTIL"] = high.strftime("%Y%m%dT%H%M%S")
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    try:
        found = iter(rrulestr(text, dtstart=start))
    except (ValueError, TypeError, IndexError, AttributeError, ZeroDivisionError):
        raise _bad("repeats by a rule that cannot be read") from None
    return _bounded(found if rule.count is None else islice(found, rule.count), low, high)


def _bounded(found: Iterator[datetime], low: datetime, high: datetime) -> Iterator[datetime]:
    for number, wall in enumerate(takewhile(lambda wall: wall < high, found)):
        if number >= _MOST_OCCURRENCES:
            raise BadValueError("too-many", "repeats too often to be appointments; enter the times one by one")
        if wall >= low:
            yield wall
