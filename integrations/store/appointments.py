"""The appointments that follow from what sources said, read from the observations; nothing is written here."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, select

from integrations.store.subjects import Entry, concerned_then
from integrations.store.tables import Prepared, among, chunks, is_one_of, table
from models.ending_acts import act_of
from models.entries import CancelledBy
from models.instants import FAR, Instant
from models.matching import Derived, Said, Trait, derive
from models.observations import TOLD, Observation, Subject
from models.referrals import all_referred
from models.sources import Source
from models.terminations import endings_of, packed_ending
from models.told import Answered, Cancelled, Goal, Score, Told, answer_of, goal_of, kept, score_of

_OBSERVATIONS = table(Observation)
_TRAITS = Prepared(select(*(table(Source).c[name] for name in ("name", "delivers", "past_booking"))))
_TOLD_COLUMNS = ("source", "entry_id", "kind", "known_at", "gone", "facts")
_SAID_COLUMNS = ("id", "source", "entry_id", "known_at", "said_at", "content_hash", "gone", "facts")


class _Entries:
    """What is asked of the entries that concern some clients. `subjects` are rows (source, entry_id, client_id, kind): today's, or
    those of an instant."""

    def __init__(self, subjects: Any, shared: Any) -> None:
        same = (shared.c.source == subjects.c.source) & (shared.c.entry_id == subjects.c.entry_id)
        self.concerned = Prepared(
            select(shared.c.source, shared.c.entry_id, shared.c.client_id)
            .select_from(subjects.join(shared, same))
            .where(among(subjects.c.client_id, "ids"), subjects.c.kind == "appointment")
        )
        rows = _OBSERVATIONS
        same = (rows.c.source == subjects.c.source) & (rows.c.entry_id == subjects.c.entry_id)
        self.said = Prepared(
            select(*(rows.c[name] for name in _SAID_COLUMNS))
            .select_from(subjects.join(rows, same))
            .where(
                among(subjects.c.client_id, "ids"),
                subjects.c.kind == "appointment",
                rows.c.kind == "appointment",
                # In this form it is no reason for a database to walk through all that was known by then.
                rows.c.known_at + 0 <= bindparam("known_by"),
            )
        )
        self.told = Prepared(
            select(subjects.c.client_id, *(rows.c[name] for name in _TOLD_COLUMNS))
            .select_from(subjects.join(rows, same & (rows.c.kind == subjects.c.kind)))
            .where(
                among(subjects.c.client_id, "ids"),
                is_one_of(subjects.c.kind, TOLD),
                rows.c.known_at + 0 <= bindparam("known_by"),
            )
            .order_by(rows.c.known_at, rows.c.id)
        )


_THEN_AT: Any = bindparam("known_by")
_TODAY = _Entries(table(Subject), table(Subject).alias("shared"))
_THEN = _Entries(concerned_then(_THEN_AT).subquery("concerned"), concerned_then(_THEN_AT).subquery("shared"))


def source_traits(connection: Connection) -> dict[str, Trait]:
    """What each source's words mean."""
    return {row.name: Trait(row.delivers, row.past_booking) for row in _TRAITS.rows(connection)}


def appointments_of(
    connection: Connection,
    clients: Iterable[int],
    traits: dict[str, Trait],
    tolerance: int,
    known_at: Instant | None = None,
) -> tuple[list[Derived], dict[int, Instant], set[int]]:
    """The appointments that follow from the observations, when each client was last told of, and the clients themselves with all who
    share an entry with them. With `known_at` from what was known by then, of whom it was taken to concern then."""
    group = set(clients)
    who: dict[Entry, set[int]] = defaultdict(set)
    asked, until = (_TODAY, FAR) if known_at is None else (_THEN, known_at)
    then = {} if known_at is None else {"known_by": known_at}
    frontier = set(group)
    while frontier:
        concerned: set[int] = set()
        for part in chunks(sorted(frontier)):
            for source, entry_id, client in asked.concerned.rows(connection, {"ids": part, **then}):
                who[source, entry_id].add(client)
                concerned.add(client)
        frontier = concerned - group
        group |= frontier
    said: dict[Entry, list[Said]] = defaultdict(list)
    read: set[int] = set()  # an entry of several clients is met once for each
    for part in chunks(sorted(group)):
        for row in asked.said.rows(connection, {"ids": part, "known_by": until}):
            if row.id not in read:
                read.add(row.id)
                said[row.source, row.entry_id].append(said_of(row))
    last_told: dict[int, Instant] = {}
    for entry, versions in said.items():
        latest = max(v.known_at for v in versions)
        for client in who[entry]:
            last_told[client] = max(last_told.get(client, 0), latest)
    derived: list[Derived] = []
    for entries_together in _together(who):
        versions = [v for entry in entries_together for v in said.get(entry, ())]
        derived += derive(versions, {e: frozenset(who[e]) for e in entries_together}, traits, tolerance)
    return derived, last_told, group


