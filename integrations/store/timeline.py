"""One client's care as the product knows it, for a page: read with as many queries whether there is much of it or little."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from integrations.store import audit
from integrations.store.died import DIED
from integrations.store.tables import table
from integrations.vault import Vault
from models.accounts import Account
from models.appointments import Appointment, Participant
from models.audit import Audit
from models.errors import UsageError
from models.findings import FindingHistory
from models.instants import Instant, instant_of
from models.invitations import Invitation
from models.naming import Holder, Naming, Pen
from models.notices import Message, MessageState, Notice
from models.observations import TOLD, Observation, Subject
from models.past import Given, Invited, Met, Past, Recorded, Sent, Tie, Turn
from models.people import Break, Client, Relation, RelationKind, Therapist
from models.timeline import Sheet, sheet
from models.timeline_acts import Act
from models.told import NOT_KNOWN

if TYPE_CHECKING:
    from integrations.practice import Practice

READ = "timeline read"
HANDED_OVER = (MessageState.sent.value, MessageState.unsure.value, MessageState.failed.value)


def page(
    practice: "Practice", code: str, by: str, now: Instant, *, redacted: bool, since: date | None, reads: bool
) -> Sheet:
    """The page of a client, read, recorded, and with the head of the record, which goes through that very reading.

    `since` leaves out what lies before a day, `reads` adds who looked. Raises UsageError where no client has that code.
    """
    with practice.store.write() as connection:
        past, naming, name = read(practice, connection, code, by, now, redacted=redacted)
    audit.seal_all(practice.store)
    with practice.store.read() as connection:
        head = audit.head(connection)
    pen = Pen(practice.zone, practice.settings.practice.locale, naming, now)
    place = "" if redacted else practice.settings.practice.name
    made = sheet(past, pen, name=name, place=place, since=since, reads=reads)
    ethics = str(getattr(practice.settings.practice, "ethics", "")).upper()
    foot = ["Redacted: the client by code alone, everybody else by their role."] if redacted else []
    foot += [f"The practice follows the code of ethics of the {ethics}."] if ethics else []
    foot += [f"The record of who did what is sealed up to {head}; it can be compared: tending audit verify --head."]
    return made._replace(foot=(*made.foot, *foot))


def read(
    practice: "Practice", connection: Connection, code: str, by: str, now: Instant, *, redacted: bool
) -> tuple[Past, Naming, str]:
    """All of it, how its people are named, and the client's name, which a redacted page does not have and which is not opened for one.
    Written into the audit, in this transaction. Raises UsageError where no client has that code."""
    clients = table(Client)
    client = connection.execute(select(clients, DIED.label("is_dead")).where(clients.c.code == code)).first()
    if client is None:
        raise UsageError(f"No client has the code {code}; `tending code` finds one by the clinic's own id or the name.")
    audit.record(connection, now, by, READ, code, {"redacted": redacted})
    ties = _ties(connection, client.id)
    goals, scores, acts = _told(connection, client.id)
    past = Past(
        client.code,
        client.status,
        bool(client.is_dead),
        client.intake_on,
        client.ended_on,
        client.died_on,
        _appointments(connection, client.id),
        ties,
        _breaks(connection, client.id),
        goals,
        scores,
        acts,
        _findings(connection, client.id),
        _sent(connection, client.id),
        _invited(connection, client.id),
        _recorded(connection, code),
    )
    name = "" if redacted or not client.sealed else str(practice.vault.open(client.sealed).get("name", ""))
    return past, _naming(connection, practice.vault, ties, redacted=redacted), name


def _appointments(connection: Connection, client_id: int) -> list[Met]:
    parts, rows = table(Participant), table(Appointment)
    query = (
        select(rows.c.start_at, parts.c.plan, parts.c.mark, parts.c.cancelled_by)
        .select_from(parts.join(rows, rows.c.id == parts.c.appointment_id))
        .where(parts.c.client_id == client_id)
        .order_by(rows.c.start_at, rows.c.id)
    )
    return [Met(*row) for row in connection.execute(query)]


def _ties(connection: Connection, client_id: int) -> list[Tie]:
    rows = table(Relation)
    query = select(*(rows.c[name] for name in Tie._fields)).where(rows.c.client_id == client_id).order_by(rows.c.id)
    return [Tie(*row) for row in connection.execute(query)]


def _breaks(connection: Connection, client_id: int) -> list[tuple[Any, Any]]:
    rows = table(Break)
    query = select(rows.c.from_on, rows.c.to_on).where(rows.c.client_id == client_id).order_by(rows.c.from_on)
    return [(row.from_on, row.to_on) for row in connection.execute(query)]


def _told(connection: Connection, client_id: int) -> tuple[list[Given], list[Given], list[Act]]:
    """Goals and scores as they stand, and every act, what was taken back among them."""
    rows, subjects = table(Observation), table(Subject)
    same = (
        (rows.c.source == subjects.c.source)
        & (rows.c.entry_id == subjects.c.entry_id)
        & (rows.c.kind == subjects.c.kind)
    )
    query = (
        select(rows.c.source, rows.c.kind, rows.c.entry_id, rows.c.facts, rows.c.known_at, rows.c.gone)
        .select_from(subjects.join(rows, same))
        .where(subjects.c.client_id == client_id, subjects.c.kind.in_(TOLD))
        .order_by(rows.c.known_at, rows.c.id)
    )
    versions: dict[tuple[str, str, str], list[Any]] = {}
    for row in connection.execute(query):
        versions.setdefault((row.source, row.kind, row.entry_id), []).append(row)
    given: dict[str, list[Given]] = {"goal": [], "score": []}
    acts = []
    for (_, kind, _), known in versions.items():
        first, last = known[0], known[-1]
        if kind not in given:
            said: dict[str, Any] = next((row.facts for row in reversed(known) if not row.gone), {})
            acts.append(Act(kind, said, first.known_at, last.known_at if last.gone else None))
        elif not last.gone:
            given[kind].append(Given(last.facts, first.known_at))
    return given["goal"], given["score"], acts


def _findings(connection: Connection, client_id: int) -> list[Turn]:
    rows = table(FindingHistory)
    query = select(*(rows.c[name] for name in Turn._fields)).where(rows.c.client_id == client_id)
    return [Turn(*row) for row in connection.execute(query.order_by(rows.c.at, rows.c.id))]


def _sent(connection: Connection, client_id: int) -> list[Sent]:
    """Notices about the client that were handed over, or may have been, or could not be."""
    notices, messages = table(Notice), table(Message)
    when = func.coalesce(messages.c.handed_at, messages.c.settled_at, messages.c.claimed_at)
    query = (
        select(when, messages.c.recipient, notices.c.purpose, messages.c.state)
        .select_from(notices.join(messages, messages.c.id == notices.c.message_id))
        .where(notices.c.client_id == client_id, messages.c.state.in_(HANDED_OVER))
        .order_by(when, notices.c.id)
    )
    return [Sent(*row) for row in connection.execute(query)]


def _invited(connection: Connection, client_id: int) -> list[Invited]:
    """What calendars were told of the client's appointments, or may have been."""
    rows = table(Invitation)
    query = select(rows.c.recipient, rows.c.told).where(rows.c.client_id == client_id).order_by(rows.c.id)
    return [
        Invited(at, row.recipient, method, start, number > 0, state)
        for row in connection.execute(query)
        for number, (at, method, start, state) in enumerate(row.told)
    ]


