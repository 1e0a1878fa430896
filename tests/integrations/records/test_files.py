"""Files as they come: encodings, separators, pages and workbooks instead of CSV, missing files and columns, empty ones."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from integrations.records.mapping import Mapping, mapping_of, settings_of
from integrations.records.reading import read_records
from models.entries import ClientEntry
from models.errors import SettingsError, SourceError, TendingError
from models.instants import DAY
from models.settings_source import SourcePart
from tests.integrations.records.exports import NOW, SECRET, ZONE, accounted, only_reject, put, read

CLIENTS = f"id,name,therapist\n1042,{SECRET},T1\n1043,Müller,T1\n"
NAMES = [SECRET, "Müller"]


@pytest.mark.parametrize(
    "content",
    [
        CLIENTS.encode(),
        CLIENTS.encode("utf-8-sig"),
        CLIENTS.encode("utf-16"),
        b"\xfe\xff" + CLIENTS.encode("utf-16-be"),
        CLIENTS.replace("\n", "\r\n").encode(),
        CLIENTS.replace("\n", "\r").encode(),
        CLIENTS.replace(",", ";").encode(),
        CLIENTS.replace(",", "\t").encode(),
        CLIENTS.replace(",", "|").encode(),
        b"sep=;\r\n" + CLIENTS.replace(",", ";").encode(),
        b"\n\n" + CLIENTS.encode() + b"\n\n,,\n",
        CLIENTS.rstrip("\n").encode(),
        CLIENTS.replace("id,name", '"Client ID","Client  Name"').encode(),
    ],
)
def test_the_same_clients_however_they_are_written(tmp_path: Path, content: bytes) -> None:
    reading = read(tmp_path, "clients", content)
    assert [entry.name for entry in reading.entries if isinstance(entry, ClientEntry)] == NAMES
    assert accounted(reading)
    assert reading.kinds == {"client"}


def test_windows_letters(tmp_path: Path) -> None:
    reading = read(tmp_path, "clients", "id,name\n1,Müller – Łuk\n".replace("Łuk", "Luk").encode("cp1252"))
    assert [getattr(entry, "name", "") for entry in reading.entries] == ["Müller – Luk"]


def test_one_damaged_byte_does_not_turn_all_names_into_nonsense(tmp_path: Path) -> None:
    content = "id,name\n1,Müller\n2,Žižek\n".encode() + b"3,M\xfcller\n"
    reading = read(tmp_path, "clients", content)
    reject = only_reject(reading)
    assert reject.reason == "bad-encoding"
    assert reject.sentence == "clients.csv, row 4: it holds bytes that are no text; save the file as CSV UTF-8."
    assert b"M\xfcller" in reject.raw
    assert [getattr(entry, "name", "") for entry in reading.entries] == ["Müller", "Žižek"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            b"PK\x03\x04\x14\x00",
            "this is a spreadsheet workbook or an archive, not a CSV file; open it and save it as CSV.",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "this is an old spreadsheet workbook, not a CSV file"),
        (b"%PDF-1.7", "this is a PDF, not a CSV file"),
        (b"id,na\0me\n1,AB\n", "it holds binary data, not text; open it and save it as CSV UTF-8."),
        (CLIENTS.encode("utf-16-le"), "it holds binary data, not text"),
        (CLIENTS.encode("utf-16")[:-1], "its text is cut off or damaged; export it again"),
        (
            b"\n <!DOCTYPE html><title>Sign in</title>",
            "this is a web page, often a login page, not a CSV file; sign in",
        ),
        (b"<html><body>", "this is a web page"),
        (b'"id,name\n1,A\n', "a quotation mark in the header does not close; save it as CSV again."),
    ],
)
def test_what_is_no_csv_file(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, "clients", content)
    assert str(caught.value).startswith("clients.csv")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("content", "kinds"), [("", set()), (" \n\n", set()), ("id,name\n", {"client"}), ("id,name", {"client"})]
)
def test_an_empty_file_is_a_reading_of_no_rows(tmp_path: Path, content: str, kinds: set[str]) -> None:
    """Only a header says that there are no clients; a file without one has said nothing."""
    reading = read(tmp_path, "clients", content)
    assert (reading.entries, reading.rejects, reading.kinds) == ([], [], kinds)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    def sentence(where: Path | dict[str, Path], mapping: Mapping) -> str:
        with pytest.raises(SourceError) as caught:
            read_records(where, mapping, name="jane", zone=ZONE, read_at=NOW)
        return str(caught.value)

    put(tmp_path, "clients", CLIENTS)
    both = Mapping(files={"clients": "clients.csv", "appointments": "visits.csv"})
    assert sentence(tmp_path, both) == (
        "visits.csv: there is no such file; export it again or correct the path in practice.toml."
    )
    assert "it cannot be read" in sentence({"clients": tmp_path}, Mapping())
    assert sentence(tmp_path / "exports", Mapping()).startswith("Source jane: there is no folder exports; create it")
    # What the system refuses to look at at all, as a folder that may not be entered.
    assert sentence(tmp_path / ("n" * 300), Mapping()).endswith(
        " cannot be read (File name too long); check who may enter it and read its files."
    )
    (tmp_path / "clients.csv").unlink()
    assert "holds none of clients.csv, therapists.csv" in sentence(tmp_path, Mapping())


def test_only_what_was_read_is_a_kind(tmp_path: Path) -> None:
    put(tmp_path, "clients", CLIENTS)
    put(tmp_path, "leave", "therapist,from,to\nT1,2026-07-01,2026-07-02\n")
    put(tmp_path, "breaks", "")  # without even a header it has said nothing
    reading = read_records(tmp_path, Mapping(), name="own", zone=ZONE, read_at=NOW)
    assert reading.kinds == {"client", "leave"}
    assert (reading.window_from, reading.window_to) == (NOW - 400 * DAY, NOW + 400 * DAY)
    narrow = read_records(tmp_path, Mapping(), name="own", zone=ZONE, read_at=NOW, window_from=5, window_to=6)
    assert (narrow.window_from, narrow.window_to) == (5, 6)


def test_columns_that_are_not_listed_are_dropped_and_counted(tmp_path: Path) -> None:
    content = f"id,name,Session notes,Empty,{SECRET}@example.org,No 123\n1,A,{SECRET},,x,y\n2,B,,,x,\n3,C,{SECRET},,,\n"
    reading = read(tmp_path, "clients", content)
    assert reading.dropped == {"Session notes": 2, "column 5": 2, "column 6": 1}
    assert SECRET not in repr(reading)


HEADERS = [
    # header, columns, what the sentence says
    (
        "id,nmae,therapist",
        {},
        'there is no column "name" or "last name"; the nearest is "nmae"; correct the name under columns',
    ),
    (
        "id,name,Cliniican",
        {"therapist": "Clinician"},
        'no column "Clinician" to be read as therapist; the nearest is "Cliniican"',
    ),
    ("number,name", {}, 'there is no column "id"; name your column for it under columns.clients.'),
    ("id,name,Name", {}, 'two columns are called "name"; rename one of them before reading.'),
    (
        f"1042,{SECRET},T1",
        {},
        'there is no column "id"; its first row has no known column name: check that it is the header',
    ),
    ("Ida,Ian Name,T1", {}, "its first row has no known column name"),
]


@pytest.mark.parametrize(("header", "columns", "says"), HEADERS)
def test_a_header_that_does_not_fit(tmp_path: Path, header: str, columns: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, "clients", f"{header}\n1,A,T1\n", columns={"clients": columns})
    assert str(caught.value).startswith("clients.csv: ")
    assert says in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "Ian" not in str(caught.value)


LOOK_ALIKE = "Client,Client type,Date added,Primary clinician,Start time,End time,Minutes,Status,Notes\n"


@pytest.mark.parametrize(
    ("header", "row", "says"),
    [
        (
            LOOK_ALIKE,
            "Ann Lee,Adult,09/15/2026,T1,09:00 AM,09:50 AM,50,Show,\n",
            '"Date added" is the day the row was added',
        ),
        (LOOK_ALIKE, "", '"Date added" is the day the row was added to the system, not the day of the appointment'),
        ("client,created at,status\n", "1,2026-10-01,booked\n", '"created at" is the day the row was added'),
        ("client,DOB\n", "1,1980-10-01\n", '"DOB" is the day the client was born'),
        ("client,start\n", "1,09:00\n2,10:00\n", 'the column "start" holds times but no dates; name the column'),
        ("client,date\n", "1,2026-10-01\n", "a date but no time of day; name the column with the time under"),
        ("client,status\n", "1,booked\n", "there is no column with the date of the appointment"),
    ],
)
def test_appointments_without_a_date_are_refused(tmp_path: Path, header: str, row: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, "appointments", header + row)
    assert str(caught.value).startswith("appointments.csv")
    assert says in str(caught.value)


@pytest.mark.parametrize("ours", ["start", "date"])
def test_a_mapping_of_the_look_alike_is_refused_at_once(ours: str) -> None:
    with pytest.raises(SettingsError, match='"Date added" is the day the row was added to the system, not the day of'):
        Mapping(columns={"appointments": {ours: "Date added"}})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"files": {"patients": "p.csv"}}, "There is no form called patients; the forms are: clients, therapists,"),
        (
            {"columns": {"clients": {"surname": "x"}}},
            "The form clients has no column called surname; its columns are: id,",
        ),
        ({"date_order": "american"}, "write auto, dmy, mdy or ymd"),
        ({"delimiter": ",,"}, "auto or one character"),
        ({"delimiter": '"'}, "auto or one character"),
        ({"statuses": "epic"}, "write one of: own, simplepractice, jane, cliniko"),
        ({"statuses": {"yes": "came"}}, "an unknown meaning; write one of: proposed,"),
        ({"status_words": {"yes": "came"}}, "an unknown meaning"),
        ({"client_status_words": {"yes": "here"}}, "write one of: intake, active, ended"),
        ({"trust_attendance_after_days": -1}, "from 0 to 366"),
        ({"default_minutes": 0}, "from 1 to 1440"),
        ({"time_of_day": "noon"}, "a time such as 12:00"),
    ],
)
def test_settings_that_do_not_fit(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Mapping(**wrong)  # type: ignore[arg-type]
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "error"), [("latin-x", SettingsError), ("hex", SettingsError), ("ascii", SourceError)]
)
def test_a_declared_encoding(tmp_path: Path, encoding: str, error: type[TendingError]) -> None:
    with pytest.raises(error):
        read(tmp_path, "clients", CLIENTS, encoding=encoding)


def test_declared_encoding_and_delimiter_are_used(tmp_path: Path) -> None:
    reading = read(tmp_path, "clients", "id:name\n1:Łuk\n".encode("iso8859-2"), encoding="iso8859-2", delimiter=":")
    assert [getattr(entry, "name", "") for entry in reading.entries] == ["Łuk"]


def test_an_unknown_zone_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(TendingError, match="time zone is not known"):
        read(tmp_path, "clients", CLIENTS, zone="Europe/Nowhere")


def test_the_fingerprint_changes_with_all_that_changes_the_reading(tmp_path: Path) -> None:
    content = "id,client,start,status\nA,1,2026-11-01 09:00,show\n"
    words = {"statuses": "simplepractice"}
    first = read(tmp_path, "appointments", content, **words)
    assert read(tmp_path, "appointments", content, now=NOW + 3600, **words).fingerprint == first.fingerprint
    others = [
        read(tmp_path, "appointments", content + "\n", **words),
        read(tmp_path, "appointments", content, status_words={"x": "attended"}, **words),
        read(tmp_path, "appointments", content, now=NOW + 3 * DAY, **words),  # now Show is believed
        read(tmp_path, "appointments", content, now=NOW - 9 * DAY, **words),  # and here it still lay ahead
        read(tmp_path, "appointments", content, zone="Europe/London", **words),
    ]
    assert len({first.fingerprint} | {other.fingerprint for other in others}) == 6


def test_a_mapping_and_the_settings_that_say_it() -> None:
    said = {"columns": {"appointments": {"client": "Patient"}}, "statuses": "jane", "date_order": "mdy"}
    part = SourcePart(name="jane", kind="records", path="exports", trust_attendance_after_days=3, **said)
    mapping = mapping_of(part)
    assert settings_of(mapping) == said
    assert mapping == Mapping(**said)  # type: ignore[arg-type]


def test_whatever_a_mapping_says_can_be_said_in_the_settings() -> None:
    mapping = Mapping(
        files={"clients": "c.csv"},
        columns={"clients": {"id": "No"}},
        date_order="dmy",
        delimiter=";",
        encoding="cp1252",
        zone=ZONE,
        statuses="jane",
        status_words={"done": "attended"},
        client_status_words={"here": "active"},
        trust_attendance_after_days=1,
        time_of_day="12:00",
        default_minutes=45,
    )
    said = settings_of(mapping)
    assert len(said) == len(fields(Mapping)), "each is set to something else than the default"
    assert mapping_of(SourcePart(name="own", kind="records", path=".", **said)) == mapping


@pytest.mark.parametrize(
    ("file", "mapping"),
    [
        ("clients.csv", {}),
        ("Clients.CSV", {}),
        ("people.csv", {"files": {"clients": "people.csv"}}),
        ("people.csv", {"columns": {"clients": {"id": "id"}}}),
    ],
)
def test_a_source_may_be_one_file(tmp_path: Path, file: str, mapping: dict[str, Any]) -> None:
    (tmp_path / file).write_text(CLIENTS)
    reading = read_records(tmp_path / file, Mapping(**mapping), name="own", zone=ZONE, read_at=NOW)
    assert reading.kinds == {"client"}
    assert len(reading.entries) == 2


def test_one_file_of_no_known_form(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(CLIENTS)
    with pytest.raises(SettingsError, match=r"people\.csv: say which form it is, for example files = \{appointments"):
        read_records(tmp_path / "people.csv", Mapping(), name="own", zone=ZONE, read_at=NOW)
