"""The one table that says what may be sent to whom about a client, outside all rules; for clients the default is no."""

from enum import StrEnum
from typing import NamedTuple


class Audience(StrEnum):
    therapist = "therapist"
    admin = "admin"
    client = "client"


class Urgency(StrEnum):
    """The class of a notice: what delays it, what merges it, and what happens to it after an outage."""

    ordinary = "ordinary"  # next working morning, merged per recipient, capped, expires
    duty = "duty"  # like an ordinary one, about what the end of care does not end: an ending's steps, a referral
    prompt = "prompt"  # at once inside working hours, merged, expires
    weekly = "weekly"  # a list once a week
    cancellation = "cancellation"  # an appointment will not take place: never muted
    system = "system"  # to the administrator, at once, never muted
    outreach = "outreach"  # newsletters, advertisement, requests for reviews: nothing of care, and never sent
    safety = "safety"  # at once, day and night, never capped or muted


class State(NamedTuple):
    """What of a client, and of the message, decides whether it may be sent."""

    died: bool = False
    opted_out: bool = False
    paused: bool = False
    ended: bool = False
    approved: bool = False  # a person approved exactly this message


class Answer(NamedTuple):
    allowed: bool
    reason: str


# Rows are tried from the top, the first that fits decides: audience, class, state that matters (None: any), allowed, reason.
TABLE: tuple[tuple[Audience | None, Urgency | None, str | None, bool, str], ...] = (
    (None, Urgency.outreach, None, False, "nothing beside care is sent, during therapy or after it"),
    (Audience.client, None, "died", False, "the client has died"),
    (None, Urgency.safety, None, True, "a safety notice is never silenced"),
    (Audience.client, Urgency.cancellation, None, True, "a cancellation is never silenced"),
    (Audience.client, None, "opted_out", False, "the client asked not to be written to"),
    (Audience.client, None, "paused", False, "the client's care is paused"),
    (Audience.client, None, "approved", True, "a person approved this message"),
    (Audience.client, None, None, False, "nothing is sent to clients unless a person approved it"),
    (Audience.admin, None, None, True, "a duty of staff"),
    (Audience.therapist, Urgency.cancellation, None, True, "a duty of staff"),
    (Audience.therapist, Urgency.weekly, None, True, "a duty of staff"),
    (Audience.therapist, Urgency.system, None, True, "a duty of staff"),
    (Audience.therapist, Urgency.duty, None, True, "a duty of staff"),
    (Audience.therapist, None, "died", False, "the client has died: nothing is asked about them"),
    (Audience.therapist, None, "ended", False, "care has ended: nothing is asked"),
    (Audience.therapist, None, None, True, "a duty of staff"),
)


def eligible(urgency: Urgency, audience: Audience, state: State) -> Answer:
    """Whether a notice of that class may go to that audience about a client in that state, and why."""
    for row_audience, row_urgency, matters, allowed, reason in TABLE:
        if row_audience not in (None, audience) or row_urgency not in (None, urgency):
            continue
        if matters is None or getattr(state, matters):
            return Answer(allowed, reason)
    return Answer(False, "no rule allows it")