def _recorded(connection: Connection, code: str) -> list[Recorded]:
    rows = table(Audit)
    query = select(rows.c.at, rows.c.who, rows.c.act, rows.c.details).where(rows.c.subject == code).order_by(rows.c.id)
    return [Recorded(at, who, act, _start_of(details)) for at, who, act, details in connection.execute(query)]


def _start_of(details: dict[str, Any]) -> Instant:
    """The start of the appointment that an act was about, as an instant or as text in UTC; -1 where it names none."""
    start = details.get("start", NOT_KNOWN)
    return start if isinstance(start, int) else instant_of(datetime.fromisoformat(start))


def _naming(connection: Connection, vault: Vault, ties: list[Tie], *, redacted: bool) -> Naming:
    therapists, accounts = table(Therapist), table(Account)
    own = list(dict.fromkeys(tie.therapist_id for tie in sorted(ties, key=lambda tie: tie.kind != RelationKind.main)))
    people = list(connection.execute(select(therapists.c.id, therapists.c.sealed, therapists.c.supervisor_id)))
    holders = connection.execute(select(accounts.c.id, accounts.c.role, accounts.c.therapist_id, accounts.c.sealed))

    def named(sealed: bytes | None) -> str:
        return "" if redacted or not sealed else str(vault.open(sealed).get("name", ""))

    return Naming(
        redacted,
        {row.id: named(row.sealed) for row in people},
        {row.id: Holder(row.role, row.therapist_id, named(row.sealed)) for row in holders},
        own,
        frozenset(row.supervisor_id for row in people if row.id in own and row.supervisor_id),
    )
