"""What holds for every rule whatever a history is: digests do not age, the clock forgets no threshold, what is there is never missing."""

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clock import Clock, between, counted_until, merged
from models.digest import packed_line
from models.instants import DAY, HOUR, day_of
from models.told import Told, packed
from models.voice import Voice
from tests.builders import NOW, ZONE, a_goal, a_history, a_row, a_score, days_ago, sharing
from tests.rules.drawing import (
    FIRST_DAY,
    HEARD,
    KINDS,
    SAFETY,
    days,
    fired,
    histories,
    leaves,
    past_days,
    past_times,
    policies,
    scores,
    times,
    verdicts,
)
from tests.rules.table import tables

ABSENCE = {kind for table in tables().values() for kind, meaning in table.about.items() if meaning.absence}
DUTIES = {name for name, (_, kind) in KINDS.items() if kind.duty}
SEEN = ("quiet", "missed", "not_started")  # what rests on the client not having been seen


@pytest.mark.parametrize("later", [0, 1, 7, 30, 90])
@given(history=histories(), pauses=leaves, policy=policies)
@settings(max_examples=40)
def test_a_digest_read_later_equals_a_fresh_one(later, history, pauses, policy):
    now = NOW + later * DAY
    assert verdicts(history, now, pauses, NOW, **policy) == verdicts(history, now, pauses, now, **policy)


@given(history=histories(all_past=True), more=st.lists(scores(), max_size=30), pauses=leaves, policy=policies)
@settings(max_examples=100)
def test_a_digest_leaves_out_nothing_that_a_rule_reads(history, more, pauses, policy):
    history = history | {"scores": [*history["scores"], *more]}
    whole = a_history(**history)
    line = packed_line(whole.appointments, 0)
    everything = (sorted(history[name]) for name in ("scores", "cancelled", "answers"))
    row = a_row(whole)
    told = Told(whole.told.goals, *map(tuple, everything), endings=whole.told.endings, referrals=whole.told.referrals)
    full = (*row[:7], line, row[8], packed(told))
    together = sharing(NOW, pauses=pauses, heard=HEARD, **policy)
    assert together.look(row) == together.look(full)


@given(history=histories(), pauses=leaves, policy=policies, step=st.sampled_from((HOUR, DAY)))
@settings(max_examples=40)
def test_looking_when_the_clock_says_equals_looking_all_the_time(history, pauses, policy, step):
    row = a_row(a_history(**history))
    stands = None
    next_look = 0
    for now in range(NOW, NOW + (20 if step == HOUR else 200) * DAY, step):
        fresh = sharing(now, pauses=pauses, heard=HEARD, **policy).look(row)
        if now >= next_look:
            stands, next_look = [(v.kind, v.fired) for v in fresh.verdicts], fresh.next_look
            assert next_look > now
        assert stands == [(v.kind, v.fired) for v in fresh.verdicts]


@given(history=histories(), pauses=leaves, attended=past_times)
@settings(max_examples=150)
def test_more_attendance_never_raises_a_finding_of_absence(history, pauses, attended):
    """For one's own rhythm, attendance may show that it is quicker than it seemed: quiet is compared for the usual rhythm. What asks for
    goals, reviews and ratings after so many appointments asks the sooner, of course."""
    policy = {"rhythm_least_gaps": 12, "rhythm_gaps": 3}
    before = fired(history, NOW, pauses, **policy)
    after = fired(history | {"attended": [*history["attended"], attended]}, NOW, pauses, **policy)
    for kind in (*SEEN, "later_cancels"):
        # Who has now been seen has not `not started`, and can be quiet since.
        if not (kind == "quiet" and before["not_started"]):
            assert before[kind] or not after[kind] or (kind == "quiet" and never_seen(history))


def never_seen(history: dict[str, Any]) -> bool:
    past = [t for name in ("attended", "presumed", "unmarked", "booked", "tail") for t in history[name] if t <= NOW]
    return not past


