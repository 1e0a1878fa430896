"""Endings as people start them and say what was done, with what follows decided in the same transaction."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from integrations import ending_schedule
from integrations.store import terminations
from integrations.store.decisions import decide
from integrations.store.terminations import Start, Taken
from models.ending_acts import What
from models.instants import Instant
from models.told import NOT_KNOWN

if TYPE_CHECKING:
    from integrations.practice import Practice


def begin(
    practice: "Practice",
    connection: Connection,
    client_id: int,
    asked: Start,
    by: str,
    now: Instant,
    *,
    act_id: str = "",
) -> Taken:
    """Start an ending, as `terminations.start` does, and look at the client anew."""
    taken = terminations.start(practice, connection, client_id, asked, by, now, act_id=act_id)
    if taken.changed and not taken.stopped:
        decide(practice, connection, [client_id], now)
    return taken


def say(
    practice: "Practice",
    connection: Connection,
    client_id: int,
    what: What,
    by: str,
    now: Instant,
    *,
    step: str = "",
    reason: str = "",
    means: str = "",
    personal: str = "",
    on: Instant = NOT_KNOWN,
    act_id: str = "",
) -> Taken:
    """Say something about a client's ending, as `terminations.say` does, and look at the client anew."""
    taken = terminations.say(
        practice,
        connection,
        client_id,
        what,
        by,
        now,
        step=step,
        reason=reason,
        means=means,
        personal=personal,
        on=on,
        act_id=act_id,
    )
    if taken.changed:
        stands = terminations.newest(connection, client_id, died=False)
        if stands is not None and (stands.died or not stands.is_open):
            ending_schedule.settle(practice, connection, client_id, taken.ending, now)
        decide(practice, connection, [client_id], now)
    return taken
