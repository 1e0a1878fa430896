"""What follows from the observations, in the transaction that wrote them: subjects, appointments, digests, changes, looks due."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, or_, select, update

from integrations.store.changes import tell_all
from integrations.store.people import Touched, roster, who_may_be_meant
from integrations.store.tables import Prepared, chunks, given, insert_rows, table, upsert
from integrations.store.turns import take_turn
from integrations.vault import Vault
from models.appointments import Appointment, Mark, Participant
from models.changes import ChangeKind
from models.digest import Digest, Held, History, digest_of
from models.findings import Look
from models.instants import FAR, Instant
from models.matching import Derived, Said, Trait
from models.matching import derive as derived_from
from models.observations import Attendance, ClientStatus, Observation, Plan, Subject
from models.people import Break, Client, Relation, RelationKind
from models.policy import Policy
from models.sources import Source

Entry = tuple[str, str]  # source, entry id

_SUBJECTS, _SHARED = table(Subject), table(Subject).alias("shared")
_OBSERVATIONS, _PARTICIPANTS, _APPOINTMENT = table(Observation), table(Participant), table(Appointment)
_CLIENTS, _RELATIONS, _BREAK, _LOOKS = table(Client), table(Relation), table(Break), table(Look)
_TRAITS = Prepared(select(*(table(Source).c[name] for name in ("name", "delivers", "past_booking"))))
_CONCERNED = Prepared(
    select(_SHARED.c.source, _SHARED.c.entry_id, _SHARED.c.client_id)
    .select_from(
        _SUBJECTS.join(_SHARED, (_SHARED.c.source == _SUBJECTS.c.source) & (_SHARED.c.entry_id == _SUBJECTS.c.entry_id))
    )
    .where(_SUBJECTS.c.client_id.in_(given("ids")))
)
_SAID_COLUMNS = ("id", "source", "entry_id", "known_at", "said_at", "content_hash", "gone", "facts")
_SAID = Prepared(
    select(*(_OBSERVATIONS.c[name] for name in _SAID_COLUMNS))
    .select_from(
        _SUBJECTS.join(
            _OBSERVATIONS,
            (_OBSERVATIONS.c.source == _SUBJECTS.c.source) & (_OBSERVATIONS.c.entry_id == _SUBJECTS.c.entry_id),
        )
    )
    .where(
        _SUBJECTS.c.client_id.in_(given("ids")),
        _OBSERVATIONS.c.kind == "appointment",
        # In this form it is no reason for a database to walk through all that was known by then.
        _OBSERVATIONS.c.known_at + 0 <= bindparam("known_by"),
    )
)
_CODES = Prepared(select(_CLIENTS.c.id, _CLIENTS.c.code).where(_CLIENTS.c.id.in_(given("ids"))))
_HEAD = ("wall", "zone", "start_at", "end_at", "therapist_id", "known_since")
_APPOINTMENTS = Prepared(
    select(_PARTICIPANTS, *(_APPOINTMENT.c[name] for name in _HEAD))
    .join_from(_PARTICIPANTS, _APPOINTMENT)
    .where(_PARTICIPANTS.c.client_id.in_(given("ids")))
)
_MAIN_THERAPISTS = Prepared(
    select(_RELATIONS.c.client_id, _RELATIONS.c.therapist_id)
    .where(
        _RELATIONS.c.client_id.in_(given("ids")),
        _RELATIONS.c.kind == RelationKind.main.value,
        _RELATIONS.c.to_on.is_(None),
    )
    .order_by(_RELATIONS.c.id)
)
_BREAKS = Prepared(
    select(_BREAK.c.client_id, _BREAK.c.from_on, _BREAK.c.to_on).where(_BREAK.c.client_id.in_(given("ids")))
)
_PERSON = ("id", "site", "status", "intake_on", "died", "paused_until")
_PEOPLE = Prepared(
    select(*(_CLIENTS.c[name] for name in _PERSON)).where(_CLIENTS.c.id.in_(given("ids"))).order_by(_CLIENTS.c.id)
)
_TAKE_LOOKS = Prepared(
    select(_LOOKS.c.client_id)
    .where(_LOOKS.c.client_id.in_(given("ids")))
    .order_by(_LOOKS.c.client_id)
    .with_for_update()
)
_LOOK_NOW = Prepared(update(_LOOKS).where(_LOOKS.c.client_id.in_(given("ids"))))


def resolve(
    connection: Connection,
    vault: Vault,
    entries: Iterable[Entry],
    touched: Touched,
    codes: Mapping[str, str] | None = None,
) -> set[int]:
    """Find anew whom entries concern: these, and where the roster changed all that it could change. Answers the clients affected.

    `codes` are those that these entries name, by their hash: with them only who may be meant is loaded, without them everybody.
    """
    observations, subjects = table(Observation), table(Subject)
    wanted = set(entries)
    if touched.roster:
        wanted |= _unsure(connection)
    if not wanted:
        return set()
    people = roster(connection, vault) if codes is None else None
    affected: set[int] = set()
    for source, part in _by_source(wanted):
        before: dict[Entry, dict[int, str]] = defaultdict(dict)
        mine = select(subjects).where(subjects.c.source == source, subjects.c.entry_id.in_(part))
        for row in connection.execute(mine):
            before[row.source, row.entry_id][row.client_id] = row.how
        # The newest version that says something: an absence says nothing about whom.
        said = connection.execute(
            select(observations.c.source, observations.c.entry_id, observations.c.hints, observations.c.facts)
            .where(
                observations.c.source == source,
                observations.c.kind == "appointment",
                observations.c.entry_id.in_(part),
                ~observations.c.gone,
            )
            .order_by(observations.c.known_at, observations.c.id)
        )
        newest = {(row.source, row.entry_id): row for row in said}
        if codes is not None:
            hinted = [newest[entry].hints for entry in newest]
            meant = who_may_be_meant(
                connection,
                (h for hints in hinted for h in hints.get("id", ())),
                (h for hints in hinted for h in hints.get("name", ())),
                (codes[h] for hints in hinted for h in hints.get("code", ()) if h in codes),
            )
            # Of entries that were known before, codes are known only as hashes: whom they can mean was found then, or is new now.
            found_before = {client for concerned in before.values() for client in concerned}
            people = roster(connection, vault, meant | found_before | touched.roster)
        assert people is not None
        fresh, stale = [], []
        for entry, row in newest.items():
            found, how = people.concerned(row.hints, row.facts["therapist_id"])
            now = dict.fromkeys(found, how)
            if now != before[entry]:
                stale.append(entry[1])
                fresh += [{"source": entry[0], "entry_id": entry[1], "client_id": c, "how": how} for c in found]
            affected |= now.keys() | before[entry].keys()
        if stale:
            connection.execute(delete(subjects).where(subjects.c.source == source, subjects.c.entry_id.in_(stale)))
        insert_rows(connection, Subject, fresh)
    return affected


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
            observations.c.kind == "appointment",
            observations.c.current,
            or_(subjects.c.client_id.is_(None), subjects.c.how.in_(["name", "some"])),
        )
    )
    return {(row.source, row.entry_id) for row in rows}


def derive(connection: Connection, clients: Iterable[int], policy: Policy, now: Instant, zone: str) -> None:
    """Derive appointments and digests of these clients (and of all who share an appointment with them) from their observations."""
    take_turn(connection)
    everyone = sorted(set(clients))
    traits = source_traits(connection)
    for part in chunks(everyone, 200):
        _derive_some(connection, part, traits, policy, now, zone)


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
    """The appointments that follow from the observations (known by an instant, if given), when each client was last told of, and
    the clients themselves with all who share an entry with them."""
    group = set(clients)
    who: dict[Entry, set[int]] = defaultdict(set)
    frontier = set(group)
    while frontier:
        concerned: set[int] = set()
        for part in chunks(sorted(frontier)):
            for source, entry_id, client in _CONCERNED.rows(connection, {"ids": part}):
                who[source, entry_id].add(client)
                concerned.add(client)
        frontier = concerned - group
        group |= frontier
    said: dict[Entry, list[Said]] = defaultdict(list)
    read: set[int] = set()  # an entry of several clients is met once for each
    until = FAR if known_at is None else known_at
    for part in chunks(sorted(group)):
        for row in _SAID.rows(connection, {"ids": part, "known_by": until}):
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
        derived += derived_from(versions, {e: frozenset(who[e]) for e in entries_together}, traits, tolerance)
    return derived, last_told, group


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


def _derive_some(
    connection: Connection, clients: list[int], traits: dict[str, Trait], policy: Policy, now: Instant, zone: str
) -> None:
    tolerance = int(policy.same_time_minutes * 60)
    derived, last_told, group = appointments_of(connection, clients, traits, tolerance)
    _write_appointments(connection, group, derived, now)
    histories = histories_of(connection, group, derived, last_told)
    columns = tuple(column.name for column in table(Digest).columns)
    digests = [digest_of(history, zone) for history in histories]
    upsert(connection, Digest, [{name: getattr(d, name) for name in columns} for d in digests])
    there: set[int] = set()
    for few in chunks(sorted(group)):
        # In the order of ids, as looks are taken elsewhere: two transactions never wait for one another.
        there |= set(_TAKE_LOOKS.run(connection, {"ids": few}).scalars())
        _LOOK_NOW.run(connection, {"ids": few, "next_look": 0})
    fresh = {"next_look": 0, "looked_at": 0, "basis": "", "blind": False}
    insert_rows(connection, Look, [{"client_id": c, **fresh} for c in sorted(group - there)])


def histories_of(
    connection: Connection, clients: Iterable[int], derived: list[Derived], last_told: dict[int, Instant]
) -> list[History]:
    """People facts and appointments of clients, as digests are made from them."""
    held: dict[int, list[Held]] = defaultdict(list)
    for appointment in derived:
        for part in appointment.parts:
            if part.plan != Plan.cancelled:
                held[part.client_id].append(Held(appointment.start, part.mark, part.plan == Plan.booked))
    result = []
    for few in chunks(sorted(set(clients))):
        ids = {"ids": few}
        therapist = {row.client_id: row.therapist_id for row in _MAIN_THERAPISTS.rows(connection, ids)}
        spans: dict[int, list[Any]] = defaultdict(list)
        for row in _BREAKS.rows(connection, ids):
            spans[row.client_id].append((row.from_on, row.to_on))
        for row in _PEOPLE.rows(connection, ids):
            result.append(
                History(
                    row.id,
                    therapist.get(row.id, ""),
                    row.site,
                    ClientStatus(row.status),
                    row.intake_on,
                    row.died,
                    row.paused_until,
                    tuple(held.get(row.id, ())),
                    tuple(sorted(spans.get(row.id, ()))),
                    last_told.get(row.id, 0),
                )
            )
    return result


def _write_appointments(connection: Connection, clients: set[int], derived: list[Derived], now: Instant) -> None:
    """Make the derived tables hold exactly this for these clients, and tell what changed."""
    appointments, participants = table(Appointment), table(Participant)
    codes: dict[int, str] = {}
    before: dict[tuple[str, int], Any] = {}
    for batch in chunks(sorted(clients)):
        codes.update(_CODES.run(connection, {"ids": batch}).tuples().all())
        before.update({(row[0], row[1]): row for row in _APPOINTMENTS.rows(connection, {"ids": batch})})
    old_ids = {key[0] for key in before}
    changes: list[tuple[ChangeKind, str, int | None]] = []
    heads, parts = [], []
    seen: set[tuple[str, int]] = set()
    for appointment in derived:
        head = appointment[1:7]  # in the order of _HEAD
        differs = False
        for part in appointment.parts:
            if part.client_id not in codes:
                continue
            key = (appointment.id, part.client_id)
            seen.add(key)
            old = before.get(key)
            if old is not None and tuple(old) == (appointment.id, *part, *head):
                continue
            differs = differs or old is None or tuple(old[-len(head) :]) != head
            row = {
                "appointment_id": appointment.id,
                "client_id": part.client_id,
                "plan": part.plan,
                "attendance": part.attendance,
                "mark": int(part.mark),
                "cancelled_by": part.cancelled_by,
                "cancelled_known_at": part.cancelled_known_at,
            }
            if old is None or tuple(old[: len(row)]) != tuple(row.values()):
                parts.append(row)
            changes.append((_what(old, row, appointment.start), codes[part.client_id], part.client_id))
        if differs:
            heads.append({"id": appointment.id, **dict(zip(_HEAD, head, strict=True))})
    upsert(connection, Appointment, heads)
    upsert(connection, Participant, parts)
    lost = before.keys() - seen
    for client in {client for _, client in lost}:
        mine = [a for a, c in lost if c == client]
        for few in chunks(mine):
            connection.execute(
                delete(participants).where(participants.c.client_id == client, participants.c.appointment_id.in_(few))
            )
        changes += [(ChangeKind.appointment_changed, codes[client], client)] * bool(mine)
    for few in chunks(sorted(old_ids - {key[0] for key in seen})):
        still = set(
            connection.execute(
                select(participants.c.appointment_id).where(participants.c.appointment_id.in_(few))
            ).scalars()
        )
        connection.execute(delete(appointments).where(appointments.c.id.in_([a for a in few if a not in still])))
    told = {(kind, subject, client) for kind, subject, client in changes}
    about = {client for _, _, client in told}
    told |= {(ChangeKind.client_changed, codes[c], c) for c in clients if c in codes and c not in about}
    tell_all(connection, sorted(told, key=lambda t: (t[2] or 0, t[0])), now)


def _what(old: Any, row: dict[str, Any], start: Instant) -> ChangeKind:
    """The one word for how a client's side of an appointment changed."""
    if row["plan"] == Plan.cancelled:
        return ChangeKind.appointment_cancelled
    if row["mark"] == Mark.no_show:
        return ChangeKind.appointment_missed
    if row["attendance"] == Attendance.attended:
        return ChangeKind.appointment_attended
    if old is None or old.plan == Plan.cancelled:
        return ChangeKind.appointment_booked
    if old.start_at != start:
        return ChangeKind.appointment_moved
    return ChangeKind.appointment_changed
