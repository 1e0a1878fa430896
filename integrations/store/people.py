"""Therapists and clients as they follow from what sources said; codes are drawn here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, update

from integrations.store.tables import chunks, insert_rows, table, upsert
from integrations.vault import Vault
from models.instants import Instant
from models.observations import Observation
from models.people import OPEN_ENDED, Client, Relation, Therapist, as_day
from models.subjects import CODE, Known, Roster, mail_addresses, normal_form

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ref_hash(vault: Vault, clinic_id: str) -> str:
    """The keyed hash under which a client's own id in the clinic is known."""
    return vault.hash("ref", clinic_id.strip())


def sealed_id(vault: Vault, kind: str, entry_id: str) -> str:
    """The id under which an entry is known here. A client's own id in the clinic is identity, and what a calendar calls an entry may
    hold a name or an address: neither is ever a key of ours in the open. Therapists, their leave and providers keep theirs."""
    if kind == "client":
        return ref_hash(vault, entry_id)
    return vault.hash("ref", f"{kind} {entry_id}") if kind not in ("therapist", "leave", "provider") else entry_id


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


def newer_elsewhere(
    connection: Connection, kind: str, entry_ids: Iterable[str], source: str, known_at: Instant
) -> set[str]:
    """Those of these entries of which another source has a newer word: whichever reading comes in last, the newest word holds."""
    rows = table(Observation)
    return {
        row.entry_id
        for part in chunks(entry_ids)
        for row in connection.execute(
            select(rows.c.entry_id, rows.c.source, rows.c.known_at).where(
                rows.c.kind == kind, rows.c.entry_id.in_(part), rows.c.current, ~rows.c.gone, rows.c.source != source
            )
        )
        if (row.known_at, row.source) > (known_at, source)
    }


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
            }
            for row in rows
        ],
    )


def take_clients(connection: Connection, vault: Vault, rows: list[dict[str, Any]], touched: Touched) -> None:
    """Write clients as last said, and draw codes for new ones. Each row: id (its keyed hash), name, contact, sealed,
    facts."""
    clients = table(Client)
    refs = {row["id"]: row for row in rows}
    there = by_ref(connection, refs)
    codes = set(connection.execute(select(clients.c.code)).scalars()) if refs.keys() - there.keys() else set()
    fresh: list[dict[str, Any]] = []
    for ref, row in refs.items():
        facts = row["facts"]
        mails = mail_addresses(row["contact"])
        values = {
            "name_hash": vault.hash("name", normal_form(row["name"])) if row["name"].strip() else "",
            "mail_hash": vault.hash("mail", mails[0]) if mails else "",
            "sealed": row["sealed"],
            "status": facts["status"],
            "intake_on": as_day(facts["intake_on"]),
            "ended_on": as_day(facts["ended_on"]),
            "died": bool(facts["died"] or facts["died_on"]),
            "died_on": as_day(facts["died_on"]),
            "paused_until": as_day(facts["paused_until"]) or (OPEN_ENDED if facts["paused"] else None),
            "opted_out": facts["opted_out"],
            "site": facts["site"],
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
    ids = {ref: row.id for ref, row in by_ref(connection, refs).items()}
    touched.clients.update(ids.values())
    touched.roster.update(ids[row["ref_hash"]] for row in fresh)


def by_ref(connection: Connection, refs: Iterable[str]) -> dict[str, Any]:
    """Known clients (id, keyed hashes of their id and name) by the keyed hash of their id in the clinic."""
    clients = table(Client)
    return {
        found.ref_hash: found
        for part in chunks(refs)
        for found in connection.execute(
            select(clients.c.id, clients.c.ref_hash, clients.c.name_hash).where(clients.c.ref_hash.in_(part))
        )
    }


def roster(connection: Connection, vault: Vault, clients_of: Iterable[int] | None = None) -> Roster:
    """Clients with what an entry may be matched by: all of them, or those with these ids."""
    clients, relations = table(Client), table(Relation)
    wanted = select(clients.c.id, clients.c.code, clients.c.ref_hash, clients.c.name_hash)
    joined = select(relations.c.client_id, relations.c.therapist_id)
    rows: list[Any] = []
    pairs: list[Any] = []
    if clients_of is None:
        rows, pairs = list(connection.execute(wanted)), list(connection.execute(joined))
    else:
        for part in chunks(sorted(set(clients_of))):
            rows += connection.execute(wanted.where(clients.c.id.in_(part)))
            pairs += connection.execute(joined.where(relations.c.client_id.in_(part)))
    therapists: dict[int, set[str]] = {}
    for found in pairs:
        therapists.setdefault(found.client_id, set()).add(found.therapist_id)
    return Roster(
        Known(
            found.id,
            vault.hash("code", found.code),
            found.ref_hash,
            found.name_hash,
            frozenset(therapists.get(found.id, ())),
        )
        for found in rows
    )


def who_may_be_meant(
    connection: Connection, refs: Iterable[str], names: Iterable[str], codes: Iterable[str]
) -> set[int]:
    """Ids of the clients that bear one of these keyed hashes or codes."""
    clients = table(Client)
    return {
        client
        for column, values in ((clients.c.ref_hash, refs), (clients.c.name_hash, names), (clients.c.code, codes))
        for part in chunks(sorted(set(values)))
        for client in connection.execute(select(clients.c.id).where(column.in_(part))).scalars()
    }


def addresses(connection: Connection, vault: Vault) -> dict[str, str]:
    """The mail address of each therapist, opened; empty where there is none."""
    rows = table(Therapist)
    sealed = connection.execute(select(rows.c.id, rows.c.sealed)).tuples()
    return {who: vault.open(blob).get("email", "") for who, blob in sealed if blob}


def names_of_therapists(connection: Connection, vault: Vault) -> dict[str, str]:
    """The name of each therapist, opened; empty where there is none."""
    rows = table(Therapist)
    sealed = connection.execute(select(rows.c.id, rows.c.sealed)).tuples()
    return {who: str(vault.open(blob).get("name", "")) if blob else "" for who, blob in sealed}


def zone_of(connection: Connection, therapist_id: str) -> str:
    """The zone that a therapist lives in, empty where it is the practice's."""
    rows = table(Therapist)
    return connection.execute(select(rows.c.zone).where(rows.c.id == therapist_id)).scalar() or ""


def code_of(connection: Connection, client_id: int) -> str:
    """A client's code."""
    rows = table(Client)
    return str(connection.execute(select(rows.c.code).where(rows.c.id == client_id)).scalar_one())


def observed(connection: Connection, kind: str) -> list[Any]:
    """Current observations of one kind, from all sources."""
    rows = table(Observation)
    return list(connection.execute(select(rows).where(rows.c.kind == kind, rows.c.current, ~rows.c.gone)))
