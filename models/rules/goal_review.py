"""Goals that both can name, looked at again in time; off track; and met, so that moving on is a thing to talk about."""

from models.appointments import Mark
from models.case import ENDED, TOOK_PLACE, Case
from models.clock import Clock
from models.goals import QUESTIONS, all_met, earliest, last_looked_at, not_given, open_goals
from models.instants import DAY, Instant
from models.measures import BY_NUMBER
from models.observations import Achievement
from models.policy import REVIEW_RULES, Policy
from models.rule import Facts, Kind, Rule, Verdict
from models.told import ACHIEVEMENTS, NOT_KNOWN, Goal
from models.voice import Voice

OFF = {ACHIEVEMENTS.index(a) for a in (Achievement.worsening, Achievement.no_progress, Achievement.not_attainable)}
OUTCOMES = tuple(n for n, m in enumerate(BY_NUMBER) if m.cutoff is not None and m.name != "SRS")


def _another(then: Facts, now: Facts, answered: bool) -> bool:
    """Whether goals went off track in another way since."""
    return then[:2] != now[:2]


KINDS = {
    "no_goal": Kind(
        "no_goal",
        "No goal yet",
        "Clears when a goal is written down.",
        ("goal_by_appointment",),
    ),
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
        "Clears when a new goal is written down or the scores say otherwise.",
        ("healthy_in_a_row",),
    ),
}
DIED = tuple(Verdict(kind, False, "died") for kind in KINDS)
OVER = tuple(Verdict(kind, False, "ended") for kind in KINDS)
NOT_TOLD = tuple(Verdict(kind, False, "not_told") for kind in KINDS)
NO_GOALS = tuple(Verdict(kind, False, "no_goals") for kind in KINDS)
ATTENDED = int(Mark.attended)


def goal_review(case: Case, policy: Policy, clock: Clock) -> tuple[Verdict, ...]:
    """One verdict for each of KINDS, in their order."""
    told = case.told
    if not told.goals and not told.scores and "goal" not in case.heard:
        return NOT_TOLD
    if case.died:
        return DIED
    if case.status == ENDED:
        return OVER
    goals = open_goals(case)
    if case.away_until > clock.now:
        clock.passed(case.away_until)
        return (
            *(Verdict(kind, False, "paused") for kind in ("no_goal", "review_due", "off_track")),
            moving_on(case, policy),
        )
    return (
        no_goal(case, policy),
        review_due(case, goals, policy, clock) if goals else NO_GOALS[1],
        off_track(case, goals, policy, clock) if goals else NO_GOALS[2],
        moving_on(case, policy),
    )


def attended(case: Case) -> list[Instant]:
    """Starts of appointments that took place, oldest first; of a long therapy the last dozen."""
    return [entry >> 3 for entry in case.line[: case.past] if entry & 3 in TOOK_PLACE]


def no_goal(case: Case, policy: Policy) -> Verdict:
    """So many appointments attended, and no goal was ever written down."""
    if "goal" not in case.heard:
        return NOT_TOLD[0]
    if case.told.goals:
        return Verdict("no_goal", False, "has_goal", (len(case.told.goals),))
    seen = attended(case)
    if len(seen) < policy.goal_by_appointment:
        return Verdict("no_goal", False, "early", (len(seen), policy.goal_by_appointment))
    if case.blind:
        return Verdict("no_goal", None, "blind", case.blind)
    return Verdict("no_goal", True, "no_goal", (len(seen), seen[policy.goal_by_appointment - 1]))


def review_due(case: Case, goals: list[Goal], policy: Policy, clock: Clock) -> Verdict:
    """The first of: so many days, so many appointments, a goal's own day, a change of how far it is, a payer's rule."""
    since = last_looked_at(case, goals, "review_due")
    if since is None:
        return Verdict("review_due", False, "no_dates")
    dues = {"days": since + round(policy.review_every_days * DAY)}
    if REVIEW_RULES[policy.review_rule]:
        dues[policy.review_rule] = since + round(REVIEW_RULES[policy.review_rule] * DAY)
    after = [start for start in attended(case) if start > since]
    if len(after) >= policy.review_every_appointments:
        dues["appointments"] = after[policy.review_every_appointments - 1]
    targets = [g.target_at for g in goals if g.target_at > since]
    if targets:
        dues["target"] = min(targets)
    changed = [g.achievement_at for g in goals if g.achievement_at > since]
    if changed:
        dues["achievement"] = min(changed)
    first = earliest(clock, dues)
    if first is None:
        return Verdict("review_due", False, "reviewed", (since, min(dues.values())))
    if case.blind:
        return Verdict("review_due", None, "blind", case.blind)
    return Verdict("review_due", True, "review_due", (*first, since, list(not_given(goals))))


def off_track(case: Case, goals: list[Goal], policy: Policy, clock: Clock) -> Verdict:
    """A goal is said to worsen, not to move or not to be attainable, or nobody has looked at it for long."""
    said = [g for g in goals if g.achievement in OFF]
    if said:
        worst = max(said, key=lambda g: g.achievement_at)
        return Verdict(
            "off_track", True, "said", (ACHIEVEMENTS[worst.achievement].value, worst.achievement_at, len(said))
        )
    since = last_looked_at(case, goals, "off_track")
    if since is None:
        return Verdict("off_track", False, "no_dates")
    if not clock.passed(since + round(policy.goal_untouched_days * DAY)):
        return Verdict("off_track", False, "touched", (since,))
    if case.blind:
        return Verdict("off_track", None, "blind", case.blind)
    return Verdict("off_track", True, "untouched", ("untouched", since, len(goals)))


