"""One reader's way of saying instants: their zone, their locale, and the day on which they read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models import words
from models.instants import DAY, FAR, Instant, day_of


@dataclass(frozen=True, slots=True)
class Voice:
    """Says instants as somebody in `zone` reads them at `now`."""

    zone: str
    locale: str
    now: Instant

    def day(self, when: Instant) -> str:
        """`Tue 3 Nov`."""
        return words.day(day_of(when, self.zone), today=day_of(self.now, self.zone), locale=self.locale)

    def day_and_distance(self, when: Instant) -> str:
        """`Tue 3 Nov, 20 days ago`."""
        return words.day_and_distance(day_of(when, self.zone), today=day_of(self.now, self.zone), locale=self.locale)

    def days(self, when: Iterable[Instant]) -> str:
        """`10 and 17 Nov`."""
        return words.days([day_of(w, self.zone) for w in when], today=day_of(self.now, self.zone), locale=self.locale)

    def every(self, seconds: float) -> str:
        """A rhythm in whole days: `every 7 days`."""
        return words.every(max(1, round(seconds / DAY)))

    def count(self, number: int) -> str:
        """`two`, `12`."""
        return words.spelled(number)

    def times(self, number: int) -> str:
        """`once`, `twice`, `three times`."""
        return {1: "once", 2: "twice"}.get(number, f"{words.spelled(number)} times")

    def ordinal(self, number: int) -> str:
        """`third`, `12th`."""
        return words.ordinal(number)

    def listing(self, parts: Sequence[str]) -> str:
        """`a, b and c`."""
        return words.listed(list(parts), locale=self.locale)

    def can_name(self, when: Instant) -> bool:
        """Whether an instant is a day at all, and not `further notice`."""
        return when < FAR
