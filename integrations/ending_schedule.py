"""Endings and their appointments: what stands has its part first, what is lacking is proposed to the therapist, and to clients goes only
what a person approved."""

import uuid
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection

from integrations import scheduling
from integrations.store import acts, audit, invitations, people, terminations
from integrations.store import ending_schedule as store
from integrations.store.ending_rows import KIND, open_rows
from integrations.store.terminations import About
from integrations.store.turns import take_turn
from models.case import ENDED
from models.ending_acts import Act, State, Termination, What, is_therapist
from models.ending_plan import roles
from models.ending_refusals import refuse
from models.ending_schedule import (
    Entry,
    Problem,
    Schedule,
    held_parts,
    looked_for_from,
    most_new,
    need_of_appointments,
    nothing_new,
    planned,
    schedule_of,
)
from models.ending_steps import Need
from models.errors import TendingError, UsageError
from models.instants import DAY, Instant
from models.invitations import CLIENT, NOWHERE, InvitationState, Wanted, wanted_of
from models.noticing import therapist_recipient
from models.rhythm import rhythm_of
from models.told import NOT_KNOWN

if TYPE_CHECKING:
    from integrations.practice import Practice

NOBODY = "tending"  # who acts at a wake-up


class Planned(NamedTuple):
    """An ending with its appointments as they stand now, what could be told to the client, whether what is lacking would be proposed to
    the therapist unasked, whether its next step may be said to be done, and the starts of what lies ahead with the therapist and is not
    this ending's own."""

    stands: Termination
    schedule: Schedule
    news: tuple["News", ...]
    by_itself: bool = False
    doable: bool = False
    ahead: tuple[Instant, ...] = ()


class News(NamedTuple):
    """What a client's calendar could be told of one appointment, after a person approved it: a new time, another one, or that it is off."""

    uid: str
    wanted: Wanted


# ---------------------------------------------------------------- as it stands


def planned_for(practice: "Practice", connection: Connection, client_id: int, now: Instant) -> Planned | None:
    """The newest ending of a client with its appointments, and what would be proposed; None where none was started. Changes nothing."""
    who = terminations.about(practice, connection, client_id, now)
    stands = terminations.newest(connection, client_id, died=who.died)
    if stands is None:
        return None
    found, entries = _schedule(practice, connection, who, stands, now)
    news = tuple(_news(practice, connection, who, stands, entries, now))
    left = stands.left()
    doable = bool(left) and terminations.can_be_done(who, stands, left[0], now)
    return Planned(stands, found, news, _by_itself(stands, who), doable, _still_ahead(connection, who, stands, now))


def _still_ahead(connection: Connection, who: About, stands: Termination, now: Instant) -> tuple[Instant, ...]:
    """What a person keeps or calls off when an ending closes: nobody else asks for it. Nothing of somebody who has died."""
    if stands.died or not who.therapist:
        return ()
    entries = store.ahead(connection, who.id, who.therapist, stands.id, now, NOT_KNOWN)
    return tuple(entry.start for entry in entries if not entry.uid)


def _schedule(
    practice: "Practice", connection: Connection, who: About, stands: Termination, now: Instant
) -> tuple[Schedule, list[Entry]]:
    need = need_of_appointments(stands)
    starts = who.case.begun_since(stands.started_at)
    if need is Need.none or not who.therapist:
        return Schedule(need, who.therapist), []
    if not roles(stands.needed, held_parts(stands, starts)):  # what stands is for a person to keep or to call off
        return Schedule(need, who.therapist, beyond=_still_ahead(connection, who, stands, now)), []
    entries = [
        _judged(practice, connection, who, stands, entry, now)
        for entry in store.ahead(connection, who.id, who.therapist, stands.id, now, stands.until)
    ]
    found = planned(stands, starts, entries, now)
    most = min(most_new(stands, starts), len(found.missing)) if need is Need.required else 0
    if not most or who.case.blind:
        return schedule_of(stands, who.therapist, found, entries, (), 0, now, who.case.blind if most else ()), entries
    rhythm, minutes = rhythm_of(who.case, who.policy)[0], practice.settings.invitations.minutes
    free = scheduling.slots(
        practice,
        connection,
        who.therapist,
        now,
        since=looked_for_from(found, starts, rhythm, now),
        count=most,
        minutes=minutes,
        client_id=who.id,
        besides=[(one.start, one.start + minutes * 60) for one in stands.proposed],
    )
    return schedule_of(stands, who.therapist, found, entries, free.proposals, most, now), entries


