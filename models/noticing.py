"""From a finding to the one notice for it: who is told, how urgently, when, and what has to hold when it is sent."""

from typing import Any, NamedTuple

from models.disclosure import Disclosure
from models.eligibility import Audience, Urgency
from models.instants import DAY, HOUR, Instant
from models.notices import NoticeState
from models.policy import Policy
from models.rule import Kind, Verdict
from models.timing import Hours, not_before

ADMIN = "admin"
THERAPIST = "therapist:"
ANSWERED = "it was answered"  # why a notice is called off


class NoticeKey(NamedTuple):
    """What makes a notice the only one of its reason."""

    subject: str
    purpose: str
    generation: int
    step: int
    recipient: str


TO_SUPERVISOR, TO_ADMIN = 1, 2


class Step(NamedTuple):
    """Who hears next of what nobody has answered: `number` TO_SUPERVISOR or TO_ADMIN, after so many `seconds`."""

    number: int
    seconds: int


def next_step(step: int, policy: Policy, *, supervised: bool, safety: bool) -> Step | None:
    """The step after `step` (0: the therapist was told); None where nobody comes next. Without a supervisor the administrator does."""
    if step >= TO_ADMIN:
        return None
    number = TO_SUPERVISOR if step == 0 and supervised else TO_ADMIN
    if safety:
        return Step(number, round(policy.safety_climb_hours * HOUR))
    days = policy.climb_to_supervisor_days if number == TO_SUPERVISOR else policy.climb_to_admin_days
    before = policy.climb_to_supervisor_days if step == TO_SUPERVISOR else 0
    return Step(number, round(max(0, days - before) * DAY))


def therapist_recipient(therapist_id: str) -> str:
    """The recipient of what concerns a therapist's client; the administrator where nobody is named."""
    return f"{THERAPIST}{therapist_id}" if therapist_id else ADMIN


def finding_notice(
    client_id: int,
    rule: str,
    kind: Kind,
    verdict: Verdict,
    generation: int,
    recipient: str,
    policy: Policy,
    hours: Hours,
    now: Instant,
    *,
    step: int = 0,
) -> dict[str, Any]:
    """The row of a notice about a finding: when it opens or is to be told again, or (`step`) to whom it goes since nobody has answered."""
    urgency = Urgency.prompt if policy.speak == "at_once" else Urgency.ordinary
    if kind.duty:
        urgency = Urgency.duty
    if kind.speaks == "safety":
        urgency = Urgency.safety
    return notice_row(
        NoticeKey(f"client:{client_id}", f"{rule}.{verdict.kind}", generation, step, recipient),
        urgency,
        not_before(urgency, hours, now),
        int(policy.notice_expires_days * DAY),
        now,
        client_id=client_id,
        requires={"finding": verdict.kind, "generation": generation},
        facts={"reason": verdict.reason, "facts": list(verdict.facts)},
    )


def notice_row(
    key: NoticeKey,
    urgency: Urgency,
    when: Instant,
    lasts: int,
    now: Instant,
    *,
    client_id: int | None = None,
    requires: dict[str, Any] | None = None,
    facts: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The row of any notice; `lasts` seconds after `when` it is no longer worth sending."""
    return {
        **key._asdict(),
        "client_id": client_id,
        "audience": (Audience.admin if key.recipient == ADMIN else Audience.therapist).value,
        "urgency": urgency.value,
        "level": int(Disclosure.clinical),
        "requires": requires or {},
        "facts": facts or {},
        "made_at": now,
        "not_before": when,
        "expires_at": when + lasts,
        "state": NoticeState.waiting.value,
        "tries": 0,
        "outcome": "",
        "decided_at": None,
        "message_id": None,
    }