def moving_on(case: Case, policy: Policy) -> Verdict:
    """All goals are met, or the last scores all lie in the healthy range; the conversation about what comes next is offered, never more."""
    if all_met(case):
        return Verdict("moving_on", True, "goals_met", (len(case.told.goals),))
    healthy: list[str] = []
    for number in OUTCOMES:
        values = [s.hundredths / 100 for s in case.told.scores if s.measure == number and s.hundredths != NOT_KNOWN]
        if len(values) < policy.healthy_in_a_row:
            continue
        if any(BY_NUMBER[number].clinical(value) for value in values[-policy.healthy_in_a_row :]):
            return Verdict("moving_on", False, "on_the_way", (BY_NUMBER[number].name,))
        healthy.append(BY_NUMBER[number].name)
    if healthy:
        return Verdict("moving_on", True, "healthy", (healthy, policy.healthy_in_a_row))
    return Verdict("moving_on", False, "not_yet")


def with_facts(verdict: Verdict, case: Case, policy: Policy, clock: Clock) -> Verdict:
    """A silent verdict with the facts that its sentence names."""
    return verdict._replace(facts=(case.away_until,)) if verdict.reason == "paused" else verdict


_WHY = {
    "days": "so many days have passed since",
    "appointments": "so many appointments have passed since",
    "target": "a goal's own day has come",
    "achievement": "how far a goal is was marked anew",
    "medicare-php": "Medicare partial hospitalisation asks for it every 30 days",
    "medicare-iop": "Medicare intensive outpatient asks for it every 60 days",
    "ny-599": "14 NYCRR 599.10 asks for it every 90 days",
    "nj-10-52": "NJAC 10:52 asks for it every 90 days",
    "ccbhc": "the CCBHC criteria ask for it every six months",
}
_SAID = {
    "worsening": "is marked as getting worse",
    "no-progress": "is marked as not moving",
    "not-attainable": "is marked as not attainable",
}


def tell(verdict: Verdict, voice: Voice) -> str:
    """The sentence for a verdict, as a therapist reads it; it never holds a goal's words."""
    facts = verdict.facts
    match verdict.reason:
        case "no_goal":
            return f"Seen {voice.times(facts[0])}, and no goal is written down yet."
        case "review_due":
            name, due, since, lacks = facts
            asked = voice.listing([words for key, words in QUESTIONS if key in lacks])
            ask = f" You might ask {asked}." if asked else ""
            last = voice.day_and_distance(since)
            return f"The goals were last looked at {last}; a look is due since {voice.day(due)}: {_WHY[name]}.{ask}"
        case "said":
            word, at, count = facts
            one = "A goal" if count == 1 else f"One of {count} goals"
            since = f" since {voice.day_and_distance(at)}" if at != NOT_KNOWN else ""
            return f"{one} {_SAID[word]}{since}."
        case "untouched":
            return f"Nobody has looked at the goals since {voice.day_and_distance(facts[1])}."
        case "goals_met":
            goals = "The goal is" if facts[0] == 1 else "All goals are"
            return f"{goals} met. What comes next could be talked about: going on, fewer appointments, or an ending."
        case "healthy":
            names, count = facts
            return (
                f"The last {count} scores of {voice.listing(names)} lie in the healthy range. What comes next could be talked about: "
                "going on, fewer appointments, or an ending."
            )
        case "has_goal":
            return f"{voice.count(facts[0]).capitalize()} {'goal is' if facts[0] == 1 else 'goals are'} written down."
        case "early":
            return (
                f"Seen {voice.times(facts[0])}; a goal is asked for from the {voice.ordinal(facts[1])} appointment on."
            )
        case "reviewed":
            return f"Looked at {voice.day_and_distance(facts[0])}; again by {voice.day(facts[1])} at the latest."
        case "touched":
            return f"Looked at {voice.day_and_distance(facts[0])}."
        case "no_dates":
            return "Nobody knows when the goals were set or looked at; add the day to the goals file."
        case "on_the_way":
            return f"The last scores of {facts[0]} do not all lie in the healthy range."
        case "not_yet":
            return "The goals are not all met, and there are too few scores to tell."
        case "no_goals":
            return "There is no goal that is worked at."
        case "not_told":
            return "No source tells of goals or scores."
        case "paused":
            return (
                f"Paused until {voice.day(facts[0])}." if voice.can_name(facts[0]) else "Paused until further notice."
            )
        case "blind":
            return f"Cannot say: {voice.listing(facts)} could show otherwise and cannot be relied on now."
        case "died":
            return "The client has died; nothing is asked."
        case "ended":
            return "Care has ended."
    raise ValueError(f"no sentence for {verdict.reason}")


RULE = Rule(
    name="goal_review", version=1, kinds=KINDS, decide=goal_review, with_facts=with_facts, tell=tell, untold=NOT_TOLD
)
