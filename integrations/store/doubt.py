"""Entries that a source lacks while nobody knows yet whether they are gone: until that is settled, nothing rests on them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from integrations.store.tables import Prepared, chunks, table
from models.findings import Look
from models.instants import Instant
from models.observations import Observation, Subject
from models.sources import Source

_HELD = Prepared(select(table(Source).c.name, table(Source).c.held))


def in_question(held: Mapping[str, Any]) -> set[str]:
    """The entries of a source that a person is asked about, or that may be a row that was not understood. `held` is Source.held."""
    return {*held.get("entries", ()), *held.get("unclear", ())}


def look_again(connection: Connection, source: str, entries: Iterable[str]) -> None:
    """Have everybody looked at whom these entries of a source concern."""
    looks, subjects = table(Look), table(Subject)
    for part in chunks(sorted(entries)):
        mine = select(subjects.c.client_id).where(subjects.c.source == source, subjects.c.entry_id.in_(part))
        connection.execute(update(looks).where(looks.c.client_id.in_(mine)).values(next_look=0))


def in_doubt(connection: Connection, known_at: Instant | None = None) -> dict[int, frozenset[Instant]]:
    """Clients with entries in question, and when those entries are, as they were last said. With `known_at` those that were in
    question then already; of what has been settled since nothing is kept."""
    found: dict[int, set[Instant]] = defaultdict(set)
    for row in _HELD.rows(connection):
        held = row.held or {}
        entries: set[str] = set()
        for name, since in (("entries", "since"), ("unclear", "unclear_since")):
            if name in held and (known_at is None or held[since] <= known_at):
                entries.update(held[name])
        for part in chunks(sorted(entries), 300):
            for client, start in _starts(connection, row.name, part):
                found[client].add(start)
    return {client: frozenset(starts) for client, starts in found.items()}


def _starts(connection: Connection, source: str, entries: list[str]) -> list[tuple[int, Instant]]:
    subjects, rows = table(Subject), table(Observation)
    query = (
        select(subjects.c.client_id, rows.c.facts)
        .select_from(
            subjects.join(rows, (rows.c.source == subjects.c.source) & (rows.c.entry_id == subjects.c.entry_id))
        )
        .where(
            subjects.c.source == source,
            subjects.c.entry_id.in_(entries),
            rows.c.kind == "appointment",
            rows.c.current,
            ~rows.c.gone,
        )
    )
    return [(row.client_id, row.facts["start"]) for row in connection.execute(query)]
