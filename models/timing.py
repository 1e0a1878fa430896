"""When a message may reach a person: working hours and mornings in the recipient's own zone."""

from collections.abc import Container
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from models.eligibility import Urgency
from models.instants import DAY, Instant, at_wall, local

WEEKEND = (5, 6)


class Hours(NamedTuple):
    """Somebody's working hours: wall times `HH:MM` in their zone, and the days off (public holidays, leave) besides weekends."""

    zone: str
    work_from: str = "08:00"
    work_until: str = "18:00"
    days_off: Container[date] = frozenset()

    def works_on(self, day: date) -> bool:
        return day.weekday() not in WEEKEND and day not in self.days_off

    def opens(self, day: date) -> Instant:
        return at_wall(datetime.combine(day, time.fromisoformat(self.work_from)), self.zone)

    def closes(self, day: date) -> Instant:
        return at_wall(datetime.combine(day, time.fromisoformat(self.work_until)), self.zone)

    def next_morning(self, now: Instant) -> Instant:
        """The opening of the next working day strictly after now."""
        day = local(now, self.zone).date()
        for ahead in range(366):
            candidate = day + timedelta(days=ahead)
            if self.works_on(candidate) and self.opens(candidate) > now:
                return self.opens(candidate)
        return now + DAY

    def next_open(self, now: Instant) -> Instant:
        """Now, if inside working hours; else the next opening."""
        day = local(now, self.zone).date()
        if self.works_on(day) and self.opens(day) <= now < self.closes(day):
            return now
        return self.next_morning(now)

    def working_day_after(self, at: Instant) -> Instant:
        """The same hour of the next working day: by then whoever was told `at` has had a working day for it."""
        begins = self.next_open(at)
        return self.next_morning(begins) + begins - self.opens(local(begins, self.zone).date())


def not_before(urgency: Urgency, hours: Hours, now: Instant) -> Instant:
    """The earliest instant at which a notice of that class may reach somebody with those hours."""
    if urgency in (Urgency.safety, Urgency.system, Urgency.cancellation):
        return now
    if urgency is Urgency.prompt:
        return hours.next_open(now)
    return hours.next_morning(now)
