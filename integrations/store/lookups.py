"""What people ask about the practice as a whole and about one client: findings, notices, counts, entries of nobody. Reads only."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, or_, select

from integrations.store.claiming import told_of_findings
from integrations.store.died import DIED
from integrations.store.tables import chunks, table
from models.appointments import Appointment
from models.audit import Audit
from models.entries import ClientStatus
from models.instants import Instant
from models.notices import Message, MessageState, Notice, NoticeState
from models.observations import Observation
from models.people import Client, Relation, RelationKind, Therapist
from models.quarantine import Lease
from models.sources import Source


class About(NamedTuple):
    """One client, without identity. `therapist_id` is the main therapist, empty where there is none."""

    id: int
    code: str
    status: str
    site: str
    therapist_id: str
    died: bool
    opted_out: bool
    paused_until: Any  # a date or None


class Waiting(NamedTuple):
    """Notices of one class that wait: how many in all, how many of them would go now, and how many have grown too old."""

    urgency: str
    notices: int
    due: int
    too_old: int


def about(connection: Connection, code: str) -> About | None:
    """The client of that code."""
    clients, relations = table(Client), table(Relation)
    main = _main_relation()
    columns = [
        *(clients.c[name] for name in ("id", "code", "status", "site", "opted_out", "paused_until")),
        DIED.label("is_dead"),
    ]
    row = connection.execute(
        select(*columns, relations.c.therapist_id)
        .select_from(clients.outerjoin(relations, main))
        .where(clients.c.code == code)
    ).first()
    if row is None:
        return None
    return About(
        row.id,
        row.code,
        row.status,
        row.site,
        row.therapist_id or "",
        bool(row.is_dead),
        bool(row.opted_out),
        row.paused_until,
    )


def client_facts(connection: Connection, client_id: int, known_at: Instant) -> dict[str, Any] | None:
    """What the record system's newest word on a client was at an instant; None where nothing was known yet."""
    observations, clients = table(Observation), table(Client)
    query = (
        select(observations.c.facts)
        .select_from(observations.join(clients, clients.c.ref_hash == observations.c.entry_id))
        .where(
            observations.c.kind == "client",
            clients.c.id == client_id,
            observations.c.known_at <= known_at,
            ~observations.c.gone,
        )
        .order_by(observations.c.known_at.desc(), observations.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()


def first_known(connection: Connection, client_id: int) -> Instant | None:
    """When a record system first told of a client."""
    observations, clients = table(Observation), table(Client)
    query = (
        select(func.min(observations.c.known_at))
        .select_from(observations.join(clients, clients.c.ref_hash == observations.c.entry_id))
        .where(observations.c.kind == "client", clients.c.id == client_id, ~observations.c.gone)
    )
    return connection.execute(query).scalar()


def sites(connection: Connection) -> set[str]:
    """The sites that any client or therapist is said to be at."""
    each = (connection.execute(select(table(model).c.site)).scalars() for model in (Client, Therapist))
    return {site for some in each for site in some if site}


def _main_relation() -> Any:
    clients, relations = table(Client), table(Relation)
    is_main = (relations.c.kind == RelationKind.main) & relations.c.to_on.is_(None)
    return (relations.c.client_id == clients.c.id) & is_main


def client_counts(connection: Connection) -> dict[str, int]:
    """Clients by where their care stands; `died` apart."""
    rows = table(Client)
    found: dict[str, int] = defaultdict(int)
    query = select(rows.c.status, DIED.label("is_dead"), func.count()).group_by(rows.c.status, "is_dead")
    for status, died, n in connection.execute(query).tuples():
        found["died" if died else status] += n
    return dict(found)


def anything_read(connection: Connection) -> bool:
    """Whether any source has been read."""
    rows = table(Source)
    return connection.execute(select(rows.c.name).where(rows.c.read_at.is_not(None)).limit(1)).first() is not None


def appointment_count(connection: Connection) -> int:
    """How many appointments all sources together tell of."""
    return int(connection.execute(select(func.count()).select_from(table(Appointment))).scalar_one())


def waiting(connection: Connection, now: Instant) -> list[Waiting]:
    """Notices that wait, by class."""
    rows = table(Notice)
    found: dict[str, list[int]] = {}
    query = select(rows.c.urgency, rows.c.not_before, rows.c.expires_at, told_of_findings()).where(
        rows.c.state == NoticeState.waiting
    )
    for urgency, not_before, expires_at, lasts in connection.execute(query).tuples():
        counts = found.setdefault(urgency, [0, 0, 0])
        too_old = expires_at <= now and not lasts
        counts[0] += 1
        counts[1] += not_before <= now and not too_old
        counts[2] += too_old
    return [Waiting(urgency, *counts) for urgency, counts in sorted(found.items())]


def waiting_for(connection: Connection) -> list[tuple[str, str, int]]:
    """How many notices wait for whom, by class: recipient, class, number."""
    rows = table(Notice)
    query = select(rows.c.recipient, rows.c.urgency, func.count()).where(rows.c.state == NoticeState.waiting)
    by_both = query.group_by(rows.c.recipient, rows.c.urgency).order_by(rows.c.recipient, rows.c.urgency)
    return list(connection.execute(by_both).tuples())


def message_counts(connection: Connection, since: Instant) -> dict[str, int]:
    """Messages by state: those settled since an instant, and all that are not settled or failed."""
    rows = table(Message)
    lasting = rows.c.state.in_([MessageState.unsure.value, MessageState.failed.value])
    query = select(rows.c.state, func.count()).where(
        or_(rows.c.settled_at.is_(None), rows.c.settled_at >= since, lasting)
    )
    return dict(connection.execute(query.group_by(rows.c.state)).tuples().all())


def without_therapist(connection: Connection) -> list[str]:
    """Codes of clients in care whom nobody is named for."""
    clients, relations = table(Client), table(Relation)
    query = (
        select(clients.c.code)
        .select_from(clients.outerjoin(relations, _main_relation()))
        .where(relations.c.id.is_(None), clients.c.status != ClientStatus.ended, ~DIED)
        .order_by(clients.c.code)
    )
    return list(connection.execute(query).scalars())


def caseloads(connection: Connection) -> dict[str, int]:
    """Clients in care by main therapist."""
    clients, relations = table(Client), table(Relation)
    query = (
        select(relations.c.therapist_id, func.count())
        .select_from(clients.join(relations, _main_relation()))
        .where(clients.c.status != ClientStatus.ended, ~DIED)
    )
    return dict(connection.execute(query.group_by(relations.c.therapist_id)).tuples().all())


def therapists(connection: Connection) -> dict[str, Any]:
    """Therapist rows by the clinic's reference."""
    return {row.id: row for row in connection.execute(select(table(Therapist)).order_by(table(Therapist).c.id))}


def missing_from(connection: Connection, source: str, kind: str, seen: Iterable[str]) -> list[str]:
    """Entry ids of a kind that a source once told of and that are not among `seen`."""
    rows = table(Observation)
    query = select(rows.c.entry_id).where(rows.c.source == source, rows.c.kind == kind, rows.c.current, ~rows.c.gone)
    return sorted(set(connection.execute(query).scalars()) - set(seen))


def codes(connection: Connection) -> list[str]:
    """The codes of all current and former clients, by code."""
    return sorted(connection.execute(select(table(Client).c.code)).scalars())


def codes_in_care(connection: Connection, refs: Iterable[str]) -> list[str]:
    """Codes of those of these clients (by the hash of their clinic's id) who are in care."""
    rows = table(Client)
    in_care = [rows.c.status != ClientStatus.ended, ~DIED]
    return sorted(
        code
        for part in chunks(refs)
        for code in connection.execute(select(rows.c.code).where(rows.c.ref_hash.in_(part), *in_care)).scalars()
    )


def leases(connection: Connection) -> dict[str, Any]:
    """Lease rows by name."""
    return {row.name: row for row in connection.execute(select(table(Lease)))}


def acts(connection: Connection, most: int, subject: str = "") -> list[Any]:
    """The newest acts of the audit, newest first, of everybody or about one subject."""
    rows = table(Audit)
    query = select(rows).order_by(rows.c.id.desc()).limit(most)
    return list(connection.execute(query.where(rows.c.subject == subject) if subject else query))


def message_state(connection: Connection, message_id: int) -> str | None:
    """Where a message stands; None where there is none of that number."""
    rows = table(Message)
    return connection.execute(select(rows.c.state).where(rows.c.id == message_id)).scalar()
