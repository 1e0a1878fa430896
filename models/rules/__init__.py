"""Every rule, found by its place: each module of this folder has a RULE."""

import hashlib
import importlib
import pkgutil
from functools import cache
from typing import Any

from models.habits import question
from models.rule import Rule, Verdict
from models.voice import Voice

KIND_WORD = "It happens to everybody who begins; supervision is a good place for it."
GENTLE = frozenset({"stalled", "trust"})
"""Rules whose prompts may read as a reproach to somebody who is new."""


@cache
def all_rules() -> tuple[Rule, ...]:
    """The rules by name."""
    found: list[Rule] = [
        importlib.import_module(f"{__name__}.{module.name}").RULE for module in pkgutil.iter_modules(__path__)
    ]
    return tuple(sorted(found, key=lambda rule: rule.name))


@cache
def rules_version() -> str:
    """Names and versions of all rules as one short hash: when it differs, everybody is looked at again."""
    text = " ".join(f"{rule.name}={rule.version}" for rule in all_rules())
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def told(kind: str, reason: str, evidence: dict[str, Any], voice: Voice, *, gently: bool = False) -> dict[str, str]:
    """Label, sentence and clearing line of a stored finding, as its rule tells them, and the question that goes with it, if one does.
    `gently` adds a kind word, for somebody who is new. Raises KeyError for a kind of no rule."""
    for rule in all_rules():
        if kind in rule.kinds:
            verdict = Verdict(kind, True, reason, tuple(evidence["facts"]))
            found = {
                "label": rule.kinds[kind].label,
                "sentence": " ".join(
                    filter(
                        None,
                        (
                            rule.tell(verdict, voice),
                            _again(evidence.get("again"), voice),
                            KIND_WORD if gently and rule.name in GENTLE else "",
                        ),
                    )
                ),
                "clears": rule.kinds[kind].clears,
            }
            return found | ({"question": question(evidence["question"])} if "question" in evidence else {})
    raise KeyError(kind)


def _again(why: list[Any] | None, voice: Voice) -> str:
    """Why something that was answered is told again."""
    if not why:
        return ""
    reason, answered_at = why
    day = voice.day(answered_at)
    match reason:
        case "until":
            return f"It was put off until now ({day})."
        case "still":
            return f"It is still so since the answer of {day}."
        case "no_ending":
            return f"On {day} the answer was that an ending is begun; none is written down."
    return f"It has changed since the answer of {day}."
