"""Which appointment gets which part of an ending: those that stand first, new ones only for what is left; nothing is moved or sent here."""

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from models.instants import Instant
from models.slots import Proposal


class Role(StrEnum):
    """What an appointment of an ending is for, in the order in which they come."""

    explain = "explain"
    process = "process"
    close = "close"


class Standing(NamedTuple):
    """One appointment ahead that the client has with this therapist, booked or of a standing series."""

    id: str
    start: Instant


class Part(NamedTuple):
    """One appointment and its part; `proposal` is set where it does not stand yet, `id` where it does."""

    role: Role
    start: Instant
    id: str = ""
    proposal: Proposal | None = None


class EndingPlan(NamedTuple):
    """Who gets which part, in order of time; the parts for which no time is there yet; the appointments that stand beyond the last part.

    `after` is the instant from which new ones may lie: after the last one that has a part.
    """

    parts: tuple[Part, ...]
    missing: tuple[Role, ...]
    beyond: tuple[Standing, ...]
    after: Instant

    @property
    def closes_at(self) -> Instant | None:
        """When the last appointment is, once it is known."""
        return next((part.start for part in self.parts if part.role is Role.close), None)


def roles(process: int, held: Sequence[Role] = ()) -> tuple[Role, ...]:
    """The parts that are left, in order: explain, `process` times room to process, close, less those that have been held."""
    left = [Role.explain, *[Role.process] * process, Role.close]
    for role in held:
        if role in left:
            left.remove(role)
    return tuple(left)


def plan(
    standing: Iterable[Standing],
    process: int,
    *,
    since: Instant,
    most_process: int | None = None,
    held: Sequence[Role] = (),
    unsuitable: Collection[str] = (),
) -> EndingPlan:
    """Give the appointments that stand their parts: this one explains, these process, this one closes.

    `process` is how many appointments of room to process are needed, `most_process` how many there may be where more stand anyway
    (else exactly as many as needed). `held` are the parts of appointments that have taken place, `unsuitable` those declined or
    too short. Asked again after one was declined or moved, the answer is the plan for the rest. Only appointments from `since` on
    count. Raises ValueError for numbers that make no plan.
    """
    most = process if most_process is None else most_process
    if process < 0 or most < process:
        raise ValueError("room to process is a number of appointments, and the most is not less than what is needed")
    suits = sorted(
        (each for each in standing if each.start >= since and each.id not in unsuitable),
        key=lambda each: (each.start, each.id),
    )
    if Role.close in held:
        return EndingPlan((), (), tuple(suits), since)
    needed = roles(process, held)
    spare = max(0, min(len(suits) - len(needed), most - process))
    wanted = roles(process + spare, held)
    given = tuple(Part(role, each.start, each.id) for role, each in zip(wanted, suits, strict=False))
    after = max(since, given[-1].start + 1) if given else since
    return EndingPlan(given, wanted[len(given) :], tuple(suits[len(given) :]), after)


def with_proposals(found: EndingPlan, proposals: Iterable[Proposal], *, most_new: int) -> EndingPlan:
    """The plan with new appointments proposed for the parts that are missing, never more than `most_new`; what is still missing stays so.

    Proposals before `after` are passed over: an ending is explained before it is closed.
    """
    times = sorted((each for each in proposals if each.start >= found.after), key=lambda each: each.start)
    count = min(len(found.missing), len(times), max(0, most_new))
    new = tuple(
        Part(role, each.start, proposal=each) for role, each in zip(found.missing[:count], times[:count], strict=True)
    )
    after = new[-1].start + 1 if new else found.after
    return EndingPlan(found.parts + new, found.missing[count:], found.beyond, after)
