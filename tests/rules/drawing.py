"""Histories, policies and days off as Hypothesis draws them: up to some forty appointments of every sort, and all that is told."""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from models.answers import Reply, replies_to
from models.clock import merged
from models.ending_steps import Means, Need, Reason, Step, need_of
from models.entries import Achievement, GoalStatus
from models.instants import DAY, HOUR, start_of
from models.measures import REGISTRY
from models.policy import ALLIANCE_RULES, REVIEW_RULES
from models.referral_table import WORDS
from models.rules import all_rules
from models.told import NOT_KNOWN
from tests.builders import (
    NOW,
    SAFETY,
    ZONE,
    a_goal,
    a_history,
    a_referral,
    a_row,
    a_score,
    an_answer,
    an_ending,
    called_off,
    sharing,
)

FIRST_DAY = date(2026, 5, 1)
TODAY = date(2026, 11, 23)
HEARD = ("goal", "score", "rating")
KINDS = {name: (rule, kind) for rule in all_rules() for name, kind in rule.kinds.items()}
days = st.integers(0, 330).map(lambda n: FIRST_DAY + timedelta(days=n))
past_days = st.integers(0, 400).map(lambda n: TODAY - timedelta(days=n))
spans = st.tuples(days, st.integers(0, 40)).map(lambda s: (s[0], s[0] + timedelta(days=s[1])))
times = st.integers(-260 * 24, 120 * 24).map(lambda hours: NOW + hours * HOUR)
past_times = st.integers(1, 260 * 24).map(lambda hours: NOW - hours * HOUR)
some_past = st.lists(past_times, max_size=8, unique=True)
ahead = st.lists(times.filter(lambda t: t > NOW), min_size=1, max_size=3, unique=True)
lately = st.integers(1, 40 * 24).map(lambda hours: NOW - hours * HOUR)

policies = st.fixed_dictionaries(
    {},
    optional={
        "quiet_after_days": st.sampled_from((3, 14, 30.5)),
        "quiet_factor": st.sampled_from((1, 2, 2.5)),
        "rhythm_gaps": st.integers(3, 12),
        "rhythm_least_gaps": st.integers(1, 12),
        "missed_in_a_row": st.integers(1, 4),
        "not_started_after_days": st.sampled_from((1, 14, 100)),
        "unconfirmed_in_a_row": st.integers(1, 12),
        "mark_within_days": st.sampled_from((0, 2, 10)),
        "goal_by_appointment": st.integers(1, 12),
        "review_every_days": st.sampled_from((7, 30, 90.5, 365)),
        "review_every_appointments": st.integers(2, 12),
        "review_rule": st.sampled_from(tuple(REVIEW_RULES)),
        "goal_untouched_days": st.sampled_from((14, 60, 150.5)),
        "healthy_in_a_row": st.integers(2, 12),
        "srs_drop": st.sampled_from((0.5, 1, 5)),
        "alliance_rule": st.sampled_from(tuple(ALLIANCE_RULES)),
        "alliance_least_deviation": st.sampled_from((1, 3.5, 7)),
        "rating_counts_days": st.sampled_from((7, 60, 90.5)),
        "trust_check_by_appointment": st.integers(1, 10),
        "later_cancels_in_a_row": st.integers(2, 6),
        "ending_step_days": st.sampled_from((1, 14, 30.5)),
        "ending_attempts": st.integers(2, 5),
        "ending_attempt_days": st.sampled_from((1, 14, 20.5)),
        "referral_first_days": st.sampled_from((3, 7, 10.5)),
        "referral_third_days": st.sampled_from((20, 30, 60.5)),
        "referral_fit_days": st.sampled_from((0, 3, 14)),
        "referral_again_days": st.sampled_from((7, 30, 45.5)),
        "referral_silent_days": st.sampled_from((14, 45)),
    },
)

