"""The claim of one invitation's message: what is wanted and what was sent are looked at once more, and the one between them is made."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select, update

from integrations.store.claiming import Claimed, into_ledger
from integrations.store.died import DIED
from integrations.store.tables import table
from models.eligibility import Answer, Audience, State, Urgency, eligible
from models.entries import ClientStatus
from models.instants import Instant, day_of
from models.invitations import (
    CLIENT,
    Going,
    Invitation,
    InvitationState,
    Method,
    Wanted,
    allocated,
    going_facts,
    going_of,
    message_between,
    said_by,
    sent_of,
    wanted_of,
)
from models.notices import Message
from models.noticing import THERAPIST
from models.people import Client

if TYPE_CHECKING:
    from integrations.practice import Practice

MAIL = "mail"
MOST_EARLIER = 10
_ROWS, _CLIENTS, _MESSAGES = table(Invitation), table(Client), table(Message)
_FREE = [InvitationState.even.value, InvitationState.waiting.value]
Reach = Callable[[Connection, Any], str]
Render = Callable[[Connection, Any, Going, str, Instant], dict[str, Any]]


def due(connection: Connection, now: Instant) -> list[int]:
    """Those of which there is something to tell now and that are not over, longest waiting first. Instants are derived anew, so that new
    zone data tell calendars of the same wall time."""
    ahead = select(_ROWS).where(_ROWS.c.state.in_(_FREE), _ROWS.c.end_at > now, _ROWS.c.not_before <= now)
    return [
        row.id
        for row in connection.execute(ahead.order_by(_ROWS.c.wanted_since, _ROWS.c.id))
        if message_between(wanted_of(row.wanted), sent_of(row.sent))
    ]


def claim(
    practice: "Practice",
    connection: Connection,
    number: int,
    now: Instant,
    holder: str,
    reach: Reach,
    render: Render,
) -> Claimed | None:
    """Look once more at one invitation and claim the one message between what is wanted and what was sent, if it may go.

    SEQUENCE and DTSTAMP are allocated here; what was refused for now is claimed again as the same bytes. `reach` answers the
    recipient's address (empty: nobody knows it), `render` the message. One message per UID is underway at a time.
    """
    uid = connection.execute(select(_ROWS.c.uid).where(_ROWS.c.id == number)).scalar()
    together = connection.execute(select(_ROWS).where(_ROWS.c.uid == uid).order_by(_ROWS.c.id).with_for_update()).all()
    row = next((each for each in together if each.id == number), None)
    if row is None or any(each.state == InvitationState.underway for each in together):
        return None
    if row.state not in _FREE or row.not_before > now or row.end_at <= now:
        return None
    wanted, sent = wanted_of(row.wanted), sent_of(row.sent)
    method = message_between(wanted, sent)
    if method is None:
        return None
    problem = _said_otherwise(row, method, wanted, together) or _problem(practice, connection, row, method, wanted, now)
    if problem:
        connection.execute(
            update(_ROWS).where(_ROWS.c.id == number).values(state=InvitationState.dropped.value, outcome=problem)
        )
        return None
    address = reach(connection, row)
    if not address:
        return None  # waits; shown after a day
    again = _said_before(practice, connection, row, method, address)
    if again is None:
        going = allocated(wanted, sent, going_of(row.going), now)
        assert going is not None, "there is a message between"
        payload = {**render(connection, row, going, address, now), "to": address, "at": now}
        header = practice.vault.hash("content", f"{uid} {row.recipient} {going.sequence} {going.stamp}")
    else:
        going, payload, header = again
        # One message, one name: the attempt that did not leave gives it up.
        former = _MESSAGES.c.id == row.message_id
        connection.execute(update(_MESSAGES).where(former).values(message_id_header=f"{header} {row.message_id}"))
    urgency = Urgency.cancellation if method is Method.cancel else Urgency.duty
    sealed = practice.vault.seal(payload)
    message_id = into_ledger(connection, row.recipient, MAIL, header, sealed, urgency.value, now, holder)
    told = [*(each for each in row.earlier if each != _times(going)), _times(going)]
    connection.execute(
        update(_ROWS)
        .where(_ROWS.c.id == number)
        .values(
            state=InvitationState.underway.value,
            going=going_facts(going),
            earlier=told[-MOST_EARLIER:],
            message_id=message_id,
        )
    )
    return Claimed(message_id, row.recipient, MAIL, header, payload)


def _times(going: Going) -> list[Instant]:
    return [going.says.start, going.says.end]


def _said_otherwise(row: Any, method: Method, wanted: Wanted, together: Iterable[Any]) -> str:
    """Why a client is not told of a time that their therapist's calendar does not hold any more, or nothing."""
    if not row.recipient.startswith(CLIENT) or method is Method.cancel:
        return ""
    theirs = (wanted_of(each.wanted) for each in together if each.recipient.startswith(THERAPIST))
    same = ((each.cancelled, each.start, each.end) == (False, wanted.start, wanted.end) for each in theirs)
    return "" if all(same) else "the therapist's calendar says otherwise by now"


def _problem(
    practice: "Practice", connection: Connection, row: Any, method: Method, wanted: Wanted, now: Instant
) -> str:
    """Why a message must not be sent, or nothing."""
    if wanted.start <= now:
        return "the appointment has begun"
    answer = may_be_invited(
        practice, connection, row.client_id, row.recipient, method, now, approved=bool(row.approved)
    )
    return "" if answer.allowed else answer.reason


def may_be_invited(
    practice: "Practice",
    connection: Connection,
    client_id: int,
    recipient: str,
    method: Method,
    now: Instant,
    *,
    approved: bool,
) -> Answer:
    """Whether eligibility allows such a message about a client, and why."""
    client = connection.execute(select(_CLIENTS, DIED.label("is_dead")).where(_CLIENTS.c.id == client_id)).one()
    paused = client.paused_until is not None and client.paused_until > day_of(now, practice.zone)
    ended = client.status == ClientStatus.ended
    state = State(bool(client.is_dead), bool(client.opted_out), paused, ended, approved)
    audience = Audience.client if recipient.startswith(CLIENT) else Audience.therapist
    if state.died and method is not Method.cancel:
        return Answer(False, "the client has died")  # nobody is asked to keep the hour: that is no duty of staff
    return eligible(Urgency.cancellation if method is Method.cancel else Urgency.duty, audience, state)


def _said_before(
    practice: "Practice", connection: Connection, row: Any, method: Method, address: str
) -> tuple[Going, dict[str, Any], str] | None:
    """The very same message as it was rendered before, and its name, where it did not leave and its text is still kept."""
    going = going_of(row.going)
    if going is None or row.message_id is None or not row.tries:
        return None
    if (going.method, going.says) != (method, said_by(wanted_of(row.wanted))):
        return None
    former = select(_MESSAGES.c.sealed, _MESSAGES.c.message_id_header).where(_MESSAGES.c.id == row.message_id)
    sealed, header = connection.execute(former).one()
    payload: dict[str, Any] = practice.vault.open(sealed) if sealed else {}
    return (going, payload, header) if payload.get("to") == address else None
