"""The directory of providers as it follows from what sources said, and reading it; names and addresses are opened only to be shown."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select

from integrations.store.people import observed
from integrations.store.tables import chunks, table, upsert
from integrations.vault import Vault
from models.directory import Listed, Provider
from models.errors import UsageError
from models.people import as_day

_WORDS = ("specialty", "modality", "language", "insurer")


class Contact(NamedTuple):
    """How a provider is reached."""

    name: str
    address: str
    phone: str
    email: str


NOBODY = Contact("no longer in the directory", "", "", "")


def derive_providers(connection: Connection) -> None:
    """Make the directory what current observations say; of a provider that several sources tell of, the newest word holds."""
    said: dict[str, Any] = {}
    for row in sorted(observed(connection, "provider"), key=lambda row: (row.known_at, row.source)):
        said[row.entry_id] = row
    rows = table(Provider)
    gone = sorted(set(connection.execute(select(rows.c.id)).scalars()) - said.keys())
    for few in chunks(gone):
        connection.execute(delete(rows).where(rows.c.id.in_(few)))
    upsert(connection, Provider, [_row(one) for one in said.values()])


def _row(one: Any) -> dict[str, Any]:
    f = one.facts
    words = {name: f[name] for name in (*_WORDS, "place", "telehealth", "capacity")}
    return {"id": one.entry_id, "sealed": one.sealed, "verified_on": as_day(f["verified_on"]), **words}


def listed(connection: Connection) -> list[Listed]:
    """Everybody in the directory, without names, in the order of their ids."""
    rows = table(Provider)
    found = connection.execute(select(*(rows.c[name] for name in Listed._fields)).order_by(rows.c.id))
    return [Listed._make(tuple(value) if isinstance(value, list) else value for value in row) for row in found]


def one_named(connection: Connection, given: str, *, known: bool = False) -> str:
    """A provider's id as the directory has it, in whatever case it was written; one that it does not hold is answered as it was given, or
    where it must be `known` raises UsageError."""
    rows = table(Provider)
    ids = connection.execute(select(rows.c.id).order_by(rows.c.id)).scalars().all()
    same = given.strip().casefold()
    found = given.strip() if given.strip() in ids else next((one for one in ids if one.casefold() == same), None)
    if found is None and known:
        raise UsageError(f"{given.strip()} is not in the directory; `tending providers` lists who is, by id.")
    return given.strip() if found is None else found


def named(connection: Connection, given: str, *, known: bool = False) -> tuple[str, ...]:
    """The same of several, with commas between."""
    return tuple(one_named(connection, one, known=known) for one in given.split(",") if one.strip())


def contacts(connection: Connection, vault: Vault) -> dict[str, Contact]:
    """How each provider is reached, opened."""
    rows = table(Provider)
    return {row.id: Contact(**vault.open(row.sealed)) for row in connection.execute(select(rows.c.id, rows.c.sealed))}
