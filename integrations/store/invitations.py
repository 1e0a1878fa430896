"""What calendars are to hold and what they were told: set by whoever decides, and followed to the end of each message."""

import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, func, select, update

from integrations.store.people import sealed_id
from integrations.store.tables import insert_rows, table
from models.errors import UsageError
from models.instants import Instant
from models.invitations import (
    CLIENT,
    NOWHERE,
    WAITED_LONG,
    Invitation,
    InvitationState,
    Wanted,
    going_of,
    message_between,
    sent_of,
    wanted_of,
)
from models.notices import MessageState
from models.noticing import THERAPIST
from models.people import Client

if TYPE_CHECKING:
    from integrations.practice import Practice

_ROWS, _CLIENTS = table(Invitation), table(Client)
_STUCK = [InvitationState.waiting.value, InvitationState.underway.value, InvitationState.asked.value]


class Side(NamedTuple):
    """One calendar's side of an appointment, for lists: whose, about whom (code), what is wanted, and where it stands. `apart`: the client
    was told otherwise than the therapist's calendar says by now."""

    uid: str
    recipient: str
    code: str
    about: str
    wanted: Wanted
    state: str
    outcome: str
    sequence: int | None
    wanted_since: Instant
    apart: bool


def new_uid() -> str:
    """A UID that nobody can guess."""
    return f"{secrets.token_hex(16)}@{NOWHERE}"


def next_uid(practice: "Practice", connection: Connection, client_id: int, therapist: str, start: Instant) -> str:
    """The UID that a new appointment of these two at that time would have: nobody without our keys can guess it, tried out twice it is the
    same, and once it was used it is another."""
    earlier = select(func.count()).select_from(_ROWS).where(_ROWS.c.client_id == client_id)
    count = connection.execute(earlier).scalar_one()
    return f"{practice.vault.hash('content', f'invite {client_id} {therapist} {start} {count}')}@{NOWHERE}"


def want(
    practice: "Practice",
    connection: Connection,
    client_id: int,
    recipient: str,
    wanted: Wanted,
    now: Instant,
    *,
    uid: str = "",
    about: str = "",
    approved: str = "",
    again: bool = False,
) -> str:
    """Say what somebody's calendar is to hold from now on; answers the appointment's UID, a new one unless `uid` names one. Nothing is sent
    here. `recipient` is `therapist:<id>` or `client:<code>`; for a client `approved` says who approved exactly this. Wanting the same once
    more changes nothing, unless a person asks `again` for what was dropped.

    Raises UsageError for a UID of another client's appointment.
    """
    if recipient.startswith(CLIENT) and not approved:
        raise ValueError("a client is told of an appointment only by a message that a person approved")
    if uid:
        _must_be_of(connection, uid, client_id)
    uid = uid or new_uid()
    row = connection.execute(_one(uid, recipient)).first()
    values: dict[str, Any] = {
        "wanted": wanted._asdict(),
        "approved": approved,
        "end_at": wanted.end,
        "not_before": now,
        "tries": 0,
        "outcome": "",
    }
    if row is None:
        fresh = {
            "uid": uid,
            "recipient": recipient,
            "entry_id": sealed_id(practice.vault, "appointment", uid),
            "client_id": client_id,
            "about": about,
            "sent": {},
            "going": {},
            "earlier": [],
            "told": [],
            "state": _at_rest(wanted, None).value,
            "wanted_since": now,
            "message_id": None,
        }
        insert_rows(connection, Invitation, [fresh | values])
        return uid
    reopened = again and row.state == InvitationState.dropped
    if wanted_of(row.wanted) == wanted and row.approved == approved and not reopened:
        return uid
    sent = sent_of(row.sent)
    if message_between(wanted_of(row.wanted), sent) is None:
        values["wanted_since"] = now
    if row.state not in (InvitationState.underway, InvitationState.asked):
        values["state"] = _at_rest(wanted, sent).value
    connection.execute(update(_ROWS).where(_ROWS.c.id == row.id).values(**values))
    return uid


def call_off(
    practice: "Practice", connection: Connection, uid: str, recipient: str, now: Instant, *, approved: str = ""
) -> None:
    """Want an appointment called off in somebody's calendar. Raises UsageError where they were not invited to it."""
    row = connection.execute(_one(uid, recipient)).first()
    if row is None:
        raise UsageError("There is no invitation with that UID to that person; `tending invite` lists them.")
    wanted = wanted_of(row.wanted)._replace(cancelled=True)
    want(practice, connection, row.client_id, recipient, wanted, now, uid=uid, approved=approved)


def call_off_all(practice: "Practice", connection: Connection, about: str, now: Instant, *, approved: str = "") -> int:
    """Call off every appointment ahead that belongs to something, such as an ending that is withdrawn; answers how many calendars are
    concerned. Clients are told only where somebody `approved` just that; else theirs stand as `apart` until a person says so."""
    rows = connection.execute(
        select(_ROWS).where(_ROWS.c.about == about, _ROWS.c.end_at > now).order_by(_ROWS.c.id)
    ).all()
    concerned = [row for row in rows if approved or not row.recipient.startswith(CLIENT)]
    for row in concerned:
        call_off(practice, connection, row.uid, row.recipient, now, approved=approved)
    return len(concerned)


def found(connection: Connection, uid: str, recipient: str) -> Any:
    """One side of an appointment, as a row; None where there is none."""
    return connection.execute(select(_ROWS).where(_ROWS.c.uid == uid, _ROWS.c.recipient == recipient)).first()


def client_was_told(connection: Connection, uid: str) -> bool:
    """Whether the client's own calendar was told of an appointment."""
    theirs = select(_ROWS.c.sent).where(_ROWS.c.uid == uid, _ROWS.c.recipient.startswith(CLIENT, autoescape=True))
    return any(sent_of(sent) is not None for sent in connection.execute(theirs).scalars())