goals = st.builds(
    lambda **said: a_goal(**said),
    set_on=st.none() | past_days,
    reviewed_on=st.none() | st.none() | past_days,
    target_on=st.none() | days,
    achievement=st.sampled_from([each.value for each in Achievement]),
    achievement_on=st.none() | past_days,
    status=st.sampled_from(["active", "active", "active", *[each.value for each in GoalStatus]]),
    has_target=st.booleans(),
    has_measure=st.booleans(),
    own_words=st.booleans(),
)


@st.composite
def scores(draw: Any, taken: Any = past_times) -> Any:
    """One score, told here at once or later; of a PHQ-9 with item 9, without it, or that alone."""
    measure = REGISTRY[
        draw(st.sampled_from(("SRS", "SRS", "WAI-SR", "ORS", "PHQ-9", "PHQ-9", "PHQ-9", "GAD-7", "C-SSRS")))
    ]
    at, late = draw(taken), draw(st.sampled_from((0, 0, HOUR, 3 * DAY, 20 * DAY)))
    told_at = max(at, min(at + late, NOW))
    risk = None if measure.risk is None else draw(st.sampled_from((None, 0, 0, *range(1, measure.risk + 1))))
    if measure.is_screen:
        return a_score(measure.name, risk, at, risk=risk or 0, told_at=told_at)
    # Near the cut-offs and near one another, or nothing would ever be as it was.
    near = measure.cutoff if measure.cutoff is not None else measure.high * 0.8
    values = st.integers(-16, 16).map(lambda n: min(measure.high, max(measure.low, near + n / 4)))
    value = draw(st.none() | values) if risk is not None else draw(values)
    return a_score(measure.name, value, at, risk=risk, told_at=told_at)


@st.composite
def series(draw: Any) -> Any:
    """Scores of one measure, one a week until lately: without them nobody has a level of their own, or three healthy scores in a row."""
    measure = REGISTRY[draw(st.sampled_from(("SRS", "WAI-SR", "WAI-SR", "ORS", "PHQ-9", "GAD-7")))]
    # On the healthy side, and near one another.
    near = {"SRS": 38, "ORS": 29, "PHQ-9": 5, "GAD-7": 3}.get(measure.name, 50)
    values = draw(st.lists(st.integers(-8, 8).map(lambda n: near + n / 4), min_size=2, max_size=14))
    last = draw(lately)
    return [a_score(measure.name, value, last - n * 7 * DAY) for n, value in enumerate(values)]


@st.composite
def answers(draw: Any, given: Any = past_times) -> Any:
    """One answer that may be given to a finding of its kind."""
    kind, at = draw(st.sampled_from(sorted(KINDS))), draw(given)
    safe = kind in SAFETY
    reply = draw(st.sampled_from(replies_to(kind, safety=safe)))
    until = at + (1 if safe and reply is Reply.snooze else draw(st.integers(1, 30))) * DAY
    if reply is Reply.agreed and draw(st.booleans()):
        return an_answer(kind, reply.value, at, days=draw(st.integers(1, 60)))
    needs_day = reply in (Reply.agreed, Reply.snooze, Reply.known)
    return an_answer(kind, reply.value, at, until=until if needs_day else None)


