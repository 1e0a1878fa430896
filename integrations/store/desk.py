"""What the desk's pages ask for: whose clients somebody has today, their findings, names, appointments and goals.

The number of queries never depends on how many clients there are.
"""

from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, exists, func, select

from integrations.store.tables import insert_rows, table
from integrations.vault import Vault
from models.access import Away, Through, Tie, covered_by, reach
from models.accounts import Role
from models.appointments import Appointment, Participant
from models.audit import Audit
from models.digest import Digest
from models.ending_acts import OPEN
from models.findings import Finding
from models.instants import Instant
from models.kinds import is_safety
from models.notices import Notice
from models.noticing import therapist_recipient
from models.observations import Observation, Subject
from models.people import Break, Client, Leave, Relation, Therapist
from models.terminations import TerminationRow

NAME_READ = "identity read"


class Reach(NamedTuple):
    """Somebody's clients today and through what each is theirs, and the therapists whose caseloads those are."""

    clients: dict[int, Through]
    therapists: frozenset[str]


class Card(NamedTuple):
    """One finding as a card shows it. `therapist_id` is the client's main therapist, empty where there is none; `ending` says
    whether an ending is open, waiting or going on, `speaks_at` when what was answered is asked again by itself."""

    client_id: int
    code: str
    therapist_id: str
    rule: str
    kind: str
    generation: int
    opened: str
    opened_at: Instant
    cleared_at: Instant | None
    reason: str
    evidence: dict[str, Any]
    answered: bool
    answered_at: Instant | None
    speaks_at: Instant | None
    ending: bool


class Shown(NamedTuple):
    """One appointment of one client, as the timeline shows it. `plan` and `attendance` as in models.observations, `mark` as a Mark."""

    start_at: Instant
    plan: str
    mark: int
    cancelled_by: str | None


class GoalShown(NamedTuple):
    """One goal with its title, opened. Days are ISO text or None."""

    title: str
    status: str
    achievement: str
    set_on: str | None
    target_on: str | None
    reviewed_on: str | None


def reach_of(connection: Connection, role: Role, person: str, today: date) -> Reach:
    """Whose clients somebody sees on a day: their own, those whom they stand in for, and a supervisor's team's."""
    if not person:
        return Reach({}, frozenset())
    leaves, relations = table(Leave), table(Relation)
    away = connection.execute(
        select(leaves.c.therapist_id, leaves.c.cover_id, leaves.c.from_on, leaves.c.to_on).where(
            leaves.c.cover_id == person
        )
    )
    covered = covered_by(person, (Away(*row) for row in away), today)
    team = frozenset[str]()
    if role is Role.supervisor:
        team = frozenset(team_of(connection, person))
    whose = frozenset({person, *covered, *team})
    ties = connection.execute(
        select(*(relations.c[name] for name in Tie._fields)).where(relations.c.therapist_id.in_(whose))
    )
    return Reach(reach(role, person, today, (Tie(*row) for row in ties), covered, team), whose)


def team_of(connection: Connection, supervisor: str) -> list[str]:
    """The therapists whom somebody supervises, by id."""
    rows = table(Therapist)
    mine = select(rows.c.id).where(rows.c.supervisor_id == supervisor).order_by(rows.c.id)
    return list(connection.execute(mine).scalars())


def cards(connection: Connection, mine: Reach, *, also: tuple[int, str] | None = None) -> list[Card]:
    """Open findings of these clients, and that of one (client, kind) whether open or not."""
    rows, clients = table(Finding), table(Client)
    wanted: Any = rows.c.cleared_at.is_(None)
    if also is not None:
        wanted |= (rows.c.client_id == also[0]) & (rows.c.kind == also[1])
    query = _cards().where(wanted, clients.c.id.in_(_clients_of(mine)))
    return [card for row in connection.execute(query) if (card := Card(*row)).client_id in mine.clients]


def cards_of(connection: Connection, client_id: int) -> list[Card]:
    """One client's findings, open ones and the last of each kind that has cleared."""
    return [Card(*row) for row in connection.execute(_cards().where(table(Finding).c.client_id == client_id))]


def _cards() -> Any:
    rows, clients, digests = table(Finding), table(Client), table(Digest)
    endings = table(TerminationRow)
    is_open = exists().where(endings.c.client_id == clients.c.id, endings.c.state.in_([state.value for state in OPEN]))
    others = {"code": clients.c.code, "therapist_id": func.coalesce(digests.c.therapist_id, ""), "ending": is_open}
    columns = [others[name] if name in others else rows.c[name] for name in Card._fields]
    joined = rows.join(clients, clients.c.id == rows.c.client_id)
    return select(*columns).select_from(joined.outerjoin(digests, digests.c.client_id == clients.c.id))


