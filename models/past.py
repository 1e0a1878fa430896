"""What became of one client's care, as plain facts: what a page about it is made of."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from models.instants import Instant
from models.timeline_acts import Act
from models.told import NOT_KNOWN


class Met(NamedTuple):
    """One appointment of the client: `plan` as in models.observations, `mark` as a Mark."""

    start: Instant
    plan: str
    mark: int
    cancelled_by: str | None


class Tie(NamedTuple):
    """Who looked after the client, from a day to a day (both may be unknown)."""

    kind: str
    therapist_id: str
    from_on: date | None
    to_on: date | None


class Given(NamedTuple):
    """A goal or a score as it stands: its facts, and when it was first known."""

    facts: Mapping[str, Any]
    known_at: Instant


class Turn(NamedTuple):
    """One row of the history of the client's findings."""

    at: Instant
    what: str
    kind: str
    opened: str


class Sent(NamedTuple):
    """One notice about the client that became part of a message: `to` as in the ledger, `state` a MessageState."""

    at: Instant
    to: str
    purpose: str
    state: str


class Invited(NamedTuple):
    """One message to a calendar about an appointment of the client that begins at `start`: `to` as in the ledger, `method` a Method,
    `again` whether that calendar was told of it before, `state` a MessageState."""

    at: Instant
    to: str
    method: str
    start: Instant
    again: bool
    state: str


class Recorded(NamedTuple):
    """One act of the audit about the client, with the appointment that it is about, where there is one (its start, else -1)."""

    at: Instant
    who: str
    act: str
    start: Instant = NOT_KNOWN


class Past(NamedTuple):
    """All that is known of one client's care, free of identity but for logins in `recorded` and acts. `therapist_id` is the main one now,
    `head` that of the sealed audit."""

    code: str
    status: str
    died: bool
    intake_on: date | None
    ended_on: date | None
    died_on: date | None
    appointments: Sequence[Met] = ()
    ties: Sequence[Tie] = ()
    breaks: Sequence[tuple[date, date]] = ()
    goals: Sequence[Given] = ()
    scores: Sequence[Given] = ()
    acts: Sequence[Act] = ()
    findings: Sequence[Turn] = ()
    sent: Sequence[Sent] = ()
    invited: Sequence[Invited] = ()
    recorded: Sequence[Recorded] = ()
