"""What people said about a client's care, as sentences of the timeline: one function for each kind of act.

An act whose words nobody here knows is shown by its plain name. Nothing but words of a code's shape is ever taken from an act's
facts, so that no free text, and nobody's name, can come onto the page by an act that was written elsewhere.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from models.answers import Reply, said
from models.ending_steps import COULD_NOT_WORDS, REASON_WORDS, STEP_WORDS
from models.instants import FAR, Instant
from models.kinds import all_kinds
from models.naming import Pen
from models.voice import Voice

_REFERENCE = re.compile(r"[A-Z]-[0-9A-Z]{4,12}")
_CODE = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_NAMED_BY = ("what", "act", "said", "step", "state")
"""Under which of these an act's facts name it: the first that is there."""
_MORE = ("step", "reason", "means", "outcome", "because", "how")


class Act(NamedTuple):
    """One act: its kind (one of models.observations.TOLD), its facts, when it became known, and when it was taken back, if it was."""

    kind: str
    facts: Mapping[str, Any]
    known_at: Instant
    taken_back_at: Instant | None = None


def answer_line(facts: Mapping[str, Any], pen: Pen) -> str:
    """What was answered to a finding, as it was said on that day, and by whom."""
    try:
        reply, at = Reply(facts["reply"]), facts["at"]
        sentence = said(reply, facts.get("until", FAR), facts.get("days", 0), facts.get("reason", ""), _then(pen, at))
    except (KeyError, ValueError):
        sentence = f"{plainly(facts)}."
    return f"{label_of(str(facts.get('kind', 'answer')))}: {sentence}{_by(facts, pen)}"


ENDING: Mapping[str, str] = {
    "started": "Ending begun",
    "stopped": "Somebody wanted to begin an ending and was stopped",
    "careful": "To be ended with extra care",
    "confirmed": "Ending confirmed",
    "declined": "Ending not confirmed",
    "done": "Step done",
    "could-not": "Step could not be done",
    "reopened": "Step open again",
    "attempt": "Tried to reach the client",
    "approved": "An attempt to reach the client approved",
    "proposed": "Appointments proposed to the therapist",
    "withdrawn": "Ending withdrawn",
    "closed": "Ending closed",
}
STEPS: Mapping[str, str] = {step.value: words[:1].lower() + words[1:] for step, words in STEP_WORDS.items()}
REASONS: Mapping[str, str] = {
    one.value: words for table in (REASON_WORDS, COULD_NOT_WORDS) for one, words in table.items()
}
REFERRAL: Mapping[str, str] = {
    "offered": "Offered",
    "refused": "The client refused",
    "chosen": "The client chose",
    "self-arranged": "The client arranges it",
    "consented": "Consent recorded",
    "sent": "Referral letter sent",
    "news": "News",
    "attended": "The client went there",
    "closed": "Closed",
}


def ending_line(facts: Mapping[str, Any], pen: Pen) -> str:
    """One thing said about an ending: what, which step, and why."""
    said = ENDING.get(str(facts.get("what")))
    if said is None:
        return f"{plainly(facts).capitalize() or 'Ending'}.{_by(facts, pen)}"
    wish = _code(facts.get("wished_by"))
    more = [
        STEPS.get(str(facts.get("step")), _code(facts.get("step"))),
        REASONS.get(str(facts.get("reason")), _code(facts.get("reason"))),
        f"the {wish}'s wish" if wish in ("client", "therapist") else "",
        f"by {means}" if (means := _code(facts.get("means"))) else "",
        *_starts(facts.get("parts"), pen),
    ]
    return f"{_joined(said, more)}.{_by(facts, pen)}"


def _starts(parts: Any, pen: Pen) -> list[str]:
    """When each appointment that was proposed begins; nothing of what is no such list."""
    found = [one[1] for one in parts if isinstance(one, (list, tuple)) and len(one) == 3] if parts else []
    return [pen.moment(start) for start in found if isinstance(start, int)]


