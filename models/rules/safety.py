"""A result that asks for safety: PHQ-9 item 9 above zero, a positive C-SSRS. It is told at once; this is not a crisis service."""

from collections.abc import Sequence

from models.answers import Reply
from models.case import UNREAD, Case
from models.clock import Clock
from models.instants import DAY, Instant
from models.measures import NUMBERS, REGISTRY
from models.policy import Policy
from models.rule import Facts, Kind, Rule, Verdict, common_sentence, silent
from models.scores import answered
from models.told import NOT_KNOWN, REPLIES, Answered, Score, number_of
from models.voice import Voice

OLD_NEWS = 14 * DAY
"""A result that was older than this when it was first read here is listed to sort, at a first import."""
KNOWN = REPLIES.index(Reply.known)
TAKEN_UP = {REPLIES.index(reply) for reply in (Reply.done, Reply.known, Reply.ending)}


def _news(then: Facts, now: Facts, answered: bool) -> bool:
    """Each new result speaks, and one that was corrected upwards. Where a clinician has said `known`, with a plan until a day that lies
    ahead, only one that is higher than the one before it."""
    told = {tuple(rest): risk for risk, *rest in then[0]}
    before = 0
    for risk, *rest in now[0]:
        if risk > told.get(tuple(rest), 0) and (now[2] == NOT_KNOWN or risk > before):
            return True
        before = risk
    return False


def _old(facts: Facts) -> bool:
    """Whether all of it was old already when it was first told here."""
    return all(told_at - at > OLD_NEWS for _, at, told_at in facts[0])


KINDS = {
    "item9": Kind(
        "item9",
        "Safety: PHQ-9, item 9",
        "Clears when a later PHQ-9 has item 9 at zero.",
        ("safety_climb_hours",),
        speaks="safety",
        again=_news,
        old=_old,
    ),
    "screen": Kind(
        "screen",
        "Safety: C-SSRS",
        "Clears when a later C-SSRS is negative.",
        ("safety_climb_hours",),
        speaks="safety",
        again=_news,
        old=_old,
    ),
}
MEASURES = {"item9": NUMBERS["PHQ-9"], "screen": NUMBERS["C-SSRS"]}
NOTHING_SEEN = silent(KINDS, "no_result")


def safety(case: Case, policy: Policy, clock: Clock) -> tuple[Verdict, ...]:
    """One verdict for each of KINDS, in their order. No pause, no ending and no death silences what asks for safety."""
    unread = "score" in case.unread
    if not case.told.scores and not unread:
        return NOTHING_SEEN
    found = (result(case, kind, clock) for kind in KINDS)
    # What could not be read may be the very result: then nobody can say that there is none.
    return tuple(Verdict(v.kind, None, "blind", (UNREAD,)) if unread and not v.fired else v for v in found)


def result(case: Case, kind: str, clock: Clock) -> Verdict:
    """What the results of one measure say. The facts of a risk: each result that stands as (answer, taken, first told here); when a later
    one was zero; until when a clinician has a plan; when a later total came without the answer. NOT_KNOWN where that is not so."""
    taken = [s.at for s in case.told.scores if s.measure == MEASURES[kind]]
    if not taken:
        return Verdict(kind, False, "no_result")
    seen = answered(case, MEASURES[kind])
    if not seen:
        return Verdict(kind, False, "not_seen", (taken[-1],))
    unseen = taken[-1] if taken[-1] > seen[-1].at else NOT_KNOWN
    answers = [a for a in case.told.answers if a.kind == number_of(kind)]
    standing = [s for s in seen if s.risk > 0 and _stands(s, seen, answers, clock)]
    if not standing:
        return Verdict(kind, False, "no_risk", (seen[-1].at, unseen))
    zero = max((s.at for s in seen if s.risk == 0 and s.at > standing[-1].at), default=NOT_KNOWN)
    results = [[s.risk, s.at, s.told_at] for s in standing]
    return Verdict(kind, True, "risk", (results, zero, _planned_until(answers, clock), unseen))


def _stands(risk: Score, seen: Sequence[Score], answers: Sequence[Answered], clock: Clock) -> bool:
    """Whether a result still asks for safety. A later zero ends that; but of one that came in no sooner than such a zero nobody has heard
    yet: it stands until somebody has taken it up, or it lies OLD_NEWS back."""
    zeros = [s.told_at for s in seen if s.risk == 0 and s.at > risk.at]
    if not zeros:
        return True
    if max(zeros) > risk.told_at or any(a.reply in TAKEN_UP and a.at >= risk.told_at for a in answers):
        return False
    return not clock.passed(risk.at + OLD_NEWS)


def _planned_until(answers: Sequence[Answered], clock: Clock) -> Instant:
    """Until when a clinician has said that the risk is known and has a plan; NOT_KNOWN where nobody has, or that day has come."""
    if not answers or answers[-1].reply != KNOWN or clock.passed(answers[-1].until):
        return NOT_KNOWN
    return answers[-1].until


def with_facts(verdict: Verdict, case: Case, policy: Policy, clock: Clock) -> Verdict:
    """Silent verdicts have their facts already."""
    return verdict


def tell(verdict: Verdict, voice: Voice) -> str:
    """The sentence for a verdict, as a therapist reads it; no advice."""
    facts = verdict.facts
    item = verdict.kind == "item9"
    match verdict.reason:
        case "risk":
            return _risk(item, facts, voice)
        case "no_risk":
            at, unseen = facts
            what = "Item 9 of the PHQ-9 is 0" if item else "The C-SSRS is negative"
            return f"{what}, taken {voice.day_and_distance(at)}.{_unseen(item, unseen, voice)}"
        case "not_seen":
            return _unseen(item, facts[0], voice).strip()
        case "no_result":
            return f"No {'PHQ-9' if item else 'C-SSRS'} has come in."
    return common_sentence(verdict, voice)


def _risk(item: bool, facts: Facts, voice: Voice) -> str:
    results, zero, plan, unseen = facts
    risk, at, _ = results[-1]
    day, is_or_was = voice.day_and_distance(at), "is" if zero == NOT_KNOWN else "was"
    if item:
        said = f"Item 9 of the PHQ-9 {is_or_was} {risk} of {REGISTRY['PHQ-9'].risk}, taken {day}."
    else:
        said = f"The C-SSRS {is_or_was} positive, taken {day}."
    highest, before = max(results), len(results) - 1
    if highest[0] > risk:
        said += f" On {voice.day(highest[1])} it was {highest[0]}."
    elif before:
        said += f" It was {'above zero' if item else 'positive'} {voice.times(before)} before."
    if zero != NOT_KNOWN:
        said += f" On {voice.day(zero)} it was {'0' if item else 'negative'}; the earlier result came in no sooner than that."
    if plan != NOT_KNOWN:
        said += f" Known, with a plan until {voice.day(plan - 1)}."
    return said + _unseen(item, unseen, voice)


def _unseen(item: bool, at: Instant, voice: Voice) -> str:
    """That of a later result the answer that asks for safety was not seen."""
    if at == NOT_KNOWN:
        return ""
    if item:
        return f" Of the PHQ-9 taken {voice.day(at)} only the total was told: item 9 was not seen."
    return f" Of the C-SSRS taken {voice.day(at)} the answer was not seen."


RULE = Rule(name="safety", version=2, kinds=KINDS, decide=safety, with_facts=with_facts, tell=tell, untold=NOTHING_SEEN)
