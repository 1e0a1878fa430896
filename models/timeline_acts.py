"""What people said about a client's care, as sentences of the timeline: one function for each kind of act.

An act whose words nobody here knows is shown by its plain name. Nothing but words of a code's shape is ever taken from an act's
facts, so that no free text, and nobody's name, can come onto the page by an act that was written elsewhere.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from models.answers import Reply, said
from models.instants import FAR, Instant
from models.kinds import all_kinds
from models.naming import Pen
from models.voice import Voice

_CODE = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_NAMED_BY = ("act", "said", "what", "step", "event", "move", "news", "state")
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


def ending_line(facts: Mapping[str, Any], pen: Pen) -> str:
    """One step of an ending."""
    return f"{plainly(facts).capitalize() or 'Ending'}.{_by(facts, pen)}"


def referral_line(facts: Mapping[str, Any], pen: Pen) -> str:
    """One step of a referral."""
    return f"{plainly(facts).capitalize() or 'Referral'}.{_by(facts, pen)}"


def other_line(facts: Mapping[str, Any], pen: Pen) -> str:
    """An act of a kind that has no function of its own here."""
    return f"{plainly(facts).capitalize() or 'Something was said'}.{_by(facts, pen)}"


OTHER = "Said"
ACTS: dict[str, tuple[str, Callable[[Mapping[str, Any], Pen], str]]] = {
    "answer": ("Answer", answer_line),
    "ending": ("Ending", ending_line),
    "referral": ("Referral", referral_line),
}
"""By kind of act: the part of the page it belongs to, and its sentence."""


def label_of(kind: str) -> str:
    """A kind of finding, or of message, in words: `Quiet`."""
    found = all_kinds().get(kind)
    return found.label if found else in_words(kind).capitalize()


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


def _by(facts: Mapping[str, Any], pen: Pen) -> str:
    who = facts.get("by")
    return f" By {pen.naming.person(who)}." if isinstance(who, str) and who else ""


def _then(pen: Pen, at: Instant) -> Voice:
    """How an instant was said on the day of the act: `in 8 days` of that day, not of the day on which somebody reads it."""
    return Voice(pen.zone, pen.locale, at)