def _judged(
    practice: "Practice", connection: Connection, who: About, stands: Termination, entry: Entry, now: Instant
) -> Entry:
    """The entry, with why it can have no part of the ending, if it cannot."""
    if any(start <= entry.start < end for start, end in who.case.pauses):
        return entry._replace(problem=Problem.away)
    if stands.until != NOT_KNOWN and entry.end > stands.until:
        return entry._replace(problem=Problem.late)
    if not entry.uid or entry.entered:
        return entry
    at = next((one.at for one in stands.proposed if one.uid == entry.uid), now)
    if now >= at + round(who.policy.ending_proposal_days * DAY) and not who.case.blind:
        return entry._replace(problem=Problem.not_entered)
    # What the calendar shows already fills its own time.
    if not entry.shown and not scheduling.is_free(
        practice, connection, who.therapist, entry.start, entry.end, without=(entry.uid,)
    ):
        return entry._replace(problem=Problem.not_free)
    return entry


def _news(
    practice: "Practice",
    connection: Connection,
    who: About,
    stands: Termination,
    entries: list[Entry],
    now: Instant,
) -> list[News]:
    """Of what this ending proposed: what the therapist's calendar shows and the client was not told, and what the client was told and is
    off. What the therapist has not entered yet is not said to be so; after the client's death there is nobody to be told."""
    if stands.died:
        return []
    entered = {entry.uid for entry in entries if entry.uid and entry.entered and entry.problem is None}
    found = []
    for uid, therapists, clients in store.sides(connection, who.id, stands.id, now):
        wanted = wanted_of(therapists.wanted)
        before = wanted_of(clients.wanted) if clients is not None else None
        if stands.is_open and not wanted.cancelled and uid in entered:
            wanted = wanted._replace(summary=practice.settings.invitations.title)
            if before != wanted or clients.state == InvitationState.dropped:
                found.append(News(uid, wanted))
        elif wanted.cancelled and before is not None and not before.cancelled and before.start > now:
            found.append(News(uid, before._replace(cancelled=True)))
    return found


# ---------------------------------------------------------------- proposed to the therapist


def propose(
    practice: "Practice", connection: Connection, client_id: int, by: str, now: Instant, *, act_id: str = ""
) -> Planned | None:
    """Propose to the therapist, by a person's word, what an ending lacks; what was proposed and cannot be counted on is called off. Answers
    what stood before; None where that was said before under this `act_id`. Raises UsageError where there is nothing to propose, or no
    ending that goes on; nothing is changed then."""
    take_turn(connection)
    if act_id and any(act.id == act_id for act in acts.of_client(connection, client_id, KIND)):
        return None
    found = planned_for(practice, connection, client_id, now)
    who = terminations.about(practice, connection, client_id, now)
    act = Act(found.stands.id if found else "", What.proposed, now, by)
    if (why := refuse(found.stands if found else None, act, who.policy, died=who.died)) is not None:
        raise UsageError(why)
    assert found is not None
    if not found.schedule.new:
        raise UsageError(nothing_new(found.schedule))
    for entry in found.schedule.replaced:
        invitations.call_off(practice, connection, entry.uid, therapist_recipient(who.therapist), now)
    _propose(practice, connection, who, act, found.schedule, act_id or uuid.uuid4().hex)
    return found


def propose_first(practice: "Practice", client_id: int, now: Instant) -> int:
    """At a wake-up, once in an ending and never where the client finds rejection hard: propose to the therapist what it lacks. Answers how
    many appointments were proposed. Where nothing can be told or is free, it is tried again at the next wake-up."""
    with practice.store.write() as connection:
        take_turn(connection)
        who = terminations.about(practice, connection, client_id, now)
        stands = terminations.newest(connection, client_id, died=who.died)
        if stands is None or not _by_itself(stands, who):
            return 0
        schedule, _ = _schedule(practice, connection, who, stands, now)
        if not schedule.lines or (schedule.missing and not schedule.new):
            return 0
        act = Act(stands.id, What.proposed, now, NOBODY)
        _propose(practice, connection, who, act, schedule, f"{stands.id}-first")
        return len(schedule.new)