def told_of(
    connection: Connection,
    clients: Iterable[int],
    derived: Iterable[Derived],
    zone: str,
    known_at: Instant | None = None,
) -> dict[int, Told]:
    """Goals, scores, answers, own cancellations and endings of those clients of whom any are told; `derived` are their appointments. With
    `known_at` as it was known then."""
    asked, until = (_TODAY, FAR) if known_at is None else (_THEN, known_at)
    newest: dict[tuple[str, str], Any] = {}
    first: dict[tuple[str, str], Instant] = {}
    for part in chunks(sorted(set(clients))):
        for row in asked.told.rows(connection, {"ids": part, "known_by": until}):
            newest.pop((row.source, row.entry_id), None)  # what was corrected is said anew
            newest[row.source, row.entry_id] = row
            first.setdefault((row.source, row.entry_id), row.known_at)
    found: dict[int, tuple[list[Goal], list[Score], list[Cancelled], list[Answered]]] = defaultdict(
        lambda: ([], [], [], [])
    )
    acts: dict[int, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))  # in the order of saying
    for key, row in newest.items():
        if row.gone:
            continue
        goals, scores, _, answers = found[row.client_id]
        acts[row.client_id][row.kind].append(row.facts)
        if row.kind == "goal":
            goals.append(goal_of(row.entry_id, row.facts, zone))
        elif row.kind == "score":
            scores.append(score_of(row.facts, first[key]))
        elif row.kind == "answer":
            answers.append(answer_of(row.facts))
    for appointment in derived:
        for side in appointment.parts:
            if side.cancelled_said_at is not None and side.cancelled_by == CancelledBy.client:
                found[side.client_id][2].append(Cancelled(appointment.start, side.cancelled_said_at))
    return {
        client: kept(
            *lists,
            endings=[packed_ending(one) for one in endings_of(map(act_of, acts[client]["ending"]))],
            referrals=all_referred(acts[client]["referral"]),
        )
        if client in acts
        else kept(*lists)
        for client, lists in found.items()
    }


def said_of(row: Any) -> Said:
    """An observation row as matching reads it."""
    facts = row.facts
    if row.gone:
        return Said(row.source, row.entry_id, row.known_at, row.said_at, 0, row.content_hash, True)
    return Said(
        row.source,
        row.entry_id,
        row.known_at,
        row.said_at,
        facts["sequence"],
        row.content_hash,
        False,
        facts["wall"],
        facts["zone"],
        facts["start"],
        facts["end"],
        facts["plan"],
        facts["attendance"],
        facts["cancelled_by"],
        facts["therapist_id"],
    )


def _together(who: dict[Entry, set[int]]) -> list[list[Entry]]:
    """Entries grouped so that no client is in two groups."""
    parent: dict[int, int] = {}

    def root(client: int) -> int:
        while parent.setdefault(client, client) != client:
            parent[client] = parent[parent[client]]
            client = parent[client]
        return client

    for concerned in who.values():
        first, *others = concerned
        for other in others:
            parent[root(other)] = root(first)
    groups: dict[int, list[Entry]] = defaultdict(list)
    for entry, concerned in who.items():
        groups[root(next(iter(concerned)))].append(entry)
    return list(groups.values())
