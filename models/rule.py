"""The shape of a rule: a pure, versioned function from a case to verdicts, and the words that go with each reason."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from models.case import NO_APPOINTMENTS, Case
from models.clock import Clock
from models.policy import Policy
from models.policy_layers import Layered
from models.voice import Voice

Facts = Sequence[Any]


class Verdict(NamedTuple):
    """What a rule says of one kind at one instant. `reason` is a code that the rule has a sentence for; `facts` are instants and counts,
    given at once for what fired and could not be said, and by `Rule.with_facts` for what is silent.

    `fired` is True, False, or None where the rule cannot say (a source that could refute it is stale or holds rows of that client).
    """

    kind: str
    fired: bool | None
    reason: str
    facts: tuple[Any, ...] = ()


def silent(kinds: Iterable[str], reason: str) -> tuple[Verdict, ...]:
    """A verdict for each of these kinds, in their order, that none has anything to say, all for this reason."""
    return tuple(Verdict(kind, False, reason) for kind in kinds)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding. `label` is its word for people; `clears` says what ends it; `policy` names the fields it reads.

    `speaks` is how it reaches a therapist: `notice` (one each), `weekly_list` (one list per therapist and week) or `safety` (one each, at
    once, day and night).

    `again(then, now, answered)` tells whether facts that were told or answered `then` have become something to speak of again though the
    finding was open all the time; `old(facts)` whether they lay too far back when they were first told here to be news; a kind with
    it speaks at first sight too. `rests` is for how many seconds it keeps silent after somebody said that they have
    seen to it, if it is still so (without it as long as policy's `answer_rests_days`). `duty`: the end of care does not silence it.
    """

    name: str
    label: str
    clears: str
    policy: tuple[str, ...]
    speaks: str = "notice"
    again: Callable[[Facts, Facts, bool], bool] | None = None
    old: Callable[[Facts], bool] | None = None
    rests: Callable[[Facts], int] | None = None
    duty: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule: `decide` gives one verdict for each of its kinds, `with_facts` what a silent one rests on, `tell` the sentence.

    `untold` is what `decide` says of anybody of whom nothing is told besides appointments, while no source tells of more: for a
    rule that rests on such things alone, so that nobody is asked about them one by one. None for all others.
    """

    name: str
    version: int
    kinds: Mapping[str, Kind]
    decide: Callable[[Case, Policy, Clock], tuple[Verdict, ...]]
    with_facts: Callable[[Verdict, Case, Policy, Clock], Verdict]
    tell: Callable[[Verdict, Voice], str]
    untold: tuple[Verdict, ...] | None = None

    def explain(self, case: Case, layered: Layered, voice: Voice, clock: Clock) -> list[dict[str, Any]]:
        """Every verdict with its sentence, what would clear it, and the policy lines it rests on: what `why` prints."""
        said = [
            verdict if verdict.facts else self.with_facts(verdict, case, layered.policy, clock)
            for verdict in self.decide(case, layered.policy, clock)
        ]
        return [
            {
                "rule": self.name,
                "version": self.version,
                "kind": verdict.kind,
                "label": self.kinds[verdict.kind].label,
                "fired": verdict.fired,
                "reason": verdict.reason,
                "facts": list(verdict.facts),
                "sentence": self.tell(verdict, voice),
                "clears": self.kinds[verdict.kind].clears if verdict.fired else "",
                "policy": [layered.line(name) for name in self.kinds[verdict.kind].policy],
            }
            for verdict in said
        ]


def common_sentence(verdict: Verdict, voice: Voice) -> str:
    """The sentence for a reason that several rules have alike. Raises ValueError for any other."""
    match verdict.reason:
        case "paused":
            (until,) = verdict.facts
            return f"Paused until {voice.day(until)}." if voice.can_name(until) else "Paused until further notice."
        case "blind" if NO_APPOINTMENTS in verdict.facts:
            return "Cannot say: no source has told of any appointment."
        case "blind":
            return f"Cannot say: {voice.listing(verdict.facts)} could show otherwise and cannot be relied on now."
        case "died":
            return "The client has died; nothing is asked."
        case "ended":
            return "Care has ended."
        case "ending":
            return "An ending is going on; its steps are asked about instead."
    raise ValueError(f"no sentence for {verdict.reason}")
