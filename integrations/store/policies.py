"""Which rules and thresholds held when: a row for each basis that looks were made under, in order, never changed."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from integrations.store.facts import ids_of_codes
from integrations.store.tables import insert_rows, table
from models.findings import PolicyVersion
from models.instants import Instant
from models.policy import PolicyBook

if TYPE_CHECKING:
    from integrations.practice import Practice


def keep(practice: "Practice", connection: Connection, basis: str, now: Instant) -> None:
    """Looks are made under this basis from now on: kept unless it is the newest that is known."""
    rows = table(PolicyVersion)
    newest = connection.execute(select(rows.c.basis).order_by(rows.c.from_at.desc(), rows.c.id.desc()).limit(1))
    if newest.scalar() != basis:
        row = {"from_at": now, "basis": basis, "layers": practice.book.layers()}
        insert_rows(connection, PolicyVersion, [row])


def held_at(connection: Connection, when: Instant) -> Any | None:
    """The version that held at an instant; None before the first look."""
    rows = table(PolicyVersion)
    query = select(rows).where(rows.c.from_at <= when).order_by(rows.c.from_at.desc(), rows.c.id.desc()).limit(1)
    return connection.execute(query).first()


def of_basis(connection: Connection, basis: str) -> Any | None:
    """The newest version of that basis; None where no look was made under it."""
    rows = table(PolicyVersion)
    query = select(rows).where(rows.c.basis == basis).order_by(rows.c.from_at.desc(), rows.c.id.desc()).limit(1)
    return connection.execute(query).first()


def book_of(connection: Connection, version: Any) -> PolicyBook:
    """The policy of a version, in its layers."""
    layers: dict[str, Any] = version.layers
    return PolicyBook.restored(layers, ids_of_codes(connection, layers["client"]))
