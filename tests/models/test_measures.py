"""The registry of measures: both sides of each cut-off, every name, and no threshold without its ground."""

from collections import Counter

import pytest

from models.measures import BY_NUMBER, NUMBERS, REGISTRY, Measure, measure_named

MEASURES = list(REGISTRY.values())


@pytest.mark.parametrize(
    ("name", "value", "clinical"),
    [
        ("SRS", 0, True),
        ("SRS", 35.99, True),
        ("SRS", 36, False),  # below 36 is talked about, 36 is not below
        ("SRS", 40, False),
        ("ORS", 0, True),
        ("ORS", 25, True),
        ("ORS", 25.01, False),
        ("ORS", 40, False),
        ("PHQ-9", 0, False),
        ("PHQ-9", 9.99, False),
        ("PHQ-9", 10, True),
        ("PHQ-9", 27, True),
        ("GAD-7", 0, False),
        ("GAD-7", 7.99, False),
        ("GAD-7", 8, True),
        ("GAD-7", 21, True),
        *[("WAI-SR", value, None) for value in (12, 35, 36, 60)],  # none is validated
        *[("C-SSRS", value, None) for value in (0, 1)],  # an answer, not a score
    ],
)
def test_both_sides_of_each_cut_off(name: str, value: float, clinical: bool | None) -> None:
    assert REGISTRY[name].clinical(value) is clinical


def test_which_thresholds_there_are() -> None:
    """The whole list: whoever adds a number adds its ground, and a line here."""
    assert {m.name: (m.low, m.high, m.high_is_good, m.cutoff, m.change, m.risk, m.mark) for m in MEASURES} == {
        "SRS": (0, 40, True, 36, None, None, "S"),
        "ORS": (0, 40, True, 25, 5, None, "S"),
        "WAI-SR": (12, 60, True, None, None, None, "V"),
        "PHQ-9": (0, 27, False, 10, 6, 3, "S"),
        "GAD-7": (0, 21, False, 8, 4, None, "S"),
        "C-SSRS": (0, 1, False, None, None, 1, "V"),
    }


@pytest.mark.parametrize(
    ("name", "words"), [("SRS", "36 or more"), ("ORS", "above 25"), ("PHQ-9", "below 10"), ("GAD-7", "below 8")]
)
def test_what_is_healthy_is_said_with_how_sure_the_number_is(name: str, words: str) -> None:
    assert REGISTRY[name].healthy == f"healthy {words}, a number from a secondary source"


def test_nothing_is_called_healthy_without_a_cut_off() -> None:
    assert {m.name for m in MEASURES if not m.healthy} == {"WAI-SR", "C-SSRS"}


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.name)
def test_each_measure_says_where_its_numbers_come_from(measure: Measure) -> None:
    assert measure.mark in ("V", "S", "M")
    assert measure.basis
    assert measure.coding
    assert measure.low < measure.high
    for number in (measure.cutoff, measure.change):
        if number is not None:
            assert f"{number:g}" in measure.basis, "a threshold is told in words together with who says so"
    if measure.cutoff is not None:
        assert measure.low <= measure.cutoff <= measure.high
        assert measure.clinical(measure.high) is not measure.high_is_good
        assert measure.clinical(measure.low) is measure.high_is_good
    assert measure.is_screen == (measure.name == "C-SSRS")


def plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.name)
def test_every_name_finds_its_measure_in_any_spelling(measure: Measure) -> None:
    for name in (measure.name, measure.title, *measure.other_names):
        for word in (name, name.upper(), name.replace("-", " "), name.replace(" ", "_"), f" {name} "):
            assert measure_named(word) is measure


def test_every_name_finds_one_measure_only() -> None:
    names = Counter(plain(name) for m in MEASURES for name in {m.name, m.title, *m.other_names})
    assert {name: count for name, count in names.items() if count > 1} == {}


@pytest.mark.parametrize(
    "word", ["", "-", "PHQ", "PHQ-2", "PHQ-8", "GAD", "GAD-2", "WAI", "WAI-S", "Working Alliance Inventory", "CORE", "44260-8"]
)  # fmt: skip
def test_a_name_that_could_mean_another_measure_finds_none(word: str) -> None:
    assert measure_named(word) is None


@pytest.mark.parametrize(
    ("name", "before", "after", "worse"),
    [("PHQ-9", 10, 16, 6), ("PHQ-9", 16, 10, -6), ("ORS", 25, 20, 5), ("ORS", 20, 25, -5), ("SRS", 38, 38, 0)],
)
def test_worse_is_up_or_down_as_the_measure_has_it(name: str, before: float, after: float, worse: float) -> None:
    assert REGISTRY[name].worse_by(before, after) == worse


def test_numbers_in_digests_stand_for_the_measures_they_always_stood_for() -> None:
    assert list(NUMBERS) == ["SRS", "ORS", "WAI-SR", "PHQ-9", "GAD-7", "C-SSRS"], "new ones are added at the end"
    assert all(BY_NUMBER[number].name == name for name, number in NUMBERS.items())
