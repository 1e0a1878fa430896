"""What a wake-up does about endings of care: derives what is not what follows, looks at everybody concerned, says how all of them stand."""

from typing import TYPE_CHECKING, Any, NamedTuple

from integrations import ending_schedule
from integrations.looks import LookedAfter, look_after, real_time
from integrations.store import ending_rows, leases
from integrations.store.derive import derive
from integrations.store.rebuild import differing
from integrations.store.tables import chunks
from integrations.store.turns import take_turn
from models.ending_acts import State
from models.ending_steps import STEP_WORDS, Step
from models.instants import Instant

if TYPE_CHECKING:
    from integrations.practice import Practice

LEASE = "terminations"
LEASE_SECONDS = 300
AT_ONCE = 200  # clients in one short transaction


class Shown(NamedTuple):
    """An ending as an administrator sees it: by code alone, without why it ends."""

    code: str
    therapist: str
    stage: str
    next_step: str
    since: Instant
    waits: bool  # to be confirmed


def wake(practice: "Practice", now: Instant, holder: str) -> tuple[LookedAfter, list[Shown]]:
    """Look at everybody again whose ending is going on or waits, propose the appointments that it lacks, hand over what is due, and say how
    all of these stand. What stands and is not what follows from what was said is derived again.

    Whatever was going on when a process ended is found in the store: done again it changes nothing. Whom another run is looking at
    just now, it looks at for us. Raises LeaseHeld where another wake-up is at work.
    """
    with leases.lease(practice.store, LEASE, holder, real_time(), LEASE_SECONDS):
        with practice.store.read() as connection:
            clients = {row.client_id: row.code for row in ending_rows.open_rows(connection)}
        policy = practice.book.of().policy
        for part in chunks(sorted(clients), AT_ONCE):
            with practice.store.write() as connection:
                take_turn(connection)
                wrong = differing(connection, part, int(policy.same_time_minutes * 60), practice.zone)
                derive(connection, wrong, policy, now, practice.zone)
        faults = ending_schedule.wake_up(practice, now)
        try:
            looked = look_after(practice, now, holder, codes=sorted(clients.values()))
        except leases.LeaseHeld:
            looked = LookedAfter()
        looked.put_off += faults
        with practice.store.read() as connection:
            return looked, [_shown(row) for row in ending_rows.open_rows(connection)]


def _shown(row: Any) -> Shown:
    if row.state == State.waiting:
        return Shown(
            row.code, row.therapist_id, "waits", f"{row.needs_confirmation_of} confirms it", row.started_at, True
        )
    step = STEP_WORDS[Step(row.next_step)] if row.next_step else "Close it"
    return Shown(row.code, row.therapist_id, "going on", step, row.moved_at, False)
