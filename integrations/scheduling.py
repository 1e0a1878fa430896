"""Free times of a therapist, those that suit a client, and what an invitation would say: read, or tried out and undone."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection

from integrations.messages.addresses import is_address
from integrations.rendering import Inviter
from integrations.store import busy, cases, identity, invitations, inviting, people
from models.errors import UsageError
from models.instants import DAY, Instant, day_of
from models.invitations import CLIENT, Wanted
from models.rhythm import rhythm_of
from models.slots import WEEKS, Proposal, Usual, free, less, proposals, usual

if TYPE_CHECKING:
    from integrations.practice import Practice

NO_ADDRESS = "no mail address of theirs is known, or another message about it is on its way; it waits"


class Slots(NamedTuple):
    """Times proposed, and what they were chosen by: the zone they are meant in, the client's rhythm (days; 0: none) and usual time."""

    zone: str
    rhythm_days: float
    usual: Usual | None
    proposals: tuple[Proposal, ...]


class Draft(NamedTuple):
    """What would be sent: the message as plain data, or None with the reason. `refused`: it may not be sent at all."""

    payload: dict[str, Any] | None
    problem: str
    refused: bool = False


def slots(
    practice: "Practice",
    connection: Connection,
    therapist: str,
    now: Instant,
    *,
    since: Instant,
    count: int,
    minutes: int,
    client_id: int | None = None,
    besides: Iterable[tuple[Instant, Instant]] = (),
) -> Slots:
    """Up to `count` times of so many minutes at which a therapist is free from `since` on, none that meets a span of `besides`; with a
    client those that suit them, and none in a break of theirs."""
    zone = people.zone_of(connection, therapist) or practice.zone
    policy = practice.book.of(therapist=therapist).policy
    rhythm, when, away = 0.0, None, list(besides)
    if client_id is not None:
        together = cases.shared(practice, connection, now)
        (row,) = cases.digests(connection, [client_id])
        case = together.case(row)
        rhythm = rhythm_of(case, together.policy(row).policy)[0] / DAY
        away += case.pauses
        when = usual(busy.last_starts(connection, client_id, now), zone)
    first = day_of(since, zone)
    last = first + timedelta(days=int(7 * WEEKS + count * max(rhythm, 1)))
    hours = busy.hours_of(practice, connection, therapist, first, last)
    buffer = int(policy.buffer_minutes * 60)
    taken = busy.busy(practice, connection, therapist, since - buffer, hours.closes(last) + buffer)
    spans = less(free(hours, taken, first, last, buffer=buffer), away)
    found = proposals(
        spans,
        zone=zone,
        since=since,
        count=count,
        length=minutes * 60,
        rhythm_days=rhythm,
        when=when,
        buffer=buffer,
    )
    return Slots(zone, rhythm, when, found)


def is_free(
    practice: "Practice",
    connection: Connection,
    therapist: str,
    start: Instant,
    end: Instant,
    *,
    without: Collection[str] = (),
) -> bool:
    """Whether a therapist works then and has nothing entered, but for invitations with these UIDs."""
    zone = people.zone_of(connection, therapist) or practice.zone
    first, last = day_of(start, zone), day_of(end, zone)
    hours = busy.hours_of(practice, connection, therapist, first, last)
    taken = busy.busy(practice, connection, therapist, start, end, without=without)
    return any(a <= start and end <= b for a, b in free(hours, taken, first, last))


def is_read(practice: "Practice", therapist: str) -> bool:
    """Whether a calendar is read that may be this therapist's: else what is free is only what the records show."""
    calendars = (source for source in practice.settings.source if source.kind == "calendar")
    return any(source.therapist in ("", therapist) for source in calendars)


class _Undone(Exception):
    """Ends a transaction that was only meant to be looked at."""


def draft(
    practice: "Practice",
    client_id: int,
    recipient: str,
    wanted: Wanted,
    now: Instant,
    *,
    uid: str = "",
    approved: str = "",
) -> Draft:
    """What would be sent if this were wanted now: made by the very code that sends it, and undone. It shows a client's address;
    looking at it is recorded by `must_be_reachable`."""
    result = Draft(None, "their calendar was told so already, or never of it at all")
    render = Inviter(practice)
    try:
        with practice.store.write() as connection:
            named = invitations.want(
                practice, connection, client_id, recipient, wanted, now, uid=uid, approved=approved, again=True
            )
            number = invitations.found(connection, named, recipient).id
            if number in inviting.due(connection, now):
                claimed = inviting.claim(
                    practice,
                    connection,
                    number,
                    now,
                    "draft",
                    lambda c, row: _address(practice, c, row, now),
                    render,
                )
                refusal = invitations.found(connection, named, recipient).outcome
                reason = refusal or (NO_ADDRESS if practice.settings.mail else "practice.toml has no [mail]")
                result = Draft(claimed.payload, "") if claimed else Draft(None, reason, bool(refusal))
            raise _Undone
    except _Undone:
        return result


def _address(practice: "Practice", connection: Connection, row: Any, now: Instant) -> str:
    """The address that it would be sent to: whoever says yes sees to whom."""
    if practice.settings.mail is None:
        return ""
    kind, _, whose = row.recipient.partition(":")
    if f"{kind}:" != CLIENT:
        return people.addresses(connection, practice.vault).get(whose, "")
    said = identity.contact(connection, practice.vault, whose, row.approved, now)
    return said if is_address(said) else ""


def must_be_reachable(practice: "Practice", code: str, who: str, now: Instant) -> None:
    """Raise UsageError unless a client's mail address is recorded; audited, since it is looked at."""
    with practice.store.write() as connection:
        said = identity.contact(connection, practice.vault, code, who, now)
    if not is_address(said):
        raise UsageError(
            f"The record of {code} holds no mail address as contact; add it in the clients file, or tell the client yourself."
        )