@st.composite
def an_ending_of_any_sort(draw: Any) -> Any:
    """An ending as people may have said it, begun in the last weeks: waiting, going on, withdrawn or closed."""
    reason = draw(st.sampled_from([each for each in Reason if each is not Reason.death] + [Reason.contact] * 4))
    started = draw(lately)
    when = st.integers(0, max(0, (NOW - started) // HOUR)).map(lambda hours: started + hours * HOUR)
    steps = [step for step in Step if need_of(reason, step) is not Need.none]
    means = st.sampled_from([each.value for each in Means])
    return an_ending(
        reason.value,
        started,
        waiting=draw(st.sampled_from((False, False, False, True))),
        attempts=draw(st.lists(st.tuples(means, when), max_size=4)),
        done={step.value: draw(when) for step in draw(st.lists(st.sampled_from(steps), max_size=6, unique=True))},
        careful=draw(st.booleans()),
        until=draw(st.sampled_from((NOT_KNOWN, NOT_KNOWN, NOW - DAY, NOW + 5 * DAY))),
        ended=draw(st.sampled_from((None, None, None, None, ("withdrawn", NOW), ("closed", NOW)))),
    )


@st.composite
def referrals(draw: Any) -> Any:
    """One referral that was offered, and up to some eight things that were said of it since; what does not fit is kept aside."""
    at = draw(past_times)
    said: list[Any] = [("offered", at, {"follow_up": draw(st.booleans())})]
    for _ in range(draw(st.integers(0, 8))):
        at = min(NOW, at + draw(st.integers(0, 40)) * DAY // 2)
        what = draw(
            st.sampled_from(
                ("chosen", "consented", "sent", "self-arranged", "news", "news", "attended", "fits", "refused")
            )
        )
        more = {"word": draw(st.sampled_from(tuple(WORDS))), "fits": draw(st.booleans())}
        ahead = draw(st.sampled_from((-1, 0, 10))) if what == "news" else 0
        said.append((what, at, more | {"day": -1 if ahead < 0 else at + ahead * DAY}))
    return a_referral(*said, number=f"R-{draw(st.integers(1, 5))}")


@st.composite
def histories(draw: Any, *, all_past: bool = False, **fixed: Any) -> dict[str, Any]:
    """What a_history takes. With `all_past` nothing that is told of a client bears a time ahead."""
    # Some are in care, some have not come for weeks, some have never come.
    since = draw(st.sampled_from((0, 0, 16, 35, None)))

    def past(most: int) -> list[int]:
        return (
            [] if since is None else [t - since * DAY for t in draw(st.lists(past_times, max_size=most, unique=True))]
        )

    told_times = past_times if all_past else st.one_of(past_times, lately, lately, times)
    least = st.sampled_from((0, 0, 200))  # hours before; some call off in time
    drawn = {
        "attended": past(16),
        "presumed": past(8),
        "unmarked": past(8),
        "missed": draw(some_past),
        "booked": draw(st.just([]) | st.just([]) | ahead),
        "tail": draw(st.just([]) | ahead | some_past),
        "status": draw(st.sampled_from(("intake", "active", "active", "active", "ended"))),
        "asked_on": draw(st.none() | days),
        "paused_until": draw(st.none() | st.none() | days),
        "died": draw(st.sampled_from((False, False, False, False, True))),
        "breaks": draw(st.lists(spans, max_size=3)),
        "goals": draw(st.lists(goals, max_size=3)),
        "scores": draw(st.lists(scores(told_times), max_size=12) | series()),
        "cancelled": [
            called_off(t, draw(st.integers(0, 90)) + draw(least)) for t in draw(st.lists(told_times, max_size=8))
        ],
        "answers": draw(st.lists(answers(told_times), max_size=4)),
        "endings": draw(st.just([]) | st.lists(an_ending_of_any_sort(), max_size=1)),
        "referrals": draw(st.lists(referrals(), max_size=3, unique_by=lambda one: one.number)),
    }
    return drawn | fixed


def pauses_of(found: list[tuple[date, date]]) -> Any:
    """Days off, both included, as spans."""
    return merged((start_of(a, ZONE), start_of(b + timedelta(days=1), ZONE)) for a, b in found)


leaves = st.lists(spans, max_size=2).map(pauses_of)


def verdicts(
    history: dict[str, Any],
    now: int,
    pauses: Any = (),
    known_at: int = NOW,
    *,
    blind: Any = (),
    unread: bool = False,
    **policy: Any,
) -> Any:
    """What all rules say at an instant of a history that was digested as of another."""
    together = sharing(now, pauses=pauses, blind=blind, unread=unread, heard=HEARD, **policy)
    return together.look(a_row(a_history(**history, known_at=known_at))).verdicts


def fired(history: dict[str, Any], now: int, pauses: Any = (), **policy: Any) -> dict[str, bool | None]:
    """Whether each kind fires."""
    return {v.kind: v.fired for v in verdicts(history, now, pauses, **policy)}
