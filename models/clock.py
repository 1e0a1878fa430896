"""The clock that rules ask, which remembers the earliest threshold not yet reached, and spans of time that do not count."""

from bisect import bisect_right
from collections.abc import Iterable

from models.instants import FAR, Instant

Spans = tuple[tuple[Instant, Instant], ...]  # half-open, sorted, disjoint


class Clock:
    """`now` for one look at one client. After the rules have asked, `next_look` is when an answer can first change by time alone."""

    __slots__ = ("next_look", "now")

    def __init__(self, now: Instant) -> None:
        self.now = now
        self.next_look = FAR

    def passed(self, threshold: Instant) -> bool:
        """Whether the threshold is reached; one that is not becomes the next look if it is the earliest."""
        if threshold <= self.now:
            return True
        if threshold < self.next_look:
            self.next_look = threshold
        return False


def merged(spans: Iterable[tuple[Instant, Instant]]) -> Spans:
    """Any spans as sorted, disjoint, non-empty ones."""
    result: list[tuple[Instant, Instant]] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return tuple(result)


def counted_until(start: Instant, seconds: int, pauses: Spans) -> Instant:
    """The instant at which `seconds` have gone by since `start`, time inside pauses not counted."""
    if not pauses:
        return start + seconds
    at = start
    i = bisect_right(pauses, (start, FAR))
    if i and pauses[i - 1][1] > at:
        at = pauses[i - 1][1]
    for begin, end in pauses[i:]:
        if at + seconds <= begin:
            break
        if begin > at:
            seconds -= begin - at
        at = end
    return at + seconds


def between(start: Instant, end: Instant, pauses: Spans) -> Spans:
    """Those of the pauses that may reach into the time from start to end."""
    if not pauses:
        return pauses
    return pauses[max(0, bisect_right(pauses, (start, FAR)) - 1) : bisect_right(pauses, (end, 0))]
