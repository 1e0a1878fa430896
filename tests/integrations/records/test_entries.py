"""What good rows say: each form whole, status words, and both sides of the boundaries at which attendance is believed."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from integrations.records.cells import looks_like_person
from integrations.records.vocabularies import VOCABULARIES, appointment_words, plain
from models.entries import (
    AppointmentEntry,
    Attendance,
    BreakEntry,
    CancelledBy,
    ClientEntry,
    ClientStatus,
    LeaveEntry,
    Plan,
    TherapistEntry,
)
from models.instants import DAY, at_wall, wall_of
from tests.integrations.records.exports import NOW, ZONE, only_reject, read


def test_a_client_with_all_columns(tmp_path: Path) -> None:
    header = "id,name,code,therapist,status,intake date,ended date,died,paused until,opted out,site,contact,updated"
    row = "1042,Anna Lind,c-abcdefg,T1,Archived,2026-01-12,2026-05-01,2026-06-02,2026-07-03,YES,North,a@example.org"
    (entry,) = read(tmp_path, "clients", f"{header}\n{row},2026-06-03T10:00:00Z\n").entries
    assert entry == ClientEntry(
        id="1042",
        name="Anna Lind",
        therapist_id="T1",
        status=ClientStatus.ended,
        intake_on=date(2026, 1, 12),
        ended_on=date(2026, 5, 1),
        died_on=date(2026, 6, 2),
        died=True,
        paused_until=date(2026, 7, 3),
        paused=True,
        opted_out=True,
        site="North",
        code="C-ABCDEFG",
        contact="a@example.org",
        said_at=at_wall("2026-06-03T10:00:00", "UTC"),
    )


def test_a_client_with_the_least(tmp_path: Path) -> None:
    (entry,) = read(tmp_path, "clients", "id,name\n1042,Anna Lind\n").entries
    assert entry == ClientEntry(id="1042", name="Anna Lind")


@pytest.mark.parametrize(
    ("died", "paused", "expected"),
    [
        ("yes", "yes", (True, None, True, None)),
        ("no", "no", (False, None, False, None)),
        ("", "", (False, None, False, None)),
        ("1", "2026-07-03", (True, None, True, date(2026, 7, 3))),
    ],
)
def test_died_and_paused(tmp_path: Path, died: str, paused: str, expected: tuple[object, ...]) -> None:
    (entry,) = read(
        tmp_path, "clients", f"id,first name,last name,died,paused until\n1,An,Lind,{died},{paused}\n"
    ).entries
    assert isinstance(entry, ClientEntry)
    assert entry.name == "An Lind"
    assert (entry.died, entry.died_on, entry.paused, entry.paused_until) == expected


def test_therapist_break_and_leave(tmp_path: Path) -> None:
    row = "T1,Dr Ada,ada@example.org,Europe/London,North,T2,2024-09-01"
    (therapist,) = read(tmp_path, "therapists", f"id,name,email,zone,site,supervisor,started\n{row}\n").entries
    assert therapist == TherapistEntry(
        "T1", "Dr Ada", "ada@example.org", "Europe/London", "North", "T2", date(2024, 9, 1)
    )
    (rest,) = read(tmp_path, "breaks", "id,client,from,to\nB1,1042,2026-07-01,2026-07-01\n").entries
    assert rest == BreakEntry("B1", "1042", date(2026, 7, 1), date(2026, 7, 1))
    (leave,) = read(tmp_path, "leave", "id,therapist,from,to,cover\nL1,T1,2026-07-01,2026-07-09,T2\n").entries
    assert leave == LeaveEntry("L1", "T1", date(2026, 7, 1), date(2026, 7, 9), "T2")


def test_breaks_and_leave_without_ids_have_stable_ones(tmp_path: Path) -> None:
    rows = "1042,2026-07-01,2026-07-09\n1042,2026-08-01,2026-08-09\n1042,2026-07-01,2026-07-09\n"
    reading = read(tmp_path, "breaks", f"client,from,to\n{rows}")
    assert len({entry.id for entry in reading.entries}) == len(reading.entries) == 2
    assert reading.counts["breaks"].repeated == 1
    twice = read(
        tmp_path, "leave", "therapist,from,to,cover\nT1,2026-07-01,2026-07-02,T2\nT1,2026-07-01,2026-07-02,T3\n"
    )
    assert [reject.reason for reject in twice.rejects] == ["duplicate-id", "duplicate-id"]
    assert 'rows 2 and 3, column "from": two different rows tell of the same days' in twice.rejects[0].sentence


def status(tmp_path: Path, word: str, *, start: int = NOW - 30 * DAY, **mapping: object) -> AppointmentEntry:
    content = f"id,client,start,status\nA,1042,{wall_of(start, ZONE)},{word}\n"
    (entry,) = read(tmp_path, "appointments", content, **mapping).entries
    assert isinstance(entry, AppointmentEntry)
    return entry


ATT, NO, UNK = Attendance.attended, Attendance.no_show, Attendance.unknown
STATUSES = [
    ("own", "attended", Plan.booked, ATT, None),
    ("own", "No-Show", Plan.booked, NO, None),
    ("own", "", Plan.booked, UNK, None),
    ("own", "booked", Plan.booked, UNK, None),
    ("own", "proposed", Plan.proposed, UNK, None),
    ("own", "Canceled by client", Plan.cancelled, UNK, CancelledBy.client),
    ("own", "cancelled", Plan.cancelled, UNK, CancelledBy.unknown),
    ("simplepractice", "Show", Plan.booked, ATT, None),
    ("simplepractice", "No Show", Plan.booked, NO, None),
    ("simplepractice", "Cancelled", Plan.cancelled, UNK, CancelledBy.client),
    ("simplepractice", "Late Canceled", Plan.cancelled, UNK, CancelledBy.client),
    ("simplepractice", "Clinician Cancelled", Plan.cancelled, UNK, CancelledBy.practice),
    ("jane", "Arrived", Plan.booked, ATT, None),
    ("jane", "no_show", Plan.booked, NO, None),
    ("jane", "booked", Plan.booked, UNK, None),
    ("jane", "cancelled", Plan.cancelled, UNK, CancelledBy.unknown),
    ("cliniko", "Did not arrive", Plan.booked, NO, None),
    ("cliniko", "Arrived", Plan.booked, ATT, None),
]


@pytest.mark.parametrize(("vocabulary", "word", "plan", "attendance", "by"), STATUSES)
def test_status_words(
    tmp_path: Path, vocabulary: str, word: str, plan: Plan, attendance: Attendance, by: CancelledBy | None
) -> None:
    entry = status(tmp_path, word, statuses=vocabulary)
    assert (entry.plan, entry.attendance, entry.cancelled_by) == (plan, attendance, by)


def test_every_word_of_a_vocabulary_can_be_found_by_itself() -> None:
    for words in VOCABULARIES.values():
        assert all(plain(word) == word for word in words)
    assert appointment_words("jane", {"Fully-Done": "Attended"})["fully done"].attendance is ATT


@pytest.mark.parametrize(
    ("word", "start", "attendance"),
    [
        ("attended", NOW, ATT),
        ("attended", NOW + 1, UNK),  # nothing ahead is attended
        ("no show", NOW, NO),
        ("no show", NOW + 1, UNK),
        ("presumed attended", NOW - 3 * DAY - 1, ATT),  # written by the system: believed after three days
        ("presumed attended", NOW - 3 * DAY, UNK),
        ("presumed attended", NOW + 1, UNK),
    ],
)
def test_when_attendance_is_believed(tmp_path: Path, word: str, start: int, attendance: Attendance) -> None:
    entry = status(tmp_path, word, start=start)
    assert entry.attendance is attendance
    assert entry.plan is Plan.booked


@pytest.mark.parametrize(("days", "attendance"), [(0, ATT), (1, UNK), (0.5, ATT)])
def test_trust_is_the_practices_to_set(tmp_path: Path, days: float, attendance: Attendance) -> None:
    mapping = {"statuses": "simplepractice", "trust_attendance_after_days": days}
    assert status(tmp_path, "Show", start=NOW - DAY * 2 // 3, **mapping).attendance is attendance


def test_words_of_the_practice_itself(tmp_path: Path) -> None:
    words = {"Yes": "no_show", "No": "attended"}
    assert status(tmp_path, "yes", statuses=words).attendance is NO
    assert status(tmp_path, "no", statuses=words).attendance is ATT
    assert status(tmp_path, "done", statuses="jane", status_words={"done": "attended"}).attendance is ATT
    content = "id,name,status\n1,A,on hold\n"
    assert only_reject(read(tmp_path, "clients", content)).reason == "unknown-status"
    (client,) = read(tmp_path, "clients", content, client_status_words={"on hold": "active"}).entries
    assert isinstance(client, ClientEntry)
    assert client.status is ClientStatus.active


def test_participants_and_columns_of_their_own_names(tmp_path: Path) -> None:
    content = "AppointmentID,Patient,Wann,Who\nA,1042; 1043;1042,2026-10-01 09:00,T1\n"
    columns = {"appointments": {"start": "Wann", "therapist": "who"}}
    (entry,) = read(tmp_path, "appointments", content, columns=columns).entries
    assert isinstance(entry, AppointmentEntry)
    assert (entry.id, entry.client_ids, entry.therapist_id) == ("A", ("1042", "1043"), "T1")


def test_a_column_with_an_empty_name_is_not_read(tmp_path: Path) -> None:
    content = "id,name,contact\n1042,Anna,a@example.org\n"
    full = read(tmp_path, "clients", content).entries[0]
    assert isinstance(full, ClientEntry)
    reading = read(tmp_path, "clients", content, columns={"clients": {"contact": ""}})
    assert reading.entries == [replace(full, contact="")]
    assert reading.dropped == {"contact": 1}


def test_a_client_code_may_stand_for_the_id(tmp_path: Path) -> None:
    entry = read(tmp_path, "appointments", "client,start\nC-ABCDEFG,2026-10-01 09:00\n").entries[0]
    assert isinstance(entry, AppointmentEntry)
    assert entry.client_ids == ("C-ABCDEFG",)


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("1042", False),
        ("P-1042", False),
        ("C-ABCDEFG", False),
        ("ABX", False),
        ("Case 12", False),
        ("A B", False),
        ("Lind, A", True),
        ("Anna-Maria O'Neil", True),
        ("Żółty Ångström 2", True),
        ("a@example.org", True),
    ],
)
def test_what_looks_like_a_person(text: str, person: bool) -> None:
    assert looks_like_person(text) is person
