"""Time on a waiting list; and for goals, scores and holds alike: two rows with one id, the order of dates, the signs."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.records.columns import key
from integrations.records.forms import FORMS
from integrations.records.opening import DATE_COLUMNS
from models.entries import HoldEntry
from tests.integrations.records.exports import SECRET, accounted, only_reject, read

S = SECRET
TODAY = "2026-11-03"


def test_holds(tmp_path: Path) -> None:
    rows = "H1,1042,2026-01-12,2026-02-20\nH2,1042,2026-03-01,\nH3,1042,2026-04-01,2026-04-01\n"
    assert read(tmp_path, "holds", f"id,client,from,to\n{rows}").entries == [
        HoldEntry("H1", "1042", date(2026, 1, 12), date(2026, 2, 20)),
        HoldEntry("H2", "1042", date(2026, 3, 1)),
        HoldEntry("H3", "1042", date(2026, 4, 1), date(2026, 4, 1)),
    ]
    assert [type(e) for e in read(tmp_path, "holds", "client,waiting since\n1042,2026-01-12\n").entries] == [HoldEntry]


def test_a_hold_that_closes_is_the_same_hold(tmp_path: Path) -> None:
    (before,) = read(tmp_path, "holds", "client,from,to\n1042,2026-01-12,\n").entries
    (after,) = read(tmp_path, "holds", "client,from,to\n1042,2026-01-12,2026-02-20\n").entries
    assert isinstance(before, HoldEntry)
    assert after == replace(before, to_on=date(2026, 2, 20))


@pytest.mark.parametrize(
    ("row", "reason", "says"),
    [
        ("1042,2026-07-02,2026-07-01", "end-before-start", 'column "to": it lies before the first day; correct one of'),
        (
            "1042,2026-07-02,2099-12-31",
            "bad-date",
            "write a year from 1980 to 2046, or leave it empty while it is open",
        ),
        ("1042,2026-07-02,9999-12-31", "bad-date", 'column "to": it has an impossible year'),
        ("1042,1979-12-31,", "bad-date", 'column "from": it has an impossible year'),
        ("1042,,2026-07-01", "missing", 'column "from": it is empty; fill it in'),
        (",2026-07-01,", "missing", 'column "client": it is empty; fill it in'),
        (f"1042,{S},", "bad-date", 'column "from": it cannot be read as a date'),
    ],
)
def test_one_bad_hold(tmp_path: Path, row: str, reason: str, says: str) -> None:
    reject = only_reject(read(tmp_path, "holds", f"client,from,to\n{row}\n"))
    assert (reject.reason, reject.kind) == (reason, "hold")
    assert reject.sentence.startswith("holds.csv, row 2, column ")
    assert says in reject.sentence


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_a_hold_is_read_where_its_days_can_be(tmp_path: Path, first: date, last: date) -> None:
    reading = read(tmp_path, "holds", f"client,from,to\n1042,{first},{last}\n")
    assert accounted(reading)
    good = first.year >= 1980 and first <= last and last.year <= 2046
    assert len(reading.entries) == good
    assert len(reading.rejects) == (not good)


TWICE = [
    # form, header, a row, and another with the same id; then what the sentence says
    ("goals", "id,client,goal,target", "G,1042,Sing,a", "G,1042,Walk,a", '"id": two different rows have the same id'),
    ("scores", "id,client,measure,taken,score", f"S,1042,ORS,{TODAY},9", f"S,1043,ORS,{TODAY},9", "have the same id"),
    (
        "scores",
        "client,measure,taken,score",
        f"1042,ORS,{TODAY},9",
        f"1042,ors,{TODAY},8",
        '"taken": two different rows tell of the same measure at the same time; correct one of them',
    ),
    ("holds", "id,client,from,to", "H,1042,2026-01-12,", "H,1042,2026-01-13,", "two different rows have the same id"),
    (
        "holds",
        "client,from,to",
        "1042,2026-01-12,",
        "1042,2026-01-12,2026-02-01",
        "two different rows begin on the same",
    ),
]


@pytest.mark.parametrize(("form", "header", "row", "other", "says"), TWICE, ids=lambda v: str(v)[:30])
def test_two_different_rows_with_one_id(
    tmp_path: Path, form: str, header: str, row: str, other: str, says: str
) -> None:
    again = read(tmp_path, form, f"{header}\n{row}\n{row}\n")
    assert (len(again.entries), again.counts[form].repeated) == (1, 1)
    reading = read(tmp_path, form, f"{header}\n{row}\n{other}\n")
    assert accounted(reading)
    assert not reading.entries
    assert [reject.reason for reject in reading.rejects] == ["duplicate-id"] * 2
    assert all(f"{form}.csv, rows 2 and 3, column " in reject.sentence for reject in reading.rejects)
    assert all(says in reject.sentence for reject in reading.rejects)
    assert all(reject.client_ids for reject in reading.rejects)


def test_every_column_with_a_date_speaks_for_the_order_of_day_and_month() -> None:
    dates = {"day", "when", "day_or_yes"}
    for form in FORMS.values():
        assert {column.name for column in form.columns if column.parse.__name__ in dates} <= DATE_COLUMNS, form.name


def test_every_sign_of_a_form_is_a_header_that_it_reads() -> None:
    for form in FORMS.values():
        mine = {key(name) for column in form.columns for name in (column.name, *column.synonyms)}
        assert {key(sign) for sign in form.signs} <= mine
