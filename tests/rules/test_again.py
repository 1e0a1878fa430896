"""What speaks again though it was told or answered: a new result that asks for safety, a lower rating, a goal off track in another way."""

from datetime import date
from typing import Any

import pytest

from models.findings import Standing, settle
from models.instants import DAY
from models.rules import all_rules
from tests.builders import NOW, a_goal, a_referral, a_score, an_answer, an_ending, days_ago, each, in_days
from tests.rules.drawing import verdicts

KINDS = {kind.name: kind for rule in all_rules() for kind in rule.kinds.values()}
GRACE = 7 * DAY
PLAN = an_answer("item9", "known", NOW, until=NOW + 20 * DAY)


def phq(risk, when, told=None):
    return a_score("PHQ-9", 12, when, risk=risk, told_at=told)


def verdict_of(kind: str, history: dict[str, Any], now: int = NOW) -> Any:
    return next(v for v in verdicts(history, now) if v.kind == kind)


def speaks(
    kind: str, before: dict[str, Any], after: dict[str, Any], *, answered: bool = False, later: int = DAY
) -> bool:
    """Whether what was told (and answered) of one history speaks again in a later one."""
    heard = list(verdict_of(kind, before).facts)
    stands = {kind: Standing(kind, 1, NOW, None, heard=heard, answered=answered)}
    found = settle([verdict_of(kind, after, NOW + later)], stands, NOW + later, GRACE, KINDS)
    return bool(found.raised)


FIRST = phq(2, days_ago(1))


@pytest.mark.parametrize(
    ("more", "answers", "again"),
    [
        ([], [], False),
        ([phq(2, NOW + 60)], [], True),  # each new result
        ([phq(1, NOW + 60)], [], True),
        ([phq(1, days_ago(3), told=NOW + 60)], [], True),  # one that comes in late, of an earlier day
        ([phq(None, NOW + 60)], [], False),  # only the total
        ([phq(2, NOW + 60)], [an_answer("item9", "done", NOW)], True),  # talked about: the next result is another one
        ([phq(2, NOW + 60)], [PLAN], False),
        ([phq(1, NOW + 60)], [PLAN], False),
        ([phq(3, NOW + 60)], [PLAN], True),  # a rise always
        ([phq(1, NOW + 60), phq(2, NOW + 120)], [PLAN], True),  # a rise from the last one too
        ([phq(2, NOW + 60)], [PLAN, an_answer("item9", "done", NOW + 30)], True),  # the last answer is no plan
        ([phq(2, NOW + 60)], [an_answer("item9", "known", NOW, until=NOW + 7200)], True),  # the plan has ended
    ],
)
def test_a_result_that_asks_for_safety_speaks_again(more, answers, again):
    after = {"scores": [FIRST, *more], "answers": answers}
    assert speaks("item9", {"scores": [FIRST]}, after, answered=bool(answers)) is again


@pytest.mark.parametrize(("corrected", "again"), [(3, True), (2, False), (1, False)])
def test_a_result_that_was_corrected_upwards_speaks_again(corrected, again):
    assert speaks("item9", {"scores": [FIRST]}, {"scores": [phq(corrected, days_ago(1))]}) is again


def test_no_grace_time_keeps_back_what_asks_for_safety_and_is_new():
    heard = list(verdict_of("item9", {"scores": [FIRST]}).facts)
    cleared = {"item9": Standing("item9", 3, days_ago(2), days_ago(1), heard=heard)}
    news = verdict_of("item9", {"scores": [FIRST, phq(0, days_ago(0.5)), phq(1, days_ago(0.1))]})
    assert settle([news], cleared, NOW, GRACE, KINDS).opened == ((news, 4),)
    same = verdict_of("item9", {"scores": [FIRST]})  # the zero between was an error, and taken back
    assert settle([same], cleared, NOW, GRACE, KINDS).opened == ((same, 3),)


def test_what_is_old_when_it_is_first_told_is_known_as_such():
    old = KINDS["item9"].old
    for days, says in ((14, False), (15, True)):
        assert old(verdict_of("item9", {"scores": [phq(1, days_ago(days), told=NOW)]}).facts) is says
    both = [phq(1, days_ago(15), told=NOW), phq(1, days_ago(13), told=NOW)]
    assert not old(verdict_of("item9", {"scores": both}).facts)
    assert not old(verdict_of("item9", {"scores": [phq(1, days_ago(300))]}).facts)  # told on its day, long known


