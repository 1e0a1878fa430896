"""What holds for `stalled` whatever a history is: digests do not age, the clock forgets no threshold, evidence suffices."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clock import between, counted_until, merged
from models.digest import packed_line
from models.instants import DAY, HOUR, day_of, start_of
from models.policy import Policy
from tests.builders import NOW, ZONE, a_history, a_row, days_ago, sharing

FIRST_DAY = date(2026, 5, 1)
days = st.integers(0, 330).map(lambda n: FIRST_DAY + timedelta(days=n))
spans = st.tuples(days, st.integers(0, 40)).map(lambda s: (s[0], s[0] + timedelta(days=s[1])))
times = st.integers(-260 * 24, 120 * 24).map(lambda hours: NOW + hours * HOUR)
past_times = st.integers(1, 260 * 24).map(lambda hours: NOW - hours * HOUR)
some_past = st.lists(past_times, max_size=8, unique=True)
ahead = st.lists(times.filter(lambda t: t > NOW), min_size=1, max_size=3, unique=True)
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
    },
)


@st.composite
def histories(draw: Any, **fixed: Any) -> dict[str, Any]:
    """What a_history takes: up to some forty appointments of every sort around NOW."""
    # Some are in care, some have not come for weeks, some have never come.
    since = draw(st.sampled_from((0, 0, 16, 35, None)))

    def past(most: int) -> list[int]:
        return (
            [] if since is None else [t - since * DAY for t in draw(st.lists(past_times, max_size=most, unique=True))]
        )

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
    }
    return drawn | fixed


def pauses_of(found: list[tuple[date, date]]) -> Any:
    return merged((start_of(a, ZONE), start_of(b + timedelta(days=1), ZONE)) for a, b in found)


leaves = st.lists(spans, max_size=2).map(pauses_of)


def verdicts(history: dict[str, Any], now: int, pauses: Any = (), known_at: int = NOW, **policy: Any) -> Any:
    return sharing(now, pauses=pauses, **policy).look(a_row(a_history(**history, known_at=known_at))).verdicts


@pytest.mark.parametrize("later", [0, 1, 7, 30, 90])
@given(history=histories(), pauses=leaves, policy=policies)
@settings(max_examples=40, deadline=None)
def test_a_digest_read_later_equals_a_fresh_one(later, history, pauses, policy):
    now = NOW + later * DAY
    assert verdicts(history, now, pauses, NOW, **policy) == verdicts(history, now, pauses, now, **policy)


@given(history=histories(), pauses=leaves, policy=policies)
@settings(max_examples=60, deadline=None)
def test_a_digest_leaves_out_nothing_that_a_rule_reads(history, pauses, policy):
    whole = a_history(**history)
    everything = packed_line(whole.appointments, 0)
    row = a_row(whole)
    full = (*row[:7], everything, *row[8:])
    together = sharing(NOW, pauses=pauses, **policy)
    assert together.look(row) == together.look(full)


@given(history=histories(), pauses=leaves, policy=policies, step=st.sampled_from((HOUR, DAY)))
@settings(max_examples=25, deadline=None)
def test_looking_when_the_clock_says_equals_looking_all_the_time(history, pauses, policy, step):
    row = a_row(a_history(**history))
    stands = None
    next_look = 0
    for now in range(NOW, NOW + (20 if step == HOUR else 200) * DAY, step):
        fresh = sharing(now, pauses=pauses, **policy).look(row)
        if now >= next_look:
            stands, next_look = [(v.kind, v.fired) for v in fresh.verdicts], fresh.next_look
            assert next_look > now
        assert stands == [(v.kind, v.fired) for v in fresh.verdicts]


@given(history=histories(), pauses=leaves, attended=past_times)
@settings(max_examples=150, deadline=None)
def test_more_attendance_never_raises_a_finding_of_absence(history, pauses, attended):
    """For one's own rhythm, attendance may show that it is quicker than it seemed: quiet is compared for the usual rhythm."""
    policy = {"rhythm_least_gaps": 12, "rhythm_gaps": 3}
    before = {v.kind: v.fired for v in verdicts(history, NOW, pauses, **policy)}
    more = history | {"attended": [*history["attended"], attended]}
    after = {v.kind: v.fired for v in verdicts(more, NOW, pauses, **policy)}
    for kind in ("quiet", "missed", "not_started"):
        # Who has now been seen has not `not started`, and can be quiet since.
        if not (kind == "quiet" and before["not_started"]):
            assert before[kind] or not after[kind] or (kind == "quiet" and never_seen(history))


def never_seen(history: dict[str, Any]) -> bool:
    past = [t for name in ("attended", "presumed", "unmarked", "booked", "tail") for t in history[name] if t <= NOW]
    return not past


@given(history=histories(breaks=[], paused_until=None), hours=st.integers(0, 13 * 24 + 23))
@settings(max_examples=80, deadline=None)
def test_whoever_was_seen_in_the_last_two_weeks_is_neither_quiet_nor_missed_nor_not_started(history, hours):
    seen = history | {"attended": [*history["attended"], NOW - hours * HOUR]}
    missed_since = [t for t in seen["missed"] if t > NOW - hours * HOUR]
    fired = {v.kind for v in verdicts(seen | {"missed": missed_since[:1]}, NOW) if v.fired}
    assert fired <= {"unconfirmed"}


@given(history=histories(), since=st.integers(0, 60), length=st.integers(0, 40))
@settings(max_examples=100, deadline=None)
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
        before = {v.kind: v.fired for v in verdicts(history, now)}
        after = {v.kind: v.fired for v in verdicts(more, now)}
        assert all(before[kind] or not after[kind] for kind in ("quiet", "missed", "not_started"))


@given(history=histories(), pauses=leaves, policy=policies)
@settings(max_examples=150, deadline=None)
def test_the_evidence_of_a_finding_suffices_to_find_it_again(history, pauses, policy):
    line = Policy(**policy)
    for verdict in verdicts(history, NOW, pauses, **policy):
        if not verdict.fired:
            continue
        if verdict.kind == "quiet":
            last, rhythm, _, due = verdict.facts
            limit = max(line.quiet_after_days * DAY, line.quiet_factor * rhythm)
            assert last + int(limit) <= due <= NOW
        elif verdict.kind == "not_started":
            asked, due = verdict.facts
            assert asked + line.not_started_after_days * DAY <= due <= NOW
        elif verdict.kind == "missed":
            assert len(verdict.facts) == line.missed_in_a_row
            assert set(verdict.facts) <= set(history["missed"])
            assert max(verdict.facts) <= NOW
        else:
            assert len(verdict.facts) == line.unconfirmed_in_a_row
            assert max(verdict.facts) + line.mark_within_days * DAY <= NOW


@given(start=times, seconds=st.integers(0, 100 * DAY), pauses=leaves)
@settings(max_examples=200, deadline=None)
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
