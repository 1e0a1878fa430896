"""What a rule's table of examples is made of, and every table, found by its place: tests/rules/<rule>_examples.py has a TABLE."""

import importlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from models.clock import Clock, Spans
from models.instants import Instant
from models.looking import DigestRow, Shared
from models.rule import Rule, Verdict
from models.voice import Voice
from tests.builders import ZONE, a_history, a_row, sharing

YES, NO, CANNOT_SAY = True, False, None
SURROUNDINGS = ("zone", "pauses", "blind", "policy", "heard", "unread")


@dataclass(frozen=True)
class Example:
    """A client at an instant, in plain words, and what the rule says of one kind. `history` is as for builders.a_history; unless said
    otherwise, the practice's sources tell of goals and of scores."""

    kind: str
    name: str
    fired: bool | None
    reason: str
    now: Instant
    history: dict[str, Any]
    zone: str = ZONE
    pauses: Spans = ()
    blind: tuple[str, ...] = ()
    policy: dict[str, Any] = field(default_factory=dict)
    heard: tuple[str, ...] = ("goal", "score", "rating")
    unread: bool = False

    def looked(self) -> tuple[Shared, DigestRow]:
        """What a look at this client takes."""
        together = sharing(
            self.now, pauses=self.pauses, blind=self.blind, heard=self.heard, unread=self.unread, **self.policy
        )
        history = a_history(**{"known_at": self.now, "zone": self.zone, **self.history})
        return together, a_row(history, self.zone)

    def verdict(self) -> Verdict:
        """What the rules say of this client, of this example's kind."""
        together, row = self.looked()
        return next(verdict for verdict in together.look(row).verdicts if verdict.kind == self.kind)

    def explained(self, rule: Rule) -> list[dict[str, Any]]:
        """What `tending why` knows of this client, a line for each kind of the rule."""
        together, row = self.looked()
        voice = Voice(self.zone, "en_GB", self.now)
        return rule.explain(together.case(row), together.policy(row), voice, Clock(self.now))


@dataclass(frozen=True)
class Meaning:
    """What a kind means, in words for its page; `absence`: whether it rests on something that is not there, so that a source which cannot
    be relied on leaves it unsaid."""

    text: str
    absence: bool = False


@dataclass(frozen=True)
class Table:
    """All examples of one rule: what is tested, and what docs/rules/<rule>.md shows under `head`."""

    rule: Rule
    head: str
    about: dict[str, Meaning]
    examples: list[Example] = field(default_factory=list)

    def example(self, kind: str, name: str, fired: bool | None, reason: str, now: Instant, **said: Any) -> None:
        """One client, and what the rule says."""
        surroundings = {k: said.pop(k) for k in SURROUNDINGS if k in said}
        self.examples.append(Example(kind, name, fired, reason, now, said, **surroundings))

    def from_then_on(self, kind: str, name: str, when: Instant, silent: str, *, fires: str = "", **said: Any) -> None:
        """Silent one second before an instant, and fired from it on."""
        self.example(kind, f"{name}: one second before", NO, silent, when - 1, **said)
        self.example(kind, f"{name}: from that second on", YES, fires or kind, when, **said)

    def until_then(self, kind: str, name: str, when: Instant, silent: str, *, fires: str = "", **said: Any) -> None:
        """Fired one second before an instant, and silent from it on."""
        self.example(kind, f"{name}: one second before", YES, fires or kind, when - 1, **said)
        self.example(kind, f"{name}: from that second on", NO, silent, when, **said)


@cache
def tables() -> dict[str, Table]:
    """Every table by the name of its file's rule."""
    files = sorted(Path(__file__).parent.glob("*_examples.py"))
    return {
        file.stem.removesuffix("_examples"): importlib.import_module(f"tests.rules.{file.stem}").TABLE for file in files
    }
