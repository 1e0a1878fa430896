"""When a therapist has something entered or is away: appointments of clients, other entries of their calendars, invitations, days off."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, exists, select

from integrations.public_holidays import public_holidays
from integrations.store.people import zone_of
from integrations.store.tables import table
from models.appointments import Appointment, Participant
from models.clock import Spans, merged
from models.entries import Plan
from models.instants import DAY, Instant, end_of, start_of
from models.invitations import Invitation, InvitationState, wanted_of
from models.noticing import therapist_recipient
from models.observations import Observation, Subject
from models.people import Leave
from models.slots import LOOKED_AT
from models.timing import Hours

if TYPE_CHECKING:
    from integrations.practice import Practice

_APPOINTMENTS, _SIDES, _SEEN, _SUBJECTS = table(Appointment), table(Participant), table(Observation), table(Subject)
_INVITED, _LEAVE = table(Invitation), table(Leave)
_LONGEST = DAY  # an entry that began longer ago is over


def hours_of(practice: "Practice", connection: Connection, therapist: str, first: date, last: date) -> Hours:
    """A therapist's working hours in their own zone, with public holidays and leave between two days as days off."""
    policy = practice.book.of(therapist=therapist).policy
    zone = zone_of(connection, therapist) or practice.zone
    off = set(public_holidays(practice.settings.practice.holidays, first.year, last.year))
    away = select(_LEAVE.c.from_on, _LEAVE.c.to_on).where(
        _LEAVE.c.therapist_id == therapist, _LEAVE.c.from_on <= last, _LEAVE.c.to_on >= first
    )
    for begins, ends in connection.execute(away):
        start = max(begins, first)
        off |= {start + timedelta(days=n) for n in range((min(ends, last) - start).days + 1)}
    return Hours(zone, policy.work_from, policy.work_until, frozenset(off))


def busy(
    practice: "Practice",
    connection: Connection,
    therapist: str,
    since: Instant,
    until: Instant,
    *,
    without: Collection[str] = (),
) -> Spans:
    """Everything entered for a therapist that touches [since, until), as spans and nothing else; but for invitations with these UIDs.

    The tail of an endless series counts, since it will most likely take place. Whole days that a calendar shows as taken are days of the
    therapist's own zone.
    """
    spans = _of_clients(connection, therapist, since, until)
    spans += _of_nobody(practice, connection, therapist, since, until)
    spans += _of_days(practice, connection, therapist, since, until)
    spans += _of_invitations(connection, therapist, since, until, without)
    return merged(spans)


def _of_clients(
    connection: Connection, therapist: str, since: Instant, until: Instant
) -> list[tuple[Instant, Instant]]:
    held = exists().where(_SIDES.c.appointment_id == _APPOINTMENTS.c.id, _SIDES.c.plan != Plan.cancelled.value)
    query = select(_APPOINTMENTS.c.start_at, _APPOINTMENTS.c.end_at).where(
        _APPOINTMENTS.c.start_at >= since - _LONGEST,
        _APPOINTMENTS.c.start_at < until,
        _APPOINTMENTS.c.end_at > since,
        _APPOINTMENTS.c.therapist_id == therapist,
        held,
    )
    return [(row.start_at, row.end_at) for row in connection.execute(query)]


def _of_nobody(
    practice: "Practice", connection: Connection, therapist: str, since: Instant, until: Instant
) -> list[tuple[Instant, Instant]]:
    """Entries of calendars that concern no client: of what they say only the time is looked at."""
    others = _of_others(practice, therapist)
    somebody = exists().where(_SUBJECTS.c.source == _SEEN.c.source, _SUBJECTS.c.entry_id == _SEEN.c.entry_id)
    query = select(_SEEN.c.facts).where(
        _SEEN.c.kind == "appointment", _SEEN.c.current, ~_SEEN.c.gone, _SEEN.c.source.not_in(others), ~somebody
    )
    return [
        (facts["start"], facts["end"])
        for facts in connection.execute(query).scalars()
        if facts["therapist_id"] == therapist
        and facts["plan"] != Plan.cancelled
        and facts["start"] < until
        and facts["end"] > since
    ]


def _of_days(
    practice: "Practice", connection: Connection, therapist: str, since: Instant, until: Instant
) -> list[tuple[Instant, Instant]]:
    """Whole days that their calendars show as taken, such as a vacation."""
    zone = zone_of(connection, therapist) or practice.zone
    query = select(_SEEN.c.facts).where(
        _SEEN.c.kind == "busy", _SEEN.c.current, ~_SEEN.c.gone, _SEEN.c.source.not_in(_of_others(practice, therapist))
    )
    spans = [
        (start_of(date.fromisoformat(facts["from_on"]), zone), end_of(date.fromisoformat(facts["to_on"]), zone))
        for facts in connection.execute(query).scalars()
        if facts["therapist_id"] == therapist
    ]
    return [(start, end) for start, end in spans if start < until and end > since]


def _of_others(practice: "Practice", therapist: str) -> list[str]:
    """Sources that are another therapist's."""
    return [source.name for source in practice.settings.source if source.therapist not in ("", therapist)]


def _of_invitations(
    connection: Connection, therapist: str, since: Instant, until: Instant, without: Collection[str]
) -> list[tuple[Instant, Instant]]:
    """Appointments that their calendar is to hold and may not show yet."""
    query = select(_INVITED.c.wanted).where(
        _INVITED.c.recipient == therapist_recipient(therapist),
        _INVITED.c.end_at > since,
        _INVITED.c.state != InvitationState.dropped.value,
        _INVITED.c.uid.not_in(list(without)),
    )
    wanted = [wanted_of(facts) for facts in connection.execute(query).scalars()]
    return [(each.start, each.end) for each in wanted if not each.cancelled and each.start < until]


def last_starts(connection: Connection, client_id: int, now: Instant) -> list[Instant]:
    """When a client's last appointments began that were not called off, oldest first; of a client who has had none, the next ones."""
    mine = (
        select(_APPOINTMENTS.c.start_at)
        .join_from(_SIDES, _APPOINTMENTS, _APPOINTMENTS.c.id == _SIDES.c.appointment_id)
        .where(_SIDES.c.client_id == client_id, _SIDES.c.plan != Plan.cancelled.value)
        .limit(LOOKED_AT)
    )
    past = mine.where(_APPOINTMENTS.c.start_at <= now).order_by(_APPOINTMENTS.c.start_at.desc())
    found = connection.execute(past).scalars().all()
    if not found:
        ahead = mine.where(_APPOINTMENTS.c.start_at > now).order_by(_APPOINTMENTS.c.start_at)
        found = connection.execute(ahead).scalars().all()
    return sorted(found)
