"""What each kind of bad row gets: a stable reason and a sentence with file, row, column and remedy, never the cell."""

from pathlib import Path

import pytest

from models.entries import AppointmentEntry
from tests.integrations.records.exports import SECRET, accounted, only_reject, read

GOOD = "A-1,1042,T1,2026-10-01 09:00,2026-10-01 09:50,attended,,note\n"
HEADER = "id,client,therapist,start,end,status,zone,Private notes\n"
S = SECRET

APPOINTMENT_ROWS = [
    # the second row of the file, reason, what the sentence says, whose row it is
    (f"2.98725E+13,1043,T1,2026-10-02 09:00,,,,{S}", "mangled-id", "rounded; format the column as text", "1043"),
    ("A-2,2.98725E+13,T1,2026-10-02 09:00,,,,", "mangled-id", 'column "client": it is an id that a spreadsheet', ""),
    ('A-2,"2,98725e+13",T1,2026-10-02 09:00,,,,', "mangled-id", 'column "client": it is an id', ""),
    ("A-2,#N/A,T1,2026-10-02 09:00,,,,", "mangled-id", 'column "client"', ""),
    (f"A-2,{S} Lind,T1,2026-10-02 09:00,,,,", "name-as-id", '"client": it looks like a name', ""),
    (f"A-2,{S}@example.org,T1,2026-10-02 09:00,,,,", "name-as-id", "read it as client name", ""),
    ("A-2,,T1,2026-10-02 09:00,,,,", "missing", 'column "client": it is empty; fill it in', ""),
    ("A-2,1043,T1,,,,,", "missing", '"start": it is empty; fill in the date', "1043"),
    (f"A-2,1043,T1,{S},,,,", "bad-date", '"start": it cannot be read as a date; write', "1043"),
    ("A-2,1043,T1,2026-02-30 09:00,,,,", "bad-date", "it is no day that exists", "1043"),
    ("A-2,1043,T1,20225-10-02 09:00,,,,", "bad-date", "impossible year; correct the year.", "1043"),
    ("A-2,1043,T1,0202-10-02 09:00,,,,", "bad-date", "it has an impossible year", "1043"),
    ("A-2,1043,T1,2026-10-02 25:00,,,,", "bad-date", "does not exist; write it as 09:00 or 9:00 AM", "1043"),
    ("A-2,1043,T1,2026-10-02 13:00 PM,,,,", "bad-date", "a time of day that does not exist", "1043"),
    ("A-2,1043,T1,45932.375,,,,", "bad-date", "day number, not a date; format the column", "1043"),
    ("A-2,1043,T1,2026-10-02,,,,", "no-time", 'column "start": it holds a date but no time of day', "1043"),
    ("A-2,1043,T1,09:00,,,,", "no-date", 'column "start": it holds a time but no date', "1043"),
    ("A-2,1043,T1,2026-03-29 02:30,,,,", "no-such-time", "where clocks went forward over it; correct", "1043"),
    ("A-2,1043,T1,2026-03-29 01:30,02:30,,,", "no-such-time", '"end": it does not exist in Europe/Berlin', "1043"),
    ("A-2,1043,T1,2126-10-02 09:00,,,,", "too-far-ahead", '"start": it lies more than two years ahead; correct its year', "1043"),
    ("A-2,1043,T1,2026-10-02 09:00,2026-10-02 08:59,,,", "end-before-start", '"end": it lies before', "1043"),
    (f"A-2,1043,T1,2026-10-02 09:00,,{S},,", "unknown-status", "it is not one of: attended, booked,", "1043"),
    (f"A-2,1043,T1,2026-10-02 09:00,,,{S},", "unknown-zone", "write an IANA name such as", "1043"),
    (f"A-2,1043,T1,2026-10-02 09:00,,,,,{S}", "too-many-cells", "more cells than the header; put text", ""),
    ("A-2,1043,T1,2026-10-02 09:00", "too-few-cells", "fewer cells than the header, as if", ""),
    (f"{'9' * 201},1043,T1,2026-10-02 09:00,,,,", "bad-id", 'column "id": it is too long or holds line breaks', "1043"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "reason", "says", "client"), APPOINTMENT_ROWS, ids=lambda v: str(v)[:40])
