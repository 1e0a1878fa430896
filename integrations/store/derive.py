"""What follows from the observations, in the transaction that wrote them: appointments, digests, changes, looks due."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, select

from integrations.store.appointments import appointments_of, source_traits, told_of
from integrations.store.changes import tell_all
from integrations.store.ending_rows import write_endings
from integrations.store.referral_rows import write_referrals
from integrations.store.tables import Prepared, among, chunks, table, upsert
from integrations.store.turns import take_turn
from models.appointments import Appointment, Mark, Participant
from models.changes import ChangeKind
from models.digest import Digest, Held, History, digest_of
from models.entries import Attendance, ClientStatus, Plan
from models.findings import Look
from models.instants import Instant
from models.matching import Derived, Trait
from models.people import Break, Client, Relation, RelationKind
from models.policy import Policy
from models.told import NOTHING

_PARTICIPANTS, _APPOINTMENT = table(Participant), table(Appointment)
_CLIENTS, _RELATIONS, _BREAK = table(Client), table(Relation), table(Break)
_CODES = Prepared(select(_CLIENTS.c.id, _CLIENTS.c.code).where(among(_CLIENTS.c.id, "ids")))
_HEAD = ("wall", "zone", "start_at", "end_at", "therapist_id", "known_since")
_APPOINTMENTS = Prepared(
    select(_PARTICIPANTS, *(_APPOINTMENT.c[name] for name in _HEAD))
    .join_from(_PARTICIPANTS, _APPOINTMENT)
    .where(among(_PARTICIPANTS.c.client_id, "ids"))
)
_MAIN_THERAPIST = (
    select(_RELATIONS.c.therapist_id)
    .where(
        _RELATIONS.c.client_id == _CLIENTS.c.id,
        _RELATIONS.c.kind == RelationKind.main.value,
        _RELATIONS.c.to_on.is_(None),
    )
    .order_by(_RELATIONS.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_BREAKS = Prepared(select(_BREAK.c.client_id, _BREAK.c.from_on, _BREAK.c.to_on).where(among(_BREAK.c.client_id, "ids")))
_CANCELLED, _BOOKED = Plan.cancelled, Plan.booked  # looked up once: there may be many appointments
_PERSON = ("id", "site", "status", "intake_on", "died", "paused_until")
_PEOPLE = Prepared(
    select(*(_CLIENTS.c[name] for name in _PERSON), _MAIN_THERAPIST.label("therapist_id"))
    .where(among(_CLIENTS.c.id, "ids"))
    .order_by(_CLIENTS.c.id)
)


def derive(connection: Connection, clients: Iterable[int], policy: Policy, now: Instant, zone: str) -> None:
    """Derive appointments and digests of these clients (and of all who share an appointment with them) from their observations."""
    take_turn(connection)
    everyone = sorted(set(clients))
    traits = source_traits(connection)
    for part in chunks(everyone, 200):
        _derive_some(connection, part, traits, policy, now, zone)


def _derive_some(
    connection: Connection, clients: list[int], traits: dict[str, Trait], policy: Policy, now: Instant, zone: str
) -> None:
    tolerance = int(policy.same_time_minutes * 60)
    derived, last_told, group = appointments_of(connection, clients, traits, tolerance)
    _write_appointments(connection, group, derived, now)
    write_digests(connection, group, derived, last_told, zone)


def write_digests(
    connection: Connection, group: set[int], derived: list[Derived], last_told: dict[int, Instant], zone: str
) -> None:
    """Write the digests of clients whose appointments these are, and that each of them is due for a look."""
    histories = histories_of(connection, group, derived, last_told, zone)
    upsert(connection, Digest, [digest_of(history, zone)._asdict() for history in histories])
    write_endings(connection, histories)
    write_referrals(connection, histories)
    # In the order of ids, as looks are taken elsewhere: two transactions never wait for one another.
    never = {"next_look": 0, "looked_at": 0, "basis": "", "blind": False}
    upsert(connection, Look, [{"client_id": client, **never} for client in sorted(group)], only=("next_look",))


def histories_of(
    connection: Connection,
    clients: Iterable[int],
    derived: list[Derived],
    last_told: dict[int, Instant],
    zone: str,
) -> list[History]:
    """People facts, appointments and what else is told of clients, as digests are made from them."""
    told = told_of(connection, clients, derived, zone)
    held: dict[int, list[Held]] = defaultdict(list)
    for appointment in derived:
        for part in appointment.parts:
            plan = part.plan
            if plan != _CANCELLED:
                held[part.client_id].append(Held(appointment.start, part.mark, plan == _BOOKED))
    result = []
    for few in chunks(sorted(set(clients))):
        ids = {"ids": few}
        spans: dict[int, list[Any]] = defaultdict(list)
        for row in _BREAKS.rows(connection, ids):
            spans[row.client_id].append((row.from_on, row.to_on))
        for row in _PEOPLE.rows(connection, ids):
            result.append(
                History(
                    row.id,
                    row.therapist_id or "",
                    row.site,
                    ClientStatus(row.status),
                    row.intake_on,
                    row.died,
                    row.paused_until,
                    tuple(held.get(row.id, ())),
                    tuple(sorted(spans.get(row.id, ()))),
                    last_told.get(row.id, 0),
                    told.get(row.id, NOTHING),
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
                "cancelled_said_at": part.cancelled_said_at,
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
