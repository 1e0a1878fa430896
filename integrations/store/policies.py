"""Which rules and thresholds held when: a row for each basis that looks were made under, in order, never changed."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from integrations.store.facts import ids_of_codes
from integrations.store.tables import insert_rows, table
from models.findings import PolicyVersion
from models.instants import Instant
from models.policy_layers import PolicyBook

if TYPE_CHECKING:
    from integrations.practice import Practice


def keep(practice: "Practice", connection: Connection, basis: str, now: Instant) -> None:
    """Looks are made under this basis from now on: kept unless it is the newest that is known."""
    rows = table(PolicyVersion)
    newest = connection.execute(select(rows.c.basis).order_by(rows.c.from_at.desc(), rows.c.id.desc()).limit(1))
    if newest.scalar() != basis:
        layers = {**practice.book.layers(), "settings": settings_of(practice)}
        row = {"from_at": now, "basis": basis, "layers": layers}
        insert_rows(connection, PolicyVersion, [row])


def settings_of(practice: "Practice") -> dict[str, Any]:
    """What else looks rest on: zone, holidays, and each source with its therapist and for how long it can be relied on."""
    settings = practice.settings
    sources = {s.name: [s.therapist, s.fresh_for_hours] for s in settings.source}
    return {"zone": settings.practice.zone, "holidays": settings.practice.holidays, "sources": sources}


def not_as_then(practice: "Practice", version: Any | None, rules: str) -> list[str]:
    """What an answer about the past takes from today, in sentences. `version` is what held then, `rules` today's version of them."""
    if version is None:
        return ["Nothing had been looked at yet: policy, rules, sources and holidays are today's."]
    said = []
    then, today = version.layers["settings"], settings_of(practice)
    if version.basis.partition("-")[0] != rules:
        said.append("The rules are this version's; then there were others.")
    if then["sources"] != today["sources"]:
        said.append(
            "Sources have been changed since; whether those of then could be relied on is told by today's settings."
        )
    if then["zone"] != today["zone"]:
        said.append("The practice's time zone has been changed since; days are today's.")
    return said


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