@given(history=histories(), policy=policies, looked_at=past_days, rated=past_times)
@settings(max_examples=100)
def test_what_is_there_never_raises_a_finding_that_it_is_not(history, policy, looked_at, rated):
    before = fired(history, NOW, **policy)
    one_more = {"goals": [*history["goals"], a_goal(set_on=looked_at)]}
    assert before["no_goal"] or not fired(history | one_more, NOW, **policy)["no_goal"]
    reviewed = {"goals": [again(goal, looked_at) for goal in history["goals"]]}
    after = fired(history | reviewed, NOW, **policy)
    assert before["review_due"] or not after["review_due"]
    assert before["off_track"] or not after["off_track"]
    for measure, value in (("SRS", 10), ("WAI-SR", 12)):
        more = {"scores": [*history["scores"], a_score(measure, value, rated)]}
        assert before["early_check"] or not fired(history | more, NOW, **policy)["early_check"]


def again(goal: Any, day: Any) -> Any:
    """The goal, looked at on that day too, if it is known when it was set or looked at: else a clock begins only now."""
    if goal.set_on is None and goal.reviewed_on is None:
        return goal
    words = {name: getattr(goal, name) for name in ("set_on", "target_on", "achievement_on")}
    reviewed = max(day, goal.reviewed_on or day)
    return a_goal(**words, reviewed_on=reviewed, achievement=goal.achievement, status=goal.status)


@given(history=histories(breaks=[], paused_until=None), hours=st.integers(0, 13 * 24 + 23))
@settings(max_examples=80)
def test_whoever_was_seen_in_the_last_two_weeks_is_neither_quiet_nor_missed_nor_not_started(history, hours):
    seen = history | {"attended": [*history["attended"], NOW - hours * HOUR]}
    missed_since = [t for t in seen["missed"] if t > NOW - hours * HOUR]
    after = fired(seen | {"missed": missed_since[:1]}, NOW)
    assert not any(after[kind] for kind in SEEN)


@given(history=histories(), since=st.integers(0, 60), length=st.integers(0, 40))
@settings(max_examples=100)
def test_a_break_after_the_last_time_never_shortens_a_clock(history, since, length):
    """A break in a past gap explains that gap, and so may show a quicker rhythm: that one is no part of this promise."""
    without = sharing(NOW).case(a_row(a_history(**history)))
    last = without.last_seen()
    day = FIRST_DAY if last is None else day_of(max(last, days_ago(200)), ZONE) + timedelta(days=2)
    first = day + timedelta(days=since)
    more = history | {"breaks": [*history["breaks"], (first, first + timedelta(days=length))]}
    for now in (NOW, NOW + 10 * DAY, NOW + 40 * DAY):
        if without.next_entry() is not None and without.next_entry() <= now:
            continue  # seen again by then: the break lies in a gap
        before, after = fired(history, now), fired(more, now)
        assert all(before[kind] or not after[kind] for kind in KINDS)


@given(history=histories(paused_until=None), until=days, policy=policies)
@settings(max_examples=80)
def test_a_pause_never_raises_anything(history, until, policy):
    for now in (NOW, NOW + 30 * DAY):
        before, after = fired(history, now, **policy), fired(history | {"paused_until": until}, now, **policy)
        assert all(before[kind] or not after[kind] for kind in KINDS)


