"""What a person is told of the practice itself: sources not read, entries that vanished at once, the weekly letters."""

from integrations.store.watching import tell_of_sources, weekly_facts, write_weekly_letters
from models.instants import DAY, HOUR
from models.notices import NoticeState
from models.noticing import ADMIN
from tests.builders import NOW, days_ago, each, in_days

LATER = NOW + HOUR


def tell(clinic, now):
    with clinic.practice.store.write() as connection:
        return tell_of_sources(clinic.practice, connection, now)


def weekly(clinic, now=NOW):
    with clinic.practice.store.read() as connection:
        return weekly_facts(clinic.practice, connection, now)


def asked(clinic, purpose):
    return [(n.generation, n.step) for n in clinic.notices(purpose=purpose, recipient=ADMIN)]


# ---------------------------------------------------------------- held


def test_who_is_asked_about_vanished_entries_is_asked_again_every_week(a_clinic):
    clinic = a_clinic()
    clinic.client("1001", "Anna Müller")
    clinic.seen("1001", *each(7, 5, days_ago(30)))
    for n in range(9):
        clinic.entry("t1", f"u{n}", in_days(30 + n), "Anna Müller")
    clinic.sync()
    clinic.look()
    assert clinic.findings() == set()
    assert weekly(clinic)["held"] == 0
    clinic.calendars["t1"] = []
    clinic.sync(LATER)
    for now in (LATER, LATER + 6 * DAY, LATER + 7 * DAY - 1):
        tell(clinic, now)
        assert asked(clinic, "held_vanished") == [(LATER, 0)]
    tell(clinic, LATER + 7 * DAY)
    assert asked(clinic, "held_vanished") == [(LATER, 0), (LATER, 1)]
    assert weekly(clinic)["held"] == 9
    # Until then she is neither booked nor quiet: nobody can say.
    assert clinic.look(LATER).blind == 1
    assert clinic.why("1001", LATER)["quiet"] == (None, "blind")


def test_the_weekly_line_counts_what_grew_too_old(clinic):
    clinic.sync()
    with clinic.practice.store.write() as connection:
        write_weekly_letters(clinic.practice, connection, NOW)
        connection.exec_driver_sql(f"UPDATE notice SET state = 'expired', decided_at = {NOW + DAY}")
    assert {n.state for n in clinic.notices()} == {NoticeState.expired}
    assert weekly(clinic, NOW + 2 * DAY)["expired"] == len(clinic.notices()) == 1
    assert weekly(clinic, NOW + 9 * DAY)["expired"] == 0


# ---------------------------------------------------------------- late


def test_a_source_that_hangs_is_told_of_though_no_try_ever_failed(clinic):
    """Nothing is recorded of a reading that never ends; the practice has been up for long enough to have read it."""
    clinic.sync()
    late = NOW + 27 * HOUR
    minutes = range(0, 61, 15)
    told = [tell(clinic, late + 60 * minute) for minute in minutes]
    assert told[:-1] == [0] * 4
    assert told[-1] == 1 + 2  # the administrator of both, and whose calendar one is
    assert {n.facts["source"] for n in clinic.notices(purpose="source_stale")} == {"records", "cal-t1"}
    assert tell(clinic, late + 2 * HOUR) == 0


def test_after_a_break_a_source_is_given_a_chance_first(clinic):
    clinic.sync()
    late = NOW + 27 * HOUR
    assert tell(clinic, late) == 0
    assert tell(clinic, late + 3 * DAY) == 0, "the machine was off for three days"
    clinic.sync(late + 3 * DAY + 60)
    assert tell(clinic, late + 3 * DAY + HOUR) == 0
    assert clinic.notices() == []


def test_a_source_that_was_never_tried_is_told_of(clinic):
    assert tell(clinic, NOW) == 0
    assert tell(clinic, NOW + HOUR) == 3


# ---------------------------------------------------------------- whose record is unsure


def test_an_unsure_record_of_day_one_is_asked_about_once_as_many_are_unmarked_since(a_clinic):
    clinic = a_clinic(policy="unconfirmed_in_a_row = 3\nmark_within_days = 7\n")
    clinic.client("1001", "Anna Müller")
    for n in range(-6, 9):
        clinic.entry("t1", f"u{n}", in_days(7 * n - 1), "Anna Müller")
    clinic.sync()
    clinic.look()
    assert clinic.findings() == {("1001", "unconfirmed")}

    def asked_at(now):
        clinic.sync(now)
        clinic.look(now)
        with clinic.practice.store.write() as connection:
            write_weekly_letters(clinic.practice, connection, now)
        return [n.facts["clients"] for n in clinic.notices(purpose="unconfirmed")]

    assert asked_at(NOW) == []
    assert asked_at(in_days(26)) == [], "the third of them has a day left to be marked"
    assert asked_at(in_days(27)) == [[clinic.id_of("1001")]]