def _clients_of(mine: Reach) -> Any:
    relations = table(Relation)
    return select(relations.c.client_id).where(relations.c.therapist_id.in_(mine.therapists))


def names(
    connection: Connection, vault: Vault, mine: Reach, wanted: Collection[int], by: str, at: Instant
) -> dict[int, str]:
    """Names of some of these clients, by id. Each is written into the audit, in this transaction."""
    rows = table(Client)
    query = select(rows.c.id, rows.c.code, rows.c.sealed).where(rows.c.id.in_(_clients_of(mine)))
    found = [row for row in connection.execute(query) if row.id in wanted and row.id in mine.clients]
    _record(connection, by, at, [row.code for row in found])
    return {row.id: vault.open(row.sealed).get("name", "") if row.sealed else "" for row in found}


def name_of(connection: Connection, vault: Vault, client_id: int, by: str, at: Instant, why: str = "") -> str:
    """The name of one client. Written into the audit, in this transaction, with `why` where that does not follow from who asks."""
    rows = table(Client)
    row = connection.execute(select(rows.c.code, rows.c.sealed).where(rows.c.id == client_id)).one()
    _record(connection, by, at, [row.code], why)
    return str(vault.open(row.sealed).get("name", "")) if row.sealed else ""


def risk_reached(connection: Connection, client_id: int, therapist: str) -> bool:
    """Whether something that asks for safety is open about a client and this therapist was told of it, as it stands now."""
    rows, notices = table(Finding), table(Notice)
    told = (
        (notices.c.client_id == rows.c.client_id)
        & (notices.c.purpose == rows.c.rule + "." + rows.c.kind)
        & (notices.c.generation == rows.c.generation)
        & (notices.c.recipient == therapist_recipient(therapist))
    )
    query = select(rows.c.kind).where(rows.c.client_id == client_id, rows.c.cleared_at.is_(None), exists().where(told))
    return any(is_safety(kind) for kind in connection.execute(query).scalars())


def _record(connection: Connection, by: str, at: Instant, codes: list[str], why: str = "") -> None:
    empty = {"place": None, "seal": ""}
    details = {"at": "desk"} | ({"why": why} if why else {})
    acts = [{"at": at, "who": by, "act": NAME_READ, "subject": code, "details": details, **empty} for code in codes]
    insert_rows(connection, Audit, acts)


def appointments(connection: Connection, client_id: int, since: Instant, until: Instant) -> list[Shown]:
    """A client's appointments between two instants, cancelled ones among them, by start."""
    parts, rows = table(Participant), table(Appointment)
    query = (
        select(rows.c.start_at, parts.c.plan, parts.c.mark, parts.c.cancelled_by)
        .select_from(parts.join(rows, rows.c.id == parts.c.appointment_id))
        .where(parts.c.client_id == client_id, rows.c.start_at >= since, rows.c.start_at < until)
        .order_by(rows.c.start_at)
    )
    return [Shown(*row) for row in connection.execute(query)]


class Pause(NamedTuple):
    """Time that does not count, both days included: a planned break, or where it `waits`, time on a waiting list."""

    from_on: date
    to_on: date
    waits: bool = False


def breaks(connection: Connection, client_id: int) -> list[Pause]:
    """A client's planned breaks and time on waiting lists, by their first day."""
    rows, seen = table(Break), table(Observation)
    waits = exists().where(
        seen.c.source == rows.c.source,
        seen.c.entry_id == rows.c.entry_id,
        seen.c.kind == "hold",
        seen.c.current,
        ~seen.c.gone,
    )
    query = select(rows.c.from_on, rows.c.to_on, waits).where(rows.c.client_id == client_id).order_by(rows.c.from_on)
    return [Pause(from_on, to_on, bool(waiting)) for from_on, to_on, waiting in connection.execute(query)]


def goals(connection: Connection, vault: Vault, client_id: int) -> list[GoalShown]:
    """A client's goals with their titles, in the order in which they became known. The caller audits."""
    rows, subjects = table(Observation), table(Subject)
    same = (subjects.c.source == rows.c.source) & (subjects.c.entry_id == rows.c.entry_id)
    query = (
        select(rows.c.facts, rows.c.sealed)
        .select_from(subjects.join(rows, same))
        .where(
            subjects.c.client_id == client_id,
            subjects.c.kind == "goal",
            rows.c.kind == "goal",
            rows.c.current,
            ~rows.c.gone,
        )
        .order_by(rows.c.id)
    )
    found = []
    for facts, sealed in connection.execute(query).tuples():
        title = vault.open(sealed).get("title", "") if sealed else ""
        names = ("status", "achievement", "set_on", "target_on", "reviewed_on")
        found.append(GoalShown(title, *(facts.get(name) for name in names)))
    return found
