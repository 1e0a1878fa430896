"""Missed early: among the first three appointments that began, whatever nobody marked."""

from array import array

import pytest

from integrations.store.supervision import missed_early
from models.appointments import Mark
from models.digest import BOOKED
from models.instants import DAY
from tests.builders import NOW, each

SEEN, MISSED, UNMARKED = Mark.attended, Mark.no_show, Mark.unknown


@pytest.mark.parametrize(
    ("marks", "missed"),
    [
        ([MISSED], 1),
        ([SEEN, UNMARKED, MISSED], 1),
        ([UNMARKED, UNMARKED, UNMARKED, MISSED], 0),
        ([UNMARKED] * 20 + [MISSED], 0),
        ([SEEN, SEEN, SEEN, MISSED], 0),
        ([SEEN, UNMARKED, UNMARKED], 0),
    ],
)
def test_missed_early_is_missed_among_the_first_three_that_began_marked_or_not(marks, missed):
    starts = each(7, len(marks), NOW)
    line = array("q", [start * 8 + BOOKED + mark for start, mark in zip(starts, marks, strict=True)]).tobytes()
    assert missed_early(line, NOW) == missed
    assert missed_early(line, NOW - 1) == 0
    assert missed_early(line, NOW + 7 * DAY) == 0
