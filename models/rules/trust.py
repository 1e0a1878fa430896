"""Signs that the relation needs a look: the client's own ratings, none asked for in time, appointments called off later and later."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import mean, stdev

from models.case import ENDED, NO_SHOW, Case
from models.clock import Clock
from models.goals import done_at
from models.instants import DAY, HOUR, Instant
from models.measures import NUMBERS, REGISTRY
from models.policy import ALLIANCE_RULES, DEFAULT, Policy
from models.rule import Facts, Kind, Rule, Verdict, common_sentence, silent
from models.scores import valued
from models.told import NOT_KNOWN, Cancelled, Score
from models.voice import Voice

SRS, WAI = NUMBERS["SRS"], NUMBERS["WAI-SR"]
OWN_LEVEL = 3  # ratings that make a client's own level: with fewer, a deviation means nothing (our choice)
ASKED_FOR = (
    3  # early appointments in a row at which the check is asked for; whoever comes for longer has found their way
)


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
        ("alliance_rule", "alliance_least_deviation", "rating_counts_days"),
        again=_another_rating,
    ),
    "early_check": Kind(
        "early_check",
        "How is it going?",
        "Clears when the client has rated a session, or you say that you have asked.",
        ("trust_check_by_appointment",),
    ),
    "later_cancels": Kind(
        "later_cancels",
        "Called off later each time",
        "Clears when an appointment is attended, or after a while without another called off.",
        ("later_cancels_in_a_row", "rating_counts_days"),
    ),
}
DIED = silent(KINDS, "died")
OVER = silent(KINDS, "ended")
PAUSED = silent(KINDS, "paused")
NOT_RATED = silent(KINDS, "not_rated")
NO_STAMPS = Verdict("later_cancels", False, "no_stamps")
UNTOLD = (*NOT_RATED[:3], NO_STAMPS)


def trust(case: Case, policy: Policy, clock: Clock) -> tuple[Verdict, ...]:
    """One verdict for each of KINDS, in their order. In a pause a rating still speaks: it may be why somebody paused."""
    told = case.told
    if not told.scores and not told.cancelled and "score" not in case.heard:
        return UNTOLD
    if case.died:
        return DIED
    if case.status == ENDED:
        return OVER
    rated = rating(valued(case, SRS), policy, clock), alliance(valued(case, WAI), policy, clock)
    if case.away_until > clock.now:
        clock.passed(case.away_until)
        return (*rated, *PAUSED[2:])
    return (*rated, early_check(case, policy), later_cancels(case, policy, clock))


def rating(scores: list[Score], policy: Policy, clock: Clock) -> Verdict:
    """The last session rating lies below its cut-off, or fell from the one before."""
    if not scores:
        return NOT_RATED[0]
    last = scores[-1]
    value = last.hundredths / 100
    if clock.passed(last.at + round(policy.rating_counts_days * DAY)):
        return Verdict("rating", False, "long_ago", (value, last.at))
    if REGISTRY["SRS"].clinical(value):
        return Verdict("rating", True, "low", (REGISTRY["SRS"].cutoff, value, last.at))
    if len(scores) > 1 and scores[-2].hundredths - last.hundredths >= round(policy.srs_drop * 100):
        return Verdict("rating", True, "fell", (scores[-2].hundredths / 100, value, policy.srs_drop, last.at))
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
    own = [s.hundredths for s in earlier]
    # As they are told, so that who reads them can reckon it again.
    level, deviation = round(mean(own)), round(stdev(own))
    # Ratings that hardly differ would make every change a fall: then what clients differ by is the stricter measure.
    taken = max(deviation, round(policy.alliance_least_deviation * 100))
    times, _ = ALLIANCE_RULES[policy.alliance_rule]
    fell = level - last.hundredths >= times * taken
    facts = (level / 100, value, policy.alliance_rule, deviation / 100, taken / 100, last.at)
    return Verdict("alliance", fell, "fell_from_own" if fell else "near_own_level", facts)


def early_check(case: Case, policy: Policy) -> Verdict:
    """So many appointments attended, and the client has not rated one; not asked about those who have long been coming."""
    if "rating" not in case.heard:
        return NOT_RATED[2]
    if valued(case, SRS) or valued(case, WAI):
        return Verdict("early_check", False, "rated")
    seen, wanted = len(case.took_place()), policy.trust_check_by_appointment
    if seen < wanted:
        return Verdict("early_check", False, "early", (seen, wanted))
    # Whoever nobody marks may have come as well.
    if sum(entry & 3 != NO_SHOW for entry in case.line[: case.past]) >= wanted + ASKED_FOR:
        return Verdict("early_check", False, "long_coming")
    asked = done_at(case, "early_check")
    if asked != NOT_KNOWN:
        return Verdict("early_check", False, "asked", (asked,))
    if doubts := case.doubts():
        return Verdict("early_check", None, "blind", doubts)
    return Verdict("early_check", True, "not_rated_yet", (seen, wanted))


def later_cancels(case: Case, policy: Policy, clock: Clock) -> Verdict:
    """The client's own last cancellations, each in fewer hours before the appointment than the one before, and none attended since."""
    counts, wanted = round(policy.rating_counts_days * DAY), policy.later_cancels_in_a_row
    called_off = [c for c in case.told.cancelled if clock.passed(c.said_at)]
    if not called_off:
        return NO_STAMPS
    if clock.passed(called_off[-1].said_at + counts):
        return Verdict("later_cancels", False, "called_off_long_ago", (called_off[-1].said_at,))
    last = [list(each) for each in of_late(called_off, counts)[-wanted:]]
    if len(last) < wanted:
        return Verdict("later_cancels", False, "few_called_off", (len(last), wanted))
    if any(hours_before(later) >= hours_before(earlier) for earlier, later in pairwise(last)):
        return Verdict("later_cancels", False, "not_later", (last,))
    since = next((start for start in case.took_place() if start > called_off[-1].said_at), None)
    if since is not None:
        return Verdict("later_cancels", False, "attended_since", (since,))
    if case.blind:
        return Verdict("later_cancels", None, "blind", case.blind)
    return Verdict("later_cancels", True, "later", (last,))


