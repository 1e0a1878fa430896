"""Goals that both can name, looked at again in time; off track; and met, so that moving on is a thing to talk about."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from models.case import ENDED, UNREAD, Case, is_ending
from models.clock import Clock
from models.digest import KEPT
from models.entries import Achievement
from models.goals import (
    QUESTIONS,
    all_met,
    changes,
    done_at,
    dues,
    looked_at,
    met_goals,
    not_given,
    open_goals,
    standing_goals,
)
from models.instants import DAY, FAR, Instant
from models.measures import BY_NUMBER, NUMBERS, REGISTRY
from models.policy import FIRST_REVIEW, Policy
from models.rule import Facts, Kind, Rule, Verdict, common_sentence, silent
from models.scores import asks_for_safety, valued
from models.told import ACHIEVEMENTS, NOT_KNOWN, Goal
from models.voice import Voice

OFF = {ACHIEVEMENTS.index(a) for a in (Achievement.worsening, Achievement.no_progress, Achievement.not_attainable)}
UNTOUCHED = "untouched"
# How somebody is doing; the ratings of a session are no outcome.
OUTCOMES = tuple(NUMBERS[m.name] for m in BY_NUMBER if m.cutoff is not None and m.name != "SRS")
REVIEWS = ("review_due", "off_track")  # whoever says `done` to one of these has looked at the goals


def _another(then: Facts, now: Facts, answered: bool) -> bool:
    """Whether a goal went off track that was not, or in another way."""
    return bool(Counter(map(tuple, now[0])) - Counter(map(tuple, then[0])))


KINDS = {
    "no_goal": Kind("no_goal", "No goal yet", "Clears when a goal is written down.", ("goal_by_appointment",)),
    "review_due": Kind(
        "review_due",
        "Goal review",
        "Clears when the goals are marked as reviewed, or you say that you have talked about them.",
        ("review_every_days", "review_every_appointments", "review_rule"),
    ),
    "off_track": Kind(
        "off_track",
        "Off track",
        "Clears when the goal is marked otherwise, reviewed or given up.",
        ("goal_untouched_days",),
        again=_another,
    ),
    "moving_on": Kind(
        "moving_on",
        "Moving on?",
        "Clears when a goal is taken up, or the scores say otherwise.",
        ("healthy_in_a_row", "rating_counts_days"),
    ),
}
DIED = silent(KINDS, "died")
OVER = silent(KINDS, "ended")
ENDING = silent(KINDS, "ending")
PAUSED = silent(KINDS, "paused")
NOT_TOLD = silent(KINDS, "not_told")


def goal_review(case: Case, policy: Policy, clock: Clock) -> tuple[Verdict, ...]:
    """One verdict for each of KINDS, in their order."""
    told = case.told
    if not told.goals and not told.scores and "goal" not in case.heard and not case.unread:
        return NOT_TOLD
    if case.died:
        return DIED
    if case.status == ENDED:
        return OVER
    if told.endings and is_ending(told.endings):
        return ENDING
    if case.away_until > clock.now:
        clock.passed(case.away_until)
        return PAUSED
    goals = open_goals(case)
    return (
        no_goal(case, policy),
        review_due(case, goals, policy, clock) if goals else without_goals("review_due", case),
        off_track(case, goals, policy, clock) if goals else without_goals("off_track", case),
        moving_on(case, policy, clock),
    )


def no_goal(case: Case, policy: Policy) -> Verdict:
    """So many appointments attended, and no goal is written down; one that was given up is none."""
    if "goal" not in case.heard and not case.unread:
        return NOT_TOLD[0]
    stand = len(standing_goals(case))
    if stand:
        return Verdict("no_goal", False, "has_goal", (stand,))
    seen, wanted = len(case.took_place()), policy.goal_by_appointment
    if seen < wanted:
        return Verdict("no_goal", False, "early", (seen, wanted))
    if doubts := case.doubts():
        return Verdict("no_goal", None, "blind", doubts)
    return Verdict("no_goal", True, "no_goal", (seen, wanted, len(case.told.goals)))


def without_goals(kind: str, case: Case) -> Verdict:
    """There is no goal that is worked at, or one lies in quarantine."""
    return Verdict(kind, None, "blind", (UNREAD,)) if case.unread else Verdict(kind, False, "no_goals")


def review_due(case: Case, goals: list[Goal], policy: Policy, clock: Clock) -> Verdict:
    """Of any goal the first of: so many days, so many appointments, its own day, a change of how far it is, a payer's rule."""
    done = done_at(case, *REVIEWS)
    seen = case.took_place()
    by_goal = [dues(goal, done, seen, policy) for goal in goals]
    # That one of several goals was met asks for a look at the others.
    by_goal += [changes(goal, looked_at(goal, done)) for goal in met_goals(case)]
    passed = [[due for due in found if clock.passed(due.at)] for found in by_goal]
    reached = [due for found in passed for due in found]
    if not reached:
        ahead = min((due.at for found in by_goal for due in found), default=NOT_KNOWN)
        if ahead == NOT_KNOWN:
            return Verdict("review_due", False, "no_dates")
        last = max(looked_at(goal, done) for goal in goals)
        return Verdict("review_due", False, "reviewed", (last, ahead))
    if doubts := case.doubts():
        return Verdict("review_due", None, "blind", doubts)
    first = min(reached, key=lambda due: (FAR if due.at == NOT_KNOWN else due.at, due.rank))
    facts = (first.name, first.at, first.since, first.limit, sum(map(bool, passed)), len(by_goal), not_given(goals))
    return Verdict("review_due", True, "review_due", facts)


