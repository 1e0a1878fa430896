"""Score lines: where marks, cut-off and band stand, and that the sentence says the same; who sees them."""

import pytest

from models.instants import DAY
from models.measures import NUMBERS, REGISTRY
from models.told import Score
from models.voice import Voice
from tending.desk.score_line import HEIGHT, LEFT, WIDTH, lines
from tests.builders import NOW, ZONE, days_ago
from tests.desk.conftest import quiet

VOICE = Voice(ZONE, "en_GB", NOW)


def line(measure, *values):
    first = NOW - 7 * DAY * len(values)
    scores = [Score(first + 7 * DAY * n, NUMBERS[measure], round(v * 100), -1, NOW) for n, v in enumerate(values)]
    (found,) = lines(scores, VOICE)
    return found


@pytest.mark.parametrize(
    ("measure", "values", "says", "says_not"),
    [
        ("PHQ-9", (17, 12, 11), "moved by 6; more than chance explains (reliable change is 6)", "no more than"),
        ("PHQ-9", (17, 12, 11.01), "moved by 5.99; no more than chance explains", ""),
        ("PHQ-9", (8, 14), "moved by 6; more than chance explains", "better by"),
        ("PHQ-9", (17,), "lower is better: 17 on", "chance"),
        ("ORS", (20, 25), "higher is better: 20 on", "None"),
        ("GAD-7", (9, 8), "Cut-off 8: healthy below 8, a number from a secondary source.", ""),
        ("WAI-SR", (50, 40), "No cut-off is verified.", "chance"),
        ("SRS", (38, 30), "Cut-off 36: healthy 36 or more", "chance"),
    ],
)
def test_the_sentence_says_what_the_picture_shows(measure, values, says, says_not):
    found = line(measure, *values)
    assert says in found.sentence
    assert not says_not or says_not not in found.sentence
    assert (found.cutoff is None) == (REGISTRY[measure].cutoff is None)
    assert (found.band is None) == (REGISTRY[measure].change is None)
    assert len(found.points) == len(values)
    assert len(found.days) == min(2, len(values))


@pytest.mark.parametrize("measure", [m.name for m in REGISTRY.values() if not m.is_screen])
def test_nothing_stands_outside_the_picture_and_more_is_higher(measure):
    about = REGISTRY[measure]
    found = line(measure, about.low, (about.low + about.high) / 2, about.high)
    heights = [y for _, y in found.points]
    assert heights == sorted(heights, reverse=True)
    assert [x for x, _ in found.points] == sorted(x for x, _ in found.points)
    assert all(LEFT <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in found.points)
    assert [y for y, _ in found.ticks] == [heights[0], heights[-1]]
    if found.band:
        top, height = found.band
        assert top <= heights[0] <= round(top + height, 1), "the first score lies in its own band"
    if found.cutoff is not None:
        assert heights[-1] < found.cutoff < heights[0]


def test_a_screen_has_no_line_and_neither_has_a_total_that_was_not_seen():
    assert lines([Score(NOW, NUMBERS["C-SSRS"], 100, 1, NOW), Score(NOW, NUMBERS["PHQ-9"], -1, 1, NOW)], VOICE) == []


def test_scores_are_shown_to_whose_client_it_is_and_to_nobody_else(serve):
    def fill(clinic):
        for taken, value in ((days_ago(40), 17), (days_ago(20), 9)):
            clinic.score("1001", "PHQ-9", taken, value)
        quiet(clinic)

    served = serve(fill)
    from models.people import Client

    mine = served.clinic.id_of("1001")
    code = next(row.code for row in served.clinic.rows(Client) if row.id == mine)
    page = served.seated("therapist", "T1").get(f"/client/{code}").text
    assert "moved by 8; more than chance explains" in page
    assert 'class="scores"' in page
    office = served.seated("front_office").get(f"/client/{code}").text
    assert "PHQ-9" not in office
