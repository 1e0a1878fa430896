"""Whatever a file holds, it is read with every row accounted for, or refused in one sentence."""

import csv
import io
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.records.detect import detect
from integrations.records.forms import FORMS
from integrations.records.mapping import Mapping
from integrations.records.reading import RecordReading, read_records
from models.errors import TendingError
from tests.integrations.records.exports import NOW, ZONE, accounted

CELLS = st.sampled_from(
    [
        *(
            "",
            " ",
            "1042",
            "T1",
            "A-1",
            "2.98725E+13",
            "2026-10-01 09:00",
            "2026-03-29 02:30",
            "13/10/2026",
            "10/13/2026",
        ),
        *(
            "09:00",
            "2026-10-01",
            "50",
            "yes",
            "no",
            "attended",
            "booked",
            "Europe/Berlin",
            "C-ABCDEFG",
            "Ann Lee",
            "née",
        ),
        *(
            '"',
            'a"b',
            "\n",
            "a,b;c\td|e",
            "=1+1",
            "\ufeff",
            "\u2028",
            "9" * 300,
            "20225-01-01",
            "a@example.org",
            "T1;T2",
        ),
        *("PHQ-9", "C-SSRS", "27", "27.01", "-1", "positive", "on hold", "not met", "client", "2099-01-01"),
    ]
) | st.text(max_size=12)
TABLES = st.sampled_from(sorted(FORMS)).flatmap(
    lambda form: st.tuples(
        st.just(form),
        st.lists(st.sampled_from([column.name for column in FORMS[form].columns] + ["notes"]), min_size=1, max_size=9),
        st.lists(st.lists(CELLS, max_size=10), max_size=8),
        st.sampled_from([",", ";", "\t"]),
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    )
)
MAPPINGS = st.sampled_from([Mapping(date_order="dmy"), Mapping(date_order="mdy", time_of_day="12:00"), Mapping()])
AGAIN_AND_AGAIN = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)


def try_to_read(path: Path, form: str, mapping: Mapping) -> RecordReading | None:
    refused, reading = "", None
    try:
        reading = read_records({form: path}, mapping, name="any", zone=ZONE, read_at=NOW)
    except TendingError as error:
        refused = str(error)
    if reading is None:
        assert refused.endswith(".")
        return None
    assert accounted(reading)
    assert len({entry.id for entry in reading.entries}) == len(reading.entries)
    for reject in reading.rejects:
        assert reject.sentence.startswith(path.name)
        assert reject.sentence.isprintable()
    return reading


@AGAIN_AND_AGAIN
@given(st.binary(max_size=300), st.sampled_from(sorted(FORMS)), MAPPINGS, st.booleans())
def test_any_bytes(tmp_path: Path, content: bytes, form: str, mapping: Mapping, with_header: bool) -> None:
    path = tmp_path / "any.csv"
    header = ",".join(column.name for column in FORMS[form].columns).encode() + b"\n" if with_header else b""
    path.write_bytes(header + content)
    try_to_read(path, form, mapping)


@AGAIN_AND_AGAIN
@given(TABLES, MAPPINGS)
def test_any_table(tmp_path: Path, table: tuple[str, list[str], list[list[str]], str, str], mapping: Mapping) -> None:
    form, header, rows, delimiter, encoding = table
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([header, *rows])
    path = tmp_path / "any.csv"
    path.write_bytes(out.getvalue().encode(encoding, "replace"))
    reading = try_to_read(path, form, mapping)
    if reading is not None and "\n" not in repr(rows) and '"' not in repr(rows):
        assert reading.counts[form].rows == len(rows)
    detect(tmp_path, zone=ZONE, read_at=NOW)


@AGAIN_AND_AGAIN
@given(st.permutations([f"A-{i},104{i % 3},2026-10-0{i + 1} 09:00,attended" for i in range(6)]))
def test_the_order_of_the_rows_changes_nothing(tmp_path: Path, rows: list[str]) -> None:
    path = tmp_path / "appointments.csv"
    path.write_text("id,client,start,status\n" + "\n".join(rows) + "\n")
    reading = try_to_read(path, "appointments", Mapping())
    assert reading is not None
    assert sorted(entry.id for entry in reading.entries) == [f"A-{i}" for i in range(6)]