def test_one_bad_appointment(tmp_path: Path, row: str, reason: str, says: str, client: str) -> None:
    reading = read(tmp_path, "appointments", HEADER + GOOD + row + "\n" + GOOD.replace("A-1", "A-3"))
    reject = only_reject(reading)
    assert reject.reason == reason
    assert reject.sentence.startswith("appointments.csv, row 3")
    assert says in reject.sentence
    assert reject.place == "appointments.csv, row 3"
    assert reject.client_ids == ((client,) if client else ())
    assert reject.entry_id == (
        "A-2" if row.startswith("A-2") and reason not in ("too-many-cells", "too-few-cells") else ""
    )
    assert [entry.id for entry in reading.entries] == ["A-1", "A-3"]
    # Absence means something only where the id of every row could be read.
    assert reading.kinds == {"appointment"}, "which row it is decides what is missing, where that is concluded"


def test_quarantine_keeps_the_cells_that_are_read_and_no_note(tmp_path: Path) -> None:
    reject = only_reject(read(tmp_path, "appointments", HEADER + GOOD + f"A-2,1043,T1,never,,,,{SECRET}\n"))
    assert b"A-2,1043,T1,never" in reject.raw
    assert SECRET.encode() not in reject.raw


CLIENT_ROWS = [
    ("Anna Lind,Anna Lind,,,,,", "name-as-id", 'column "id"', ""),
    ("1042,,,,,,", "missing", 'column "name": it is empty', "1042"),
    (f"1042,{S},{S},,,,", "bad-code", 'column "code": it is not a client code; write C- and at least seven', "1042"),
    ("1042,Anna,C-ABCDEF,,,,", "bad-code", "it is not a client code", "1042"),
    (f"1042,Anna,,{S},,,", "unknown-status", "it is not one of: active, archived,", "1042"),
    (f"1042,Anna,,,{S},,", "bad-date", 'column "died"', "1042"),
    (f"1042,Anna,,,,{S},", "bad-date", 'column "paused until"', "1042"),
    (f"1042,Anna,,,,,{S}", "bad-yes-no", 'column "opted out": it is neither yes nor no; write yes or no', "1042"),
    ("1042,Anna,,,,,maybe", "bad-yes-no", "write yes or no", "1042"),
    ("1042,Anna,,,12:30,,", "bad-date", "it holds a time but no date", "1042"),
]


@pytest.mark.parametrize(("row", "reason", "says", "client"), CLIENT_ROWS, ids=lambda v: str(v)[:40])
def test_one_bad_client(tmp_path: Path, row: str, reason: str, says: str, client: str) -> None:
    reading = read(tmp_path, "clients", f"id,name,code,status,died,paused until,opted out\n{row}\n1,Good One,,,,,\n")
    reject = only_reject(reading)
    assert (reject.reason, reject.client_ids, reject.entry_id) == (reason, (client,) if client else (), client)
    assert reject.sentence.startswith("clients.csv, row 2, column ")
    assert says in reject.sentence
    assert len(reading.entries) == 1


OTHER_ROWS = [
    ("therapists", "id,name,email,zone,started", f"T1,Ada,{S},,", "bad-email", "write one address such as"),
    ("therapists", "id,name,email,zone,started", f"T1,Ada,,{S},", "unknown-zone", "write an IANA name"),
    ("therapists", "id,name,email,zone,started", f"T1,Ada,,,{S}", "bad-date", 'column "started"'),
    (
        "breaks",
        "client,from,to",
        "1042,2026-07-02,2026-07-01",
        "end-before-start",
        'column "to": it lies before the first day',
    ),
    ("breaks", "client,from,to", "1042,2026-07-02,", "missing", 'column "to": it is empty'),
    (
        "leave",
        "therapist,from,to,cover",
        "T1,2026-07-02,2026-07-01,T2",
        "end-before-start",
        "correct one of the two days",
    ),
    ("leave", "therapist,from,to,cover", "T1,2026-07-02,2026-07-03,1E+15", "mangled-id", 'column "cover"'),
    (
        "appointments",
        "client,start,minutes",
        f"1042,2026-10-01 09:00,{S}",
        "bad-number",
        "write a whole number from 1 to 1440",
    ),
    ("appointments", "client,start,minutes", "1042,2026-10-01 09:00,0", "bad-number", 'column "minutes"'),
    ("appointments", "client,start,minutes", "1042,2026-10-01 09:00,1441", "bad-number", 'column "minutes"'),
]


