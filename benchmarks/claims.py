"""Claims, how they are measured (in turns, medians), and how they are told."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing we claim: what costs how many times what it is compared with.

    `ratio` is the measured one, `limit` what it may be at most (None: told, not claimed). `ours` and `theirs` are costs as text.
    """

    what: str
    against: str
    ratio: float
    limit: float | None
    ours: str = ""
    theirs: str = ""

    @property
    def holds(self) -> bool:
        return self.limit is None or self.ratio <= self.limit


@dataclass(slots=True)
class Told:
    """What one benchmark came to: a heading, its claims, and remarks such as what could not be measured."""

    heading: str
    claims: list[Claim] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """The lines to print."""
        yield self.heading
        rows = [
            (
                "told" if claim.limit is None else "holds" if claim.holds else "FAILS",
                figure(claim.ratio),
                "" if claim.limit is None else f"<= {figure(claim.limit)}",
                f"{claim.what}, against {claim.against}" if claim.against else claim.what,
                f"({claim.ours} : {claim.theirs})" if claim.ours else "",
            )
            for claim in self.claims
        ]
        for word, ratio, limit, what, costs in rows:
            yield f"  {word:<5} {ratio:>7} {limit:>9}  {what} {costs}".rstrip()
        for remark in self.remarks:
            yield f"  note  {remark}"


def figure(number: float) -> str:
    """A number with three digits that mean something."""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def duration(seconds: float) -> str:
    """Seconds in the unit that fits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


@dataclass(frozen=True, slots=True)
class Measured:
    """Costs of several things, each measured once in every round, in seconds."""

    rounds: tuple[tuple[float, ...], ...]

    def cost(self, number: int) -> float:
        """The median cost of the thing of that number."""
        return median(costs[number] for costs in self.rounds)

    def ratio(self, number: int, against: int) -> float:
        """The median over the rounds of how many times one costs the other: what disturbs a whole round cancels out."""
        return median(costs[number] / costs[against] for costs in self.rounds)

    def claim(self, what: str, number: int, against: str, other: int, limit: float | None, per: int = 1) -> Claim:
        """A claim about two of the things; `per` divides both costs for people."""
        ours, theirs = duration(self.cost(number) / per), duration(self.cost(other) / per)
        return Claim(what, against, self.ratio(number, other), limit, ours, theirs)


Clock = Callable[[], float]
WALL: Clock = time.perf_counter
PROCESSOR: Clock = time.process_time  # where all the work is this process's own: other programs disturb it less


def in_turns(rounds: int, *works: Callable[[], float | None], clock: Clock = WALL) -> Measured:
    """Do each work once per round, in turns. A work may answer its own cost in seconds; else the whole call is timed."""
    found = []
    for _ in range(rounds):
        costs = []
        for work in works:
            with timed(clock) as spent:
                told = work()
            costs.append(spent[0] if told is None else told)
        found.append(tuple(costs))
    return Measured(tuple(found))


@contextmanager
def timed(clock: Clock = WALL) -> Iterator[list[float]]:
    """The seconds that a block took, in a list of one."""
    spent = [0.0]
    start = clock()
    yield spent
    spent[0] = clock() - start
