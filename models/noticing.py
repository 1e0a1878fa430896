"""From a finding to the one notice for it: who is told, how urgently, when, and what has to hold when it is sent."""

from typing import Any, NamedTuple

from models.disclosure import Disclosure
from models.eligibility import Audience, Urgency
from models.instants import DAY, Instant
from models.notices import NoticeState
from models.policy import Policy
from models.rule import Verdict
from models.timing import Hours, not_before

ADMIN = "admin"


class NoticeKey(NamedTuple):
    """What makes a notice the only one of its reason."""

    subject: str
    purpose: str
    generation: int
    step: int
    recipient: str


def therapist_recipient(therapist_id: str) -> str:
    """The recipient of what concerns a therapist's client; the administrator where nobody is named."""
    return f"therapist:{therapist_id}" if therapist_id else ADMIN


def finding_notice(
    client_id: int,
    rule: str,
    verdict: Verdict,
    generation: int,
    therapist_id: str,
    policy: Policy,
    hours: Hours,
    now: Instant,
) -> dict[str, Any]:
    """The row of a notice about a finding that has just opened."""
    urgency = Urgency.prompt if policy.speak == "at_once" else Urgency.ordinary
    recipient = therapist_recipient(therapist_id)
    return notice_row(
        NoticeKey(f"client:{client_id}", f"{rule}.{verdict.kind}", generation, 0, recipient),
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