def off_track(case: Case, goals: list[Goal], policy: Policy, clock: Clock) -> Verdict:
    """A goal is said to worsen, not to move or not to be attainable, or nobody has looked at it for long."""
    done = done_at(case, *REVIEWS)
    said: list[list[Any]] = []
    untouched: list[list[Any]] = []
    touched: list[Instant] = []
    for goal in goals:
        if goal.achievement in OFF:
            said.append([ACHIEVEMENTS[goal.achievement].value, goal.achievement_at])
            continue
        since = max(looked_at(goal, done), goal.achievement_at)  # who marks how far it is has looked at it
        if since == NOT_KNOWN:
            continue
        if clock.passed(since + round(policy.goal_untouched_days * DAY)):
            untouched.append([UNTOUCHED, since])
        else:
            touched.append(since)
    doubts = case.doubts()
    if said or (untouched and not doubts):
        return Verdict("off_track", True, "off_track", (sorted(said + ([] if doubts else untouched)),))
    if untouched:
        return Verdict("off_track", None, "blind", doubts)
    return (
        Verdict("off_track", False, "touched", (min(touched),)) if touched else Verdict("off_track", False, "no_dates")
    )


def moving_on(case: Case, policy: Policy, clock: Clock) -> Verdict:
    """All goals are met, or the last scores all lie in the healthy range; the conversation about what comes next is offered, never more,
    and not while a result asks for safety."""
    if asks_for_safety(case):
        return Verdict("moving_on", False, "safety_first")
    stand = standing_goals(case)
    if all_met(stand):
        return Verdict("moving_on", True, "goals_met", (len(stand),))
    healthy: list[list[Any]] = []
    for number in OUTCOMES:
        measure, scores = BY_NUMBER[number], valued(case, number)
        if not scores or clock.passed(scores[-1].at + round(policy.rating_counts_days * DAY)):
            continue  # nobody asks about that any more
        last = [s.hundredths / 100 for s in scores[-policy.healthy_in_a_row :]]
        if any(measure.clinical(value) for value in last):
            return Verdict("moving_on", False, "on_the_way", (measure.name,))
        if len(last) == policy.healthy_in_a_row:
            healthy.append([measure.name, last, scores[-1].at])
    if healthy:
        return Verdict("moving_on", True, "healthy", (healthy,))
    return Verdict("moving_on", False, "not_yet")


def with_facts(verdict: Verdict, case: Case, policy: Policy, clock: Clock) -> Verdict:
    """A silent verdict with the facts that its sentence names."""
    return verdict._replace(facts=(case.away_until,)) if verdict.reason == "paused" else verdict


PAYERS = {
    "medicare-php": "Medicare, partial hospitalisation (42 CFR 424.24(e)),",
    "medicare-iop": "Medicare, intensive outpatient (42 CFR 424.24(d)),",
    "ny-599": "New York (14 NYCRR 599.10)",
    "nj-10-52": "New Jersey (NJAC 10:52)",
    "ccbhc": "CCBHC (criteria of 2023)",
}
FORMER = frozenset({"ny-599"})  # what such a rule asked for once; whether it does today nobody here has seen
OFF_WORDS = {
    "worsening": ("is marked as getting worse", "are marked as getting worse"),
    "no-progress": ("is marked as not moving", "are marked as not moving"),
    "not-attainable": ("is marked as out of reach", "are marked as out of reach"),
    UNTOUCHED: ("has not been looked at", "have not been looked at"),
}
UNKNOWN = "Nobody knows when the goals were set or looked at"
NEXT = "What comes next could be talked about: going on, fewer appointments, or an ending."


