"""Derived facts: in chunks or at once, for couples and groups, by two processes at once, they are what the observations say."""

import threading
from functools import partial

import pytest

from integrations.store.derive import derive
from integrations.store.rebuild import rebuild
from models.appointments import Appointment, Participant
from models.digest import Digest
from models.instants import HOUR
from models.observations import Observation, Subject
from models.people import Client
from tests.builders import NOW, a_client, a_reading, an_appointment, in_days

LATER = NOW + HOUR


@pytest.mark.long
def test_more_than_one_statement_can_take(clinic):
    """Beyond every limit on values in one statement: people, entries, and a group that all of them share."""
    numbers = [f"{n:05d}" for n in range(1, 602)]
    people = [a_client(number, f"Klara Nr{number}") for number in numbers]
    singles = [an_appointment(f"e{n}", in_days(3), n) for n in numbers]
    group = an_appointment("g", in_days(9), *numbers[:510])
    taken = clinic.take("records", a_reading(*people, *singles, group), NOW)
    assert (taken.new, len(clinic.rows(Participant))) == (1203, 1111)
    assert {len(row.line) // 8 for row in clinic.rows(Digest)} == {1, 2}
    again = clinic.take("records", a_reading(*people, *singles, group), LATER)
    assert (again.new, again.changed, again.vanished) == (0, 0, 0)
    gone = clinic.take("records", a_reading(*people, *singles[:501], group), LATER)
    assert gone.vanished == 100
    assert rebuild(clinic.practice, LATER, dry_run=True).differed == ()


def test_a_chain_of_couples_is_derived_as_one(clinic):
    """A with B, B with C: a change of A's entry is derived for all who are joined, and nobody's is lost."""
    entries = [
        an_appointment("ab", in_days(3), "1001", "1002"),
        an_appointment("bc", in_days(4), "1002", "1003"),
    ]
    people = [a_client(n) for n in ("1001", "1002", "1003")]
    clinic.take("records", a_reading(*people, *entries), NOW)
    clinic.take("records", a_reading(*people, entries[1]), LATER)
    assert {n: len(clinic.digest(n).line) // 8 for n in ("1001", "1002", "1003")} == {"1001": 0, "1002": 1, "1003": 1}
    assert rebuild(clinic.practice, LATER, dry_run=True).differed == ()


def test_a_rebuild_changes_nothing_and_mends_what_was_damaged(clinic):
    clinic.sync(NOW, "records")
    clinic.take("cal-t1", a_reading(an_appointment("u", in_days(3), "1001"), kinds=["appointment"]), NOW)
    tables = (Appointment, Participant, Digest, Subject)
    before = [clinic.rows(model) for model in tables]
    with clinic.practice.store.write() as connection:
        derive(connection, [clinic.id_of("1001")], clinic.practice.book.of().policy, LATER, clinic.practice.zone)
    assert [clinic.rows(model) for model in tables] == before
    with clinic.practice.store.write() as connection:
        connection.exec_driver_sql("UPDATE digest SET therapist_id = 'T9'")
    assert len(rebuild(clinic.practice, LATER, dry_run=False).differed) == 1
    assert [clinic.rows(model) for model in tables] == before


def at_once(*jobs):
    barrier = threading.Barrier(len(jobs))
    errors = []

    def run(job):
        try:
            barrier.wait(10)
            job()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []


def test_the_same_source_taken_in_twice_at_once_is_there_once(clinic):
    people = [a_client(str(n)) for n in range(1001, 1020)]
    entries = [an_appointment(f"u{n}", in_days(3), str(n)) for n in range(1001, 1020)]
    reading = a_reading(*people, *entries)
    at_once(*[partial(clinic.take, "records", reading, NOW)] * 3)
    assert len(clinic.rows(Client)) == 19
    assert len(clinic.rows(Observation)) == 38
    assert all(row.current for row in clinic.rows(Observation))


def test_many_readings_at_once_leave_nothing_stale(a_clinic):
    clinic = a_clinic(calendars=("t1", "t2"))
    people = [a_client(str(n)) for n in range(1001, 1009)]
    clinic.take("records", a_reading(*people, kinds=["client"]), NOW)

    def tell(source, first):
        for turn in range(4):
            found = [
                an_appointment(f"{source}{n}", in_days(first + turn), str(n), str(1001 + (n + 1) % 8), therapist=None)
                for n in range(1001, 1009)
                if (n + turn) % 3
            ]
            clinic.take(source, a_reading(*found, kinds=["appointment"]), LATER + turn)

    at_once(partial(tell, "cal-t1", 2), partial(tell, "cal-t2", 12), partial(tell, "records", 22))
    assert rebuild(clinic.practice, LATER + HOUR, dry_run=True).differed == ()
