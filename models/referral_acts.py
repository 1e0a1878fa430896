"""What can be said of a referral: the acts, the closed lists that go with them, and their plain form as facts of an observation."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from models.instants import Instant

NOT_KNOWN = -1
LEAST_OPTIONS = (
    3  # three or more referrals with address and phone (Bernstein and Hartsell, secondary; a provider policy, seen)
)
LONGEST_PURPOSE = 200  # characters of what a consent is for

CLOSE_REASONS: dict[str, str] = {
    "came-back": "the client came back to us",
    "elsewhere": "the client is looked after elsewhere",
    "no-need": "no further help is needed",
    "out-of-contact": "the client could not be reached, and the attempts are written down",
    "no-provider": "no suitable provider was found, and the client knows",
    "died": "the client has died",
    "mistake": "it was written down by mistake",
}
"""Why a person may close a loop that did not close by itself, by code, in words."""
FEWER: dict[str, str] = {
    "none-nearby": "there are not three within reach",
    "language": "there are not three in the client's language",
    "insurer": "there are not three that the client's insurer pays",
    "client-wish": "the client wishes so",
}
"""Why fewer than three options may be offered."""
WHO_CONSENTS: dict[str, str] = {"client": "the client", "guardian": "somebody who may consent for the client"}


class What(StrEnum):
    """What was said."""

    offered = "offered"
    refused = "refused"
    chosen = "chosen"
    self_arranged = "self-arranged"
    consented = "consented"
    sent = "sent"
    news = "news"
    attended = "attended"
    fits = "fits"
    closed = "closed"


class ReferralAct(NamedTuple):
    """One act: `at` when it was said and `by` whom. What goes with it: the `providers` offered with whether `follow_up` was agreed and
    whether it is under 42 CFR `part2`; the `provider` chosen, consented to, sent to or telling; the `word` of news; the `day` of a visit
    as an instant (-1: none); whether it `fits`; a `reason` of the closed lists, or who consents."""

    referral: str
    what: What
    at: Instant
    by: str = ""
    provider: str = ""
    providers: tuple[str, ...] = ()
    follow_up: bool = False
    part2: bool = False
    word: str = ""
    day: Instant = NOT_KNOWN
    fits: bool = False
    reason: str = ""
    via: str = ""


def facts_of(act: ReferralAct) -> dict[str, Any]:
    """As an observation holds it."""
    return {**act._asdict(), "what": act.what.value, "providers": list(act.providers)}


def act_of(facts: Mapping[str, Any]) -> ReferralAct:
    """The act of an observation's facts."""
    values = {name: facts[name] for name in ReferralAct._fields if name in facts}
    return ReferralAct(**values | {"what": What(facts["what"]), "providers": tuple(facts.get("providers", ()))})
