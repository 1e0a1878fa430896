"""The evidence of a finding suffices to find it again: each verdict is reckoned anew from its facts, the policy and the day alone."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings

from models.ending_acts import STEPS
from models.goals import QUESTIONS
from models.instants import DAY, HOUR
from models.measures import REGISTRY
from models.policy import ALLIANCE_RULES, FIRST_REVIEW, REVIEW_RULES, Policy
from models.referral_shape import RUNGS
from models.rule import Verdict
from models.rules import trust
from models.rules.referral import FITS, VISIT, WHYS
from models.rules.safety import OLD_NEWS
from models.told import NOT_KNOWN
from models.voice import Voice
from tests.builders import NOW, ZONE
from tests.rules.drawing import KINDS, histories, leaves, policies, verdicts


def quiet(verdict: Verdict, policy: Policy) -> bool:
    last, rhythm, _, _, due, agreed = verdict.facts
    assert agreed == NOT_KNOWN or last < agreed <= NOW
    return last + int(max(policy.quiet_after_days * DAY, policy.quiet_factor * rhythm)) <= due <= NOW


def missed(verdict: Verdict, policy: Policy) -> bool:
    return len(set(verdict.facts)) == policy.missed_in_a_row and max(verdict.facts) <= NOW


def not_started(verdict: Verdict, policy: Policy) -> bool:
    asked, due, agreed = verdict.facts
    assert agreed <= NOW
    return asked + policy.not_started_after_days * DAY <= due <= NOW


def unconfirmed(verdict: Verdict, policy: Policy) -> bool:
    enough = len(verdict.facts) == policy.unconfirmed_in_a_row
    return enough and max(verdict.facts) + policy.mark_within_days * DAY <= NOW


def no_goal(verdict: Verdict, policy: Policy) -> bool:
    seen, wanted, _ = verdict.facts
    return seen >= wanted == policy.goal_by_appointment


def review_due(verdict: Verdict, policy: Policy) -> bool:
    name, at, since, limit, count, total, lacks = verdict.facts
    assert 1 <= count <= total
    assert set(lacks) <= {name for name, _ in QUESTIONS}
    if name in ("target", "achievement"):
        return bool(since < at <= NOW)
    if name == "appointments":
        return limit == policy.review_every_appointments and (at == NOT_KNOWN or since < at <= NOW)
    rule = policy.review_rule
    asked = {REVIEW_RULES[rule], FIRST_REVIEW.get(rule, REVIEW_RULES[rule])}
    assert limit in ({policy.review_every_days} if name == "days" else asked)
    return bool(since + round(limit * DAY) == at <= NOW)


def off_track(verdict: Verdict, policy: Policy) -> bool:
    untouched = [at for word, at in verdict.facts[0] if word == "untouched"]
    return bool(verdict.facts[0]) and all(at + round(policy.goal_untouched_days * DAY) <= NOW for at in untouched)


def moving_on(verdict: Verdict, policy: Policy) -> bool:
    if verdict.reason == "goals_met":
        return bool(verdict.facts[0] >= 1)
    return all(
        len(values) == policy.healthy_in_a_row
        and not any(REGISTRY[name].clinical(value) for value in values)
        and at + round(policy.rating_counts_days * DAY) > NOW
        for name, values, at in verdict.facts[0]
    )


def rating(verdict: Verdict, policy: Policy) -> bool:
    before, value, *asked, at = verdict.facts
    assert at <= NOW < at + round(policy.rating_counts_days * DAY)
    if verdict.reason == "low":
        return value < before
    assert asked == [policy.srs_drop]
    return round((before - value) * 100) >= round(policy.srs_drop * 100)


def alliance(verdict: Verdict, policy: Policy) -> bool:
    level, value, rule, own, taken, at = verdict.facts
    assert at <= NOW < at + round(policy.rating_counts_days * DAY)
    assert rule == policy.alliance_rule
    assert taken == max(own, policy.alliance_least_deviation)
    return round((level - value) * 100) >= ALLIANCE_RULES[rule][0] * round(taken * 100)


def early_check(verdict: Verdict, policy: Policy) -> bool:
    seen, wanted = verdict.facts
    return wanted == policy.trust_check_by_appointment and wanted <= seen < wanted + 3


def later_cancels(verdict: Verdict, policy: Policy) -> bool:
    (found,) = verdict.facts
    counts = round(policy.rating_counts_days * DAY)
    assert found[-1][1] <= NOW < found[-1][1] + counts
    assert all(later[0] - earlier[0] <= counts for earlier, later in pairwise(found))
    hours = [max(0, start - said_at) // HOUR for start, said_at in found]
    return len(found) == policy.later_cancels_in_a_row and all(b < a for a, b in pairwise(hours))


def risk(verdict: Verdict, policy: Policy) -> bool:
    results, zero, plan, _ = verdict.facts
    assert all(at <= NOW for _, at, _ in results)
    assert plan == NOT_KNOWN or plan > NOW
    assert zero == NOT_KNOWN or (results[-1][1] < zero <= NOW and results[-1][1] + OLD_NEWS > NOW)
    return bool(results) and all(risk > 0 for risk, _, _ in results)


def ending_step(verdict: Verdict, policy: Policy) -> bool:
    _, step, since, due, *proposed = verdict.facts
    if verdict.reason in ("to_close", "unconfirmed"):
        late = since + round(policy.ending_step_days * DAY) if verdict.reason == "unconfirmed" else since
        return bool(step == NOT_KNOWN and late == due <= NOW)
    assert 0 <= step < len(STEPS)
    assert due <= since + round(policy.ending_step_days * DAY)
    assert all(at == NOT_KNOWN or at + round(policy.ending_proposal_days * DAY) <= NOW for at in proposed)
    return bool(due <= NOW) == (verdict.reason == "step_due")


def out_of_contact(verdict: Verdict, policy: Policy) -> bool:
    tried, wanted, last, ways, unapproved = verdict.facts
    assert wanted == policy.ending_attempts
    assert unapproved >= 0
    assert ways <= tried
    if verdict.reason == "came_back":
        return bool(last <= NOW)
    assert not tried or last + round(policy.ending_attempt_days * DAY) <= NOW
    return bool(tried >= wanted and ways >= 2) == (verdict.reason == "enough")


def referral_follow_up(verdict: Verdict, policy: Policy) -> bool:
    (found,) = verdict.facts
    for _, question, times, offered, since in found:
        assert offered <= since <= NOW
        if question in (FITS, VISIT):
            due = policy.referral_fit_days
        elif times > 0:
            due = policy.referral_third_days + (times - 1) * policy.referral_again_days
        else:
            due = min(policy.referral_first_days, policy.referral_second_days)
        assert since + int(due * DAY) <= NOW
    return bool(found)


def referral_stuck(verdict: Verdict, policy: Policy) -> bool:
    (found,) = verdict.facts
    for _, why, times, offered, since, rung in found:
        assert offered <= since + DAY
        assert WHYS[why]
        assert 0 <= rung < len(RUNGS)
        assert since + int((times - 1) * policy.referral_again_days * DAY) <= NOW
    return bool(found)


AGAIN: dict[str, Callable[[Verdict, Policy], bool]] = {
    "quiet": quiet,
    "missed": missed,
    "not_started": not_started,
    "unconfirmed": unconfirmed,
    "no_goal": no_goal,
    "review_due": review_due,
    "off_track": off_track,
    "moving_on": moving_on,
    "rating": rating,
    "alliance": alliance,
    "early_check": early_check,
    "later_cancels": later_cancels,
    "item9": risk,
    "referral_follow_up": referral_follow_up,
    "referral_stuck": referral_stuck,
    "screen": risk,
    "ending_step": ending_step,
    "out_of_contact": out_of_contact,
}


def test_every_kind_is_reckoned_anew():
    assert AGAIN.keys() == KINDS.keys()


@given(history=histories(), pauses=leaves, policy=policies)
@settings(max_examples=400)
def test_the_evidence_of_a_finding_suffices_to_find_it_again(history, pauses, policy):
    agreed: Any = next((a.days for a in sorted(history["answers"])[::-1] if a.days and a.at <= NOW), 0)
    line = Policy(**policy, agreed_rhythm_days=agreed)
    for verdict in verdicts(history, NOW, pauses, **policy):
        if verdict.fired:
            assert AGAIN[verdict.kind](verdict, line), verdict


@given(history=histories(), policy=policies)
@settings(max_examples=100)
def test_evidence_is_of_this_client(history, policy):
    starts = {"missed": set(history["missed"]), "later_cancels": {c.start for c in history["cancelled"]}}
    taken = {s.at for s in history["scores"]}
    for verdict in verdicts(history, NOW, **policy):
        if verdict.fired and verdict.kind == "missed":
            assert set(verdict.facts) <= starts["missed"]
        elif verdict.fired and verdict.kind == "later_cancels":
            assert {start for start, _ in verdict.facts[0]} <= starts["later_cancels"]
        elif verdict.fired and verdict.kind in ("item9", "screen"):
            assert {at for _, at, _ in verdict.facts[0]} <= taken


@pytest.mark.parametrize(
    ("drop", "said"),
    [
        (1, "a fall of 1 point is worth asking about (a number from memory)."),
        (1.5, "a fall of 1.5 points is worth asking about (as the policy here says)."),
    ],
)
def test_a_rating_that_fell_names_the_rule_and_where_its_number_is_from(drop, said):
    told = trust.RULE.tell(Verdict("rating", True, "fell", (38.1, 36.3, drop, NOW)), Voice(ZONE, "en_GB", NOW))
    assert told.endswith(said)