def tell(verdict: Verdict, voice: Voice) -> str:
    """The sentence for a verdict, as a therapist reads it; it never holds a goal's words."""
    facts = verdict.facts
    match verdict.reason:
        case "no_goal":
            seen, _, given_up = facts
            found = "the goals that were written down are given up" if given_up else "no goal is written down yet"
            return f"{_seen(seen, voice)}, and {found}."
        case "review_due":
            return _review(facts, voice)
        case "off_track":
            return _off_track(facts[0], voice)
        case "goals_met":
            return f"{'The goal is' if facts[0] == 1 else 'All goals are'} met. {NEXT}"
        case "healthy":
            said = voice.listing(
                [
                    f"{name} {', '.join(f'{v:g}' for v in values)} ({REGISTRY[name].healthy})"
                    for name, values, _ in facts[0]
                ]
            )
            return f"The last scores lie in the healthy range: {said}. {NEXT}"
        case "has_goal":
            return f"{voice.count(facts[0]).capitalize()} {'goal is' if facts[0] == 1 else 'goals are'} written down."
        case "early":
            asked = f"a goal is asked for from the {voice.ordinal(facts[1])} appointment on"
            return f"{_seen(facts[0], voice)}; {asked}."
        case "reviewed":
            last, ahead = facts
            looked = f"Looked at {voice.day_and_distance(last)}" if last != NOT_KNOWN else UNKNOWN
            return f"{looked}; a look is due by {voice.day(ahead)}."
        case "touched":
            return f"Each goal was looked at or marked {voice.day_and_distance(facts[0])}, or later."
        case "no_dates":
            return f"{UNKNOWN}; add the days to the goals file."
        case "on_the_way":
            return f"The last scores of {facts[0]} do not all lie in the healthy range."
        case "not_yet":
            return "The goals are not all met, and there are too few scores of late to tell."
        case "safety_first":
            return "Not asked while a result asks for safety."
        case "no_goals":
            return "There is no goal that is worked at."
        case "not_told":
            return "No source tells of goals or scores."
    return common_sentence(verdict, voice)


def _seen(count: int, voice: Voice) -> str:
    """How often somebody was seen; of a long therapy a digest keeps the last times only."""
    if not count:
        return (
            "No appointment is marked as attended yet"  # somebody may have been seen: where nobody marks, nobody knows
        )
    return f"Seen {voice.times(count)}{' or more' if count >= KEPT else ''}"


def _review(facts: Facts, voice: Voice) -> str:
    name, at, since, limit, count, total, lacks = facts
    last = voice.day_and_distance(since)
    if name == "target":
        why = f"The day that was set for a goal has come ({voice.day_and_distance(at)})."
    elif name == "achievement":
        why = f"How far a goal has come was marked anew on {voice.day_and_distance(at)}, and not looked at together since."
    elif name in PAYERS:
        first = limit == FIRST_REVIEW.get(name)
        asks = (
            f"a first look at the goals within {limit:g} days" if first else f"a look at the goals every {limit:g} days"
        )
        when = f"they were set {last}" if first else f"the last was {last}"
        does = "formerly asked" if name in FORMER else "asks"
        why = (
            f"{PAYERS[name]} {does} for {asks}; {when}. We know that number from memory: compare it with your own text."
        )
    else:
        why = f"The goals were last looked at {last}; every {limit:g} {name} is what is asked for."
    several = f" So it is with {count} of {total} goals." if count < total else ""
    asked = voice.listing([words for key, words in QUESTIONS if key in lacks])
    return f"{why}{several}{f' You might ask {asked}.' if asked else ''}"


def _off_track(found: Sequence[Sequence[Any]], voice: Voice) -> str:
    parts = []
    for word, (one, more) in OFF_WORDS.items():
        when = [at for said, at in found if said == word]
        if when:
            goals = "one goal" if len(when) == 1 else f"{voice.count(len(when))} goals"
            since = f" since {voice.day_and_distance(max(when))}" if max(when) != NOT_KNOWN else ""
            parts.append(f"{goals} {one if len(when) == 1 else more}{since}")
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}."


RULE = Rule(
    name="goal_review", version=3, kinds=KINDS, decide=goal_review, with_facts=with_facts, tell=tell, untold=NOT_TOLD
)