@pytest.mark.parametrize(("form", "header", "row", "reason", "says"), OTHER_ROWS, ids=lambda v: str(v)[:40])
def test_one_bad_row_elsewhere(tmp_path: Path, form: str, header: str, row: str, reason: str, says: str) -> None:
    reject = only_reject(read(tmp_path, form, f"{header}\n{row}\n"))
    assert reject.reason == reason
    assert reject.sentence.startswith(f"{form}.csv, row 2, column ")
    assert says in reject.sentence


def test_the_same_row_again_is_read_once(tmp_path: Path) -> None:
    reading = read(tmp_path, "appointments", HEADER + GOOD + GOOD.replace("note", "another note") + GOOD)
    assert len(reading.entries) == 1
    assert not reading.rejects
    assert reading.counts["appointments"].repeated == 2
    assert accounted(reading)
    assert reading.kinds == {"appointment"}


def test_two_different_rows_with_one_id_are_both_put_aside(tmp_path: Path) -> None:
    reading = read(tmp_path, "appointments", HEADER + GOOD + GOOD.replace("1042", "1043") + GOOD.replace("A-1", "A-2"))
    assert [entry.id for entry in reading.entries] == ["A-2"]
    assert {reject.reason for reject in reading.rejects} == {"duplicate-id"}
    assert [reject.place for reject in reading.rejects] == ["appointments.csv, row 2", "appointments.csv, row 3"]
    assert [reject.client_ids[0] for reject in reading.rejects] == ["1042", "1043"]
    for reject in reading.rejects:
        assert reject.sentence == (
            'appointments.csv, rows 2 and 3, column "id": two different rows have the same id; '
            "correct one of them, neither was read."
        )
    assert reading.kinds == {"appointment"}, "which ids are there is known all the same"


def test_a_bad_row_makes_the_good_one_of_the_same_id_doubtful(tmp_path: Path) -> None:
    reading = read(tmp_path, "appointments", HEADER + GOOD + GOOD.replace("2026-10-01 09:00", "2026-13-01 09:00"))
    assert [reject.reason for reject in reading.rejects] == ["duplicate-id", "bad-date"]
    assert not reading.entries
    assert accounted(reading)


def test_two_clients_with_one_code(tmp_path: Path) -> None:
    reading = read(tmp_path, "clients", "id,name,code\n1,Ann,C-ABCDEFG\n2,Bo,c-abcdefg\n3,Cy,C-ABCDEFH\n")
    assert [reject.reason for reject in reading.rejects] == ["duplicate-code", "duplicate-code"]
    assert 'rows 2 and 3, column "code": two clients have the same code' in reading.rejects[0].sentence
    assert [reject.client_ids[0] for reject in reading.rejects] == ["1", "2"]
    assert len(reading.entries) == 1


