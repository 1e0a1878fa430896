"""The appointments ahead of a client whose care is ending: those that calendars show, and those that invitations have asked for."""

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, select

from integrations.store import invitations
from integrations.store.died import DIED
from integrations.store.tables import table
from models.appointments import Appointment, Participant
from models.ending_acts import OPEN
from models.ending_schedule import AHEAD, Entry
from models.entries import Plan
from models.instants import Instant
from models.invitations import Invitation, InvitationState, sent_of, wanted_of
from models.noticing import THERAPIST, therapist_recipient
from models.people import Client
from models.terminations import TerminationRow

if TYPE_CHECKING:
    from integrations.practice import Practice

ABOUT = "ending:"
"""What stands before an ending's id in the invitations that are about it."""
MOST = 100  # of a client's appointments ahead; more than an ending can ask for
_APPOINTMENTS, _SIDES, _INVITED = table(Appointment), table(Participant), table(Invitation)
_CLIENTS, _ENDINGS = table(Client), table(TerminationRow)


def ahead(
    connection: Connection, client_id: int, therapist: str, ending: str, now: Instant, until: Instant
) -> list[Entry]:
    """What lies ahead of a client with a therapist, by start: booked or of a series that goes on, and what was proposed to the therapist
    and no calendar shows yet. Of the far future only what an ending until that instant could need."""
    mine = (
        select(_APPOINTMENTS.c.id, _APPOINTMENTS.c.start_at, _APPOINTMENTS.c.end_at, _SIDES.c.plan)
        .join_from(_SIDES, _APPOINTMENTS, _APPOINTMENTS.c.id == _SIDES.c.appointment_id)
        .where(
            _SIDES.c.client_id == client_id,
            _SIDES.c.plan != Plan.cancelled.value,
            _APPOINTMENTS.c.start_at > now,
            _APPOINTMENTS.c.start_at <= max(now + AHEAD, until),
            _APPOINTMENTS.c.therapist_id.is_(None) | (_APPOINTMENTS.c.therapist_id == therapist),
        )
        .order_by(_APPOINTMENTS.c.start_at, _APPOINTMENTS.c.id)
        .limit(MOST)
    )
    rows = connection.execute(mine).all()
    found = {row.start_at: Entry(row.id, row.start_at, row.end_at) for row in rows}
    unanswered = {row.start_at for row in rows if row.plan == Plan.proposed.value}
    asked = select(_INVITED).where(
        _INVITED.c.client_id == client_id,
        _INVITED.c.recipient == therapist_recipient(therapist),
        _INVITED.c.end_at > now,
        _INVITED.c.state != InvitationState.dropped.value,
    )
    for row in connection.execute(asked.order_by(_INVITED.c.id)):
        wanted = wanted_of(row.wanted)
        if wanted.cancelled or wanted.start <= now:
            continue
        uid = row.uid if row.about == f"{ABOUT}{ending}" else ""
        shown = found.get(wanted.start)
        if shown is None:
            found[wanted.start] = Entry(row.uid, wanted.start, wanted.end, uid, entered=False, shown=False)
        else:
            found[wanted.start] = shown._replace(uid=uid, entered=wanted.start not in unanswered)
    return sorted(found.values(), key=lambda each: each.start)


class Sides(NamedTuple):
    """Both calendars' sides of one appointment that an ending proposed, as rows; None where the client was never to be told."""

    uid: str
    therapist: Any
    client: Any


def sides(connection: Connection, client_id: int, ending: str, now: Instant) -> list[Sides]:
    """The appointments ahead that an ending has proposed, also those that were called off since, by start."""
    mine = select(_INVITED).where(
        _INVITED.c.client_id == client_id, _INVITED.c.about == f"{ABOUT}{ending}", _INVITED.c.end_at > now
    )
    whose: dict[str, dict[bool, Any]] = {}
    for row in connection.execute(mine.order_by(_INVITED.c.end_at, _INVITED.c.id)):
        whose.setdefault(row.uid, {})[row.recipient.startswith(THERAPIST)] = row
    return [Sides(uid, both.get(True), both.get(False)) for uid, both in whose.items() if True in both]


def call_off(practice: "Practice", connection: Connection, client_id: int, ending: str, now: Instant) -> int:
    """Want everything called off in the therapist's calendar that an ending has proposed and that lies ahead, and what was approved for the
    client and never sent. Answers how many."""
    both = sides(connection, client_id, ending, now)
    off = [each.therapist for each in both if _stands(each.therapist, now)]
    for row in off:
        invitations.call_off(practice, connection, row.uid, row.recipient, now)
    for unsent in (each.client for each in both if each.client is not None and _never_sent(each.client)):
        invitations.call_off(practice, connection, unsent.uid, unsent.recipient, now, approved=unsent.approved)
    return len(off)


def _never_sent(row: Any) -> bool:
    at_rest = row.state not in (InvitationState.underway, InvitationState.asked)
    return at_rest and sent_of(row.sent) is None


def _stands(row: Any, now: Instant) -> bool:
    wanted = wanted_of(row.wanted)
    return not wanted.cancelled and wanted.start > now


def to_call_off(connection: Connection, now: Instant) -> list[tuple[int, str]]:
    """Clients and endings that are over, or whose client has died, with something ahead that is not called off yet."""
    query = (
        select(_ENDINGS.c.client_id, _ENDINGS.c.ending, _INVITED.c.wanted)
        .join_from(_INVITED, _ENDINGS, _INVITED.c.about == ABOUT + _ENDINGS.c.ending)
        .join(_CLIENTS, _CLIENTS.c.id == _ENDINGS.c.client_id)
        .where(
            _INVITED.c.end_at > now,
            _INVITED.c.recipient.startswith(THERAPIST, autoescape=True),
            _ENDINGS.c.state.not_in([state.value for state in OPEN]) | DIED,
        )
    )
    found = {
        (row.client_id, row.ending): None
        for row in connection.execute(query)
        if not (wanted := wanted_of(row.wanted)).cancelled and wanted.start > now
    }
    return list(found)
