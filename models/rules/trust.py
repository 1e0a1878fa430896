"""Signs that the relation needs a look: the client's own ratings, none asked for in time, cancellations that come later and later."""

from itertools import pairwise
from statistics import mean, stdev

from models.appointments import Mark
from models.case import ENDED, TOOK_PLACE, Case
from models.clock import Clock
from models.instants import DAY, HOUR, Instant
from models.measures import NUMBERS, REGISTRY
from models.policy import Policy
from models.rule import Facts, Kind, Rule, Verdict
from models.told import NOT_KNOWN, Score
from models.voice import Voice

SRS, WAI = NUMBERS["SRS"], NUMBERS["WAI-SR"]
OWN_LEVEL = 3  # ratings that make a client's own level: with fewer, a deviation means nothing (our choice)
LEAST_DEVIATION = 1.0  # points: of ratings that hardly differ, the deviation is taken for this much (our choice)


def _another_rating(then: Facts, now: Facts, answered: bool) -> bool:
    """Whether there is a later rating that is low as well, and lower than the one that was answered."""
    return bool(now[-1] > then[-1] and (not answered or now[1] < then[1]))


KINDS = {
    "rating": Kind(
        "rating",
        "Session rating",
        "Clears when a later rating is as it was, or nobody has rated for a while.",
        ("srs_drop", "rating_counts_days"),
        again=_another_rating,
    ),
    "alliance": Kind(
        "alliance",
        "Working alliance",
        "Clears when a later rating lies near the client's own level, or nobody has rated for a while.",
        ("alliance_rule", "rating_counts_days"),
        again=_another_rating,
    ),
    "early_check": Kind(
        "early_check",
        "How is it going?",
        "Clears when the client has rated a session.",
        ("trust_check_by_appointment",),
    ),
    "later_cancels": Kind(
        "later_cancels",
        "Called off later each time",
        "Clears when an appointment is attended.",
        ("later_cancels_in_a_row", "rating_counts_days"),
    ),
}
DIED = tuple(Verdict(kind, False, "died") for kind in KINDS)
OVER = tuple(Verdict(kind, False, "ended") for kind in KINDS)
NOT_RATED = tuple(Verdict(kind, False, "not_rated") for kind in KINDS)
NO_STAMPS = Verdict("later_cancels", False, "no_stamps")
UNTOLD = (*NOT_RATED[:3], NO_STAMPS)
ATTENDED = int(Mark.attended)


def trust(case: Case, policy: Policy, clock: Clock) -> tuple[Verdict, ...]:
    """One verdict for each of KINDS, in their order."""
    told = case.told
    if not told.scores and not told.cancelled and "score" not in case.heard:
        return UNTOLD
    if case.died:
        return DIED
    if case.status == ENDED:
        return OVER
    return (
        rating(ratings(case, SRS), policy, clock),
        alliance(ratings(case, WAI), policy, clock),
        early_check(case, policy),
        later_cancels(case, policy, clock),
    )


def ratings(case: Case, measure: int) -> list[Score]:
    """The client's scores of one measure, oldest first."""
    return [s for s in case.told.scores if s.measure == measure and s.hundredths != NOT_KNOWN]


def rating(scores: list[Score], policy: Policy, clock: Clock) -> Verdict:
    """The last session rating lies below its cut-off, or fell from the one before."""
    if not scores:
        return NOT_RATED[0]
    last = scores[-1]
    value = last.hundredths / 100
    if clock.passed(last.at + round(policy.rating_counts_days * DAY)):
        return Verdict("rating", False, "long_ago", (value, last.at))
    before = scores[-2].hundredths / 100 if len(scores) > 1 else None
    if REGISTRY["SRS"].clinical(value):
        return Verdict("rating", True, "low", (REGISTRY["SRS"].cutoff, value, last.at))
    if before is not None and before - value >= policy.srs_drop:
        return Verdict("rating", True, "fell", (before, value, last.at))
    return Verdict("rating", False, "as_it_was", (value, last.at))


def alliance(scores: list[Score], policy: Policy, clock: Clock) -> Verdict:
    """The last alliance rating lies below the client's own level by as much as the rule that the practice chose."""
    if not scores:
        return NOT_RATED[1]
    *earlier, last = scores
    value = last.hundredths / 100
    if clock.passed(last.at + round(policy.rating_counts_days * DAY)):
        return Verdict("alliance", False, "long_ago", (value, last.at))
    if len(earlier) < OWN_LEVEL:
        return Verdict("alliance", False, "few", (len(scores), OWN_LEVEL + 1))
    own = [s.hundredths / 100 for s in earlier]
    level, deviation = mean(own), max(LEAST_DEVIATION, stdev(own))
    times = int(policy.alliance_rule[0])
    facts = (round(level, 2), value, times, round(deviation, 2), last.at)
    fell = level - value >= times * deviation
    return Verdict("alliance", fell, "ruptured" if fell else "near_own_level", facts)