def client_expects(connection: Connection, uid: str) -> bool:
    """Whether a client was told of an appointment, and neither hears nor heard that it is off."""
    theirs = select(_ROWS.c.sent, _ROWS.c.wanted).where(
        _ROWS.c.uid == uid, _ROWS.c.recipient.startswith(CLIENT, autoescape=True)
    )
    for row in connection.execute(theirs):
        sent = sent_of(row.sent)
        if sent is not None and not sent.cancelled and not wanted_of(row.wanted).cancelled:
            return True
    return False


def _must_be_of(connection: Connection, uid: str, client_id: int) -> None:
    whose = connection.execute(select(_ROWS.c.client_id).where(_ROWS.c.uid == uid)).scalars().all()
    if any(client != client_id for client in whose):
        raise UsageError("That UID is another appointment's; `tending invite` lists them.")


def _one(uid: str, recipient: str) -> Any:
    return select(_ROWS).where(_ROWS.c.uid == uid, _ROWS.c.recipient == recipient).with_for_update()


def _at_rest(wanted: Wanted, sent: Any) -> InvitationState:
    return InvitationState.waiting if message_between(wanted, sent) else InvitationState.even


def waiting(connection: Connection, now: Instant) -> int:
    """How many wait to be told of and could be now: a cheap question, asked often."""
    ready = (_ROWS.c.state == InvitationState.waiting.value) & (_ROWS.c.end_at > now) & (_ROWS.c.not_before <= now)
    return int(connection.execute(select(func.count()).select_from(_ROWS).where(ready)).scalar_one())


def refused(connection: Connection) -> bool:
    """Whether one that a channel did not take waits to be tried again."""
    again = (_ROWS.c.state == InvitationState.waiting.value) & (_ROWS.c.tries > 0)
    return connection.execute(select(_ROWS.c.id).where(again).limit(1)).first() is not None


# ---------------------------------------------------------------- what came of a message


def followed(connection: Connection, message_id: int, to: MessageState, problem: str) -> None:
    """Bring the invitation that a message carried, if it did, to where the message has moved."""
    row = _carried(connection, message_id)
    if row is None:
        return
    values: dict[str, Any] = {}
    if to is MessageState.sent:
        going = going_of(row.going)
        assert going is not None, "it was claimed"
        state = _at_rest(wanted_of(row.wanted), going.says)
        values = {"sent": going.says._asdict(), "state": state.value, "tries": 0, "outcome": ""}
    elif to in (MessageState.unsure, MessageState.failed):
        values = {"state": InvitationState.asked.value, "outcome": problem}
    elif to is MessageState.dropped:
        values = {"state": InvitationState.dropped.value, "outcome": problem}
    if to in (MessageState.sent, MessageState.unsure, MessageState.failed):
        values["told"] = _told(row, to)
    if values:
        connection.execute(update(_ROWS).where(_ROWS.c.id == row.id).values(**values))


def _told(row: Any, to: MessageState) -> list[Any]:
    """Every message of an invitation that left or may have, this one among them, as it stands by now."""
    going = going_of(row.going)
    assert going is not None, "it was claimed"
    others = [one for one in row.told if one[0] != going.stamp]
    return [*others, [going.stamp, going.method.value, going.says.start, to.value]]


def wait_again(connection: Connection, message_id: int, when: Instant) -> None:
    """What a message carried that did not leave waits to be sent again, from an instant on."""
    row = _carried(connection, message_id)
    if row is None:
        return
    state = _at_rest(wanted_of(row.wanted), sent_of(row.sent))
    values = {"state": state.value, "tries": row.tries + 1, "not_before": when, "outcome": ""}
    connection.execute(update(_ROWS).where(_ROWS.c.id == row.id).values(**values))


def tries_of(connection: Connection, message_id: int) -> int | None:
    """How often what a message carries was tried before; None where it carries no invitation."""
    row = _carried(connection, message_id)
    return None if row is None else row.tries


def _carried(connection: Connection, message_id: int) -> Any:
    return connection.execute(select(_ROWS).where(_ROWS.c.message_id == message_id)).first()


# ---------------------------------------------------------------- lists


def listed(connection: Connection, now: Instant) -> list[Side]:
    """Every side of appointments that are not over, by their end."""
    query = select(_ROWS, _CLIENTS.c.code).join_from(_ROWS, _CLIENTS, _CLIENTS.c.id == _ROWS.c.client_id)
    query = query.where(_ROWS.c.end_at > now).order_by(_ROWS.c.end_at, _ROWS.c.uid, _ROWS.c.recipient)
    rows = connection.execute(query).all()
    theirs = {row.uid: _when(row) for row in rows if row.recipient.startswith(THERAPIST)}
    return [_side(row, apart=theirs.get(row.uid, _when(row)) != _when(row)) for row in rows]


def _when(row: Any) -> tuple[Instant, Instant, bool]:
    wanted = wanted_of(row.wanted)
    return wanted.start, wanted.end, wanted.cancelled


def _side(row: Any, *, apart: bool) -> Side:
    going = going_of(row.going)
    return Side(
        row.uid,
        row.recipient,
        row.code,
        row.about,
        wanted_of(row.wanted),
        row.state,
        row.outcome,
        going.sequence if going else None,
        row.wanted_since,
        apart,
    )


def waiting_long(connection: Connection, now: Instant) -> int:
    """How many calendars have not been told for a day what they should hold."""
    old = (_ROWS.c.state.in_(_STUCK)) & (_ROWS.c.end_at > now) & (_ROWS.c.wanted_since <= now - WAITED_LONG)
    return int(connection.execute(select(func.count()).select_from(_ROWS).where(old)).scalar_one())
