"""One reading of one source becomes observations: new rows for what is new, absences for what is surely gone, nothing for the rest."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, exists, func, select, update

from integrations.store import echoes, quarantine, rejected
from integrations.store.derive import derive
from integrations.store.entries import Row, split
from integrations.store.facts import note_told
from integrations.store.people import Touched, newer_elsewhere, take_clients, take_therapists
from integrations.store.providers import derive_providers
from integrations.store.relations import derive_breaks, derive_leave, derive_relations
from integrations.store.subjects import resolve
from integrations.store.tables import chunks, insert_rows, table
from integrations.store.turns import take_turn
from integrations.store.vanishing import gone_from
from integrations.vault import Vault
from models.entries import ClientStatus, Reading
from models.instants import Instant
from models.looking import APPOINTMENTS
from models.measures import RATINGS
from models.observations import ABOUT_CLIENTS, Observation, Subject
from models.people import Relation
from models.policy import Policy
from models.settings_source import SourcePart


@dataclass(slots=True)
class Taken:
    """What one intake did, in counts; `held` is how many vanished at once and wait for a person, `no_longer_named` how many clients
    are missing where that is more than half of them; they stay as they are."""

    source: str
    entries: int = 0
    new: int = 0
    changed: int = 0
    vanished: int = 0
    held: int = 0
    rejected: int = 0
    no_longer_named: int = 0
    unmatched: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    clients: set[int] = field(default_factory=set)
    unchanged: bool = False


def take_in(
    connection: Connection, vault: Vault, source: SourcePart, reading: Reading, policy: Policy, now: Instant, zone: str
) -> Taken:
    """Write what a reading says that was not known, in the caller's transaction, and derive what follows.

    Re-reading what is known writes nothing but the source's own row.
    """
    take_turn(connection)
    taken = Taken(source.name, entries=len(reading.entries), rejected=len(reading.rejects), dropped=reading.dropped)
    rows: dict[tuple[str, str], Row] = {}
    ours = echoes.of_source(connection, source)
    for row in (split(entry, vault, source) for entry in echoes.named(ours, vault, reading.entries)):
        if row.key not in rows or rows[row.key].order < row.order:
            rows[row.key] = row
    current = _current(connection, source.name)
    touched = Touched()
    news = [row for key, row in rows.items() if not _known(current.get(key), row)]
    taken.new = sum(row.key not in current for row in news)
    taken.changed = len(news) - taken.new
    vanished = gone_from(connection, vault, source, reading, rows.keys(), current, policy, now)
    gone, taken.vanished, taken.held = vanished
    if "client" in reading.kinds and source.delivers != "changes":
        ended = ClientStatus.ended
        known = {
            key
            for key, row in current.items()
            if key[0] == "client" and not row.gone and row.facts["status"] != ended and not row.facts["died"]
        }
        missing = len(known - rows.keys())
        taken.no_longer_named = missing if 2 * missing > len(known) else 0
    echoes.take(connection, ours, [row.facts for row in news if row.kind == "appointment"], gone)
    echoes.keep_up(connection, ours, (row.facts for row in rows.values() if row.kind == "appointment"))
    # Of one source a later reading is known later, also within one second or after the clock was set back.
    known_at = max([now, *(row.known_at + 1 for row in current.values() if row.known_at >= now)])
    _write(connection, vault, source.name, news, gone, known_at)
    _people(connection, vault, source, news, gone, now, zone, touched)
    held = quarantine.held_kinds(connection, source.name)
    holding = quarantine.hold(connection, vault, source, reading.rejects, now)
    if reading.kinds:  # else a part of it was not read at all, and its rows are neither better nor gone
        # A score that was set aside may ask for safety. Where the file is shorter now, it may only have been cut off.
        undecided = quarantine.undecided(connection, vault, source.name, reading.rejects)
        fewer = _scores(rows.keys(), undecided) < _scores((k for k, row in current.items() if not row.gone), held)
        quarantine.let_go(connection, source.name, holding.hashes, now, keep=("score",) if fewer else ())
    entries = [(source.name, row.id) for row in news if row.kind in ABOUT_CLIENTS]
    entries += [(source.name, entry_id) for kind, entry_id in gone if kind in ABOUT_CLIENTS]
    if touched.roster:
        rejected.find_all(connection, vault)
    else:
        rejected.find(
            connection, vault, source.name, holding.hashes, (c for r in reading.rejects for c in r.client_ids)
        )
    note_told(connection, _words(source.name, news), now)
    codes = {hashed: code for row in news for hashed, code in row.codes.items()}
    affected = resolve(connection, vault, entries, touched, now, codes)
    affected |= touched.clients | clients_of(connection, touched.therapists)
    derive(connection, affected, policy, now, zone)
    taken.clients = affected
    taken.unmatched = unmatched(connection, source.name)
    return taken


def _scores(keys: Iterable[tuple[str, str]], rejects: Iterable[Any]) -> int:
    """How many scores there are, understood or not. `keys` are (kind, id) of those understood."""
    return [*(kind for kind, _ in keys), *(reject.kind for reject in rejects)].count("score")


def _words(source: str, news: list[Row]) -> set[str]:
    """What these rows show that a source tells of."""
    kinds = {row.kind for row in news}
    words = kinds & {"goal", "score"} | ({f"{APPOINTMENTS}{source}"} if "appointment" in kinds else set())
    rated = any(row.kind == "score" and row.facts["measure"] in RATINGS for row in news)
    return words | ({"rating"} if rated else set())


def withdraw(
    connection: Connection,
    vault: Vault,
    source: str,
    gone: list[tuple[str, str]],
    policy: Policy,
    now: Instant,
    zone: str,
) -> set[int]:
    """Take entries (kind, id: appointments, breaks, leave) of a source that is read no more for gone, and derive what follows. Answers
    the clients affected."""
    take_turn(connection)
    newest = max((row.known_at for row in _current(connection, source).values()), default=now)
    _write(connection, vault, source, [], gone, max(now, newest + 1))
    touched = Touched()
    derive_breaks(connection, touched)
    derive_leave(connection, touched)
    affected = resolve(
        connection, vault, [(source, entry_id) for kind, entry_id in gone if kind in ABOUT_CLIENTS], touched, now
    )
    affected |= touched.clients | clients_of(connection, touched.therapists)
    derive(connection, affected, policy, now, zone)
    return affected


def _current(connection: Connection, source: str) -> dict[tuple[str, str], Any]:
    rows = table(Observation)
    found = connection.execute(
        select(rows.c.kind, rows.c.entry_id, rows.c.content_hash, rows.c.gone, rows.c.facts, rows.c.known_at).where(
            rows.c.source == source, rows.c.current
        )
    )
    return {(row.kind, row.entry_id): row for row in found}


def _known(there: Any, row: Row) -> bool:
    return there is not None and not there.gone and there.content_hash == row.hash


def _write(
    connection: Connection,
    vault: Vault,
    source: str,
    news: list[Row],
    gone: list[tuple[str, str]],
    known_at: Instant,
) -> None:
    rows = table(Observation)
    for kind in {row.kind for row in news} | {kind for kind, _ in gone}:
        ids = [row.id for row in news if row.kind == kind] + [entry_id for k, entry_id in gone if k == kind]
        for part in chunks(ids):
            connection.execute(
                update(rows)
                .where(rows.c.source == source, rows.c.kind == kind, rows.c.entry_id.in_(part), rows.c.current)
                .values(current=False)
            )
    insert_rows(
        connection,
        Observation,
        [
            {
                "source": source,
                "kind": row.kind,
                "entry_id": row.id,
                "content_hash": row.hash,
                "said_at": row.said_at,
                "known_at": known_at,
                "gone": False,
                "current": True,
                "facts": row.facts,
                "hints": row.hints,
                "sealed": vault.seal(row.identity) if row.identity else None,
            }
            for row in news
        ]
        + [
            {
                "source": source,
                "kind": kind,
                "entry_id": entry_id,
                "content_hash": "",
                "said_at": None,
                "known_at": known_at,
                "gone": True,
                "current": True,
                "facts": {},
                "hints": {},
                "sealed": None,
            }
            for kind, entry_id in gone
        ],
    )


def _people(
    connection: Connection,
    vault: Vault,
    source: SourcePart,
    news: list[Row],
    gone: list[tuple[str, str]],
    now: Instant,
    zone: str,
    touched: Touched,
) -> None:
    def newest(kind: str) -> list[dict[str, Any]]:
        mine = [row for row in news if row.kind == kind]
        older = newer_elsewhere(connection, kind, [row.id for row in mine], source.name, now)
        return [
            {**row.identity, "id": row.id, "facts": row.facts, "sealed": vault.seal(row.identity)}
            for row in mine
            if row.id not in older
        ]

    take_therapists(connection, newest("therapist"))
    take_clients(connection, vault, newest("client"), touched)
    derive_relations(connection, [row.id for row in news if row.kind == "client"], zone, touched)
    kinds = {row.kind for row in news} | {kind for kind, _ in gone}
    if kinds & {"break", "hold"} or touched.roster:
        derive_breaks(connection, touched)
    if "leave" in kinds:
        derive_leave(connection, touched)
    if "provider" in kinds:
        derive_providers(connection)


def unmatched(connection: Connection, source: str) -> int:
    """How many entries of a source concern nobody that is known."""
    rows, subjects = table(Observation), table(Subject)
    nobody = ~exists().where(subjects.c.source == rows.c.source, subjects.c.entry_id == rows.c.entry_id)
    standing = (rows.c.source == source) & (rows.c.kind == "appointment") & rows.c.current & ~rows.c.gone
    return connection.execute(select(func.count()).select_from(rows).where(standing, nobody)).scalar_one()


def clients_of(connection: Connection, therapists: Iterable[str]) -> set[int]:
    """Clients in the caseload of any of these therapists."""
    relations = table(Relation)
    return {
        client
        for part in chunks(set(therapists))
        for client in connection.execute(
            select(relations.c.client_id).where(relations.c.therapist_id.in_(part))
        ).scalars()
    }
