"""The ending of a client's care as a fold over what people said about it, and as digests and lists hold it."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.columns import instant, row_id
from models.ending_acts import (
    MEANS,
    REASONS,
    STATES,
    STEPS,
    Act,
    Attempt,
    Proposed,
    Settled,
    State,
    Termination,
    What,
    is_therapist,
)
from models.ending_plan import Role
from models.ending_refusals import is_meant, not_allowed
from models.ending_steps import By, Means, Reason, Step
from models.told import NOT_KNOWN, Ending, number_of


def endings_of(acts: Iterable[Act], *, died: bool = False) -> tuple[Termination, ...]:
    """All endings of one client, in order of their beginning. What may not be said where it was said changes nothing. `died` is what the
    records (or, read from a digest, records and endings) say; of what was said here the newest ending decides."""
    found: dict[str, Termination] = {}
    for act in acts:
        if act.what is What.stopped:
            continue
        if act.what is What.started:
            if not any(one.is_open for one in found.values()) and act.ending not in found and act.personal == "no":
                found[act.ending] = _begun(act, died)
            continue
        stands = found.get(act.ending)
        if stands is not None and not_allowed(stands, act) is None:
            found[act.ending] = _with(stands, act)
    *before, newest = found.values() or [None]
    if newest is not None and newest.said_died:
        newest = newest._replace(died=True)
    return tuple(_after_death(one) for one in (*before, newest) if one is not None)


def termination_of(acts: Iterable[Act], *, died: bool = False) -> Termination | None:
    """A client's newest ending; None where there never was one."""
    return next(reversed(endings_of(acts, died=died)), None)


def _begun(act: Act, died: bool) -> Termination:
    state = State.waiting if act.confirmer else State.going
    return Termination(
        act.ending,
        Reason(act.reason),
        By(act.wished_by),
        act.at,
        act.by,
        act.confirmer,
        state,
        act.at,
        act.process,
        careful=act.careful,
        until=act.until,
        died=died,
    )


def _after_death(stands: Termination) -> Termination:
    """Nobody has to confirm any more what the client's death leaves of an ending."""
    return stands._replace(state=State.going) if stands.died and stands.state is State.waiting else stands


def _with(stands: Termination, act: Act) -> Termination:
    """The ending after an act that is allowed. What was said before changes nothing, not even when it was last spoken of."""
    match act.what:
        case What.confirmed:
            return stands._replace(state=State.going, answered_by=act.by, moved_at=act.at)
        case What.declined:
            return stands._replace(state=State.declined, answered_by=act.by, moved_at=act.at)
        case What.withdrawn:
            return stands._replace(state=State.withdrawn, moved_at=act.at)
        case What.closed:
            return stands._replace(state=State.closed, moved_at=act.at)
        case What.careful:
            return stands._replace(careful=True, needed=max(stands.needed, act.process))
        case What.attempt:
            made = Attempt(act.on, Means(act.means), act.by, act.by if is_therapist(act.by) else "")
            tries = tuple(sorted((*stands.attempts, made)))
            seen, moved_at = max(stands.seen, act.seen), max(stands.moved_at, act.at)
            return stands._replace(attempts=tries, seen=seen, apart=act.apart, moved_at=moved_at)
        case What.approved:
            found = tuple(one._replace(approved=act.by) if is_meant(one, act) else one for one in stands.attempts)
            return stands._replace(attempts=found, moved_at=max(stands.moved_at, act.at))
        case What.proposed:  # nothing that was said of a step
            known = {one.uid for one in stands.proposed}
            new = tuple(Proposed(uid, start, Role(role), act.at) for uid, start, role in act.parts if uid not in known)
            return stands._replace(proposed=(*stands.proposed, *new), proposed_at=max(stands.proposed_at, act.at))
        case What.reopened:
            rest = tuple(one for one in stands.settled if one.step != act.step)
            return stands._replace(settled=rest, moved_at=act.at)
    before = stands.of(Step(act.step))
    could_not, onward = (act.reason, "") if act.what is What.could_not else ("", act.reason)
    if before is not None and (before.could_not, before.onward) == (could_not, onward or before.onward):
        return stands
    rest = tuple(one for one in stands.settled if one.step != act.step)
    return stands._replace(settled=(*rest, Settled(Step(act.step), act.at, act.by, could_not, onward)), moved_at=act.at)


def changes_nothing(stands: Termination, act: Act) -> bool:
    """Whether an act says only what was said before."""
    return _with(stands, act) == stands


# ---------------------------------------------------------------- as digests and lists hold it


def packed_ending(stands: Termination) -> Ending:
    """As a digest holds it; it was folded without what the records say of a death."""
    return Ending(
        number=number_of(stands.id),
        reason=REASONS.index(stands.reason),
        state=STATES.index(stands.state),
        started_at=stands.started_at,
        moved_at=stands.moved_at,
        open=sum(1 << STEPS.index(step) for step in stands.left()),
        needed=stands.needed,
        attempts=len(stands.counted()),
        attempted_at=stands.approved[-1].on if stands.approved else NOT_KNOWN,
        careful=int(stands.careful),
        means=sum(1 << MEANS.index(means) for means in stands.ways()),
        until=stands.until,
        proposed_at=max((one.at for one in stands.proposed), default=NOT_KNOWN),
        died=int(stands.died),
        unapproved=len(stands.unapproved),
    )


def steps_open(ending: Ending) -> tuple[Step, ...]:
    """The required steps of a digest's ending that nothing was said of."""
    return tuple(step for n, step in enumerate(STEPS) if ending.open >> n & 1)


class TerminationRow(SQLModel, table=True):
    """One ending as lists show it, derived from what was said in the transaction that took that in. `id` is the number of its id,
    `nth` which of the client's it is. `next_step` is empty where nothing is left to do; `needs_confirmation_of` a therapist, empty where
    nobody has to confirm any more."""

    __tablename__ = "termination"
    __table_args__ = (Index("ix_termination_state", "state", "therapist_id"),)

    id: int | None = row_id()
    ending: str
    client_id: int = Field(foreign_key="client.id", index=True)
    therapist_id: str = ""
    nth: int
    reason: str
    state: str
    started_at: int = instant()
    moved_at: int = instant()
    next_step: str = ""
    needs_confirmation_of: str = ""
    careful: bool = False


def row_of(stands: Termination, client_id: int, therapist_id: str, nth: int) -> dict[str, Any]:
    """The row of an ending."""
    left = stands.left()
    return {
        "id": number_of(stands.id),
        "ending": stands.id,
        "client_id": client_id,
        "therapist_id": therapist_id,
        "nth": nth,
        "reason": stands.reason.value,
        "state": stands.state.value,
        "started_at": stands.started_at,
        "moved_at": stands.moved_at,
        "next_step": left[0].value if stands.state is State.going and left else "",
        "needs_confirmation_of": stands.confirmer if stands.state is State.waiting else "",
        "careful": stands.careful,
    }
