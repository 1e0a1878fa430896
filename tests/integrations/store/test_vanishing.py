"""Goals, breaks and times on a waiting list that vanish at once: a person is asked, and until then nothing is concluded from it."""

import pytest

from integrations.store.doubt import in_doubt
from integrations.store.sources import all_rows, release_held
from integrations.store.watching import tell_of_sources
from models.errors import UsageError
from models.instants import DAY, HOUR
from models.people import Break
from models.sources import Source, asked_about, questions
from tests.builders import NOW, days_ago, each

LATER = NOW + HOUR


def caseload(clinic, size):
    """So many clients more who were seen often enough to be asked for a goal."""
    numbers = [str(2001 + n) for n in range(size)]
    for number in numbers:
        clinic.client(number, f"Nobody Number{number}")
        clinic.seen(number, *each(7, 6, days_ago(3)))
    return numbers


def cut(rows, left=0):
    """A file of which only the header and the last so many rows are left."""
    rows[:] = rows[len(rows) - left :] or [dict.fromkeys(rows[0], "")]


def held(clinic):
    with clinic.practice.store.read() as connection:
        return all_rows(connection)["records"].held


def speak(clinic, *, cancelled, kind="", at=LATER + 600):
    with clinic.practice.store.write() as connection:
        return release_held(connection, "records", at, cancelled=cancelled, kind=kind)


def with_goals(clinic, size):
    numbers = caseload(clinic, size)
    for number in numbers:
        clinic.goal(number, "Schlafen", set="2026-09-01")
    clinic.sync()
    clinic.look()
    return numbers


@pytest.mark.parametrize(
    ("there", "gone", "is_held"), [(10, 10, True), (10, 6, True), (10, 5, False), (2, 2, True), (1, 1, False)]
)
def test_more_goals_than_a_few_at_once_are_held(clinic, there, gone, is_held):
    numbers = with_goals(clinic, there)
    before = clinic.findings()
    cut(clinic.goals, there - gone)
    taken = clinic.sync(LATER)["records"]
    assert taken.held == (gone if is_held else 0)
    clinic.look(LATER)
    new = {number for number, kind in clinic.findings() - before if kind == "no_goal"}
    assert new == (set() if is_held else set(numbers[:gone]))


def test_of_goals_in_question_nothing_can_be_said_and_a_word_settles_it(clinic):
    numbers = with_goals(clinic, 10)
    later = NOW + 100 * DAY  # by then a look at the goals is due
    cut(clinic.goals)
    clinic.sync(LATER)
    assert clinic.why(numbers[0], later)["review_due"] == (None, "blind")
    assert {kind: part["count"] for kind, part in questions(held(clinic)).items()} == {"goal": 10}
    with pytest.raises(UsageError):
        speak(clinic, cancelled=True, kind="break")
    assert speak(clinic, cancelled=True) == {"goal": 10}
    clinic.sync(LATER + HOUR)
    clinic.look(LATER + HOUR)
    assert asked_about(held(clinic)) == 0
    assert {kind for number, kind in clinic.findings() if number in numbers} == {"no_goal"}


def test_goals_that_are_still_there_stand_and_those_that_are_back_need_no_word(clinic):
    numbers = with_goals(clinic, 10)
    goals = list(clinic.goals)
    cut(clinic.goals)
    clinic.sync(LATER)
    speak(clinic, cancelled=False)
    assert clinic.sync(LATER + HOUR)["records"].held == 0
    clinic.look(LATER + HOUR)
    assert not [kind for number, kind in clinic.findings() if number in numbers and kind == "no_goal"]
    clinic.goals.extend(goals)
    clinic.sync(LATER + 2 * HOUR)
    assert held(clinic) == {}


def test_a_break_in_question_pauses_nobody_and_nothing_is_said_instead(clinic):
    numbers = [str(2001 + n) for n in range(7)]
    for number in numbers:
        clinic.client(number, f"Nobody Number{number}")
        clinic.seen(number, *each(7, 6, days_ago(40)))
        clinic.breaks.append({"client": number, "from": "2026-10-01", "to": "2027-02-01"})
    clinic.sync()
    clinic.look()
    assert clinic.why(numbers[0])["quiet"][0] is False
    cut(clinic.breaks)
    assert clinic.sync(LATER)["records"].held == 7
    assert len(clinic.rows(Break)) == 7
    assert clinic.look(LATER).blind == 7
    assert clinic.why(numbers[0], LATER)["quiet"] == (None, "blind")
    speak(clinic, cancelled=True)
    clinic.sync(LATER + HOUR)
    assert clinic.rows(Break) == []
    assert clinic.why(numbers[0], LATER + HOUR)["quiet"][0] is True
    with clinic.practice.store.read() as connection:
        assert len(in_doubt(connection, clinic.rows(Source), LATER + 60).kinds) == 7, "as it was known then"


def test_each_kind_is_asked_about_by_itself_and_no_longer_once_it_is_answered(clinic):
    with_goals(clinic, 10)
    for number in range(6):
        clinic.breaks.append({"client": f"{2001 + number}", "from": "2026-12-01", "to": "2026-12-05"})
    clinic.sync()
    cut(clinic.goals), cut(clinic.breaks)
    clinic.sync(LATER)
    with clinic.practice.store.write() as connection:
        tell_of_sources(clinic.practice, connection, LATER)
    asked = clinic.notices(purpose="held_vanished")
    assert [(n.facts["what"], n.facts["vanished"], n.facts["ahead"]) for n in asked] == [
        ("breaks", 6, 6),
        ("goals", 10, 10),
    ]
    assert speak(clinic, cancelled=False, kind="goal") == {"goal": 10}
    assert list(questions(held(clinic))) == ["break"]