def test_a_result_that_comes_in_late_while_another_stands_is_no_list_to_sort():
    late = phq(3, days_ago(20), told=NOW + 60)
    assert speaks("item9", {"scores": [FIRST]}, {"scores": [FIRST, late]})


@pytest.mark.parametrize(
    ("last", "answered", "again"), [(30, False, True), (30, True, False), (29.5, True, True), (35, False, True)]
)
def test_a_rating_speaks_again_when_it_is_another_and_after_an_answer_when_it_is_lower(last, answered, again):
    first = [a_score("SRS", 30, days_ago(7))]
    assert (
        speaks("rating", {"scores": first}, {"scores": [*first, a_score("SRS", last, NOW)]}, answered=answered) is again
    )
    assert not speaks("rating", {"scores": first}, {"scores": first}, answered=answered)


def test_an_alliance_speaks_again_when_it_is_lower_after_an_answer():
    first = [a_score("WAI-SR", 50, day) for day in each(7, 4, days_ago(14))] + [a_score("WAI-SR", 40, days_ago(7))]
    lower, higher = a_score("WAI-SR", 20, NOW), a_score("WAI-SR", 40.5, NOW)
    assert speaks("alliance", {"scores": first}, {"scores": [*first, lower]}, answered=True)
    assert not speaks("alliance", {"scores": first}, {"scores": [*first, higher]}, answered=True)


def test_goals_speak_again_when_another_is_off_track_or_in_another_way():
    def marked(how, day=date(2026, 11, 2)):
        return a_goal(set_on=date(2026, 11, 1), achievement=how, achievement_on=day)

    one = {"goals": [marked("worsening")]}
    assert not speaks("off_track", one, one, answered=True)
    assert speaks("off_track", one, {"goals": [marked("worsening"), marked("no-progress")]}, answered=True)
    assert speaks("off_track", one, {"goals": [marked("worsening"), marked("worsening")]}, answered=True)
    assert speaks("off_track", one, {"goals": [marked("not-attainable", date(2026, 11, 23))]}, answered=True)
    two = {"goals": [marked("worsening"), marked("no-progress")]}
    assert not speaks("off_track", two, one, answered=True)  # one of them is back


def test_an_ending_speaks_again_at_the_next_step_and_at_the_next_attempt():
    seen = {"attended": [days_ago(40)]}

    def poor_fit(**done):
        return {**seen, "endings": [an_ending("poor-fit", days_ago(30), done=done)]}

    def contact(*days):
        tried = [("phone", days_ago(day)) for day in days]
        return {**seen, "endings": [an_ending("contact", days_ago(60), attempts=tried)]}

    assert not speaks("ending_step", poor_fit(), poor_fit(), answered=True)
    assert speaks("ending_step", poor_fit(), poor_fit(explain=days_ago(20)), answered=True)
    assert not speaks("out_of_contact", contact(40), contact(40), answered=True)
    assert speaks("out_of_contact", contact(40), contact(40, 20), answered=True)


def test_a_referral_speaks_again_when_another_question_is_due_and_not_before():
    calls = {"referrals": [a_referral(("offered", NOW), ("self-arranged", NOW))]}
    kind = "referral_follow_up"
    first = verdict_of(kind, calls, NOW + 7 * DAY)
    for answered in (True, False):
        stands = {kind: Standing(kind, 1, NOW, None, heard=list(first.facts), answered=answered)}
        for days, again in ((7, False), (13.99, False), (14, True), (30, True)):
            now = NOW + round(days * DAY)
            assert bool(settle([verdict_of(kind, calls, now)], stands, now, GRACE, KINDS).raised) is again
    # Cleared in between by what was heard: no grace time keeps the next question back.
    cleared = {kind: Standing(kind, 1, NOW, NOW + 9 * DAY, heard=list(first.facts))}
    now = NOW + 14 * DAY
    assert settle([verdict_of(kind, calls, now)], cleared, now, GRACE, KINDS).opened[0][1] == 2
    same = verdict_of(kind, calls, NOW + 10 * DAY)
    assert settle([same], cleared, NOW + 10 * DAY, GRACE, KINDS).opened == ((same, 1),)


def test_what_is_answered_with_a_day_is_in_the_facts_until_then():
    known = {"scores": [FIRST], "answers": [PLAN]}
    assert verdict_of("item9", known).facts[2] == PLAN.until
    assert verdict_of("item9", known, in_days(20)).facts[2] == -1
