"""Who works with whom, breaks and leave: made what current observations say of them."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlmodel import SQLModel

from integrations.store.people import Touched, by_ref, observed
from integrations.store.tables import chunks, insert_rows, table
from models.instants import day_of
from models.observations import Observation
from models.people import OPEN_ENDED, Break, Leave, Relation, RelationKind, as_day


def derive_relations(connection: Connection, refs: Iterable[str], zone: str, touched: Touched) -> None:
    """Make the main relations of these clients (by keyed hash) what was said of them, in the order in which it was known."""
    rows, relations = table(Observation), table(Relation)
    ids = {ref: found.id for ref, found in by_ref(connection, refs).items()}
    for part in chunks(sorted(ids)):
        said = connection.execute(
            select(rows.c.entry_id, rows.c.known_at, rows.c.facts)
            .where(rows.c.kind == "client", rows.c.entry_id.in_(part), ~rows.c.gone)
            .order_by(rows.c.known_at, rows.c.source, rows.c.id)
        )
        wanted: dict[int, list[tuple[str, date | None, date | None]]] = {}
        heard: set[int] = set()
        for row in said:
            client = ids[row.entry_id]
            line = wanted.setdefault(client, [])
            therapist, today = row.facts["therapist_id"] or "", day_of(row.known_at, zone)
            if line and line[-1][2] is None:
                if line[-1][0] == therapist:
                    continue
                line[-1] = (line[-1][0], line[-1][1], today)
            if therapist:
                line.append((therapist, today if client in heard else None, None))
            heard.add(client)
        there: dict[int, list[tuple[str, date | None, date | None]]] = {}
        mine = (relations.c.kind == RelationKind.main) & relations.c.client_id.in_([ids[ref] for ref in part])
        for row in connection.execute(select(relations).where(mine).order_by(relations.c.id)):
            there.setdefault(row.client_id, []).append((row.therapist_id, row.from_on, row.to_on))
        differ = sorted(client for client, line in wanted.items() if line != there.get(client, []))
        for some in chunks(differ):
            old = (relations.c.kind == RelationKind.main) & relations.c.client_id.in_(some)
            connection.execute(delete(relations).where(old))
        insert_rows(
            connection,
            Relation,
            [
                {
                    "client_id": client,
                    "therapist_id": therapist,
                    "kind": RelationKind.main.value,
                    "from_on": from_on,
                    "to_on": to_on,
                }
                for client in differ
                for therapist, from_on, to_on in wanted[client]
            ],
        )
        touched.clients.update(differ)
        touched.roster.update(differ)


def derive_breaks(connection: Connection, touched: Touched) -> None:
    """Make the planned breaks and the time on waiting lists what current observations say; one whose client nobody knows yet waits for
    the roster."""
    said = observed(connection, "break") + observed(connection, "hold")
    ids = {ref: found.id for ref, found in by_ref(connection, {row.facts["client_ref"] for row in said}).items()}
    wanted = {
        (
            row.source,
            row.entry_id,
            ids[row.facts["client_ref"]],
            as_day(row.facts["from_on"]),
            as_day(row.facts["to_on"]) or OPEN_ENDED,
        )
        for row in said
        if row.facts["client_ref"] in ids
    }
    for row in _made_so(connection, Break, wanted):
        touched.clients.add(row[2])


def derive_leave(connection: Connection, touched: Touched) -> None:
    """Make therapists' leave what current observations say."""
    wanted = {
        (
            row.source,
            row.entry_id,
            row.facts["therapist_id"],
            as_day(row.facts["from_on"]),
            as_day(row.facts["to_on"]),
            row.facts["cover_id"],
        )
        for row in observed(connection, "leave")
    }
    for row in _made_so(connection, Leave, wanted):
        touched.therapists.add(row[2])


def _made_so(connection: Connection, model: type[SQLModel], wanted: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Make a small table hold exactly these rows (in the order of its columns); answers the rows that differ."""
    rows = table(model)
    there = {tuple(row) for row in connection.execute(select(rows))}
    keys = [column for column in rows.columns if column.primary_key]
    for row in sorted(there - wanted):
        connection.execute(delete(rows).where(*(key == value for key, value in zip(keys, row, strict=False))))
    names = [column.name for column in rows.columns]
    insert_rows(connection, model, [dict(zip(names, row, strict=True)) for row in sorted(wanted - there)])
    return there ^ wanted
