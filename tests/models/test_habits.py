"""The eight habits: one question each, asked in turn."""

import pytest

from models.habits import HABITS, question


def test_there_are_eight_each_with_a_question_of_its_own():
    assert len({habit for habit, _ in HABITS}) == len({asked for _, asked in HABITS}) == 8
    assert all(asked.endswith("?") and asked.count("?") == 1 for _, asked in HABITS)


@pytest.mark.parametrize("first", range(20))
def test_none_is_asked_again_before_all_the_others_were(first):
    assert len({question(first + n) for n in range(8)}) == 8
    assert question(first + 8) == question(first)
