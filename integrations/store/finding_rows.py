"""Findings and their notices as people ask about them: of the practice or of one client, now or at a past day. Reads only."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from integrations.store.lookups import About
from integrations.store.tables import table
from models.digest import Digest
from models.findings import Became, Finding, FindingHistory, Look, Opened
from models.instants import Instant
from models.notices import Message, Notice
from models.people import Client


class FindingRow(NamedTuple):
    """One finding with whom it is about and in whose caseload."""

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
    answered: bool = False  # and the answer stands
    speaks_at: Instant | None = None  # when it is told again by itself
    notice: int | None = None  # the newest that tells of it, by number


class Asks(NamedTuple):
    """What a notice asks about: whom, which kind of finding, and which generation of it."""

    client_id: int
    code: str
    kind: str
    generation: int


def findings(
    connection: Connection, *, client_id: int | None = None, cleared_since: Instant | None = None
) -> list[FindingRow]:
    """Open findings, and those cleared since an instant; of everybody or of one client."""
    rows, clients, digests, notices = table(Finding), table(Client), table(Digest), table(Notice)
    names = [name for name in FindingRow._fields if name not in ("code", "therapist_id", "notice")]
    told = (
        select(func.max(notices.c.id))
        .where(
            notices.c.client_id == rows.c.client_id,
            notices.c.purpose == rows.c.rule + "." + rows.c.kind,
            notices.c.generation == rows.c.generation,
        )
        .scalar_subquery()
    )
    wanted: Any = rows.c.cleared_at.is_(None)
    if cleared_since is not None:
        wanted |= rows.c.cleared_at >= cleared_since
    query = (
        select(clients.c.code, digests.c.therapist_id, *[rows.c[name] for name in names], told)
        .select_from(
            rows.join(clients, clients.c.id == rows.c.client_id).outerjoin(digests, digests.c.client_id == clients.c.id)
        )
        .where(wanted)
        .order_by(rows.c.opened_at, clients.c.code)
    )
    if client_id is not None:
        query = query.where(rows.c.client_id == client_id)
    return [FindingRow(row[0], row[1] or "", *row[2:]) for row in connection.execute(query)]


def findings_then(connection: Connection, who: About, when: Instant) -> list[FindingRow]:
    """A client's findings as they stood at an instant, from their history: open ones and the last of each kind that had cleared."""
    rows = table(FindingHistory)
    query = select(rows).where(rows.c.client_id == who.id, rows.c.at <= when).order_by(rows.c.at, rows.c.id)
    found: dict[str, FindingRow] = {}
    for row in connection.execute(query):
        before = found.get(row.kind)
        opened_at = row.at if before is None or row.what == Became.opened else before.opened_at
        cleared_at = row.at if row.what == Became.cleared else None
        answered = row.what == Became.answered or (row.what == Became.said and before is not None and before.answered)
        found[row.kind] = FindingRow(
            who.code,
            who.therapist_id,
            row.rule,
            row.kind,
            row.generation,
            row.opened,
            opened_at,
            cleared_at,
            row.reason,
            row.evidence,
            answered,
        )
    return sorted(found.values(), key=lambda finding: (finding.opened_at, finding.kind))


def asked_by(connection: Connection, number: int) -> Asks | None:
    """What the notice of that number asks about; None where there is no such notice, or it asks for no answer."""
    notices, clients = table(Notice), table(Client)
    row = connection.execute(
        select(notices.c.client_id, clients.c.code, notices.c.purpose, notices.c.generation)
        .select_from(notices.join(clients, clients.c.id == notices.c.client_id))
        .where(notices.c.id == number)
    ).first()
    kind = row.purpose.partition(".")[2] if row is not None else ""
    return Asks(row.client_id, row.code, kind, row.generation) if row is not None and kind else None


def still_tells(connection: Connection, about: Asks) -> bool:
    """Whether the finding that a notice told of is open still, and not a new one of its kind."""
    rows = table(Finding)
    same = (rows.c.client_id == about.client_id) & (rows.c.kind == about.kind) & (rows.c.generation == about.generation)
    return connection.execute(select(rows.c.id).where(same, rows.c.cleared_at.is_(None))).first() is not None


def told_again_at(connection: Connection, client_id: int, kind: str) -> Instant | None:
    """When an open finding is told again by itself, if nothing changes; None where it is not, or where none is open."""
    rows = table(Finding)
    same = (rows.c.client_id == client_id) & (rows.c.kind == kind) & rows.c.cleared_at.is_(None)
    return connection.execute(select(rows.c.speaks_at).where(same)).scalar()


def finding_counts(connection: Connection) -> dict[tuple[str, str, bool], int]:
    """How many findings are open, by kind, by how they came to be, and by whether they were answered."""
    rows = table(Finding)
    by = rows.c.kind, rows.c.opened, rows.c.answered
    query = select(*by, func.count()).where(rows.c.cleared_at.is_(None)).group_by(*by)
    return {(kind, how, answered): n for kind, how, answered, n in connection.execute(query).tuples()}


def day_one_left(connection: Connection) -> int:
    """How many open findings stand on the list to sort; whoever has answered has sorted."""
    rows = table(Finding)
    left = [rows.c.cleared_at.is_(None), rows.c.opened == Opened.day_one.value, ~rows.c.answered]
    return int(connection.execute(select(func.count()).select_from(rows).where(*left)).scalar_one())


def unsaid(connection: Connection, therapist: str | None = None) -> list[str]:
    """The codes of clients of whom something could not be said when they were last looked at; of one therapist's, or of all."""
    looks, clients, people = table(Look), table(Client), table(Digest)
    both = looks.join(clients, clients.c.id == looks.c.client_id).join(people, people.c.client_id == looks.c.client_id)
    query = select(clients.c.code).select_from(both).where(looks.c.blind).order_by(clients.c.code)
    if therapist is not None:
        query = query.where(people.c.therapist_id == therapist)
    return list(connection.execute(query).scalars())


def notices_about(connection: Connection, client_id: int, most: int = 20) -> list[Any]:
    """The newest notices about a client, with the state of the message each became part of."""
    notices, messages = table(Notice), table(Message)
    columns: list[Any] = [
        notices.c[n] for n in ("purpose", "recipient", "urgency", "state", "outcome", "made_at", "not_before")
    ]
    columns += [messages.c.state.label("message_state"), messages.c.settled_at, messages.c.channel, messages.c.problem]
    columns += [messages.c.id.label("message_id"), messages.c.recipient.label("went_to"), notices.c.decided_at]
    query = (
        select(*columns)
        .select_from(notices.outerjoin(messages, messages.c.id == notices.c.message_id))
        .where(notices.c.client_id == client_id)
        .order_by(notices.c.id.desc())
        .limit(most)
    )
    return list(connection.execute(query))
