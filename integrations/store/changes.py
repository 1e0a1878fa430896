"""The outbox of facts: written with what they tell of, read by the one reactor, marked when their consequences are recorded."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from integrations.store.tables import chunks, insert_rows, table
from models.changes import Change, ChangeKind
from models.instants import Instant


def tell(connection: Connection, kind: ChangeKind, subject: str, client_id: int | None, at: Instant) -> None:
    """Write one change."""
    tell_all(connection, [(kind, subject, client_id)], at)


def tell_all(connection: Connection, changes: Iterable[tuple[ChangeKind, str, int | None]], at: Instant) -> None:
    """Write changes: kind, subject (a code, reference or source name), client."""
    insert_rows(
        connection,
        Change,
        [
            {
                "kind": kind.value,
                "subject": subject,
                "client_id": client_id,
                "at": at,
                "drained_at": None,
                "event_sent": False,
            }
            for kind, subject, client_id in changes
        ],
    )


def waiting(connection: Connection, most: int = 1000) -> list[Any]:
    """Changes whose consequences are not recorded yet, oldest first."""
    rows = table(Change)
    return list(connection.execute(select(rows).where(rows.c.drained_at.is_(None)).order_by(rows.c.id).limit(most)))


def drained(connection: Connection, ids: Iterable[int], at: Instant) -> None:
    """Mark changes as drained, in the transaction that records what followed."""
    rows = table(Change)
    for part in chunks(ids):
        connection.execute(update(rows).where(rows.c.id.in_(part), rows.c.drained_at.is_(None)).values(drained_at=at))


def without_event(connection: Connection, most: int = 1000) -> list[Any]:
    """Drained changes that other systems have not been told of."""
    rows = table(Change)
    wanted = select(rows).where(rows.c.drained_at.is_not(None), ~rows.c.event_sent).order_by(rows.c.id).limit(most)
    return list(connection.execute(wanted))


def events_sent(connection: Connection, ids: Iterable[int]) -> None:
    """Mark changes as told to other systems."""
    rows = table(Change)
    for part in chunks(ids):
        connection.execute(update(rows).where(rows.c.id.in_(part)).values(event_sent=True))


def prune(connection: Connection, before: Instant, most: int = 5000) -> int:
    """Forget changes that were drained before an instant and told to others, at most so many; answers how many. The newest of all
    stays: SQLite would give its number out again, and others know changes by their numbers."""
    rows = table(Change)
    newest = select(func.max(rows.c.id)).scalar_subquery()
    old = select(rows.c.id).where(rows.c.event_sent, rows.c.drained_at < before, rows.c.id < newest)
    numbers = connection.execute(old.order_by(rows.c.id).limit(most)).scalars().all()
    for part in chunks(numbers):
        connection.execute(delete(rows).where(rows.c.id.in_(part)))
    return len(numbers)
