"""The appointments of an ending that is going on: which parts are left, which of those ahead can have one, and what is lacking."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from models.ending_acts import State, Termination
from models.ending_plan import EndingPlan, Part, Role, Standing, plan, roles, with_proposals
from models.ending_steps import MEETINGS, Need
from models.instants import DAY, Instant
from models.slots import Proposal
from models.told import NOT_KNOWN
from models.voice import Voice

LEAD = 2 * DAY
"""No appointment is proposed sooner: the therapist has to see it, and somebody has to ask the client."""
AHEAD = 91 * DAY
"""Times are looked for so far ahead; an ending whose next appointment lies beyond is for a person to think about."""


class Problem(StrEnum):
    """Why an appointment that lies ahead has no part of the ending."""

    away = "away"
    late = "late"
    not_entered = "not entered"
    not_free = "not free"


PROBLEM_WORDS = {
    Problem.away: "on a day of leave, of a break or a public holiday",
    Problem.late: "after the day by which it should be over",
    Problem.not_entered: "proposed, and not accepted in the therapist's calendar since",
    Problem.not_free: "proposed, and the therapist is not free then any more",
}
OURS_TO_REPLACE = (Problem.not_entered, Problem.not_free)


class Entry(NamedTuple):
    """An appointment ahead that the client has with their therapist. `uid` is set where this ending proposed it; `shown` is
    whether a calendar does, `entered` whether it is accepted there too: an invitation that nobody answered yet is not."""

    id: str
    start: Instant
    end: Instant
    uid: str = ""
    entered: bool = True
    problem: Problem | None = None
    shown: bool = True


class How(StrEnum):
    """How an appointment stands."""

    stands = "stands"
    proposed = "proposed"  # to the therapist, whose calendar does not show it as accepted yet
    new = "new"  # it would be proposed


HOW_WORDS = {
    How.stands: "stands",
    How.proposed: "proposed to the therapist, not accepted yet",
    How.new: "would be proposed",
}
ROLE_WORDS = {Role.explain: "explains", Role.process: "gives room", Role.close: "closes"}


class Line(NamedTuple):
    """One appointment with its part, [start, end); `reason` says what speaks for a new one."""

    role: Role
    start: Instant
    end: Instant
    how: How
    uid: str = ""
    reason: str = ""


class Schedule(NamedTuple):
    """The appointments of an ending in order of time. `missing` are parts for which there is no time, `beyond` the starts of what stands
    after the last part, `aside` what can have no part. `need` is whether appointments are asked for at all; `blind` names what cannot be
    relied on, so that nobody knows what is free."""

    need: Need
    therapist: str = ""
    lines: tuple[Line, ...] = ()
    missing: tuple[Role, ...] = ()
    beyond: tuple[Instant, ...] = ()
    aside: tuple[Entry, ...] = ()
    blind: tuple[str, ...] = ()

    @property
    def new(self) -> tuple[Line, ...]:
        """What would be proposed to the therapist."""
        return tuple(line for line in self.lines if line.how is How.new)

    @property
    def replaced(self) -> tuple[Entry, ...]:
        """What this ending proposed and nobody can count on: called off where new ones are proposed."""
        return tuple(entry for entry in self.aside if entry.uid and entry.problem in OURS_TO_REPLACE)


def need_of_appointments(stands: Termination) -> Need:
    """Whether an ending asks for appointments: only of one that is going on, and never after the client's death."""
    if stands.state is not State.going:
        return Need.none
    needs = [stands.need(step) for step in MEETINGS]
    return Need.required if Need.required in needs else Need.offered if Need.offered in needs else Need.none


def held_parts(stands: Termination, starts: Sequence[Instant]) -> tuple[Role, ...]:
    """The parts that were held, by what was said of the steps and by the appointments since it began (`starts`, oldest first): the first
    explains unless that was said to be done before it, those after it give room to process; the last one is held when that is said."""
    explain, process, last = (stands.of(step) for step in MEETINGS)
    gave = stands.needed if process else min(stands.needed, len(starts) - _explained_in_one(stands, starts))
    explained = explain is not None or bool(starts)
    return (*[Role.explain] * explained, *[Role.process] * gave, *[Role.close] * (last is not None))


