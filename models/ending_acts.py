"""What can be said about an ending of care, and an ending as it stands."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from models.ending_plan import Role
from models.ending_steps import By, CouldNot, Means, Need, Reason, Step, need_of
from models.instants import DAY, Instant
from models.told import NOT_KNOWN

QUESTION = "Is beginning a personal relationship, or a waiting period, part of why?"
REASONS, STEPS, MEANS = tuple(Reason), tuple(Step), tuple(Means)


class What(StrEnum):
    """What can be said about an ending. `stopped`: somebody asked for one and was stopped; there is none."""

    started = "started"
    stopped = "stopped"
    careful = "careful"  # the client finds rejection hard
    confirmed = "confirmed"
    declined = "declined"
    done = "done"
    could_not = "could-not"
    reopened = "reopened"  # what was said of a step was a mistake
    attempt = "attempt"  # somebody tried to reach the client
    approved = "approved"  # the therapist approves an attempt that somebody else noted
    proposed = "proposed"  # appointments were proposed to the therapist; none, where all that it takes stood
    withdrawn = "withdrawn"
    closed = "closed"


class State(StrEnum):
    """Where an ending stands. New ones are only ever added at the end: digests hold their places."""

    waiting = "waiting"  # for its confirmation
    going = "going"
    declined = "declined"
    withdrawn = "withdrawn"
    closed = "closed"


STATES = tuple(State)
OPEN = (State.waiting, State.going)


class Proposed(NamedTuple):
    """One appointment that an ending proposed to its therapist `at` an instant: the UID of its invitation, its start, and its part."""

    uid: str
    start: Instant
    role: Role
    at: Instant


class Act(NamedTuple):
    """One thing somebody (`by`) said `at` an instant about the ending with the id `ending`.

    `reason` is a Reason of what was started or stopped, a CouldNot (done: an Onward) of a step. `personal` answers QUESTION, empty
    where nobody did; `confirmer` is the therapist who has to confirm, `process` how many appointments give room, `careful` whether the
    client finds rejection hard, `until` the day (its end) by which it should be over. `on` is when an attempt was made, which counts
    only after `seen`, the last contact, and `apart` (seconds) from the one that counted before. `appointments` is how many took place
    since it began, `parts` what was proposed: (uid, start, role) each. Instants are -1 where not known.
    """

    ending: str
    what: What
    at: Instant
    by: str
    reason: str = ""
    wished_by: str = ""
    personal: str = ""
    confirmer: str = ""
    process: int = 0
    until: Instant = NOT_KNOWN
    step: str = ""
    appointments: int = 0
    means: str = ""
    on: Instant = NOT_KNOWN
    seen: Instant = NOT_KNOWN
    apart: int = 0
    careful: bool = False
    parts: tuple[tuple[str, Instant, str], ...] = ()

    def facts(self) -> dict[str, Any]:
        """As an observation holds it: what was not said is left out."""
        return {name: value for name, value in self._asdict().items() if value != self._field_defaults.get(name)}


def is_therapist(by: str) -> bool:
    """Whether it is a therapist who acts, at the desk or by a link of their own. A login name is nobody's word, whatever sudo tells of
    who called it."""
    return by.startswith("therapist:") and " as " not in by


def act_of(facts: Mapping[str, Any]) -> Act:
    """The act of an observation's facts."""
    parts = tuple((uid, start, role) for uid, start, role in facts.get("parts", ()))
    return Act(**{**facts, "what": What(facts["what"]), "parts": parts})


class Settled(NamedTuple):
    """A step that is done, or (`could_not`, a CouldNot) could not be; `onward` is an Onward, where that was said."""

    step: Step
    at: Instant
    by: str
    could_not: str = ""
    onward: str = ""


class Attempt(NamedTuple):
    """Somebody tried to reach the client, as `by` noted; it counts once a therapist has `approved` it (empty: it waits for that)."""

    on: Instant
    means: Means
    by: str
    approved: str = ""


class Termination(NamedTuple):
    """An ending as it stands. `confirmer` is empty where nobody has to confirm; `needed` is how many appointments give room to process;
    `died` whether the client has died, by the records or by what was said here: then only the records are left. `proposed` are all
    appointments that were ever proposed for it, last `proposed_at` (-1: never)."""

    id: str
    reason: Reason
    wished_by: By
    started_at: Instant
    started_by: str
    confirmer: str
    state: State
    moved_at: Instant
    needed: int
    careful: bool = False
    until: Instant = NOT_KNOWN
    settled: tuple[Settled, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    answered_by: str = ""  # who confirmed it or did not
    died: bool = False
    proposed: tuple[Proposed, ...] = ()
    proposed_at: Instant = NOT_KNOWN
    seen: Instant = NOT_KNOWN  # the last contact, as far as an attempt was told of it
    apart: int = 0

    @property
    def said_died(self) -> bool:
        """Whether it was said of it that the client has died: by its reason, or by why a step could not be. Withdrawn, it is unsaid."""
        says = self.reason is Reason.death or any(one.could_not == CouldNot.died for one in self.settled)
        return says and self.state not in (State.withdrawn, State.declined)

    @property
    def is_open(self) -> bool:
        """Whether it still goes on or waits."""
        return self.state in OPEN

    @property
    def approved(self) -> tuple[Attempt, ...]:
        """The attempts that a therapist made or approved, by their day."""
        return tuple(one for one in self.attempts if one.approved)

    @property
    def unapproved(self) -> tuple[Attempt, ...]:
        """The attempts that wait for a therapist's yes, by their day."""
        return tuple(one for one in self.attempts if not one.approved)

    def need(self, step: Step) -> Need:
        """Whether it asks for a step."""
        return need_of(Reason.death if self.died else self.reason, step)

    def of(self, step: Step) -> Settled | None:
        """What was said of a step."""
        return next((one for one in self.settled if one.step is step), None)

    def left(self) -> tuple[Step, ...]:
        """The required steps that nothing was said of."""
        return tuple(step for step in STEPS if self.need(step) is Need.required and self.of(step) is None)

    def counted(self, seen: Instant = NOT_KNOWN) -> tuple[Attempt, ...]:
        """The attempts that count: approved, made after the client was seen last, and so far apart that there was time to answer, give or
        take the hours of a day."""
        found: list[Attempt] = []
        for one in self.approved:
            is_apart = not found or one.on - found[-1].on > self.apart - DAY
            if one.on > max(self.seen, seen) and is_apart:
                found.append(one)
        return tuple(found)

    def ways(self) -> set[Means]:
        """By which means somebody tried to reach the client, as far as it was approved."""
        return {attempt.means for attempt in self.approved if attempt.on > self.seen}

    def room_for(self, step: Step) -> int:
        """How many appointments have to take place since it began before a step can be done: those that give room, and the last one is one
        more than these, unless there could be none."""
        if step is Step.process:
            return self.needed
        process = self.of(Step.process)
        gave = process is not None and not process.could_not
        return (1 + self.needed if gave else 1) if step is Step.last else 0
