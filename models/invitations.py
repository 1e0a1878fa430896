"""Invitations to appointments: what somebody's calendar is to hold, what it was last told, and the one message between the two."""

from enum import StrEnum
from typing import Any, NamedTuple, Self

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.columns import instant, json_facts, row_id
from models.instants import DAY, Instant, at_wall, wall_of

CLIENT = "client:"
NOWHERE = "tending.invalid"
"""Stands behind the @ of a UID of ours, where programs expect a name: it tells of no practice (RFC 2606)."""
WAITED_LONG = DAY
"""After so many seconds a calendar that does not hold what it should is shown to a person."""


class Method(StrEnum):
    """What a message asks a calendar to do (RFC 5546, 3.2)."""

    request = "REQUEST"
    cancel = "CANCEL"


class InvitationState(StrEnum):
    """Where one calendar's side stands."""

    even = "even"  # it was told what is wanted
    waiting = "waiting"  # for a message to be sent
    underway = "underway"  # one is being given to the mail server
    asked = "asked"  # nobody knows whether it arrived, or it was refused for good: a person is asked
    dropped = "dropped"  # it is not sent, and `outcome` says why; what is wanted next is


class Wanted(NamedTuple):
    """What one calendar is to hold: a wall time in a zone (IANA), a length, words without identity, and whether it is called off.

    The instants follow from wall time and zone by today's zone data, so that a change of the law is a change to be told.
    """

    wall: str
    zone: str
    minutes: int
    summary: str
    location: str = ""
    cancelled: bool = False

    @classmethod
    def at(cls, start: Instant, minutes: int, zone: str, summary: str, location: str = "") -> Self:
        """The same from an instant. A wall time that means another instant (the second of two) is kept in UTC."""
        wall = wall_of(start, zone)
        if at_wall(wall, zone) != start:
            wall, zone = wall_of(start, "UTC"), "UTC"
        return cls(wall, zone, minutes, summary, location)

    @property
    def start(self) -> Instant:
        return at_wall(self.wall, self.zone)

    @property
    def end(self) -> Instant:
        return self.start + self.minutes * 60


class Sent(NamedTuple):
    """What a calendar was last told, or shows since its owner changed it: the instants as they were told."""

    start: Instant
    end: Instant
    summary: str
    location: str = ""
    cancelled: bool = False


class Going(NamedTuple):
    """One message as it was allocated when it was claimed: what it says, its SEQUENCE and DTSTAMP (RFC 5545)."""

    method: Method
    says: Sent
    sequence: int
    stamp: Instant


class Seen(NamedTuple):
    """Our own entry as its owner's calendar shows it; `gone` where it was taken out of it or is called off there."""

    start: Instant
    end: Instant
    sequence: int
    gone: bool = False


def said_by(wanted: Wanted) -> Sent:
    """What a message about this says."""
    return Sent(wanted.start, wanted.end, wanted.summary, wanted.location, wanted.cancelled)


def message_between(wanted: Wanted, sent: Sent | None) -> Method | None:
    """The one message that takes a calendar from what it was told to what is wanted; None where there is nothing to tell. What was never
    sent is never called off."""
    if wanted.cancelled:
        return None if sent is None or sent.cancelled else Method.cancel
    return None if said_by(wanted) == sent else Method.request


def allocated(wanted: Wanted, sent: Sent | None, last: Going | None, now: Instant) -> Going | None:
    """The message to send now. SEQUENCE rises with every message that differs from the one before, DTSTAMP always; `last` is the
    message allocated before, whether or not it arrived."""
    method = message_between(wanted, sent)
    if method is None:
        return None
    says = said_by(wanted)
    if last is None:
        return Going(method, says, 0, now)
    return Going(method, says, last.sequence + 1, max(now, last.stamp + 1))


class Echo(StrEnum):
    """What our own entry, seen again, says."""

    same = "same"  # what we last told, or a message of ours that has not come through yet
    theirs = "theirs"  # its owner changed it


def echo(seen: Seen, sent: Sent | None, going: Going | None, earlier: list[tuple[Instant, Instant]]) -> Echo:
    """Whether an entry is our own echo or its owner's change. `going` is the last message allocated, `earlier` the times told before.

    Only times count: its owner may call it what they like. What its owner took out or declined and has back is their change as well.
    """
    taken_off = sent is not None and sent.cancelled and going is not None and not going.says.cancelled
    if taken_off and not seen.gone and seen.sequence >= (going.sequence if going else 0):
        return Echo.theirs
    told = [each for each in (sent, going.says if going else None) if each is not None]
    if seen.gone:
        return Echo.same if any(each.cancelled for each in told) else Echo.theirs
    if any(not each.cancelled and (each.start, each.end) == (seen.start, seen.end) for each in told):
        return Echo.same
    # A calendar that has not taken in the newest message yet still shows an older one, under that one's number.
    late = going is not None and seen.sequence < going.sequence and (seen.start, seen.end) in earlier
    return Echo.same if late else Echo.theirs


class Invitation(SQLModel, table=True):
    """One calendar's side of one appointment. `uid` (RFC 5545) cannot be guessed and is the appointment's for good; `recipient` is
    `therapist:<id>` or `client:<code>`, `entry_id` the keyed hash under which the entry is known when a calendar shows it.

    `wanted`, `sent` and `going` are the tuples above (`sent` and `going` empty before there are any); `earlier` are the (start, end) told
    before, `told` every message that left, or may have: its DTSTAMP, its method, the start it says and what became of it (a
    MessageState). `about` is what it belongs to, such as an ending; `approved` is who approved a client's message, for exactly
    what is wanted.
    """

    __tablename__ = "invitation"
    __table_args__ = (UniqueConstraint("uid", "recipient"), Index("ix_invitation_due", "state", "end_at"))

    id: int | None = row_id()
    uid: str
    recipient: str
    entry_id: str = Field(index=True)
    client_id: int = Field(foreign_key="client.id", index=True)
    about: str = ""
    wanted: dict[str, Any] = json_facts()
    sent: dict[str, Any] = json_facts()
    going: dict[str, Any] = json_facts()
    earlier: list[Any] = Field(default_factory=list, sa_type=JSON)
    told: list[Any] = Field(default_factory=list, sa_type=JSON)
    approved: str = ""
    state: str = InvitationState.waiting
    outcome: str = ""
    end_at: int = instant()
    wanted_since: int = instant()
    not_before: int = instant()
    tries: int = 0
    message_id: int | None = Field(default=None, index=True)


def wanted_of(facts: dict[str, Any]) -> Wanted:
    """What is wanted, as it is stored."""
    return Wanted(**facts)


def sent_of(facts: dict[str, Any]) -> Sent | None:
    """What was sent, as it is stored."""
    return Sent(**facts) if facts else None


def going_of(facts: dict[str, Any]) -> Going | None:
    """The last message allocated, as it is stored."""
    if not facts:
        return None
    return Going(Method(facts["method"]), Sent(**facts["says"]), facts["sequence"], facts["stamp"])


def going_facts(going: Going) -> dict[str, Any]:
    """The same, to be stored."""
    return {**going._asdict(), "method": going.method.value, "says": going.says._asdict()}