def _explained_in_one(stands: Termination, starts: Sequence[Instant]) -> bool:
    explain = stands.of(MEETINGS[0])
    return bool(starts) and (explain is None or (not explain.could_not and starts[0] <= explain.at))


def most_new(stands: Termination, starts: Sequence[Instant]) -> int:
    """How many new appointments an ending can ask for: one for each part that is left, less those that took place without one."""
    without = max(0, len(starts) - _explained_in_one(stands, starts) - stands.needed)
    return max(0, len(roles(stands.needed, held_parts(stands, starts))) - without)


def planned(stands: Termination, starts: Sequence[Instant], ahead: Iterable[Entry], now: Instant) -> EndingPlan:
    """The parts of what stands. Where a day is named by which it should be over, all that stands before it gives room; else as much as is
    needed."""
    entries = sorted(ahead, key=lambda each: each.start)
    unsuitable = {entry.id for entry in entries if entry.problem is not None}
    return plan(
        [Standing(entry.id, entry.start) for entry in entries],
        stands.needed,
        since=now,
        most_process=stands.needed if stands.until == NOT_KNOWN else max(stands.needed, len(entries)),
        held=held_parts(stands, starts),
        unsuitable=unsuitable,
    )


def looked_for_from(found: EndingPlan, starts: Sequence[Instant], rhythm: float, now: Instant) -> Instant:
    """From when on new appointments may lie: a rhythm (seconds) after the one before, less a day, and never at once."""
    last = found.parts[-1].start if found.parts else starts[-1] if starts else now - round(rhythm)
    return max(now + LEAD, found.after, last + round(rhythm) - DAY)


def schedule_of(
    stands: Termination,
    therapist: str,
    found: EndingPlan,
    ahead: Iterable[Entry],
    proposals: Iterable[Proposal],
    most: int,
    now: Instant,
    blind: tuple[str, ...] = (),
) -> Schedule:
    """The plan with new appointments from these proposals: never more than `most`, none too far ahead and none after its day."""
    entries = {entry.id: entry for entry in ahead}
    last = now + AHEAD if stands.until == NOT_KNOWN else min(now + AHEAD, stands.until)
    whole = with_proposals(found, [each for each in proposals if each.end <= last], most_new=most)
    return Schedule(
        need_of_appointments(stands),
        therapist,
        tuple(_line(part, entries) for part in whole.parts),
        whole.missing,
        tuple(each.start for each in whole.beyond),
        tuple(entry for entry in entries.values() if entry.problem is not None),
        blind,
    )


def _line(part: Part, entries: dict[str, Entry]) -> Line:
    if part.proposal is not None:
        return Line(part.role, part.start, part.proposal.end, How.new, reason=part.proposal.reason)
    entry = entries[part.id]
    return Line(part.role, part.start, entry.end, How.stands if entry.entered else How.proposed, entry.uid)


def nothing_new(schedule: Schedule) -> str:
    """Why nothing would be proposed, as a sentence."""
    if schedule.need is Need.none:
        return "An ending like this asks for no appointment now."
    if not schedule.therapist:
        return "No therapist is named for this client, so nobody's calendar can be asked; see the clients file."
    if schedule.need is Need.offered:
        return (
            "An appointment is offered here and not asked for: `tending slots` shows times, `tending invite` makes one."
        )
    if schedule.blind:
        return f"What is free cannot be told now: {', '.join(schedule.blind)}. See `tending status`."
    if schedule.missing:
        return (
            "No time that is free was found in the next months, or before the day by which it should be over; see leave, "
            "working hours and calendars, or say `could-not`."
        )
    return "Every part has its appointment; nothing new is needed."


def still_stand(starts: Sequence[Instant], voice: Voice, when: str) -> str:
    """What stands besides the parts of an ending, as a sentence that says whose it is to decide. `starts` has one at least."""
    many = "One more stands" if len(starts) == 1 else f"{voice.count(len(starts)).capitalize()} more stand"
    return f"{many} {when}, from {voice.day(starts[0])} on: keep or call off, as you agree."
