"""What a closing letter is drafted from: who it is to, opened audited, and when care began and was last held."""

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, func, select

from integrations.store import audit, terminations
from integrations.store.tables import table
from models.appointments import Appointment, Participant
from models.ending_acts import Act, Termination, What
from models.ending_refusals import refuse
from models.ending_steps import Step
from models.entries import Attendance, Plan
from models.errors import UsageError
from models.instants import Instant, start_of
from models.people import Client, Therapist

if TYPE_CHECKING:
    from integrations.practice import Practice


class LetterFacts(NamedTuple):
    """An ending, and the names of its two people; when care began and the last appointment was held, None where not known."""

    code: str
    client: str
    therapist: str
    began: Instant | None
    last: Instant | None
    ending: Termination


def letter_facts(practice: "Practice", connection: Connection, client_id: int, by: str, now: Instant) -> LetterFacts:
    """What the letter of a client's ending is drafted from. Audited. Raises UsageError where no letter is due, and opens nothing then."""
    about = terminations.about(practice, connection, client_id, now)
    stands = terminations.newest(connection, client_id, died=about.died)
    seen, apart = terminations.contact(about)
    act = Act(stands.id if stands else "", What.done, now, by, step=Step.letter.value, seen=seen, apart=apart)
    if (why := refuse(stands, act, about.policy, died=about.died)) is not None:
        raise UsageError(why)
    assert stands is not None
    audit.record(connection, now, by, "identity read", about.code)
    audit.record(connection, now, by, "closing letter drafted", about.code)
    clients, people = table(Client), table(Therapist)
    who = connection.execute(select(clients.c.sealed, clients.c.intake_on).where(clients.c.id == client_id)).one()
    sealed = connection.execute(select(people.c.sealed).where(people.c.id == about.therapist)).scalar()
    began, last = _span(connection, client_id, now)
    if who.intake_on is not None:
        began = start_of(who.intake_on, practice.zone)
    name = practice.vault.open(who.sealed).get("name", "") if who.sealed else ""
    therapist = practice.vault.open(sealed).get("name", "") if sealed else ""
    return LetterFacts(about.code, name, therapist, began, last, stands)


def _span(connection: Connection, client_id: int, now: Instant) -> tuple[Instant | None, Instant | None]:
    """When the first and the last appointment was held that is not known to have been missed."""
    sides, heads = table(Participant), table(Appointment)
    held = (
        select(func.min(heads.c.start_at), func.max(heads.c.start_at))
        .join_from(sides, heads, heads.c.id == sides.c.appointment_id)
        .where(
            sides.c.client_id == client_id,
            sides.c.plan == Plan.booked.value,
            sides.c.attendance != Attendance.no_show.value,
            heads.c.start_at <= now,
        )
    )
    first, last = connection.execute(held).one()
    return first, last
