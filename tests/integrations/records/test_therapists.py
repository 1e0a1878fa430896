"""Therapists whom clients' and appointments' rows give by name: found where exactly one bears it, and never guessed."""

import pytest

from integrations.records.mapping import Mapping
from integrations.records.reading import read_records
from models.entries import AppointmentEntry, ClientEntry, LeaveEntry, TherapistEntry
from tests.integrations.records.exports import NOW, ZONE, put

CLINICIANS = (
    "id,name,email,supervisor\n501,Sarah Lindholm,s@example.org,\n502,José Núñez,j@example.org,Sarah Lindholm\n"
)


def read(folder, therapists=CLINICIANS, **files):
    put(folder, "therapists", therapists)
    for form, content in files.items():
        put(folder, form, content)
    return read_records(folder, Mapping(), name="records", zone=ZONE, read_at=NOW)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Sarah Lindholm", "501"),
        ("sarah LINDHOLM", "501"),
        ('"Lindholm, Sarah"', "501"),
        ("Jose Nunez", "502"),
        ("501", "501"),
        ("Sarah Lindholm-Berg", "Sarah Lindholm-Berg"),
        ("Somebody Else", "Somebody Else"),
    ],
)
def test_whoever_alone_bears_the_name_is_meant(tmp_path, said, meant):
    reading = read(
        tmp_path,
        clients=f"id,name,clinician\n1042,Anna Braun,{said}\n",
        appointments=f"id,client,clinician,start\na,1042,{said},2026-11-10 09:00\n",
        leave=f"clinician,from,to,cover\n{said},2026-12-01,2026-12-05,Jose Nunez\n",
    )
    by_kind = {type(entry): entry for entry in reading.entries if not isinstance(entry, TherapistEntry)}
    assert by_kind[ClientEntry].therapist_id == by_kind[AppointmentEntry].therapist_id == meant
    assert (by_kind[LeaveEntry].therapist_id, by_kind[LeaveEntry].cover_id) == (meant, "502")
    assert [one.supervisor_id for one in reading.entries if isinstance(one, TherapistEntry)] == [None, "501"]


def test_two_of_a_name_are_not_guessed(tmp_path):
    reading = read(
        tmp_path,
        CLINICIANS + "503,Sarah Lindholm,l@example.org,\n",
        clients="id,name,clinician\n1042,Anna Braun,Sarah Lindholm\n",
    )
    (client,) = [entry for entry in reading.entries if isinstance(entry, ClientEntry)]
    assert client.therapist_id == "Sarah Lindholm"


def test_a_row_that_was_put_aside_is_that_therapists_too(tmp_path):
    reading = read(
        tmp_path, appointments="client,clinician,start\n1042,Sarah Lindholm,never\n1042,501,2026-11-10 09:00\n"
    )
    assert [reject.therapist_id for reject in reading.rejects] == ["501"]


def test_without_ids_the_name_is_the_id(tmp_path):
    reading = read(
        tmp_path,
        "Staff Member,Email\nSarah Lindholm,s@example.org\n",
        clients="id,name,Staff Member,Discharged\n1042,Anna Braun,sarah lindholm,\n1043,Bea Braun,Sarah Lindholm,Yes\n",
    )
    therapist, *_ = [entry for entry in reading.entries if isinstance(entry, TherapistEntry)]
    clients = [entry for entry in reading.entries if isinstance(entry, ClientEntry)]
    assert (therapist.id, therapist.email) == ("Sarah Lindholm", "s@example.org")
    assert [(one.therapist_id, one.status) for one in clients] == [
        ("Sarah Lindholm", "active"),
        ("Sarah Lindholm", "ended"),
    ]


@pytest.mark.parametrize(
    ("cells", "status"),
    [
        ("2026-11-03,", "ended"),  # today
        ("2026-11-04,", "active"),  # to come
        ("yes,", "ended"),
        ("no,", "active"),
        ("2026-10-01,active", "active"),  # somebody who is back
        (",discharged", "ended"),
    ],
)
def test_a_day_of_ending_ends_care_where_no_status_says_otherwise(tmp_path, cells, status):
    reading = read(tmp_path, clients=f"id,name,discharged,status\n1042,Anna Braun,{cells}\n")
    (client,) = [entry for entry in reading.entries if isinstance(entry, ClientEntry)]
    assert client.status == status
