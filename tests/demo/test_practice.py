"""The demonstration practice, on any day of the year: who plays what part, how much there is of everything."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.instants import DAY, instant_of
from models.policy import DEFAULT
from models.subjects import CODE, normal_form
from tending.demo.diary import ATTENDED, BY_CLIENT, BY_PRACTICE, MISSED
from tending.demo.exports import exports
from tending.demo.practice import CLIENTS, synthetic
from tending.demo.world import (
    ENDS,
    NEW_THERAPIST,
    NEWCOMER,
    REFERRED,
    WITH_CODES,
    WITHOUT_RECORDS,
    World,
    evening,
)
from tending.demo.writing import calendar
from tests.demo.looked import by_part, found

DAY_ONE = {
    ("quiet", "drifted"): 9,
    ("quiet", "series ended"): 1,
    ("quiet", "returns"): 1,
    ("quiet", "is ended"): 1,
    ("missed", "missed"): 2,
    ("missed", "attends again"): 1,
    ("not_started", "waits"): 2,
    ("not_started", "gets a first appointment"): 1,
    ("no_goal", "has no goal"): 3,
    ("no_goal", "drifted"): 1,
    ("review_due", "review overdue"): 2,
    ("off_track", "gets worse"): 1,
    ("moving_on", "has arrived"): 1,
    ("item9", "asked for safety"): 1,
}
IN_THE_WEEK = {
    ("quiet", "falls silent"): 2,
    ("quiet", "cancels"): 3,
    ("quiet", "stays away"): 1,
    ("quiet", "unreadable"): 1,
    ("missed", "misses again"): 2,
    ("not_started", "waits too long"): 1,
    ("unconfirmed", "third unmarked"): 2,
    ("review_due", "review due"): 1,
    ("rating", "rates lower"): 1,
    ("item9", "asks for safety"): 1,
}
MOST_NOTICES = 3
CLEARED = {
    ("quiet", "returns"): 1,
    ("quiet", "is ended"): 1,
    ("missed", "attends again"): 1,
    ("not_started", "gets a first appointment"): 1,
}


def at(*when: int) -> int:
    return instant_of(datetime(*when, tzinfo=UTC))


MOMENTS = st.integers(at(2023, 1, 1), at(2033, 1, 1))


@settings(max_examples=25)
@given(MOMENTS)
@example(at(2026, 12, 26, 9))  # a weekend and two holidays
@example(at(2027, 12, 31, 5, 37))  # the same with two more holidays in lieu
@example(at(2028, 1, 9, 12))
@example(at(2026, 3, 29, 1, 30))  # clocks go forward
@example(at(2026, 10, 25, 1, 30))  # and back
@example(at(2027, 3, 29, 0, 1))  # Easter Monday, a minute after midnight
@example(at(2028, 2, 29, 23, 59))
@example(at(2026, 5, 4, 8))  # a May of holidays on Mondays
@pytest.mark.long
def test_the_story_holds_on_every_day_of_the_year(now: int) -> None:
    world = synthetic(now)
    before, after = found(world, world.week_ago), found(world, world.now)
    sure = {key: part for key, part in before.items() if key[1] != "unconfirmed"}
    assert by_part(sure) == DAY_ONE
    assert by_part({key: part for key, part in after.items() if key not in before}) == IN_THE_WEEK
    assert by_part({key: part for key, part in before.items() if key not in after}) == CLEARED
    whose = {person.id: person.therapist for person in world.people}
    apart = {"unconfirmed", "item9"}  # one list a week, and what is never counted
    noticed = Counter(whose[client] for client, kind in after if (client, kind) not in before and kind not in apart)
    assert max(noticed.values()) <= MOST_NOTICES


@settings(max_examples=25)
@given(MOMENTS)
@example(at(2026, 12, 26, 9))
@example(at(2027, 12, 31, 5, 37))
@example(at(2027, 3, 29, 0, 1))
@example(at(2026, 3, 29, 1, 30))
def test_an_ending_lacks_an_appointment_and_a_referral_is_asked_about_on_every_day(now: int) -> None:
    world = synthetic(now)
    (ends,), (referred,) = world.playing(ENDS), world.playing(REFERRED)
    assert world.week_ago < world.ending_begun < world.ending_confirmed < now
    mine = world.meetings_of(ends)
    assert sum(m.at > now for m in mine) == 2  # it takes three: explain, room to process, close
    assert not [m for m in mine if world.ending_begun < m.at <= now]
    offered, taken_up, accepted = world.referral
    assert max(m.at for m in world.meetings_of(referred)) < offered < taken_up < accepted < world.week_ago
    second = taken_up + round(DEFAULT.referral_second_days * DAY)
    assert world.week_ago < second < now


def test_goals_and_scores_are_told_as_of_an_instant() -> None:
    world = synthetic(at(2026, 11, 23, 12))
    before, after = exports(world, world.week_ago), exports(world, world.now)
    (told,) = [s for s in world.scores if s.client == world.playing("asks for safety")[0].id and s.risk]
    assert told.id.encode() not in before["scores"]
    assert told.id.encode() in after["scores"]
    rated = [s for s in world.scores if s.client == world.playing("rates lower")[0].id]
    assert rated[-2].value - rated[-1].value > 1
    assert rated[-1].id.encode() not in before["scores"]
    goal = world.goals[0]
    looked_on, _ = goal.looks[-1]
    assert goal.look(evening(looked_on)) == goal.looks[-1] != goal.look(evening(looked_on) - 1)
    assert goal.known(evening(goal.set_on))
    assert not goal.known(evening(goal.set_on) - 1)
    with_goals = {g.client for g in world.goals}
    assert 60 < len(with_goals) < CLIENTS - 20
    assert not with_goals & {p.id for p in world.people if p.therapist == WITHOUT_RECORDS}


@settings(max_examples=15)
@given(MOMENTS)
def test_as_many_of_everything_as_a_practice_has(now: int) -> None:
    world = synthetic(now)
    assert len(world.people) == CLIENTS + 1 == len({p.id for p in world.people})
    assert [p.known_from > world.week_ago for p in world.people].count(True) == len(world.playing(NEWCOMER)) == 1
    assert {p.therapist for p in world.people} == {f"T{n}" for n in range(1, 7)}
    assert len({normal_form(p.name) for p in world.people}) == len(world.people)
    assert sum(not p.name.isascii() for p in world.people) > 100
    assert all(CODE.fullmatch(p.code) for p in world.people if p.therapist == WITH_CODES)
    assert 1500 < len(world.meetings) < 4500
    assert min(m.at for m in world.meetings) < world.now - 250 * DAY
    statuses = [m.outcome for m in world.meetings if m.at < world.week_ago and m.therapist != WITHOUT_RECORDS]
    share = {word: statuses.count(word) / len(statuses) for word in (ATTENDED, MISSED, BY_CLIENT, BY_PRACTICE)}
    assert share[ATTENDED] > 0.85
    assert 0.01 < share[MISSED] < 0.12
    assert 0.01 < share[BY_CLIENT] < 0.12
    assert 0 < share[BY_PRACTICE] < 0.06
    assert missed_share(world, NEW_THERAPIST) > missed_share(world, "T1")
    assert sum(len(m.clients) == 2 for m in world.meetings) > 10


def missed_share(world: World, therapist: str) -> float:
    told = [m.outcome for m in world.meetings if m.therapist == therapist and m.outcome in (ATTENDED, MISSED)]
    return told.count(MISSED) / len(told)


def test_more_are_missed_before_the_third_appointment() -> None:
    early = late = early_missed = late_missed = 0
    for seed in range(5):
        world = synthetic(at(2026, 11, 23, 12), seed)
        for person in world.playing("goes on"):
            told = [m.outcome for m in world.meetings_of(person) if m.outcome in (ATTENDED, MISSED)]
            early, early_missed = early + len(told[:2]), early_missed + told[:2].count(MISSED)
            late, late_missed = late + len(told[2:]), late_missed + told[2:].count(MISSED)
    assert early_missed / early > 1.5 * late_missed / late


def test_nobody_is_seen_on_a_day_off() -> None:
    world = synthetic(at(2026, 11, 23, 12))
    for meeting in world.meetings:
        day = meeting.start.date()
        assert day.weekday() < 5
        assert not world.diary.away(meeting.therapist, day)
        if meeting.therapist != WITHOUT_RECORDS:  # whose endless series runs on over holidays
            assert world.diary.works(meeting.therapist, day)


@pytest.mark.parametrize("when", ["now", "week_ago"])
def test_the_same_day_gives_the_same_files(when: str) -> None:
    one, other = synthetic(at(2026, 11, 23, 12)), synthetic(at(2026, 11, 23, 12))
    assert exports(one, getattr(one, when)) == exports(other, getattr(other, when))
    for n in range(1, 7):
        assert calendar(one, f"T{n}", getattr(one, when)) == calendar(other, f"T{n}", getattr(other, when))


def test_another_seed_is_another_practice() -> None:
    now = at(2026, 11, 23, 12)
    assert exports(synthetic(now), now) != exports(synthetic(now, 7), now)


def test_days_follow_the_day_it_is_made_for() -> None:
    now = at(2026, 11, 23, 12)
    world = synthetic(now)
    assert world.diary.today == date(2026, 11, 23)
    assert max(m.start.date() for m in world.meetings if m.outcome == ATTENDED) <= world.diary.today
    assert max(m.start.date() for m in world.meetings) > world.diary.today + timedelta(days=21)


def test_in_no_week_of_the_last_four_is_anybody_told_of_more_than_three_ordinary_things() -> None:
    world = synthetic(at(2026, 11, 23, 17))
    whose = {person.id: person.therapist for person in world.people}
    weeks: Counter[tuple[str, int]] = Counter()
    known: set[tuple[str, str]] = set()
    for number in range(29):
        now = world.now - (28 - number) * DAY
        morning = world.diary.day(number - 28)
        open_then = set(found(world, now))
        # What a weekend brings is told on Monday.
        week = (morning + timedelta(days=2)).isocalendar().week if morning.weekday() > 4 else morning.isocalendar().week
        if number:
            weeks.update((whose[who], week) for who, kind in open_then - known if kind not in ("unconfirmed", "item9"))
        known = open_then
    assert max(weeks.values()) <= MOST_NOTICES, weeks
