"""Forgetting a source that practice.toml names no more: what it said of the future is withdrawn, the past stays as it was told."""

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, select, update

from integrations.store import audit, quarantine
from integrations.store.doubt import settled
from integrations.store.intake import withdraw
from integrations.store.sources import all_rows, left_over
from integrations.store.tables import table
from models.errors import UsageError
from models.instants import Instant, day_of
from models.observations import Observation
from models.sources import Source

if TYPE_CHECKING:
    from integrations.practice import Practice


class Forgotten(NamedTuple):
    """What forgetting comes to: appointments ahead, breaks and leave that have not begun, rows that lie in quarantine."""

    appointments: int
    breaks_and_leave: int
    quarantined: int


def would_forget(practice: "Practice", connection: Connection, name: str, now: Instant) -> Forgotten:
    """What forgetting this source would come to; changes nothing. Raises UsageError where it cannot be forgotten."""
    _may_be_forgotten(practice, connection, name)
    return _counted(connection, name, _ahead(practice, connection, name, now))


def forget(practice: "Practice", connection: Connection, name: str, who: str, now: Instant) -> Forgotten:
    """Withdraw what a source said of the future and let go what lies in quarantine of it; audited. Raises as `would_forget` does."""
    _may_be_forgotten(practice, connection, name)
    gone = _ahead(practice, connection, name, now)
    result = _counted(connection, name, gone)
    rows = table(Source)
    settled(connection, name, all_rows(connection)[name].held or {}, {}, now)
    connection.execute(
        update(rows)
        .where(rows.c.name == name)
        .values(forgotten_at=now, held={}, fingerprint="", etag="", problem="", told="")
    )
    withdraw(connection, practice.vault, name, gone, practice.book.of().policy, now, practice.zone)
    quarantine.let_go(connection, name, frozenset(), now)
    audit.record(connection, now, who, "source forgotten", name, result._asdict())
    return result


def _may_be_forgotten(practice: "Practice", connection: Connection, name: str) -> None:
    if any(source.name == name for source in practice.settings.source):
        raise UsageError("This source stands in practice.toml; take its [[source]] out there first.")
    if name not in all_rows(connection):
        left = ", ".join(row.name for row in left_over(practice, connection)) or "none"
        raise UsageError(f"No source of that name was ever read. Left over from an earlier practice.toml: {left}.")


def _ahead(practice: "Practice", connection: Connection, name: str, now: Instant) -> list[tuple[str, str]]:
    """What stands of it and has not begun, by kind and id."""
    rows, today = table(Observation), day_of(now, practice.zone).isoformat()
    standing = connection.execute(
        select(rows.c.kind, rows.c.entry_id, rows.c.facts)
        .where(rows.c.source == name, rows.c.current, ~rows.c.gone)
        .where(rows.c.kind.in_(("appointment", "break", "busy", "hold", "leave")))
        .order_by(rows.c.kind, rows.c.entry_id)
    )
    return [
        (row.kind, row.entry_id)
        for row in standing
        if (row.facts["start"] >= now if row.kind == "appointment" else (row.facts["from_on"] or "") > today)
    ]


def _counted(connection: Connection, name: str, gone: list[tuple[str, str]]) -> Forgotten:
    appointments = sum(kind == "appointment" for kind, _ in gone)
    return Forgotten(appointments, len(gone) - appointments, quarantine.counts(connection).get(name, 0))
