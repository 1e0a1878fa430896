"""Reading who somebody is: each look is written into the audit in the transaction that opens the seal."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from integrations.store import audit
from integrations.store.engine import Store
from integrations.store.people import ref_hash
from integrations.store.tables import chunks, table
from integrations.vault import Vault
from models.errors import UsageError
from models.instants import Instant
from models.observations import Observation
from models.people import Client
from models.subjects import normal_form


class Identity(NamedTuple):
    """Who a code stands for, as the record system last said."""

    code: str
    name: str
    clinic_id: str


def who(store: Store, vault: Vault, code: str, by: str, at: Instant) -> Identity:
    """Who a code stands for. Audited. Raises UsageError where no client has that code."""
    rows = table(Client)
    with store.write() as connection:
        sealed = connection.execute(select(rows.c.sealed).where(rows.c.code == code)).first()
        if sealed is None:
            raise UsageError(f"No client has the code {code}; `tending findings` lists codes.")
        audit.record(connection, at, by, "identity read", code)
    said: dict[str, Any] = vault.open(sealed[0]) if sealed[0] is not None else {}
    return Identity(code, said.get("name", ""), said.get("id", ""))


def contact(connection: Connection, vault: Vault, code: str, by: str, at: Instant) -> str:
    """How a client is reached, as the record system last said; empty where it did not. Audited."""
    rows = table(Client)
    sealed = connection.execute(select(rows.c.sealed).where(rows.c.code == code)).scalar()
    audit.record(connection, at, by, "contact read", code)
    return str(vault.open(sealed).get("contact", "")).strip() if sealed else ""


def codes_of(store: Store, vault: Vault, id_or_name: str, by: str, at: Instant) -> list[str]:
    """The codes of the client with that id of the clinic, or of all with that name. Audited with what was found, not what was asked."""
    rows = table(Client)
    with store.write() as connection:
        found = list(
            connection.execute(select(rows.c.code).where(rows.c.ref_hash == ref_hash(vault, id_or_name))).scalars()
        )
        if not found and normal_form(id_or_name):
            named = rows.c.name_hash == vault.hash("name", normal_form(id_or_name))
            found = list(connection.execute(select(rows.c.code).where(named).order_by(rows.c.code)).scalars())
        for code in found:
            audit.record(connection, at, by, "code looked up", code)
        if not found:
            audit.record(connection, at, by, "code looked up", "", {"found": 0})
    return found


def titles(store: Store, vault: Vault, observations: Iterable[int], by: str, at: Instant) -> dict[int, str]:
    """The titles of appointment entries, by the number of their observation. Audited as one act."""
    rows = table(Observation)
    wanted = sorted(set(observations))
    sealed: dict[int, bytes] = {}
    with store.write() as connection:
        for part in chunks(wanted):
            query = select(rows.c.id, rows.c.sealed).where(rows.c.id.in_(part), rows.c.sealed.is_not(None))
            sealed.update(connection.execute(query).tuples().all())
        audit.record(connection, at, by, "titles of unmatched entries read", "", {"entries": len(wanted)})
    return {number: vault.open(blob).get("title", "") for number, blob in sealed.items()}
