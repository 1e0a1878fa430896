"""A therapist goes, for a while or for good: what is proposed for each client of the caseload, and by when they have to know."""

from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from models.columns import instant, row_id
from models.instants import DAY, FAR, Instant
from models.policy import Policy
from models.voice import Voice


class Choice(StrEnum):
    """What becomes of a client's care while their therapist is away."""

    waits = "waits"  # goes on when the therapist is back
    transfers = "transfers"  # to another therapist
    ends = "ends"  # by the steps of an ending


class LeavePlan(SQLModel, table=True):
    """One plan of one therapist's absence: `from_at` its first day's beginning, `to_at` its end (FAR: for good).

    `went_at` is when a person said go, `dropped_at` when the plan was given up; until either it is a draft and nothing happens.
    """

    __tablename__ = "leave_plan"

    id: int | None = row_id()
    therapist_id: str = Field(index=True)
    from_at: int = instant()
    to_at: int = instant()
    made_at: int = instant()
    made_by: str
    went_at: int | None = instant(nullable=True)
    went_by: str = ""
    dropped_at: int | None = instant(nullable=True)


class LeaveChoice(SQLModel, table=True):
    """What a person decided for one client in a plan, instead of what is proposed. `to_therapist` goes with `transfers` alone."""

    __tablename__ = "leave_choice"
    __table_args__ = (UniqueConstraint("plan_id", "client_id"),)

    id: int | None = row_id()
    plan_id: int = Field(foreign_key="leave_plan.id")
    client_id: int = Field(foreign_key="client.id")
    choice: str
    to_therapist: str = ""
    by: str
    at: int = instant()


class Standing(NamedTuple):
    """How one client of the caseload stands. `last` and `next` are starts of appointments (None: none), `rhythm` seconds between them,
    `before` how many are booked between now and the leave, `during` how many inside it, `goals_met` whether every goal is reached,
    `ending` whether an ending is going on, `careful` whether the client finds rejection hard."""

    last: Instant | None
    next: Instant | None
    rhythm: int
    before: int
    during: int
    goals_met: bool = False
    ending: bool = False
    careful: bool = False


class Proposal(NamedTuple):
    """What is proposed for a client, why (a code of WHY), and how many booked appointments it needs before the leave."""

    choice: Choice
    why: str
    needed: int


WHY: dict[str, str] = {
    "ending": "an ending is going on already",
    "goals_met": "all goals are reached",
    "for_good": "the therapist does not come back",
    "short": "the pause is no longer than this client can be expected to wait",
    "long": "the pause is longer than this client can be expected to wait",
}
"""Why something is proposed, in words."""


def propose(standing: Standing, from_at: Instant, to_at: Instant, policy: Policy) -> Proposal:
    """What is proposed for one client; a person decides.

    A leave is short for a client where, from their last appointment before it to its end, no more than `leave_waits_days` or twice
    their own rhythm go by. Everybody who stays needs one appointment in which it is said; whoever ends or changes needs
    room to process it too: one more, two for clients who find rejection hard.
    """
    room = 2 if standing.careful else 1
    if standing.ending:
        return Proposal(Choice.ends, "ending", 0)
    if to_at >= FAR:
        if standing.goals_met:
            return Proposal(Choice.ends, "goals_met", 1 + room)
        return Proposal(Choice.transfers, "for_good", 1 + room)
    seen = max(standing.last or 0, from_at - standing.rhythm)
    pause = to_at - min(seen, from_at)
    if pause <= max(policy.leave_waits_days * DAY, 2 * standing.rhythm):
        return Proposal(Choice.waits, "short", 1)
    return Proposal(Choice.transfers, "long", 1 + room)


def needed_for(choice: Choice, standing: Standing) -> int:
    """How many booked appointments before the leave a choice needs."""
    if standing.ending:
        return 0
    return 1 if choice is Choice.waits else 3 if standing.careful else 2


def told_by(from_at: Instant, policy: Policy) -> Instant:
    """By when clients have to know of a leave that begins then."""
    return from_at - int(policy.leave_told_days * DAY)


def asks(
    standing: Standing, choice: Choice, to_therapist: str, now: Instant, from_at: Instant, voice: Voice
) -> list[str]:
    """What is still to do for one client before the leave, as sentences for whoever plans; nothing is done by itself."""
    said: list[str] = []
    lacking = needed_for(choice, standing) - standing.before
    if lacking > 0 and now < from_at:
        many = "one more appointment" if lacking == 1 else f"{voice.count(lacking)} more appointments"
        said.append(f"Book {many} before {voice.day(from_at)}.")
    if standing.during:
        many = (
            "One appointment lies"
            if standing.during == 1
            else f"{voice.count(standing.during).capitalize()} appointments lie"
        )
        said.append(f"{many} inside the leave: move or cancel {'it' if standing.during == 1 else 'them'}.")
    if choice is Choice.transfers and not to_therapist:
        said.append("Name who takes over.")
    return said


class Colleague(NamedTuple):
    """Somebody who could take clients over."""

    id: str
    site: str
    clients: int
    new: bool = False
    away: bool = False


def cover(site: str, named: str, colleagues: list[Colleague]) -> str:
    """Who is proposed to take a client over: the named cover if there; else, of those at the same site who are neither new nor away,
    whoever has fewest clients. Empty where nobody is."""
    if any(one.id == named and not one.away for one in colleagues):
        return named
    free = [one for one in colleagues if not one.new and not one.away and one.site == site]
    return min(free, key=lambda one: (one.clients, one.id)).id if free else ""


def spread(sites: list[str], named: str, colleagues: list[Colleague]) -> list[str]:
    """The same for several clients by their sites, each taken over counting for the next: nobody gets them all."""
    load: dict[str, Any] = {one.id: one for one in colleagues}
    found = []
    for site in sites:
        who = cover(site, named, list(load.values()))
        if who:
            load[who] = load[who]._replace(clients=load[who].clients + 1)
        found.append(who)
    return found
