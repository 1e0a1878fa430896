"""What goals come to, for the rules: which are open, since when nobody has looked at them, and what could be asked about them."""

from models.case import Case
from models.clock import Clock
from models.instants import Instant
from models.observations import Achievement, GoalStatus
from models.told import (
    ACHIEVEMENTS,
    HAS_MEASURE,
    HAS_TARGET,
    NOT_KNOWN,
    OWN_WORDS,
    STATUSES,
    Answered,
    Goal,
    number_of,
)

OPEN = {STATUSES.index(s) for s in (GoalStatus.active, GoalStatus.on_hold, GoalStatus.proposed)}
MET = {ACHIEVEMENTS.index(a) for a in (Achievement.achieved, Achievement.sustaining)}
COMPLETED = STATUSES.index(GoalStatus.completed)
CANCELLED = STATUSES.index(GoalStatus.cancelled)
# What the linter asks; it never judges. In the order in which it is asked.
QUESTIONS: tuple[tuple[str, str], ...] = (
    ("target", "what would be different"),
    ("measure", "how you would both know"),
    ("date", "by when"),
    ("words", "whose words these are"),
)


def open_goals(case: Case) -> list[Goal]:
    """Goals that are worked at."""
    return [g for g in case.told.goals if g.status in OPEN and g.achievement not in MET]


def all_met(case: Case) -> bool:
    """Whether there were goals and every one of them was met; given up ones do not count."""
    stood = [g for g in case.told.goals if g.status != CANCELLED]
    return bool(stood) and all(g.status == COMPLETED or g.achievement in MET for g in stood)


def last_looked_at(case: Case, goals: list[Goal], kind: str) -> Instant | None:
    """When these goals were last looked at together: reviewed, set, or answered for; None where nobody knows."""
    told = [at for g in goals for at in (g.set_at, g.reviewed_at) if at != NOT_KNOWN]
    told += [a.at for a in answers_to(case, kind)]
    return max(told, default=None)


def answers_to(case: Case, kind: str) -> list[Answered]:
    """What was answered to findings of a kind, oldest first."""
    number = number_of(kind)
    return [a for a in case.told.answers if a.kind == number]


def not_given(goals: list[Goal]) -> tuple[str, ...]:
    """What could be asked about these goals, by the names of QUESTIONS: what at least one of them lacks."""
    lacks = {
        "target": any(not g.given & HAS_TARGET for g in goals),
        "measure": any(not g.given & HAS_MEASURE for g in goals),
        "date": any(g.target_at == NOT_KNOWN for g in goals),
        "words": any(not g.given & OWN_WORDS for g in goals),
    }
    return tuple(name for name, _ in QUESTIONS if lacks[name])


def earliest(clock: Clock, dues: dict[str, Instant]) -> tuple[str, Instant] | None:
    """The first of some thresholds that has passed, with its name; the clock remembers the others."""
    passed = [(due, name) for name, due in dues.items() if clock.passed(due)]
    if not passed:
        return None
    due, name = min(passed)
    return name, due
