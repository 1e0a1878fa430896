"""Therapists, clients, relations, breaks and leave as they follow from what sources said; codes are drawn here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlmodel import SQLModel

from integrations.store.tables import chunks, insert_rows, table, upsert
from integrations.vault import Vault
from models.instants import Instant, day_of
from models.observations import Observation
from models.people import OPEN_ENDED, Break, Client, Leave, Relation, RelationKind, Therapist, as_day
from models.subjects import CODE, Known, Roster, normal_form

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ref_hash(vault: Vault, clinic_id: str) -> str:
    """The keyed hash under which a client's own id in the clinic is known."""
    return vault.hash("ref", clinic_id.strip())


def code_for(vault: Vault, ref: str, taken: Iterable[str], length: int = 7) -> str:
    """An opaque code: without the key nobody can tell whose it is. Longer where seven characters are taken."""
    number = int(vault.hash("code", f"drawn for {ref}"), 16)
    text = "".join(ALPHABET[(number >> (5 * i)) & 31] for i in range(24))
    used = set(taken)
    while f"C-{text[:length]}" in used:
        length += 1
    return f"C-{text[:length]}"


@dataclass(slots=True)
class Touched:
    """Who has to be derived anew: clients whose facts changed, and whether the roster (names, ids, caseloads) did."""

    clients: set[int] = field(default_factory=set)
    roster: set[int] = field(default_factory=set)
    therapists: set[str] = field(default_factory=set)


def take_therapists(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Write therapists as last said. Each row: id, sealed, and the facts of the entry."""
    upsert(
        connection,
        Therapist,
        [
            {
                "id": row["id"],
                "sealed": row["sealed"],
                "zone": row["facts"]["zone"],
                "site": row["facts"]["site"],
                "supervisor_id": row["facts"]["supervisor_id"],
                "started_on": as_day(row["facts"]["started_on"]),
                "gone": False,
            }
            for row in rows
        ],
    )


def take_clients(
    connection: Connection, vault: Vault, rows: list[dict[str, Any]], now: Instant, zone: str, touched: Touched
) -> None:
    """Write clients as last said, draw codes for new ones, and end and begin relations where the therapist changed."""
    clients = table(Client)
    refs = {ref_hash(vault, row["id"]): row for row in rows}
    there = {
        found.ref_hash: found
        for part in chunks(refs)
        for found in connection.execute(select(clients).where(clients.c.ref_hash.in_(part)))
    }
    codes = set(connection.execute(select(clients.c.code)).scalars())
    fresh: list[dict[str, Any]] = []
    for ref, row in refs.items():
        facts = row["facts"]
        values = {
            "name_hash": vault.hash("name", normal_form(row["name"])) if row["name"].strip() else "",
            "sealed": row["sealed"],
            "status": facts["status"],
            "intake_on": as_day(facts["intake_on"]),
            "ended_on": as_day(facts["ended_on"]),
            "died": bool(facts["died"] or facts["died_on"]),
            "died_on": as_day(facts["died_on"]),
            "paused_until": as_day(facts["paused_until"]) or (OPEN_ENDED if facts["paused"] else None),
            "opted_out": facts["opted_out"],
            "site": facts["site"],
            "gone": False,
        }
        if ref in there:
            connection.execute(update(clients).where(clients.c.id == there[ref].id).values(**values))
            if there[ref].name_hash != values["name_hash"]:
                touched.roster.add(there[ref].id)
        else:
            given = facts.get("code") or ""
            code = given if CODE.fullmatch(given) and given not in codes else code_for(vault, ref, codes)
            codes.add(code)
            fresh.append({**values, "code": code, "ref_hash": ref})
    insert_rows(connection, Client, sorted(fresh, key=lambda row: row["code"]))
    ids = {
        found.ref_hash: found.id
        for part in chunks(refs)
        for found in connection.execute(select(clients.c.ref_hash, clients.c.id).where(clients.c.ref_hash.in_(part)))
    }
    touched.clients.update(ids.values())
    touched.roster.update(ids[row["ref_hash"]] for row in fresh)
    _take_relations(
        connection, {ids[ref]: row["facts"]["therapist_id"] for ref, row in refs.items()}, day_of(now, zone), touched
    )


def _take_relations(connection: Connection, therapist_of: dict[int, str | None], today: date, touched: Touched) -> None:
    relations = table(Relation)
    open_now = {
        found.client_id: found
        for part in chunks(therapist_of)
        for found in connection.execute(
            select(relations).where(
                relations.c.client_id.in_(part), relations.c.kind == RelationKind.main, relations.c.to_on.is_(None)
            )
        )
    }
    fresh = []
    for client_id, therapist in therapist_of.items():
        before = open_now.get(client_id)
        if before is not None and before.therapist_id == therapist:
            continue
        if before is not None:
            connection.execute(update(relations).where(relations.c.id == before.id).values(to_on=today))
        if therapist:
            fresh.append(
                {
                    "client_id": client_id,
                    "therapist_id": therapist,
                    "kind": RelationKind.main.value,
                    "from_on": today if before is not None else None,
                    "to_on": None,
                }
            )
        touched.roster.add(client_id)
    insert_rows(connection, Relation, fresh)


def derive_breaks(connection: Connection, touched: Touched) -> None:
    """Make the planned breaks what current observations say; one whose client nobody knows yet waits for the roster."""
    clients = table(Client)
    said = observed(connection, "break")
    refs = {row.facts["client_ref"] for row in said}
    ids = {
        found.ref_hash: found.id
        for part in chunks(refs)
        for found in connection.execute(select(clients.c.ref_hash, clients.c.id).where(clients.c.ref_hash.in_(part)))
    }
    wanted = {
        (
            row.source,
            row.entry_id,
            ids[row.facts["client_ref"]],
            as_day(row.facts["from_on"]),
            as_day(row.facts["to_on"]),
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


def roster(connection: Connection, vault: Vault) -> Roster:
    """Every client with what an entry may be matched by."""
    clients, relations = table(Client), table(Relation)
    therapists: dict[int, set[str]] = {}
    for found in connection.execute(select(relations.c.client_id, relations.c.therapist_id)):
        therapists.setdefault(found.client_id, set()).add(found.therapist_id)
    return Roster(
        Known(
            found.id,
            vault.hash("code", found.code),
            found.ref_hash,
            found.name_hash,
            frozenset(therapists.get(found.id, ())),
        )
        for found in connection.execute(select(clients.c.id, clients.c.code, clients.c.ref_hash, clients.c.name_hash))
    )


def observed(connection: Connection, kind: str) -> list[Any]:
    """Current observations of one kind, from all sources."""
    rows = table(Observation)
    return list(connection.execute(select(rows).where(rows.c.kind == kind, rows.c.current, ~rows.c.gone)))
