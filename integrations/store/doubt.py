"""Entries that a source lacks while nobody knows yet whether they are gone: until that is settled, nothing rests on them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, literal, select, update

from integrations.store.subjects import concerned_then
from integrations.store.tables import chunks, insert_rows, table
from models.findings import Look
from models.instants import Instant
from models.observations import Observation, Subject
from models.people import Client
from models.sources import ASKED, QuestionWas


def in_question(held: Mapping[str, Any]) -> dict[str, Instant]:
    """The entries of a source that a person is asked about, or that may be a row that was not understood, and since when. `held` is
    Source.held."""
    return {
        entry: part[since]
        for part in (held, *(held.get(kind, {}) for kind in ASKED))
        for name, since in (("unclear", "unclear_since"), ("entries", "since"))
        for entry in part.get(name, ())
    }


class Doubted(NamedTuple):
    """By client what is in question: the starts of appointments, and the kinds of other entries."""

    starts: dict[int, frozenset[Instant]]
    kinds: dict[int, frozenset[str]]


def settled(
    connection: Connection, source: str, held: Mapping[str, Any], now_held: Mapping[str, Any], now: Instant
) -> None:
    """Have everybody looked at for whom it is another question than before which entries are in question, and keep for how long
    those were that are no longer."""
    before, after = in_question(held), in_question(now_held)
    over = [
        {"source": source, "entry_id": entry, "from_at": since, "until_at": now}
        for entry, since in before.items()
        if entry not in after and since < now
    ]
    insert_rows(connection, QuestionWas, over)
    looks, subjects = table(Look), table(Subject)
    for part in chunks(sorted(before.keys() ^ after.keys())):
        mine = select(subjects.c.client_id).where(subjects.c.source == source, subjects.c.entry_id.in_(part))
        pausing = _pausing(source, part).with_only_columns(table(Client).c.id)
        for concerned in (mine, pausing):
            connection.execute(update(looks).where(looks.c.client_id.in_(concerned)).values(next_look=0))


def in_doubt(connection: Connection, sources: Iterable[Any], known_at: Instant | None = None) -> Doubted:
    """Clients with entries in question, as those were last said. With `known_at` as it was known then.
    `sources` are rows with `name` and `held`."""
    entries: dict[str, set[str]] = defaultdict(set)
    for row in sources:
        for entry, since in in_question(row.held or {}).items():
            if known_at is None or since <= known_at:
                entries[row.name].add(entry)
    if known_at is not None:
        was = table(QuestionWas)
        then = select(was.c.source, was.c.entry_id).where(was.c.from_at <= known_at, was.c.until_at > known_at)
        for source, entry in connection.execute(then):
            entries[source].add(entry)
    starts: dict[int, set[Instant]] = defaultdict(set)
    kinds: dict[int, set[str]] = defaultdict(set)
    for source, mine in entries.items():
        for part in chunks(sorted(mine), 300):
            for client, entry in _concerned(connection, source, part, known_at):
                if entry.kind == "appointment":
                    starts[client].add(entry.facts["start"])
                else:
                    kinds[client].add(entry.kind)
    return Doubted(
        {client: frozenset(found) for client, found in starts.items()},
        {client: frozenset(found) for client, found in kinds.items()},
    )


def _pausing(source: str, entries: list[str]) -> Select[Any]:
    """Breaks and time on waiting lists among these entries with their clients, who are no subjects: (entry id, client)."""
    rows, clients = table(Observation), table(Client)
    ref = rows.c.facts["client_ref"].as_string()
    return (
        select(rows.c.entry_id, clients.c.id)
        .select_from(rows.join(clients, clients.c.ref_hash == ref))
        .where(rows.c.source == source, rows.c.kind.in_(("break", "hold")), rows.c.entry_id.in_(entries), ~rows.c.gone)
        .distinct()
    )


def _concerned(
    connection: Connection, source: str, entries: list[str], known_at: Instant | None
) -> list[tuple[int, Any]]:
    """Whom these entries concern, and the newest word on each."""
    rows = table(Observation)
    newest_by = rows.c.current if known_at is None else rows.c.known_at + 0 <= known_at
    said = select(rows.c.entry_id, rows.c.kind, rows.c.gone, rows.c.facts).where(
        rows.c.source == source,
        rows.c.kind.in_(("appointment", *ASKED)),
        rows.c.entry_id.in_(entries),
        newest_by,
    )
    newest = {row.entry_id: row for row in connection.execute(said.order_by(rows.c.known_at, rows.c.id))}
    subjects = table(Subject) if known_at is None else concerned_then(literal(known_at)).subquery()
    concerned = select(subjects.c.entry_id, subjects.c.client_id).where(
        subjects.c.source == source, subjects.c.entry_id.in_(entries)
    )
    whom = [*connection.execute(concerned).tuples(), *connection.execute(_pausing(source, entries)).tuples()]
    return [(client, newest[entry]) for entry, client in whom if entry in newest and not newest[entry].gone]


class HeldEntry(NamedTuple):
    """An entry that vanished with others: of an appointment its start and therapist, of others the first day; whom it concerns."""

    start: Instant
    day: str
    therapist_id: str
    codes: list[str]


def held_entries(connection: Connection, source: str, kind: str, entry_ids: Iterable[str]) -> list[HeldEntry]:
    """Entries of a source and kind by id, in order of time."""
    observations, subjects, clients = table(Observation), table(Subject), table(Client)
    said: Any = observations.outerjoin(
        subjects, (subjects.c.source == observations.c.source) & (subjects.c.entry_id == observations.c.entry_id)
    )
    whose = clients.c.id == subjects.c.client_id
    if kind in ("break", "hold"):
        said, whose = observations, clients.c.ref_hash == observations.c.facts["client_ref"].as_string()
    found: dict[int, HeldEntry] = {}
    for part in chunks(sorted(set(entry_ids)), 300):
        query = (
            select(observations.c.id, observations.c.facts, clients.c.code)
            .select_from(said.outerjoin(clients, whose))
            .where(observations.c.source == source, observations.c.kind == kind, observations.c.current)
            .where(observations.c.entry_id.in_(part))
            .order_by(clients.c.code)
        )
        for row in connection.execute(query):
            facts = row.facts
            day = facts.get("set_on") or facts.get("from_on") or ""
            entry = HeldEntry(facts.get("start") or 0, day, facts.get("therapist_id") or "", [])
            found.setdefault(row.id, entry).codes.extend([row.code] if row.code else [])
    return sorted(found.values())