def referral_line(facts: Mapping[str, Any], pen: Pen) -> str:
    """One thing said about a referral, with its reference; providers by their number alone, and not at all where it is redacted."""
    reference = str(facts.get("referral", ""))
    which = f"{reference}: " if _REFERENCE.fullmatch(reference) else ""
    what, providers = str(facts.get("what")), facts.get("providers") or ()
    said = REFERRAL.get(what)
    if what == "fits":
        said = "It fits" if facts.get("fits") else "It does not fit"
    elif what == "offered" and providers:
        said = f"{len(providers)} provider{'s' if len(providers) > 1 else ''} offered"
    if said is None:
        return f"{which}{plainly(facts).capitalize() or 'Referral'}.{_by(facts, pen)}"
    provider, day, reason = facts.get("provider"), facts.get("day"), _code(facts.get("reason"))
    more = [
        f"provider {provider}" if isinstance(provider, str) and provider and not pen.naming.redacted else "",
        _code(facts.get("word")),
        f"on {pen.day(day)}" if isinstance(day, int) and day > 0 else "",
        f"by the {reason}" if reason and what == "consented" else reason,
        "follow-up agreed" if facts.get("follow_up") else "",
        "under 42 CFR Part 2" if facts.get("part2") else "",
    ]
    return f"{which}{_joined(said, more)}.{_by(facts, pen)}"


def other_line(facts: Mapping[str, Any], pen: Pen) -> str:
    """An act of a kind that has no function of its own here."""
    return f"{plainly(facts).capitalize() or 'Something was said'}.{_by(facts, pen)}"


def happened_at(act: Act) -> Instant:
    """When what an act tells of happened: when it was said, or done, where it says so; else when it became known."""
    about_another = act.facts.get("what") == "approved"  # of it `on` is when the attempt was made that it names
    said = (act.facts.get(name) for name in (("at",) if about_another else ("on", "at")))
    return next((at for at in said if isinstance(at, int) and at > 0), act.known_at)


OTHER = "Said"
ACTS: dict[str, tuple[str, Callable[[Mapping[str, Any], Pen], str]]] = {
    "answer": ("Answer", answer_line),
    "ending": ("Ending", ending_line),
    "referral": ("Referral", referral_line),
}
"""By kind of act: the part of the page it belongs to, and its sentence."""


MESSAGES: Mapping[str, str] = {"ending_confirm": "An ending, to be confirmed or answered"}
"""What messages are called that are of no kind of finding, where their purpose does not say it well."""


def label_of(kind: str) -> str:
    """A kind of finding, or of message, in words: `Quiet`."""
    found = all_kinds().get(kind)
    return found.label if found else MESSAGES.get(kind) or in_words(kind).capitalize()


def in_words(code: str) -> str:
    """A code as words: `not-achieved` is `not achieved`."""
    return code.replace("-", " ").replace("_", " ")


def plainly(facts: Mapping[str, Any]) -> str:
    """An act by its plain name, with those of its facts that are codes: `step done, letter, reason: no answer`."""
    name = next((word for key in _NAMED_BY if (word := _code(facts.get(key)))), "")
    more = [word for key in _MORE if (word := _code(facts.get(key))) and word != name]
    return ", ".join(filter(None, [name, *more]))


def _code(value: Any) -> str:
    return in_words(value) if isinstance(value, str) and _CODE.fullmatch(value) else ""


def _joined(said: str, more: Iterable[str]) -> str:
    rest = ", ".join(dict.fromkeys(filter(None, more)))
    return f"{said}: {rest}" if rest else said


def _by(facts: Mapping[str, Any], pen: Pen) -> str:
    who = facts.get("by")
    return f" By {pen.naming.person(who)}." if isinstance(who, str) and who else ""


def _then(pen: Pen, at: Instant) -> Voice:
    """How an instant was said on the day of the act: `in 8 days` of that day, not of the day on which somebody reads it."""
    return Voice(pen.zone, pen.locale, at)