@given(history=histories(), policy=policies, unread=st.booleans())
@settings(max_examples=100)
def test_while_a_source_cannot_be_relied_on_absence_is_not_claimed_and_the_rest_stands(history, policy, unread):
    sighted = {v.kind: v for v in verdicts(history, NOW, **policy)}
    for verdict in verdicts(history, NOW, blind=("cal-t1",), unread=unread, **policy):
        clear = sighted[verdict.kind]
        if unread and (
            clear.reason == "no_goals"
            or (verdict.kind == "no_goal" and clear.reason == "not_told")
            or (verdict.kind in SAFETY and not clear.fired)
        ):
            assert not verdict.fired
            assert (
                verdict.fired is None or verdict.kind == "no_goal"
            )  # of whom it is early to ask for a goal nobody says more
        elif verdict.kind not in ABSENCE:
            assert verdict == clear
        elif verdict.fired and KINDS[verdict.kind][1].duty:
            assert verdict == clear  # what people said, or did not say, is known without any source
            assert verdict.reason != "no_appointment"
        elif verdict.fired:
            assert verdict.kind == "off_track"
            assert all(word != "untouched" for word, _ in verdict.facts[0])
        else:
            assert (verdict.fired is None) == bool(clear.fired)


@given(history=histories())
@settings(max_examples=60)
def test_once_care_has_ended_nothing_but_safety_and_duties_is_asked(history):
    for state, may in (({"status": "ended"}, {"item9", "screen", *DUTIES}), ({"died": True}, {"item9", "screen"})):
        after = fired(history | state, NOW)
        assert {kind for kind, says in after.items() if says} <= may
        assert all(after[kind] == fired(history, NOW)[kind] for kind in ("item9", "screen"))


@given(history=histories(), pauses=leaves, policy=policies)
@settings(max_examples=150)
def test_a_stored_finding_says_the_same_sentence(history, pauses, policy):
    voice = Voice(ZONE, "en_GB", NOW)
    for verdict in verdicts(history, NOW, pauses, **policy):
        rule, _ = KINDS[verdict.kind]
        if verdict.fired:
            stored = json.loads(json.dumps(list(verdict.facts)))
            assert stored == list(verdict.facts)
            assert rule.tell(verdict._replace(facts=tuple(stored)), voice) == rule.tell(verdict, voice)


@given(history=histories(), pauses=leaves, policy=policies)
@settings(max_examples=60)
def test_every_verdict_has_its_sentence(history, pauses, policy):
    together = sharing(NOW, pauses=pauses, heard=HEARD, **policy)
    row = a_row(a_history(**history))
    for rule in together.rules:
        said = rule.explain(together.case(row), together.policy(row), Voice(ZONE, "en_US", NOW), Clock(NOW))
        assert all(line["sentence"].endswith(".") for line in said)


@given(history=histories(goals=[], scores=[], cancelled=[], answers=[], endings=[]), pauses=leaves, policy=policies)
@settings(max_examples=60)
def test_rules_that_are_not_asked_would_have_said_the_same(history, pauses, policy):
    """Of whom nothing is told besides appointments, while no source tells of more."""
    history = history | {"referrals": []}
    together = sharing(NOW, pauses=pauses, **policy)
    row = a_row(a_history(**history))
    case, line, looked = together.case(row), together.policy(row).policy, together.look(row)
    decided = {v.kind: v for rule in together.rules for v in rule.decide(case, line, Clock(NOW))}
    assert {v.kind: v for v in looked.verdicts} == decided
    for rule in together.rules:
        assert rule.untold in (None, tuple(decided[kind] for kind in rule.kinds))


@given(start=times, seconds=st.integers(0, 100 * DAY), pauses=leaves)
@settings(max_examples=200)
def test_time_that_counts_is_counted_alike_forwards_and_backwards(start, seconds, pauses):
    end = counted_until(start, seconds, pauses)
    assert end >= start + seconds
    paused = sum(min(b, end) - max(a, start) for a, b in between(start, end, pauses) if b > start)
    assert end - start - paused == seconds
    assert counted_until(start, seconds, ()) == start + seconds


@given(st.lists(st.tuples(times, times), max_size=8))
def test_merged_spans_are_sorted_disjoint_and_cover_the_same(found):
    spans_now = merged(found)
    assert all(a < b for a, b in spans_now)
    assert all(one[1] < two[0] for one, two in pairwise(spans_now))
    for edge in (e for span in found for e in span):
        assert any(a <= edge < b for a, b in found) == any(a <= edge < b for a, b in spans_now)
