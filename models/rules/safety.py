"""A result that asks for safety: PHQ-9 item 9 above zero, a positive C-SSRS. It is told at once; this is not a crisis service."""

from models.case import Case
from models.clock import Clock
from models.instants import DAY
from models.measures import NUMBERS, REGISTRY
from models.policy import Policy
from models.rule import Facts, Kind, Rule, Verdict
from models.told import NOT_KNOWN, Score
from models.voice import Voice

OLD_NEWS = (
    14 * DAY
)  # a result that was older than this when it was first read here is listed to sort (the practice's first import)


def _new_result(then: Facts, now: Facts, answered: bool) -> bool:
    """Each later result speaks; where a clinician has answered, only one that is higher."""
    return bool(now[1] > then[1] and (not answered or now[0] > then[0]))


def _old(facts: Facts) -> bool:
    """Whether a result was already old when it was first told here."""
    return bool(facts[2] - facts[1] > OLD_NEWS)


KINDS = {
    "item9": Kind(
        "item9",
        "Safety: PHQ-9, item 9",
        "Clears when a later PHQ-9 has item 9 at zero.",
        ("safety_climb_hours",),
        speaks="safety",
        again=_new_result,
        old=_old,
    ),
    "screen": Kind(
        "screen",
        "Safety: C-SSRS",
        "Clears when a later C-SSRS is negative.",
        ("safety_climb_hours",),
        speaks="safety",
        again=_new_result,
        old=_old,
    ),
}
MEASURES = {"item9": NUMBERS["PHQ-9"], "screen": NUMBERS["C-SSRS"]}
DIED = tuple(Verdict(kind, False, "died") for kind in KINDS)
NOTHING_SEEN = tuple(Verdict(kind, False, "no_result") for kind in KINDS)


def safety(case: Case, policy: Policy, clock: Clock) -> tuple[Verdict, ...]:
    """One verdict for each of KINDS, in their order; whether care is paused or has ended is no matter."""
    if not case.told.scores:
        return NOTHING_SEEN
    if case.died:
        return DIED
    return tuple(result(kind, case.told.scores) for kind in KINDS)


def result(kind: str, scores: tuple[Score, ...]) -> Verdict:
    """What the last result of one measure says."""
    mine = [s for s in scores if s.measure == MEASURES[kind]]
    seen = [s for s in mine if s.risk != NOT_KNOWN]
    if not mine:
        return Verdict(kind, False, "no_result")
    if not seen:
        return Verdict(kind, False, "not_seen", (mine[-1].at,))
    last = seen[-1]
    facts = (last.risk, last.at, last.told_at)
    if last.risk > 0:
        return Verdict(kind, True, "risk", facts)
    unseen = [s.at for s in mine if s.at > last.at]
    return Verdict(kind, False, "then_not_seen" if unseen else "no_risk", (*facts, *unseen[-1:]))


def with_facts(verdict: Verdict, case: Case, policy: Policy, clock: Clock) -> Verdict:
    """Silent verdicts have their facts already."""
    return verdict


def tell(verdict: Verdict, voice: Voice) -> str:
    """The sentence for a verdict, as a therapist reads it; no advice."""
    facts = verdict.facts
    item = verdict.kind == "item9"
    match verdict.reason:
        case "risk":
            what = (
                f"Item 9 of the PHQ-9 is {facts[0]} of {REGISTRY['PHQ-9'].risk}" if item else "The C-SSRS is positive"
            )
            return f"{what}, taken {voice.day_and_distance(facts[1])}."
        case "no_risk":
            what = "Item 9 of the PHQ-9 is 0" if item else "The C-SSRS is negative"
            return f"{what}, taken {voice.day_and_distance(facts[1])}."
        case "then_not_seen":
            later = f"of the PHQ-9 taken {voice.day(facts[3])} only the total was told: item 9 was not seen."
            return f"Item 9 was 0 on {voice.day(facts[1])}; {later}"
        case "not_seen":
            return f"Of the PHQ-9 taken {voice.day(facts[0])} only the total was told: item 9 was not seen."
        case "no_result":
            return "No PHQ-9 was told." if item else "No C-SSRS was told."
        case "died":
            return "The client has died; nothing is asked."
    raise ValueError(f"no sentence for {verdict.reason}")


RULE = Rule(name="safety", version=1, kinds=KINDS, decide=safety, with_facts=with_facts, tell=tell, untold=NOTHING_SEEN)
