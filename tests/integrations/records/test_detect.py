"""A folder of exports and calendars: which file is what, how it is read, and what is asked."""

from pathlib import Path

import pytest

from integrations.records.detect import CalendarFile, detect
from integrations.records.mapping import settings_of
from integrations.records.reading import read_records
from models.entries import AppointmentEntry, Attendance
from models.errors import SettingsError
from tests.integrations.records.exports import NOW, SECRET, ZONE, accounted

THERAPISTS = (
    "ID;Name;Email\nT1;Dr Ruth Adler;adler@example.org\nT2;Ben Okafor;okafor@example.org\nT3;Ada Okafor;a@example.org\n"
)
SIMPLEPRACTICE = (
    "Client,Client type,Date added,Primary clinician,Appointment date,Start time,Minutes,Status,Notes\n"
    f"{SECRET} Lind,Adult,01/02/2025,T1,10/13/2026,9:00 AM,50,Show,{SECRET}\n"
    "Bo Berg,Adult,01/02/2025,T2,11/20/2026,9:00 AM,50,Show,\n"
    "Cy Dahl,Adult,01/02/2025,T2,10/01/2026,10:00 AM,50,No Show,\n"
)


def folder_of(tmp_path: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return tmp_path


def test_a_whole_folder(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        {
            "exports/report 7.csv": SIMPLEPRACTICE,
            "exports/staff.csv": THERAPISTS.encode("utf-16"),
            "exports/people.txt": "Patient ID|Full Name|Clinician|Status\n1042|Anna Lind|T1|Active\n",
            "T1.ics": "BEGIN:VCALENDAR\nEND:VCALENDAR\n",
            "calendar-ben-okafor.ics": "BEGIN:VCALENDAR\nEND:VCALENDAR\n",
            "okafor.ics": "BEGIN:VCALENDAR\nEND:VCALENDAR\n",
            "ruth_adler.ics": "BEGIN:VCALENDAR\nEND:VCALENDAR\n",
            "room.ics": "BEGIN:VCALENDAR\nEND:VCALENDAR\n",
            "login.ics": "<html>",
            "budget.xlsx": b"PK\x03\x04",
            "photo.png": b"\x89PNG",
            "prices.csv": "item,price\nchair,5\n",
            "empty.csv": "",
            ".hidden.csv": "item\n",
            "practice.toml": "",
        },
    )
    found = detect(folder, zone=ZONE, read_at=NOW)
    assert {(one.form, one.file, one.delimiter, one.encoding, one.rows, one.rejects) for one in found.forms} == {
        ("appointments", "exports/report 7.csv", ",", "utf-8", 3, 0),
        ("clients", "exports/people.txt", "|", "utf-8", 1, 0),
        ("therapists", "exports/staff.csv", ";", "utf-16", 3, 0),
    }
    assert {(one.file, one.therapist_id) for one in found.calendars} == {
        ("T1.ics", "T1"),
        ("calendar-ben-okafor.ics", "T2"),
        ("ruth_adler.ics", "T1"),
        ("okafor.ics", None),
        ("room.ics", None),
    }
    assert CalendarFile("okafor.ics", None, "okafor.ics: its name fits 2 therapists; set therapist.") in found.calendars
    reasons = {one.file: one.reason for one in found.unclear}
    assert set(reasons) == {"login.ics", "budget.xlsx", "photo.png", "prices.csv", "empty.csv"}
    assert reasons["budget.xlsx"] == "budget.xlsx: this is a spreadsheet workbook; open it and save it as CSV."
    assert reasons["prices.csv"] == "prices.csv: its columns are those of none of our forms."
    assert reasons["login.ics"] == "login.ics: it is named like a calendar but holds none; export it again."
    assert settings_of(found.mapping) == {
        "files": {
            "clients": "exports/people.txt",
            "therapists": "exports/staff.csv",
            "appointments": "exports/report 7.csv",
        },
        "columns": {
            "clients": {"id": "Patient ID", "name": "Full Name", "therapist": "Clinician"},
            "appointments": {
                "client name": "Client",
                "therapist": "Primary clinician",
                "date": "Appointment date",
                "time": "Start time",
                "client": "",
            },
        },
        "date_order": "mdy",
        "statuses": "simplepractice",
    }
    assert found.questions == ()
    assert "2 dates can only be day/month" not in found.notes
    assert "0 dates can only be day/month, 2 only month/day, 1 either." in found.notes
    assert SECRET not in repr(found)

    reading = read_records(folder, found.mapping, name="exports", zone=ZONE, read_at=NOW)
    assert accounted(reading)
    assert not reading.rejects
    assert reading.dropped == {"Client type": 3, "Date added": 3, "Notes": 1}
    visits = [entry for entry in reading.entries if isinstance(entry, AppointmentEntry)]
    assert [(v.wall, v.attendance) for v in visits] == [
        ("2026-10-13T09:00:00", Attendance.attended),
        ("2026-11-20T09:00:00", Attendance.unknown),
        ("2026-10-01T10:00:00", Attendance.no_show),
    ]


def test_what_only_a_person_can_say_is_asked(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"visits.csv": "client,date,status\n1042,03/04/2026,came\n1043,05/06/2026,attended\n"})
    found = detect(folder, zone=ZONE, read_at=NOW)
    assert found.questions == (
        "The dates can be read as day/month or as month/day: which is it? Set date_order to dmy or mdy.",
        "visits.csv: 1 status word is not known (came); explain them under status_words.",
        "visits.csv: it has days but no times, so noon is assumed. Can the times be exported too?",
    )
    assert settings_of(found.mapping) == {"files": {"appointments": "visits.csv"}, "time_of_day": "12:00"}


