"""Whom the entries of sources concern: found anew where an entry or the roster changed, and kept as the subjects."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, delete, or_, select, union_all

from integrations.store.people import Touched, roster, who_may_be_meant
from integrations.store.tables import chunks, insert_rows, table
from integrations.vault import Vault
from models.instants import Instant
from models.observations import ABOUT_CLIENTS, Observation, Subject, SubjectWas
from models.subjects import Roster

Entry = tuple[str, str]  # source, entry id


def resolve(
    connection: Connection,
    vault: Vault,
    entries: Iterable[Entry],
    touched: Touched,
    now: Instant,
    codes: Mapping[str, str] | None = None,
) -> set[int]:
    """Find anew whom entries concern: these, and where the roster changed all that it could change. Answers the clients affected.

    Of whom they no longer concern it is kept until when they did.
    `codes` are those that these entries name, by their hash: with them only who may be meant is loaded, without them everybody.
    """
    wanted = set(entries)
    if touched.roster:
        wanted |= _unsure(connection)
    if not wanted:
        return set()
    people = roster(connection, vault) if codes is None else None
    affected: set[int] = set()
    for source, part in _by_source(wanted):
        before, newest = _before(connection, source, part), _newest(connection, source, part)
        if codes is not None:
            # Of entries that were known before, codes are known only as hashes: whom they can mean was found then, or is new now.
            found_before = {client for concerned in before.values() for client in concerned}
            meant = _may_be_meant(connection, newest.values(), codes)
            people = roster(connection, vault, meant | found_before | touched.roster)
        assert people is not None
        affected |= _keep(connection, source, people, newest, before, now)
    return affected


def _before(connection: Connection, source: str, entry_ids: list[str]) -> dict[str, dict[int, Any]]:
    """The subjects that are kept of these entries of a source, by entry and client."""
    subjects = table(Subject)
    found: dict[str, dict[int, Any]] = defaultdict(dict)
    mine = select(subjects).where(subjects.c.source == source, subjects.c.entry_id.in_(entry_ids))
    for row in connection.execute(mine):
        found[row.entry_id][row.client_id] = row
    return found


def _newest(connection: Connection, source: str, entry_ids: list[str]) -> dict[str, Any]:
    """The newest version of each of these entries that says something: an absence says nothing about whom."""
    observations = table(Observation)
    said = connection.execute(
        select(*(observations.c[name] for name in ("entry_id", "kind", "hints", "facts")))
        .where(
            observations.c.source == source,
            observations.c.kind.in_(ABOUT_CLIENTS),
            observations.c.entry_id.in_(entry_ids),
            ~observations.c.gone,
        )
        .order_by(observations.c.known_at, observations.c.id)
    )
    return {row.entry_id: row for row in said}


def _may_be_meant(connection: Connection, newest: Iterable[Any], codes: Mapping[str, str]) -> set[int]:
    """The clients whom the hints of these versions can mean; `codes` are those that they name, by their hash."""
    hinted = [row.hints for row in newest]
    return who_may_be_meant(
        connection,
        (h for hints in hinted for h in hints.get("id", ())),
        (h for hints in hinted for h in hints.get("name", ())),
        (codes[h] for hints in hinted for h in hints.get("code", ()) if h in codes),
    )


def _keep(
    connection: Connection,
    source: str,
    people: Roster,
    newest: Mapping[str, Any],
    before: Mapping[str, Mapping[int, Any]],
    now: Instant,
) -> set[int]:
    """Keep whom entries of a source concern now where that differs from before. Answers whom they concern or did."""
    affected: set[int] = set()
    fresh, stale, past = [], [], []
    for entry_id, row in newest.items():
        found, how = people.concerned(row.hints, row.facts.get("therapist_id"))
        there = before.get(entry_id, {})
        if dict.fromkeys(found, how) != {client: old.how for client, old in there.items()}:
            stale.append(entry_id)
            key = {"source": source, "entry_id": entry_id, "kind": row.kind}
            fresh += [
                {**key, "client_id": c, "how": how, "since": there[c].since if c in there else now} for c in found
            ]
            past += [
                {**key, "client_id": c, "from_at": there[c].since, "until_at": now}
                for c in there.keys() - set(found)
                if there[c].since < now
            ]
        affected |= set(found) | there.keys()
    if stale:
        subjects = table(Subject)
        connection.execute(delete(subjects).where(subjects.c.source == source, subjects.c.entry_id.in_(stale)))
    insert_rows(connection, Subject, fresh)
    insert_rows(connection, SubjectWas, past)
    return affected


def concerned_then(known_at: Any) -> Any:
    """Rows (source, entry_id, client_id, kind) of whom entries were taken to concern at an instant, given as an SQL expression."""
    now, past = table(Subject), table(SubjectWas)
    names = ("source", "entry_id", "client_id", "kind")
    still = select(*(now.c[name] for name in names)).where(now.c.since <= known_at)
    was = select(*(past.c[name] for name in names))
    return union_all(still, was.where(past.c.from_at <= known_at, past.c.until_at > known_at))


def _by_source(entries: Iterable[Entry]) -> Iterator[tuple[str, list[str]]]:
    """Entries as source and some of its ids, in order: so asked for they are a range of an index, which pairs are not on SQLite."""
    ids: dict[str, list[str]] = defaultdict(list)
    for source, entry_id in entries:
        ids[source].append(entry_id)
    for source in sorted(ids):
        for some in chunks(sorted(ids[source]), 300):
            yield source, some


def _unsure(connection: Connection) -> set[Entry]:
    """Entries whose clients a changed roster could change: the unmatched, those found by name, and couples found in part."""
    observations, subjects = table(Observation), table(Subject)
    join = observations.outerjoin(
        subjects,
        (subjects.c.source == observations.c.source) & (subjects.c.entry_id == observations.c.entry_id),
    )
    rows = connection.execute(
        select(observations.c.source, observations.c.entry_id)
        .select_from(join)
        .where(
            observations.c.kind.in_(ABOUT_CLIENTS),
            observations.c.current,
            or_(subjects.c.client_id.is_(None), subjects.c.how.in_(["name", "some"])),
        )
    )
    return {(row.source, row.entry_id) for row in rows}