def of_late(called_off: list[Cancelled], counts: int) -> list[Cancelled]:
    """The last of them that lie no farther apart than what counts."""
    found = called_off[-1:]
    for one in reversed(called_off[:-1]):
        if found[-1].start - one.start > counts:
            break
        found.append(one)
    return found[::-1]


def hours_before(called_off: Sequence[Instant]) -> int:
    """Whole hours between the word and the appointment."""
    start, said_at = called_off
    return max(0, start - said_at) // HOUR


def with_facts(verdict: Verdict, case: Case, policy: Policy, clock: Clock) -> Verdict:
    """A silent verdict with the facts that its sentence names."""
    return verdict._replace(facts=(case.away_until,)) if verdict.reason == "paused" else verdict


def tell(verdict: Verdict, voice: Voice) -> str:
    """The sentence for a verdict, as a therapist reads it."""
    facts = verdict.facts
    match verdict.reason:
        case "low":
            cutoff, value, at = facts
            why = f"below {cutoff:g} it is worth asking about (OpenFIT, a secondary source)"
            return f"The client rated the session {value:g} of 40 on {voice.day_and_distance(at)}; {why}."
        case "fell":
            before, value, drop, at = facts
            basis = "a number from memory" if drop == DEFAULT.srs_drop else "as the policy here says"
            why = f"a fall of {drop:g} {'point' if drop == 1 else 'points'} is worth asking about ({basis})"
            return f"The client's session rating went from {before:g} to {value:g} of 40 on {voice.day_and_distance(at)}; {why}."
        case "fell_from_own" | "near_own_level":
            level, value, rule, deviation, taken, at = facts
            times, whose = ALLIANCE_RULES[rule]
            fell = "lower" if verdict.fired else "not lower"
            spread = "one standard deviation" if times == 1 else f"{voice.count(times)} standard deviations"
            return (
                f"The client's own level of the alliance is {level:g} of 60. On {voice.day(at)} it was {value:g}, {fell} by as much as "
                f"the rule asks for ({rule}, {whose}: {spread} of {taken:g}"
                f"{_between(deviation, taken)})."
            )
        case "not_rated_yet":
            return f"Seen {voice.times(facts[0])}, and no rating by the client is here yet. How it is going could be asked."
        case "later":
            return f"The last {voice.count(len(facts[0]))} times the client called off, it was later each time: {_notice(facts[0], voice)}."
        case "long_ago":
            return f"The last rating, {facts[0]:g}, was on {voice.day_and_distance(facts[1])}."
        case "as_it_was":
            rated = f"The last session rating was {facts[0]:g} of 40, on {voice.day_and_distance(facts[1])}"
            return f"{rated}: not low, and no fall."
        case "few":
            return f"The alliance was rated {voice.times(facts[0])}; from {voice.count(facts[1])} times on, a client's own level shows."
        case "rated":
            return "The client has rated."
        case "asked":
            return f"Asked {voice.day_and_distance(facts[0])}."
        case "early":
            seen = f"Seen {voice.times(facts[0])}" if facts[0] else "No appointment is marked as attended yet"
            return f"{seen}; asked for from the {voice.ordinal(facts[1])} appointment on."
        case "long_coming":
            return "The client has been coming for longer than this question is for."
        case "not_later":
            return f"Called off {_notice(facts[0], voice)}; not later each time."
        case "few_called_off":
            often = f"Called off {voice.times(facts[0])} of late"
            return f"{often}; asked about from {voice.count(facts[1])} times on."
        case "called_off_long_ago":
            return f"The client last called off on {voice.day_and_distance(facts[0])}."
        case "attended_since":
            return f"Attended since, on {voice.day_and_distance(facts[0])}."
        case "not_rated":
            return "The client has rated nothing, or no source tells of ratings."
        case "no_stamps":
            return (
                "No source says when this client called anything off; without its own time stamp there is no evidence."
            )
    return common_sentence(verdict, voice)


def _notice(called_off: Sequence[Sequence[Instant]], voice: Voice) -> str:
    """How long before each appointment the word came."""
    return f"{voice.listing([_before(hours_before(each)) for each in called_off])} before"


def _between(deviation: float, taken: float) -> str:
    """That it was not the client's own deviation which was taken, and where the other comes from."""
    if taken <= deviation:
        return ""
    whose = "a number from memory" if taken == DEFAULT.alliance_least_deviation else "as the policy here says"
    return f", the one between clients, {whose}, since the client's own is {deviation:g}"


def _before(hours: int) -> str:
    if not hours:
        return "less than an hour"
    if hours < 72:
        return f"{hours} hour{'s' if hours > 1 else ''}"
    days, rest = divmod(hours, 24)
    return f"{days} days" + (f" and {rest} hour{'s' if rest > 1 else ''}" if rest else "")


RULE = Rule(name="trust", version=3, kinds=KINDS, decide=trust, with_facts=with_facts, tell=tell, untold=UNTOLD)