def test_rows_without_ids_stay_apart_and_stay_the_same(tmp_path: Path) -> None:
    content = (
        "client name,clinician,date,start time,status\n"
        "Ann Lee,T1,2026-10-01,09:00,attended\n"
        "Bo Lee,T1,2026-10-01,09:00,attended\n"
        "Ann Lee,T2,2026-10-01,09:00,attended\n"
        "Ann Lee,T2,2026-10-01,09:00,attended\n"
    )
    reading = read(tmp_path, "appointments", content)
    ids = [entry.id for entry in reading.entries]
    assert len(set(ids)) == 3
    assert reading.counts["appointments"].repeated == 1
    assert ids == [entry.id for entry in read(tmp_path, "appointments", content).entries]
    entry = reading.entries[0]
    assert isinstance(entry, AppointmentEntry)
    assert (entry.title, entry.client_ids) == ("Ann Lee", ())


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        (f'A-2,"{SECRET},T1,2026-10-02 09:00,,,,\n', 3),  # never closes
        (f'A-2,"{SECRET}"x,T1,2026-10-02 09:00,,,,\n', 3),  # closes in the middle of a cell
        ('A-2,1043,T1,2026-10-02 09:00,,,,"cut off', 3),  # the file ends inside a cell
    ],
)
def test_a_quotation_mark_out_of_place_costs_one_row(tmp_path: Path, broken: str, line: int) -> None:
    after = "" if broken.endswith("off") else GOOD.replace("A-1", "A-3") + GOOD.replace("A-1", "A-4")
    reading = read(tmp_path, "appointments", HEADER + GOOD + broken + after)
    reject = only_reject(reading)
    assert reject.reason == "broken-quotes"
    assert reject.sentence.startswith(f"appointments.csv, line {line}: a quotation mark does not close")
    assert len(reading.entries) == (3 if after else 1)
    assert not reading.kinds


def test_a_lost_quotation_mark_in_a_long_file_costs_one_row(tmp_path: Path) -> None:
    rows = [GOOD.replace("A-1", f"A-{i}") for i in range(2000)]
    rows[5] = rows[5].replace("attended", '"attended')
    reading = read(tmp_path, "appointments", HEADER + "".join(rows))
    assert only_reject(reading).place == "appointments.csv, line 7"
    assert len(reading.entries) == 1999


@pytest.mark.parametrize("last", [7, 40, 1500])
@pytest.mark.parametrize("column", ["attended", "note"])
def test_two_lost_quotation_marks_swallow_no_rows_between_them(tmp_path: Path, last: int, column: str) -> None:
    rows = [GOOD.replace("A-1", f"A-{i}") for i in range(2000)]
    rows[5] = rows[5].replace(column, f'"{column}')
    rows[last] = rows[last].replace(column, f'{column}"')
    reading = read(tmp_path, "appointments", HEADER + "".join(rows))
    assert only_reject(reading).place == "appointments.csv, line 7"
    assert len(reading.entries) == 1999


def test_notes_of_several_lines_are_one_cell(tmp_path: Path) -> None:
    note = '"first, second, and third line,\nwith a comma, and another, and ""a quotation"",\n\nand an end, at last"'
    reading = read(tmp_path, "appointments", HEADER + GOOD.replace("note", note) + GOOD.replace("A-1", "A-2"))
    assert len(reading.entries) == 2
    assert not reading.rejects


def test_row_numbers_are_those_of_a_spreadsheet(tmp_path: Path) -> None:
    content = HEADER + "\n" + GOOD.replace("note", '"a note\nof two lines"') + "A-2,1043,T1,never,,,,\n\n , ,\n"
    reading = read(tmp_path, "appointments", content)
    assert only_reject(reading).place == "appointments.csv, row 4"
    assert reading.counts["appointments"].blank == 3


def test_a_last_line_that_is_cut_off_is_not_believed(tmp_path: Path) -> None:
    header, row = "id,client,start,status,a,b\n", "A-1,1042,2026-10-01 09:00,attended"
    assert only_reject(read(tmp_path, "appointments", f"{header}{row}")).reason == "too-few-cells"
    assert not read(tmp_path, "appointments", f"{header}{row}\n").rejects, "cells that are not read may be left out"
    assert not read(tmp_path, "appointments", f"{header}{row},,").rejects


def test_a_nul_in_a_cell_costs_its_row_alone(tmp_path: Path) -> None:
    reading = read(tmp_path, "clients", "id,name,therapist\n1042,Anna B\0ell,T1\n1043,Bo Cox,T1\n1044,Cy Dahl,T1\n")
    assert [reject.reason for reject in reading.rejects] == ["bad-encoding"]
    assert [entry.id for entry in reading.entries] == ["1043", "1044"]
