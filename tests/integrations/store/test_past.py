"""A past day as it was known then: whom entries were taken to concern, and which of them were in question, outlive what came later."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import literal

from integrations.store import cases
from integrations.store.doubt import in_doubt
from integrations.store.sources import release_held
from integrations.store.subjects import concerned_then
from models.instants import DAY, HOUR
from models.observations import Subject, SubjectWas
from models.sources import QuestionWas, Source
from tests.builders import NOW, days_ago, each, in_days

LATER = NOW + DAY
YET_LATER = NOW + 2 * DAY


def starts(clinic, number, known_at):
    """What the digest of a client held as known at an instant, in days from NOW."""
    with clinic.practice.store.read() as connection:
        row = cases.digest_known(clinic.practice, connection, clinic.id_of(number), known_at)
        together = cases.shared(clinic.practice, connection, known_at, known_at)
    return [round(((entry >> 3) - NOW) / DAY) for entry in together.case(row).line]


def renamed(clinic):
    """An entry about Anna; then Anna is called otherwise, and somebody else is Anna Müller."""
    clinic.client("1002", "Berta Braun")
    clinic.entry("t1", "u", in_days(5), "Anna Müller")
    clinic.sync(NOW)
    clinic.clients[0]["name"], clinic.clients[1]["name"] = "Anna Meier", "Anna Müller"
    clinic.sync(LATER)


def test_an_entry_is_about_whom_it_was_taken_to_be_about_then(clinic):
    renamed(clinic)
    assert (starts(clinic, "1001", NOW), starts(clinic, "1002", NOW)) == ([5], [])
    assert (starts(clinic, "1001", LATER - 1), starts(clinic, "1002", LATER - 1)) == ([5], [])
    assert (starts(clinic, "1001", LATER), starts(clinic, "1002", LATER)) == ([], [5])
    clinic.clients[0]["name"], clinic.clients[1]["name"] = "Anna Müller", "Berta Braun"
    clinic.sync(YET_LATER)
    assert (starts(clinic, "1001", LATER), starts(clinic, "1002", LATER)) == ([], [5])
    assert (starts(clinic, "1001", YET_LATER), starts(clinic, "1002", YET_LATER)) == ([5], [])
    spans = {(row.client_id, row.from_at, row.until_at) for row in clinic.rows(SubjectWas)}
    assert spans == {(clinic.id_of("1001"), NOW, LATER), (clinic.id_of("1002"), LATER, YET_LATER)}


def test_who_came_later_has_no_past_before(clinic):
    clinic.entry("t1", "u", in_days(5), "Berta Braun")
    clinic.sync(NOW)
    clinic.client("1002", "Berta Braun")
    clinic.sync(LATER)
    assert starts(clinic, "1002", LATER - 1) == []
    assert starts(clinic, "1002", LATER) == [5]


def test_why_answers_about_a_past_day_as_it_would_have_then(clinic):
    clinic.seen("1001", *each(7, 6, days_ago(20)))
    clinic.client("1002", "Berta Braun")
    clinic.entry("t1", "u", in_days(5), "Anna Müller")
    clinic.sync(NOW)
    assert clinic.why("1001", NOW)["quiet"] == (False, "booked")
    clinic.clients[0]["name"] = "Anna Meier"
    clinic.sync(LATER)
    assert clinic.why("1001", LATER)["quiet"][0] is True
    assert clinic.why("1001", NOW)["quiet"] == (False, "booked")


def test_what_was_in_question_then_is_so_still_when_a_person_has_spoken(clinic):
    for n in range(10):
        clinic.entry("t1", f"u{n}", in_days(3 + n), "Anna Müller")
    clinic.sync(NOW)
    clinic.drop("t1", *(f"u{n}" for n in range(10)))
    assert clinic.sync(LATER)["cal-t1"].held == 10
    then = clinic.why("1001", LATER + 60)
    with clinic.practice.store.write() as connection:
        release_held(connection, "cal-t1", LATER + HOUR, cancelled=True)
    clinic.sync(LATER + 2 * HOUR)
    assert {(row.from_at, row.until_at) for row in clinic.rows(QuestionWas)} == {(LATER, LATER + HOUR)}
    for when, in_question in ((LATER - 1, 0), (LATER, 10), (LATER + HOUR - 1, 10), (LATER + HOUR, 0)):
        with clinic.practice.store.read() as connection:
            doubts = in_doubt(connection, clinic.rows(Source), when).starts
        assert len(doubts.get(clinic.id_of("1001"), ())) == in_question
    assert clinic.why("1001", LATER + 60) == then


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["Anna Müller", "Berta Braun", "Carl Conrad"])), max_size=5)
)
def test_whatever_is_renamed_each_day_stays_as_it_was(a_clinic_again, renames):
    clinic = a_clinic_again()
    clinic.client("1001", "Anna Müller")
    clinic.client("1002", "Berta Braun")
    clinic.entry("t1", "u", in_days(5), "Anna Müller")
    clinic.entry("t1", "v", in_days(6), "Berta Braun")
    clinic.sync(NOW)

    def today():
        return {(row.source, row.entry_id, row.client_id) for row in clinic.rows(Subject)}

    stood = [(NOW, today())]
    for number, (who, name) in enumerate(renames, start=1):
        clinic.clients[who]["name"] = name
        clinic.sync(NOW + number * HOUR)
        stood.append((NOW + number * HOUR, today()))
    for when, concerned in stood:
        with clinic.practice.store.read() as connection:
            assert {tuple(row[:3]) for row in connection.execute(concerned_then(literal(when)))} == concerned


@pytest.fixture
def a_clinic_again(a_clinic):
    """Each time the same practice with nothing in it."""
    opened = []

    def again():
        if not opened:
            opened.append(a_clinic())
        clinic = opened[0]
        clinic.empty()
        clinic.clients, clinic.calendars = [], {"t1": []}
        return clinic

    return again
