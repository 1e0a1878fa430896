"""What goals come to, for the rules: which are open, what makes them ask for a look, and what could be asked about them."""

from collections.abc import Sequence
from typing import NamedTuple

from models.answers import Reply
from models.case import Case
from models.digest import KEPT
from models.entries import Achievement, GoalStatus
from models.instants import DAY, Instant
from models.policy import FIRST_REVIEW, REVIEW_RULES, Policy
from models.told import ACHIEVEMENTS, HAS_MEASURE, HAS_TARGET, NOT_KNOWN, OWN_WORDS, REPLIES, STATUSES, Goal, number_of

UNDER_WAY = {STATUSES.index(s) for s in (GoalStatus.active, GoalStatus.on_hold, GoalStatus.proposed)}
MET = {ACHIEVEMENTS.index(a) for a in (Achievement.achieved, Achievement.sustaining)}
COMPLETED = STATUSES.index(GoalStatus.completed)
CANCELLED = STATUSES.index(GoalStatus.cancelled)
DONE = REPLIES.index(Reply.done)
# What the linter asks; it never judges. In the order in which it is asked.
QUESTIONS: tuple[tuple[str, str], ...] = (
    ("target", "what would be different"),
    ("measure", "how you would both know"),
    ("date", "by when"),
    ("words", "whose words these are"),
)


def open_goals(case: Case) -> list[Goal]:
    """Goals that are worked at and not met."""
    return [g for g in case.told.goals if g.status in UNDER_WAY and g.achievement not in MET]


def met_goals(case: Case) -> list[Goal]:
    """Goals that are met and not closed yet."""
    return [g for g in case.told.goals if g.status in UNDER_WAY and g.achievement in MET]


def standing_goals(case: Case) -> list[Goal]:
    """Goals that were not given up."""
    return [g for g in case.told.goals if g.status != CANCELLED]


def all_met(goals: list[Goal]) -> bool:
    """Whether there are goals and every one of them is met."""
    return bool(goals) and all(g.status == COMPLETED or g.achievement in MET for g in goals)


def looked_at(goal: Goal, done: Instant) -> Instant:
    """When a goal was last looked at together: set, reviewed, or said to be `done`; NOT_KNOWN where nobody knows."""
    return max(goal.set_at, goal.reviewed_at, done)


def done_at(case: Case, *kinds: str) -> Instant:
    """When somebody last said `done` to a finding of one of these kinds; NOT_KNOWN where nobody did. To put it off is not to do it."""
    numbers = [number_of(kind) for kind in kinds]
    return max((a.at for a in case.told.answers if a.kind in numbers and a.reply == DONE), default=NOT_KNOWN)


def not_given(goals: list[Goal]) -> list[str]:
    """What could be asked about these goals, by the names of QUESTIONS: what at least one of them lacks."""
    lacks = {
        "target": any(not g.given & HAS_TARGET for g in goals),
        "measure": any(not g.given & HAS_MEASURE for g in goals),
        "date": any(g.target_at == NOT_KNOWN for g in goals),
        "words": any(not g.given & OWN_WORDS for g in goals),
    }
    return [name for name, _ in QUESTIONS if lacks[name]]


class Due(NamedTuple):
    """Why a goal asks for a look, and since when. What a payer asks for is named before our own rule of the same day. `at` is NOT_KNOWN
    where so many appointments have passed that nobody counts any more which one it was."""

    at: Instant
    rank: int
    name: str
    since: Instant
    limit: float


def dues(goal: Goal, done: Instant, seen: Sequence[Instant], policy: Policy) -> list[Due]:
    """All that makes a goal ask for a look, once it has come."""
    since = looked_at(goal, done)
    found: list[Due] = []
    if since != NOT_KNOWN:
        payer = REVIEW_RULES[policy.review_rule]
        if since == goal.set_at:  # nobody has looked at it since it was set
            payer = FIRST_REVIEW.get(policy.review_rule, payer)
        if payer:
            found.append(Due(since + round(payer * DAY), 0, policy.review_rule, since, payer))
        days = policy.review_every_days
        found.append(Due(since + round(days * DAY), 1, "days", since, days))
        # A look at a goal is a day, on which it was set or reviewed, or the moment of an answer; who was seen that day looked at it then.
        day_over = max(goal.set_at, goal.reviewed_at) + DAY
        after = [start for start in seen if start > done and start >= day_over]
        wanted = policy.review_every_appointments
        if len(after) >= wanted:
            at = after[wanted - 1] if len(after) < KEPT else NOT_KNOWN
            found.append(Due(at, 2, "appointments", since, wanted))
    if goal.target_at > since:
        found.append(Due(goal.target_at, 3, "target", since, 0))
    return [*found, *changes(goal, since)]


def changes(goal: Goal, since: Instant) -> list[Due]:
    """A new mark of how far a goal is, since it was looked at."""
    return [Due(goal.achievement_at, 4, "achievement", since, 0)] if goal.achievement_at > since else []
