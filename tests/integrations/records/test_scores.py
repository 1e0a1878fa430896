"""Scores: the range of each measure from both sides, the answer that asks for safety, and when a score was taken."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.entries import ScoreEntry
from models.instants import DAY, at_wall, wall_of
from models.measures import REGISTRY
from tests.integrations.records.exports import NOW, SECRET, ZONE, accounted, only_reject, read

S = SECRET
TODAY, TOMORROW = "2026-11-03", "2026-11-04"  # NOW is nine in the morning of the first
NUMBERS = st.decimals(-5, 70, places=2, allow_nan=False, allow_infinity=False)


def score(tmp_path: Path, measure: str, value: str = "", risk: str = "", taken: str = TODAY) -> ScoreEntry:
    (entry,) = read(
        tmp_path, "scores", f"id,client,measure,taken,score,risk\nS,1042,{measure},{taken},{value},{risk}\n"
    ).entries
    assert isinstance(entry, ScoreEntry)
    return entry


@pytest.mark.parametrize("measure", [one for one in REGISTRY.values() if not one.is_screen], ids=lambda m: m.name)
def test_both_ends_of_each_range(tmp_path: Path, measure) -> None:
    for text in (f"{measure.low:g}", f"{measure.high:g}", f"{measure.high - 0.01:.2f}", f"{measure.low + 0.5:.1f}"):
        assert score(tmp_path, measure.name, text).value == float(text)
    for text in (f"{measure.low - 0.01:.2f}", f"{measure.high + 0.01:.2f}", f"{measure.low - 1:g}", "1000000"):
        content = f"client,measure,taken,score\n1042,{measure.name},{TODAY},{text}\n"
        reject = only_reject(read(tmp_path, "scores", content))
        assert (reject.reason, reject.client_ids, reject.kind) == ("out-of-range", ("1042",), "score")
        assert reject.sentence == (
            f'scores.csv, row 2, column "score": it lies outside of {measure.low:g} to {measure.high:g}; '
            f"write what the measure has ({measure.coding}), or correct the measure."
        )


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12.0), ("12.0", 12.0), ("12.5", 12.5), ("12,5", 12.5), ("012", 12.0), ("0", 0.0), ("0.00", 0.0)],
)
def test_how_a_number_may_be_written(tmp_path: Path, text: str, value: float) -> None:
    cell = f'"{text}"'
    assert score(tmp_path, "PHQ-9", cell).value == value


@pytest.mark.parametrize("text", ["1.000", "12/27", "~12", "12 points", "1E1", "nan", "inf", "１２", "+12", S, "mild"])
def test_what_is_no_number_is_never_guessed(tmp_path: Path, text: str) -> None:
    reject = only_reject(read(tmp_path, "scores", f"client,measure,taken,score\n1042,PHQ-9,{TODAY},{text}\n"))
    assert reject.reason == "bad-number"
    assert 'column "score": it is neither a number nor positive or negative; write a number with' in reject.sentence


@pytest.mark.parametrize("text", ["one", "1.000", S, "often"])
def test_what_is_no_answer_about_safety_names_the_answers_there_are(tmp_path: Path, text: str) -> None:
    reject = only_reject(read(tmp_path, "scores", f"client,measure,taken,score,risk\n1042,PHQ-9,{TODAY},9,{text}\n"))
    assert reject.reason == "bad-number"
    assert 'column "risk": it is none of the answers that there are; write the answer' in reject.sentence
    assert "(item 9 of PHQ-9: 0 to 3)" in reject.sentence


@pytest.mark.parametrize("year", ["1850", "1905", "2150", "20225"])
def test_no_impossible_year_is_sent_to_another_one(tmp_path: Path, year: str) -> None:
    """What is said of a year that no date has, and of one that no score has, names no year that is refused as well."""
    reject = only_reject(read(tmp_path, "scores", f"client,measure,taken,score\n1042,PHQ-9,{year}-03-14,9\n"))
    assert reject.reason == "bad-date"
    assert "impossible year" in reject.sentence
    assert "1900" not in reject.sentence


def test_a_word_is_no_score_of_a_measure_with_numbers(tmp_path: Path) -> None:
    for word in ("positive", "no", "x"):
        reject = only_reject(read(tmp_path, "scores", f"client,measure,taken,score\n1042,GAD-7,{TODAY},{word}\n"))
        assert reject.reason == "bad-number"
        assert "it is a word where the measure has a number; write what the measure has (seven items" in reject.sentence


def test_a_measure_that_nobody_knows(tmp_path: Path) -> None:
    for word in (S, "PHQ-8", "WAI", "phq"):
        reject = only_reject(read(tmp_path, "scores", f"client,measure,taken,score\n1042,{word},{TODAY},5\n"))
        assert reject.reason == "unknown-measure"
        assert reject.sentence == (
            'scores.csv, row 2, column "measure": it is not a measure that is known; '
            "write one of: C-SSRS, GAD-7, ORS, PHQ-9, SRS, WAI-SR."
        )


RISKS = [
    # measure, score, risk -> value and risk, or the column and reason for which the row is put aside
    ("PHQ-9", "12", "", (12.0, None)),
    ("PHQ-9", "12", "0", (12.0, 0)),
    ("PHQ-9", "12", "3", (12.0, 3)),
    ("PHQ-9", "", "1", (None, 1)),
    ("PHQ-9", "3", "3", (3.0, 3)),
    ("PHQ-9", "2", "3", ("risk", "contradiction")),  # the item alone is more
    ("PHQ-9", "24", "0", (24.0, 0)),
    ("PHQ-9", "25", "0", ("risk", "contradiction")),  # the other eight cannot be as much
    ("PHQ-9", "27", "3", (27.0, 3)),
    ("PHQ-9", "12", "4", ("risk", "out-of-range")),
    ("PHQ-9", "12", "-1", ("risk", "out-of-range")),
    ("PHQ-9", "12", "0.5", ("risk", "out-of-range")),
    ("PHQ-9", "12", "yes", ("risk", "out-of-range")),  # how much, it does not say
    ("PHQ-9", "12", "often", ("risk", "bad-number")),
    ("PHQ-9", "", "", ("score", "missing")),
    ("C-SSRS", "1", "", (1.0, 1)),
    ("C-SSRS", "0", "", (0.0, 0)),
    ("C-SSRS", "Positive", "", (1.0, 1)),
    ("C-SSRS", "negative", "", (0.0, 0)),
    ("C-SSRS", "", "yes", (1.0, 1)),
    ("C-SSRS", "", "no", (0.0, 0)),
    ("C-SSRS", "", "POSITIVE", (1.0, 1)),
    ("C-SSRS", "", "0", (0.0, 0)),
    ("C-SSRS", "1", "yes", (1.0, 1)),
    ("C-SSRS", "0", "positive", ("risk", "contradiction")),
    ("C-SSRS", "0.5", "", ("score", "out-of-range")),
    ("C-SSRS", "1.01", "", ("score", "out-of-range")),
    ("C-SSRS", "2", "", ("score", "out-of-range")),
    ("C-SSRS", "-0.01", "", ("score", "out-of-range")),
    ("C-SSRS", "", "2", ("risk", "out-of-range")),
    ("C-SSRS", "", "", ("score", "missing")),
    *[(name, "12", "0", ("risk", "no-such-question")) for name in ("GAD-7", "ORS", "SRS", "WAI-SR")],
    ("GAD-7", "", "no", ("risk", "no-such-question")),
]


@pytest.mark.parametrize(("measure", "value", "risk", "expected"), RISKS)
def test_the_answer_that_asks_for_safety(
    tmp_path: Path, measure: str, value: str, risk: str, expected: tuple[object, object]
) -> None:
    if expected[0] not in ("score", "risk"):
        entry = score(tmp_path, measure, value, risk)
        assert (entry.value, entry.risk) == expected
        assert entry.risk is None or type(entry.risk) is int
        return
    content = f"id,client,measure,taken,score,risk\nS,1042,{measure},{TODAY},{value},{risk}\n"
    reject = only_reject(read(tmp_path, "scores", content))
    assert (reject.reason, reject.client_ids, reject.entry_id) == (expected[1], ("1042",), "S")
    assert f'column "{expected[0]}": it ' in reject.sentence


@pytest.mark.parametrize("header", ["risk", "Item 9", "phq9_item_9", "PHQ-9 item 9", "44260-8", "Positive"])
def test_headers_of_the_answer_that_asks_for_safety(tmp_path: Path, header: str) -> None:
    (entry,) = read(tmp_path, "scores", f"client,measure,taken,{header}\n1042,44261-6,{TODAY},2\n").entries
    assert isinstance(entry, ScoreEntry)
    assert (entry.measure, entry.value, entry.risk) == ("PHQ-9", None, 2)


@pytest.mark.parametrize(
    ("taken", "at"),
    [
        ("2026-11-03", at_wall("2026-11-03T00:00:00", ZONE)),
        ("2026-11-03 00:00", at_wall("2026-11-03T00:00:00", ZONE)),
        ("2026-11-03 08:59:59", NOW - 1),
        ("2026-11-03 09:00", NOW),
        ("2026-11-03T08:00:00Z", NOW),
        ("1980-01-01", at_wall("1980-01-01T00:00:00", ZONE)),
        ("2026-11-03 09:00:01", "in-the-future"),
        ("2026-11-03T08:00:01Z", "in-the-future"),
        ("2026-11-04", "in-the-future"),
        ("2062-11-03", "bad-date"),
        ("1979-12-31", "bad-date"),
        ("2026-03-29 02:30", "no-such-time"),
        ("09:00", "no-date"),
        ("soon", "bad-date"),
        ("", "missing"),
    ],
)
def test_when_a_score_was_taken(tmp_path: Path, taken: str, at: int | str) -> None:
    if isinstance(at, int):
        assert score(tmp_path, "PHQ-9", "12", taken=taken).at == at
        return
    reject = only_reject(read(tmp_path, "scores", f"client,measure,taken,score\n1042,PHQ-9,{taken},12\n"))
    assert reject.reason == at
    assert 'column "taken": it ' in reject.sentence


def test_a_day_begins_where_the_clock_lets_it(tmp_path: Path) -> None:
    content = "client,measure,taken,score\n1042,PHQ-9,2018-11-04,12\n1043,PHQ-9,2018-11-04 00:00,12\n"
    entries = read(tmp_path, "scores", content, zone="America/Sao_Paulo").entries
    walls = [wall_of(entry.at, "America/Sao_Paulo") for entry in entries if isinstance(entry, ScoreEntry)]
    assert walls == ["2018-11-04T01:00:00"] * 2, "clocks went forward at midnight"


def test_an_unchanged_file_is_news_once_what_lay_ahead_has_come(tmp_path: Path) -> None:
    content = f"client,measure,taken,score\n1042,PHQ-9,{TOMORROW},12\n"
    first = read(tmp_path, "scores", content)
    assert read(tmp_path, "scores", content, now=NOW + 3600).fingerprint == first.fingerprint
    later = read(tmp_path, "scores", content, now=NOW + DAY)
    assert later.fingerprint != first.fingerprint
    assert len(later.entries) == 1
    far = "id,client,target date\nG,1042,2047-01-01\n"
    assert only_reject(read(tmp_path, "goals", far)).reason == "bad-date"
    after = read(tmp_path, "goals", far, now=at_wall("2027-01-01T00:00:00", ZONE))
    assert after.fingerprint != read(tmp_path, "goals", far).fingerprint
    assert not after.rejects


def test_scores_without_ids_have_stable_ones(tmp_path: Path) -> None:
    rows = f"1042,PHQ-9,{TODAY},12\n1042,GAD-7,{TODAY},12\n1043,phq9,{TODAY},12\n1042,PHQ9,{TODAY} 08:00,12\n"
    entries = read(tmp_path, "scores", f"client,measure,taken,score\n{rows}").entries
    assert len({entry.id for entry in entries}) == 4
    corrected = read(tmp_path, "scores", f"client,measure,taken,score\n{rows.replace(',12', ',13')}").entries
    assert [entry.id for entry in corrected] == [entry.id for entry in entries]
    assert [replace(entry, value=12.0) for entry in corrected if isinstance(entry, ScoreEntry)] == entries


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([one for one in REGISTRY.values() if not one.is_screen]), NUMBERS, st.sampled_from([".", ","]))
def test_a_number_is_read_exactly_where_the_measure_has_it(tmp_path: Path, measure, number, point: str) -> None:
    text = str(number).replace(".", point)
    reading = read(tmp_path, "scores", f'client,measure,taken,score\n1042,{measure.name},{TODAY},"{text}"\n')
    assert accounted(reading)
    if measure.low <= number <= measure.high:
        assert [getattr(entry, "value", None) for entry in reading.entries] == [float(number)]
    else:
        assert [reject.reason for reject in reading.rejects] == ["out-of-range"]
