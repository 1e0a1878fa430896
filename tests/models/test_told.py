"""What is told of a client besides appointments: packed and unpacked, what a digest keeps of it, and what of it lies ahead."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.answers import Reply
from models.entries import Achievement, GoalStatus
from models.goals import QUESTIONS, not_given
from models.instants import DAY, FAR, HOUR
from models.measures import NUMBERS
from models.told import (
    ACHIEVEMENTS,
    MOST_CANCELLED,
    MOST_SCORES,
    NOT_KNOWN,
    NOTHING,
    REPLIES,
    STATUSES,
    Answered,
    Cancelled,
    Ending,
    Goal,
    Referred,
    Score,
    Told,
    goal_of,
    kept,
    number_of,
    packed,
    unpacked,
)
from tests.builders import NOW, a_goal, a_history, a_score, an_answer, at, called_off, days_ago
from tests.rules.drawing import histories

numbers = st.integers(-(2**63), 2**63 - 1)


def rows(shape):
    return st.lists(st.tuples(*[numbers] * len(shape._fields)).map(lambda row: shape(*row)), max_size=5).map(tuple)


whole = st.builds(Told, *map(rows, (Goal, Score, Cancelled, Answered, Ending, Referred)))


@given(told=whole)
def test_unpacked_is_what_was_packed(told):
    assert unpacked(packed(told)) == told
    assert packed(unpacked(packed(told))) == packed(told)


def test_nothing_takes_no_room():
    assert packed(NOTHING) == b""
    assert unpacked(b"") == NOTHING


@given(history=histories())
@settings(max_examples=50)
def test_equal_histories_are_packed_alike_in_whatever_order_they_came(history):
    told = a_history(**history).told
    other = {name: history[name][::-1] for name in ("scores", "cancelled", "answers")}
    assert packed(a_history(**history | other).told) == packed(told)
    assert kept(*told) == told


@given(history=histories(), now=st.integers(-100, 200).map(lambda n: NOW + n * DAY))
@settings(max_examples=50)
def test_what_lies_ahead_is_not_told_yet_and_known_when_it_will_be(history, now):
    told = a_history(**history).told
    by = told.by(now)
    for name in ("scores", "answers"):
        assert getattr(by, name) == tuple(row for row in getattr(told, name) if row.at <= now)
    assert (by.goals, by.cancelled) == (told.goals, told.cancelled)
    after = told.after(now)
    assert after > now
    assert after == FAR or told.by(after) != by
    assert told.by(min(after, now + 1000 * DAY) - 1) == by


def test_the_newest_scores_of_each_measure_are_kept():
    many = [a_score("SRS", 30, days_ago(n)) for n in range(40)]
    few = [a_score("ORS", 20, days_ago(300 + n)) for n in range(3)]
    told = kept([], [*many, *few], [], [])
    assert [s.at for s in told.scores] == [
        *[days_ago(302 - n) for n in range(3)],
        *[days_ago(11 - n) for n in range(12)],
    ]


def test_totals_without_items_push_no_answer_out():
    seen = [a_score("PHQ-9", 12, days_ago(100 + n), risk=n % 2) for n in range(MOST_SCORES + 3)]
    totals = [a_score("PHQ-9", 12, days_ago(n)) for n in range(30)]
    told = kept([], [*seen, *totals], [], [])
    assert sorted(s.at for s in told.scores if s.risk != NOT_KNOWN) == sorted(s.at for s in seen[:MOST_SCORES])
    assert len(told.scores) == 2 * MOST_SCORES


def test_answers_without_a_total_push_no_total_out():
    items = [a_score("PHQ-9", None, days_ago(n), risk=0) for n in range(30)]
    totals = [a_score("PHQ-9", 12, days_ago(100 + n)) for n in range(3)]
    assert len([s for s in kept([], [*items, *totals], [], []).scores if s.hundredths != NOT_KNOWN]) == 3


def test_the_newest_cancellations_and_every_goal_and_answer_are_kept():
    off = [called_off(days_ago(n), 24) for n in range(10)]
    answers = [an_answer("quiet", "done", days_ago(n)) for n in range(40)]
    told = a_history(goals=[a_goal() for _ in range(20)], cancelled=off, answers=answers).told
    assert told.cancelled == tuple(off[MOST_CANCELLED - 1 :: -1])
    assert (len(told.goals), len(told.answers)) == (20, 40)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Auckland"])
def test_days_of_a_goal_begin_in_the_practice_zone(zone):
    (goal,) = a_history(goals=[a_goal(set_on=date(2026, 3, 2))], zone=zone).told.goals
    assert goal.set_at == at("2026-03-02 00:00", zone)
    assert (goal.target_at, goal.reviewed_at, goal.achievement_at) == (NOT_KNOWN, NOT_KNOWN, NOT_KNOWN)


@pytest.mark.parametrize(
    ("given_", "asked"),
    [
        ({}, ["target", "measure", "date", "words"]),
        ({"has_target": True}, ["measure", "date", "words"]),
        ({"has_measure": True}, ["target", "date", "words"]),
        ({"target_on": date(2026, 9, 1)}, ["target", "measure", "words"]),
        ({"own_words": True}, ["target", "measure", "date"]),
        ({"has_target": True, "has_measure": True, "own_words": True, "target_on": date(2026, 9, 1)}, []),
    ],
)
def test_what_a_goal_lacks_is_asked_about(given_, asked):
    assert not_given(list(a_history(goals=[a_goal(**given_)]).told.goals)) == asked


def test_what_one_of_several_goals_lacks_is_asked_about():
    both = a_history(goals=[a_goal(has_target=True), a_goal(has_measure=True)]).told.goals
    assert not_given(list(both)) == [name for name, _ in QUESTIONS]


def test_numbers_stand_for_words_and_never_change():
    assert number_of("quiet") == 10381445496799513
    assert [each.value for each in STATUSES] == [each.value for each in GoalStatus]
    assert ACHIEVEMENTS.index(Achievement.worsening) == 2
    assert REPLIES.index(Reply.known) == 4
    facts = {"set_on": None, "target_on": None, "reviewed_on": None, "achievement_on": None, "achievement": "achieved"}
    goal = goal_of(
        "G1", facts | {"status": "on-hold", "has_target": True, "has_measure": False, "own_words": True}, "UTC"
    )
    assert (ACHIEVEMENTS[goal.achievement], STATUSES[goal.status], goal.given) == ("achieved", "on-hold", 5)


def test_a_score_is_held_in_hundredths():
    assert a_score("SRS", 37.3, NOW)[1:4] == (NUMBERS["SRS"], 3730, NOT_KNOWN)
    assert a_score("PHQ-9", None, NOW, risk=2, told_at=NOW + HOUR) == Score(
        NOW, NUMBERS["PHQ-9"], NOT_KNOWN, 2, NOW + HOUR
    )
