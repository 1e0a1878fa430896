"""Whom rows in quarantine concern: found as the clients of entries are, when a row is held and whenever the roster changes."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select

from integrations.store.due import look_again
from integrations.store.entries import codes_among
from integrations.store.people import roster, who_may_be_meant
from integrations.store.tables import chunks, insert_rows, table
from integrations.vault import Vault
from models.quarantine import Quarantine, QuarantineState, QuarantineSubject
from models.subjects import Roster

ROWS, SUBJECTS = table(Quarantine), table(QuarantineSubject)
HELD = select(ROWS.c.id, ROWS.c.hints, ROWS.c.therapist_id).where(ROWS.c.state == QuarantineState.held.value)


def find(connection: Connection, vault: Vault, source: str, hashes: Iterable[str], client_ids: Iterable[str]) -> None:
    """Find whom these rows of a source (hashes of their input) concern; `client_ids` are the ids and codes that they name."""
    mine = HELD.where(ROWS.c.source == source)
    rows = [row for some in chunks(hashes) for row in connection.execute(mine.where(ROWS.c.raw_hash.in_(some)))]
    if rows:
        hints = [one for row in rows for one in row.hints]
        ids = (hashed for one in hints for hashed in one.get("id", ()))
        names = (hashed for one in hints for hashed in one.get("name", ()))
        meant = who_may_be_meant(connection, ids, names, codes_among(client_ids))
        _keep(connection, rows, roster(connection, vault, meant))


def find_all(connection: Connection, vault: Vault) -> None:
    """Find anew whom any row that is held concerns."""
    if rows := connection.execute(HELD).all():
        _keep(connection, rows, roster(connection, vault))


def _keep(connection: Connection, rows: Sequence[Any], people: Roster) -> None:
    wanted = {
        (row.id, client)
        for row in rows
        for hints in row.hints
        for client in people.concerned(hints, row.therapist_id)[0]
    }
    there = {
        tuple(found)
        for some in chunks(row.id for row in rows)
        for found in connection.execute(select(SUBJECTS).where(SUBJECTS.c.row_id.in_(some)))
    }
    for row_id, client in sorted(there - wanted):
        connection.execute(delete(SUBJECTS).where(SUBJECTS.c.row_id == row_id, SUBJECTS.c.client_id == client))
    insert_rows(
        connection, QuarantineSubject, [{"row_id": row, "client_id": client} for row, client in sorted(wanted - there)]
    )
    look_again(connection, (client for _, client in there ^ wanted))