def early_check(case: Case, policy: Policy) -> Verdict:
    """So many appointments attended, and the client has not rated one; not asked of those who have long been coming."""
    if "score" not in case.heard:
        return NOT_RATED[2]
    if ratings(case, SRS) or ratings(case, WAI):
        return Verdict("early_check", False, "rated")
    seen = [entry >> 3 for entry in case.line[: case.past] if entry & 3 in TOOK_PLACE]
    wanted = policy.trust_check_by_appointment
    if not wanted <= len(seen) <= wanted + 2:
        return Verdict("early_check", False, "early" if len(seen) < wanted else "long_coming", (len(seen), wanted))
    if case.blind:
        return Verdict("early_check", None, "blind", case.blind)
    return Verdict("early_check", True, "not_asked", (len(seen), seen[wanted - 1]))


def later_cancels(case: Case, policy: Policy, clock: Clock) -> Verdict:
    """The client's own last cancellations, each with less notice than the one before, and none attended since."""
    wanted = policy.later_cancels_in_a_row
    last = case.told.cancelled[-wanted:]
    if not last:
        return NO_STAMPS
    notice = [max(0, c.start - c.said_at) for c in last]
    facts = tuple(hours_of(n) for n in notice)
    said_at = last[-1].said_at
    if len(last) < wanted or any(later >= earlier for earlier, later in pairwise(notice)):
        return Verdict("later_cancels", False, "not_later", facts)
    if said_at > clock.now or clock.passed(said_at + round(policy.rating_counts_days * DAY)):
        return Verdict("later_cancels", False, "cancelled_long_ago", (said_at,))
    since = attended_since(case, said_at)
    if since is not None:
        return Verdict("later_cancels", False, "attended_since", (since,))
    return Verdict("later_cancels", True, "later", facts)


def attended_since(case: Case, instant: Instant) -> Instant | None:
    """Start of the last attended appointment after an instant."""
    return next((e >> 3 for e in reversed(case.line[: case.past]) if e & 3 == ATTENDED and e >> 3 > instant), None)


def hours_of(seconds: int) -> int:
    """Whole hours."""
    return seconds // HOUR


def with_facts(verdict: Verdict, case: Case, policy: Policy, clock: Clock) -> Verdict:
    """Silent verdicts have their facts already."""
    return verdict


def tell(verdict: Verdict, voice: Voice) -> str:
    """The sentence for a verdict, as a therapist reads it."""
    facts = verdict.facts
    match verdict.reason:
        case "low":
            return f"The client rated the session {facts[1]:g} on {voice.day(facts[2])}; below {facts[0]:g} it is worth asking about."
        case "fell":
            return f"The client's session rating went from {facts[0]:g} to {facts[1]:g} on {voice.day(facts[2])}."
        case "ruptured" | "near_own_level":
            level, value, times, deviation, at = facts
            far = "is below that by as much as the rule says" if verdict.fired else "lies near it"
            return (
                f"The client's own level of the alliance is {level:g}; {value:g} on {voice.day(at)} {far} "
                f"({times} standard deviation{'s' if times > 1 else ''} of {deviation:g})."
            )
        case "not_asked":
            return f"Seen {voice.times(facts[0])}, and the client has not been asked yet how it is going."
        case "later":
            hours = voice.listing([f"{hours} hours" for hours in facts])
            return f"The client called off {voice.count(len(facts))} times in a row, each time later: {hours} before."
        case "long_ago":
            return f"The last rating, {facts[0]:g}, was on {voice.day(facts[1])}."
        case "as_it_was":
            return f"The last session rating, {facts[0]:g} on {voice.day(facts[1])}, is as it was."
        case "few":
            return f"{voice.count(facts[0]).capitalize()} rated; from {voice.count(facts[1])} ratings on, a client's own level shows."
        case "rated":
            return "The client has rated sessions."
        case "early":
            return f"Seen {voice.times(facts[0])}; asked for from the {voice.ordinal(facts[1])} appointment on."
        case "long_coming":
            return "The client has been coming for longer than this question is for."
        case "not_later":
            hours = voice.listing([f"{hours} hours" for hours in facts])
            return f"Own cancellations came {hours} before; not later each time."
        case "cancelled_long_ago":
            return f"The last own cancellation was on {voice.day(facts[0])}."
        case "attended_since":
            return f"Attended since, on {voice.day(facts[0])}."
        case "not_rated":
            return "The client has rated nothing, or no source tells of ratings."
        case "no_stamps":
            return "No source tells when this client called off; without its own time stamp there is no evidence."
        case "blind":
            return f"Cannot say: {voice.listing(facts)} could show otherwise and cannot be relied on now."
        case "died":
            return "The client has died; nothing is asked."
        case "ended":
            return "Care has ended."
    raise ValueError(f"no sentence for {verdict.reason}")


RULE = Rule(
    name="trust",
    version=1,
    kinds=KINDS,
    decide=trust,
    with_facts=with_facts,
    tell=tell,
    untold=UNTOLD,
)
