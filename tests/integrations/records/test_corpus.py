"""Exports that nobody here wrote: they go through without a crash, and the counts add up."""

from collections import Counter
from pathlib import Path

import pytest

from integrations.records.detect import detect
from integrations.records.forms import FORMS
from integrations.records.mapping import Mapping
from integrations.records.reading import read_records
from models.entries import AppointmentEntry, Attendance
from models.errors import SettingsError, TendingError
from tests.integrations.records.exports import NOW, accounted

NO_SHOW_WORDS = {"Yes": "no_show", "No": "attended"}  # the column asks whether the patient did not come


@pytest.fixture
def records(corpus: Path) -> Path:
    return corpus / "records"


def test_appointments_of_a_city(records: Path) -> None:
    """Nearly all patient ids were rounded by a spreadsheet: those rows lie in quarantine, under ids that can still be told."""
    columns = {"id": "AppointmentID", "client": "PatientId", "date": "AppointmentDay", "status": "No-show"}
    mapping = Mapping(columns={"appointments": columns}, statuses=NO_SHOW_WORDS, time_of_day="12:00")
    for path in sorted((records / "noshow-csv").glob("*.csv")):
        lines = path.read_text().splitlines()[1:]
        mangled = [line for line in lines if "E+" in line.split(",")[0]]
        reading = read_records({"appointments": path}, mapping, name="city", zone="America/Sao_Paulo", read_at=NOW)
        assert accounted(reading)
        assert Counter(reject.reason for reject in reading.rejects) == {"mangled-id": len(mangled)}
        assert len(reading.entries) == len(lines) - len(mangled) > 0
        assert all(reject.entry_id for reject in reading.rejects)
        assert reading.kinds == {"appointment"}
        visits = [entry for entry in reading.entries if isinstance(entry, AppointmentEntry)]
        good = [line for line in lines if line not in mangled]
        came = Counter(entry.attendance for entry in visits)
        assert came[Attendance.no_show] == sum(line.endswith("Yes") for line in good)
        assert came[Attendance.attended] == sum(line.endswith("No") for line in good)
        assert reading.dropped["Gender"] == len(lines) - 0
        assert "No-show" not in reading.dropped


def test_appointments_of_a_city_keyed_by_the_appointment(records: Path) -> None:
    """Where the patient id is lost, the appointment's own id still reads every row."""
    columns = {"id": "AppointmentID", "client": "AppointmentID", "date": "AppointmentDay", "status": "No-show"}
    mapping = Mapping(columns={"appointments": columns}, statuses=NO_SHOW_WORDS, time_of_day="12:00")
    for path in sorted((records / "noshow-csv").glob("*.csv")):
        reading = read_records({"appointments": path}, mapping, name="city", zone="America/Sao_Paulo", read_at=NOW)
        assert not reading.rejects
        assert len(reading.entries) == len(path.read_text().splitlines()) - 1


def test_an_export_whose_only_date_is_another_one_is_refused(records: Path) -> None:
    path = records / "csv-headers" / "simplepractice_mock.csv"
    mapping = Mapping(statuses="simplepractice")
    with pytest.raises(SettingsError) as caught:
        read_records({"appointments": path}, mapping, name="sp", zone="America/New_York", read_at=NOW)
    assert '"Date added" is the day the row was added to the system, not the day of the appointment' in str(
        caught.value
    )
    found = detect(path.parent, zone="America/New_York", read_at=NOW)
    assert not found.forms
    assert '"Date added"' in next(one.reason for one in found.unclear if one.file == path.name)


def test_every_table_as_every_form(records: Path) -> None:
    tried = 0
    for path in sorted([*records.rglob("*.csv"), *records.rglob("*.tsv")]):
        for form in FORMS:
            tried, refused = tried + 1, ""
            try:
                reading = read_records({form: path}, Mapping(date_order="mdy"), name="any", zone="UTC", read_at=NOW)
                assert accounted(reading)
            except TendingError as error:
                refused = str(error)
            assert refused.startswith(path.name if refused else "")
    assert tried >= 5 * len(FORMS)


def test_a_folder_full_of_other_things(records: Path) -> None:
    found = detect(records, zone="UTC", read_at=NOW)
    files = [path for path in records.rglob("*") if path.is_file() and len(path.relative_to(records).parts) <= 3]
    assert len(found.forms) + len(found.calendars) + len(found.unclear) == len(files)
