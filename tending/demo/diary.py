"""Working days, leave and free hours of the demonstration practice, and what somebody enters into such a diary."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from integrations.public_holidays import public_holidays
from models.clock import Spans, counted_until, merged
from models.instants import DAY, HOUR, Instant, at_wall, day_of, end_of, start_of

ZONE = "Europe/London"
REGION = "GB-ENG"
HOURS = (9, 10, 11, 13, 14, 15, 16, 17, 12, 8, 18, 19)  # as they fill up
MINUTES = 50
_LONGEST_PAUSE = 21  # days for which nobody in this practice works

ATTENDED, MISSED, BY_CLIENT, BY_PRACTICE = "attended", "no show", "cancelled by client", "cancelled by practice"


@dataclass(slots=True)
class Meeting:
    """One appointment of the practice's life: who with whom, when it was entered, and what was written about it when.

    `outcome` is known from `told_at` on; `erased` says that the therapist took a cancelled one out of the calendar.
    """

    clients: tuple[str, ...]
    therapist: str
    start: datetime  # wall time in ZONE
    booked_at: Instant
    outcome: str = ""
    told_at: Instant = 0
    erased: bool = False
    id: str = ""

    @property
    def at(self) -> Instant:
        return at_wall(self.start, ZONE)

    def status(self, when: Instant) -> str:
        """What the record system says of it at an instant."""
        return self.outcome if self.outcome and self.told_at <= when else "booked"

    def cancelled(self, when: Instant) -> bool:
        return self.status(when) in (BY_CLIENT, BY_PRACTICE)


@dataclass(frozen=True, slots=True)
class Leave:
    """A therapist's leave, both days included."""

    id: str
    therapist: str
    from_on: date
    to_on: date
    cover: str


@dataclass(slots=True)
class Diary:
    """Days on which a therapist works, and which weekly hours are taken."""

    now: Instant
    leave: tuple[Leave, ...] = ()
    today: date = field(init=False)
    week_ago: Instant = field(init=False)
    _off: frozenset[date] = field(init=False)
    _taken: set[tuple[str, int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.today = day_of(self.now, ZONE)
        self.week_ago = self.now - 7 * DAY
        self._off = public_holidays(REGION, self.today.year - 2, self.today.year + 1)

    def day(self, offset: int) -> date:
        """The day so many days after (or, negative, before) the demonstration."""
        return self.today + timedelta(days=offset)

    def holiday(self, day: date) -> bool:
        return day in self._off

    def works(self, therapist: str, day: date) -> bool:
        return day.weekday() < 5 and day not in self._off and not self.away(therapist, day)

    def working_days(self, therapist: str, first: int, last: int) -> list[date]:
        """The therapist's working days between two offsets from today, both included, earliest first."""
        return [day for n in range(first, last + 1) if self.works(therapist, day := self.day(n))]

    def near(self, therapist: str, offset: int) -> date:
        """The first working day at or after an offset from today."""
        return self.working_days(therapist, offset, offset + _LONGEST_PAUSE)[0]

    def pauses(self, therapist: str) -> Spans:
        """Holidays and the therapist's leave as spans of time, as rules leave them out."""
        away = [
            (start_of(one.from_on, ZONE), end_of(one.to_on, ZONE)) for one in self.leave if one.therapist == therapist
        ]
        return merged([*((start_of(day, ZONE), end_of(day, ZONE)) for day in self._off), *away])

    def falls_due_this_week(self, therapist: str, since: Instant, days: int, spare: int = 6 * HOUR) -> bool:
        """Whether so many counted days after `since` run out in the week before now, with so many seconds to spare."""
        due = counted_until(since, days * DAY, self.pauses(therapist))
        return self.week_ago + spare <= due <= self.now - spare

    def hour(self, therapist: str, weekday: int) -> int:
        """A weekly hour of the therapist's that nobody has yet; it is taken from now on."""
        return next((hour for hour in HOURS if self.take(therapist, weekday, hour)), HOURS[weekday])

    def take(self, therapist: str, weekday: int, hour: int) -> bool:
        """Take a weekly hour; whether it was free."""
        free = (therapist, weekday, hour) not in self._taken
        self._taken.add((therapist, weekday, hour))
        return free

    def rhythm(self, therapist: str, anchor: date, every: int, first: date, last: date) -> Iterator[date]:
        """Days of regular appointments through `anchor`: one on a holiday moves to the next working day, one in a leave falls out."""
        step = timedelta(days=every)
        day = anchor - step * ((anchor - first).days // every)
        while day <= last:
            ahead = (day + timedelta(days=n) for n in range(6 if self.holiday(day) else 1))
            found = next((each for each in ahead if self.works(therapist, each)), None)
            if found is not None and found <= last:
                yield found
            day += step

    def series(self, therapist: str, anchor: date, first: date, last: date) -> list[date]:
        """Days of a weekly series through `anchor` that runs on over holidays; a leave is taken out of it."""
        days = (
            anchor + timedelta(days=7 * n) for n in range((first - anchor).days // 7, (last - anchor).days // 7 + 1)
        )
        return [day for day in days if not self.away(therapist, day)]

    def away(self, therapist: str, day: date) -> bool:
        """Whether the therapist is on leave that day."""
        return any(one.therapist == therapist and one.from_on <= day <= one.to_on for one in self.leave)

    def at(self, day: date, hour: int) -> datetime:
        """A wall time."""
        return datetime.combine(day, time(hour))
