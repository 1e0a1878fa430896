"""What waits to be looked at or sent right now: cheap questions that the one long-lived process asks often."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select, update

from integrations.store import invitations
from integrations.store.tables import chunks, table
from models.changes import Change
from models.findings import Look
from models.instants import Instant
from models.notices import Message, MessageState, Notice, NoticeState

MOST_NAMED = 20  # clients that one run names; what concerns more is simply everything that waits


class Unsent(NamedTuple):
    """What is due to be sent or stands half sent: equal again after a delivery, it is what delivery cannot help."""

    notices: int = 0
    newest: int = 0
    underway: int = 0
    invitations: int = 0


class Waits(NamedTuple):
    """What there is to do. `codes` are the clients whom all waiting changes concern; empty if they are many.

    `newest` is the number of the newest waiting change that was looked at.
    """

    changes: bool
    codes: tuple[str, ...]
    looks: bool
    newest: int
    unsent: Unsent


def what_waits(connection: Connection, now: Instant) -> Waits:
    """Everything that waits at `now`."""
    rows, looks = table(Change), table(Look)
    told = connection.execute(
        select(rows.c.id, rows.c.client_id, rows.c.subject)
        .where(rows.c.drained_at.is_(None))
        .order_by(rows.c.id)
        .limit(200)
    ).all()
    codes = {row.subject for row in told if row.client_id is not None}
    due = connection.execute(select(looks.c.client_id).where(looks.c.next_look <= now).limit(MOST_NAMED * 2)).all()
    few = len(told) < 200 and 0 < len(codes) <= MOST_NAMED
    # Who has changed is due as well: only somebody else's look asks for a sweep.
    changed = {row.client_id for row in told}
    others = any(row.client_id not in changed for row in due)
    named = tuple(sorted(codes)) if few and not others else ()
    newest = told[-1].id if told else 0
    return Waits(bool(told), named, bool(due), newest, unsent(connection, now))


def unsent(connection: Connection, now: Instant) -> Unsent:
    """Notices and invitations whose time has come, and messages that are claimed or being handed over."""
    notices, messages = table(Notice), table(Message)
    row = connection.execute(
        select(func.count(), func.max(notices.c.id)).where(
            notices.c.state == NoticeState.waiting.value, notices.c.not_before <= now
        )
    ).one()
    half = [MessageState.claimed.value, MessageState.handing.value]
    underway = connection.execute(select(func.count()).where(messages.c.state.in_(half))).scalar_one()
    return Unsent(int(row[0]), int(row[1] or 0), int(underway), invitations.waiting(connection, now))


def refused(connection: Connection) -> bool:
    """Whether anything that a channel did not take waits to be tried again: until then it is not due, and it has not been sent."""
    notices = table(Notice)
    again = select(notices.c.id).where(notices.c.state == NoticeState.waiting.value, notices.c.tries > 0).limit(1)
    return connection.execute(again).first() is not None or invitations.refused(connection)


def waiting_of(connection: Connection, clients: Collection[int]) -> list[Any]:
    """The changes of some clients whose consequences are not recorded yet."""
    rows = table(Change)
    found: list[Any] = []
    for part in chunks(sorted(clients)):
        found += connection.execute(select(rows).where(rows.c.client_id.in_(part), rows.c.drained_at.is_(None)))
    return found


def put_off(connection: Connection, client_id: int, until: Instant) -> None:
    """Look at a client later: a look that fails must not keep others from theirs."""
    looks = table(Look)
    connection.execute(update(looks).where(looks.c.client_id == client_id).values(next_look=until))


def look_again(connection: Connection, clients: Iterable[int]) -> None:
    """Have some clients looked at by the next sweep: something else than before keeps rules from speaking of them."""
    looks = table(Look)
    for part in chunks(sorted(set(clients))):
        connection.execute(update(looks).where(looks.c.client_id.in_(part)).values(next_look=0))


def look_now(connection: Connection, client_id: int, now: Instant) -> None:
    """Let the next sweep look at a client; where somebody is looking right now, that is as good."""
    looks = table(Look)
    free = select(looks.c.client_id).where(looks.c.client_id == client_id).with_for_update(skip_locked=True)
    for found in connection.execute(free).scalars().all():
        connection.execute(update(looks).where(looks.c.client_id == found).values(next_look=now))