def _is_first(stands: Termination) -> bool:
    asks = need_of_appointments(stands) is Need.required
    return asks and not stands.careful and stands.proposed_at == NOT_KNOWN


def _by_itself(stands: Termination, who: About) -> bool:
    """Whether it may be proposed unasked: once, and neither where rejection is hard nor where care has ended by the record."""
    return _is_first(stands) and who.case.status != ENDED


def _propose(
    practice: "Practice", connection: Connection, who: About, act: Act, schedule: Schedule, act_id: str
) -> None:
    """Want each new appointment in the therapist's calendar, and keep what was proposed as an act of the ending. Its UIDs follow from our
    keys and the act: nobody else can guess them."""
    settings = practice.settings.invitations
    zone = people.zone_of(connection, who.therapist) or practice.zone
    parts = []
    for line in schedule.new:
        wanted = Wanted.at(
            line.start, (line.end - line.start) // 60, zone, f"{settings.title} {who.code}", settings.place
        )
        recipient, about = therapist_recipient(who.therapist), f"{store.ABOUT}{act.ending}"
        uid = f"{practice.vault.hash('content', f'{act_id} {line.start}')}@{NOWHERE}"
        invitations.want(practice, connection, who.id, recipient, wanted, act.at, uid=uid, about=about)
        parts.append((uid, line.start, line.role.value))
    acts.record(practice, connection, who.id, KIND, act._replace(parts=tuple(parts)).facts(), act.at, act_id=act_id)
    if parts:
        audit.record(connection, act.at, act.by, "ending proposed", who.code, {"appointments": len(parts)})


# ---------------------------------------------------------------- told to the client


def tell_client(
    practice: "Practice", connection: Connection, client_id: int, ending: str, news: News, approved: str, now: Instant
) -> None:
    """Want one message to the client, which a person `approved` as it is: their therapist at the desk, or at a terminal somebody who says
    that the therapist did."""
    who = terminations.about(practice, connection, client_id, now)
    recipient = f"{CLIENT}{who.code}"
    about = f"{store.ABOUT}{ending}"
    invitations.want(
        practice, connection, client_id, recipient, news.wanted, now, uid=news.uid, about=about, approved=approved
    )
    said = "client's appointment called off" if news.wanted.cancelled else "client invited"
    for_whom = {} if is_therapist(approved) else {"as_approved_by": who.therapist}
    audit.record(connection, now, approved, said, who.code, {"ending": True, "start": news.wanted.start, **for_whom})


# ---------------------------------------------------------------- over


def settle(practice: "Practice", connection: Connection, client_id: int, ending: str, now: Instant) -> int:
    """After an ending is over, or its client has died: what it proposed and has not taken place is called off in the therapist's calendar.
    The client's side is nobody's but a person's to call off. Answers how many appointments that were."""
    take_turn(connection)
    return store.call_off(practice, connection, client_id, ending, now)


def wake_up(practice: "Practice", now: Instant) -> list[Exception]:
    """All of it at a wake-up: what is over is called off, what has begun is proposed. Each client in a transaction of their own; answers
    the errors of those that are tried again at the next one."""
    faults: list[Exception] = []
    with practice.store.read() as connection:
        over = store.to_call_off(connection, now)
        going = [row.client_id for row in open_rows(connection) if row.state == State.going and not row.careful]
        newest = {client: terminations.newest(connection, client, died=False) for client in going}
    for client_id, ending in over:
        with practice.store.write() as connection:
            settle(practice, connection, client_id, ending, now)
    for client_id in (client for client, stands in newest.items() if stands is not None and _is_first(stands)):
        try:
            propose_first(practice, client_id, now)
        except TendingError:
            raise  # the database's trouble
        except Exception as error:
            faults.append(error)
    return faults