def test_a_file_that_does_not_say_who_came(tmp_path: Path) -> None:
    found = detect(folder_of(tmp_path, {"v.csv": "client,start\n1042,2026-10-01 09:00\n"}), zone=ZONE, read_at=NOW)
    assert found.questions == ("v.csv: no column says who came; name it under columns as status.",)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"report.csv": SIMPLEPRACTICE.replace("Appointment date", "Room")}, '"Date added" is the day the row was added'),
        ({"a.csv": "id,name,email\n1,Ann,a@example.org\n"}, "it could be clients or therapists; name it clients.csv or"),
        ({"b.csv": "client,start,end\n"}, "it could be appointments or breaks"),
        ({"patients.csv": "name,email\nAnn,a@example.org\n"}, 'there is no column "id"'),
        ({"staff1.csv": THERAPISTS, "staff2.csv": THERAPISTS}, "it holds therapists, and so does staff2.csv; keep one"),
    ],
)  # fmt: skip
def test_files_that_are_unclear(tmp_path: Path, files: dict[str, str], says: str) -> None:
    found = detect(folder_of(tmp_path, dict(files)), zone=ZONE, read_at=NOW)
    assert found.forms == ()
    assert says in found.unclear[0].reason
    assert not found.mapping.files


@pytest.mark.parametrize(("name", "form"), [("clients.csv", "clients"), ("Clinician list.csv", "therapists")])
def test_between_equals_the_file_name_decides(tmp_path: Path, name: str, form: str) -> None:
    found = detect(folder_of(tmp_path, {name: "id,name,email\n1,Ann,a@example.org\n"}), zone=ZONE, read_at=NOW)
    assert [one.form for one in found.forms] == [form]


GOALS = "Goal ID,Client,Goal,Lifecycle status,Start date,Due date,Achievement status\nG1,1042,Sing,active,,,improving\n"
SCORES = "Client,Therapist,Date,Time,Status,Questionnaire,Total score\n1042,T1,2026-10-01,09:00,done,PHQ-9,12\n"
HOLDS = "Client,Waiting since,To\n1042,2026-01-12,\n"


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("list 1.csv", GOALS, "goals"),
        ("list 2.csv", SCORES, "scores"),
        ("list 3.csv", HOLDS, "holds"),
        ("goals.csv", "id,client,due\nG1,1042,2026-12-01\n", "goals"),
        ("waitlist.csv", "client,from,to\n1042,2026-01-12,\n", "holds"),
        ("breaks.csv", "client,from,to\n1042,2026-01-12,2026-01-13\n", "breaks"),
        # what is in nearly any table is no sign
        ("list 4.csv", "client,from,to\n1042,2026-01-12,2026-01-13\n", "breaks"),
        ("list 5.csv", "id,client,start date,time,status\nA,1042,2026-10-01,09:00,attended\n", "appointments"),
        ("list 6.csv", "id,client,due date,total\nR-1,1042,2026-10-01,90\n", ""),
    ],
)
def test_goals_scores_and_holds_by_their_columns_or_their_name(
    tmp_path: Path, name: str, content: str, form: str
) -> None:
    found = detect(folder_of(tmp_path, {name: content}), zone=ZONE, read_at=NOW)
    assert [(one.form, one.rejects) for one in found.forms] == ([(form, 0)] if form else [])


def test_a_mapping_that_was_found_reads_goals_scores_and_holds(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a.csv": GOALS, "b.csv": SCORES, "c.csv": HOLDS})
    found = detect(folder, zone=ZONE, read_at=NOW)
    assert not found.unclear
    assert settings_of(found.mapping)["files"] == {"goals": "a.csv", "scores": "b.csv", "holds": "c.csv"}
    reading = read_records(folder, found.mapping, name="exports", zone=ZONE, read_at=NOW)
    assert reading.kinds == {"goal", "score", "hold"}
    assert (len(reading.entries), reading.rejects) == (3, [])


def test_words_tell_the_system(tmp_path: Path) -> None:
    for words, vocabulary in (
        (("attended", "no show"), "own"),
        (("Show", "Clinician Cancelled"), "simplepractice"),
        (("Arrived", "No Show", "Booked"), "jane"),
        (("Arrived", "Did not arrive"), "cliniko"),
    ):
        rows = "".join(f"104{i},2026-10-0{i + 1} 09:00,{word}\n" for i, word in enumerate(words))
        found = detect(folder_of(tmp_path, {"visits.csv": f"client,start,status\n{rows}"}), zone=ZONE, read_at=NOW)
        assert found.mapping.statuses == vocabulary
        assert found.questions == ()


def test_columns_tell_the_system_where_words_do_not(tmp_path: Path) -> None:
    visits = "client id,start,status,Client type,Billing route\n1042,2026-10-01 09:00,Cancelled,Adult,x\n"
    found = detect(folder_of(tmp_path, {"visits.csv": visits}), zone=ZONE, read_at=NOW)
    assert found.mapping.statuses == "simplepractice"


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no folder nowhere"):
        detect(tmp_path / "nowhere", zone=ZONE, read_at=NOW)
