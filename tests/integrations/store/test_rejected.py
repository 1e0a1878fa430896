"""An unreadable row never holds back the rules of absence about its client: it is found as the client of an entry would be."""

import pytest

from integrations.store import quarantine
from integrations.store.people import code_of
from models.instants import DAY
from models.quarantine import Quarantine
from tests.builders import days_ago, each, in_days

DUE = days_ago(10) + 14 * DAY


@pytest.fixture
def two(clinic):
    """Two clients of whom nothing is booked; the first is Anna Müller."""
    clinic.client("1002", "Bo Lindqvist")
    for number in ("1001", "1002"):
        clinic.seen(number, *each(7, 6, days_ago(10)))
    clinic.entry("t1", "team", in_days(60), "Team day")
    clinic.sync()
    clinic.look()
    return clinic


def said(clinic, now=DUE):
    clinic.sync(now)
    return [clinic.why(number, now)["quiet"][1] for number in ("1001", "1002")]


def bad(clinic, title, more="", calendar="t1", uid="bad"):
    clinic.entry(calendar, uid, in_days(9), title, more)
    text = clinic.calendars[calendar][-1][1].replace(f"TZID={clinic.zone}", "TZID=Mars/Base")
    clinic.calendars[calendar][-1] = (uid, text)


def code(clinic, number):
    with clinic.practice.store.read() as connection:
        return code_of(connection, clinic.id_of(number))


def test_a_sound_calendar_holds_nothing_back(two):
    assert said(two) == ["quiet", "quiet"]


@pytest.mark.parametrize("title", ["Anna Müller", "Müller, Anna (50 min)", "CODE", "with CODE"])
def test_an_unreadable_entry_of_a_calendar_says_whose_it_is(two, title):
    bad(two, title.replace("CODE", code(two, "1001")))
    assert said(two) == ["blind", "quiet"]
    two.drop("t1", "bad")
    assert said(two, DUE + 60) == ["quiet", "quiet"]


def test_an_unreadable_entry_of_a_couple_concerns_both(two):
    bad(two, f"{code(two, '1001')} {code(two, '1002')}")
    assert said(two) == ["blind", "blind"]
    assert quarantine.listed(two.practice.store)[0].codes == tuple(
        sorted(code(two, number) for number in ("1001", "1002"))
    )


def test_a_category_and_a_changed_occurrence_say_it_too(two):
    bad(two, "Session", f"CATEGORIES:{code(two, '1001')}\r\n")
    assert said(two) == ["blind", "quiet"]
    bad(two, "Bo Lindqvist", uid="other")
    assert said(two, DUE + 60) == ["blind", "blind"]


def test_a_name_counts_only_within_the_caseload(two):
    two.client("1003", "Cy Ödegaard", therapist="T2")
    two.seen("1003", *each(7, 6, days_ago(10)), therapist="T2")
    bad(two, "Cy Ödegaard")
    assert (*said(two), two.why("1003", DUE)["quiet"][1]) == ("quiet", "quiet", "quiet")
    two.clients[2]["therapist"] = "T1"  # the roster alone changes, and the row is found anew
    assert (*said(two, DUE + 60), two.why("1003", DUE + 60)["quiet"][1]) == ("quiet", "quiet", "blind")


def test_a_name_that_two_bear_is_nobody(two):
    two.client("1003", "Anna Müller")
    bad(two, "Anna Müller")
    assert said(two) == ["quiet", "quiet"]


def row(two, **columns):
    start = "2026-11-30 10:00"
    two.appointments.append(
        {"id": "bad", "therapist": "T1", "start": start, "minutes": 50, "status": "WHATEVER"} | columns
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"client": "1001"},
        {"client name": "Müller, Anna"},
        {"client name": "Anna Müller", "start": "2026-02-31 10:00", "status": ""},
        {"client": "1001;1009"},
    ],
)
def test_an_unreadable_row_of_a_record_says_whose_it_is(two, columns):
    row(two, **columns)
    assert said(two) == ["blind", "quiet"]


def test_rows_of_the_same_id_concern_the_clients_of_both(two):
    row(two, **{"client name": "Anna Müller"}, status="")
    row(two, **{"client name": "Bo Lindqvist"}, status="")
    assert said(two) == ["blind", "blind"]


def test_a_row_that_names_a_client_of_another_caseload_is_nobodys(two):
    row(two, **{"client name": "Anna Müller"}, therapist="T9")
    assert said(two) == ["quiet", "quiet"]


def test_no_name_is_kept_in_the_open(two):
    bad(two, "Anna Müller")
    row(two, **{"client name": "Bo Lindqvist"})
    assert said(two) == ["blind", "blind"]
    for held in two.rows(Quarantine):
        words = " ".join(str(value) for name, value in held._mapping.items() if name != "raw").casefold()
        assert not any(name in words for name in ("anna", "müller", "bo lindqvist", "lindqvist"))


def test_a_line_of_totals_holds_absence_back_only_until_somebody_discards_it(clinic):
    clinic.seen("1001", *each(7, 6, days_ago(10)))
    clinic.seen("1001", in_days(9), status="booked")
    clinic.client("1002")
    clinic.seen("1002", in_days(60), status="booked")
    totals = {"id": "", "client": "Total", "therapist": "", "start": "", "minutes": "", "status": ""}
    clinic.appointments.append(totals)
    clinic.sync()
    clinic.look()
    assert clinic.why("1001")["quiet"] == (False, "booked")
    clinic.appointments = [row for row in clinic.appointments if not row["id"].endswith(str(in_days(9)))]
    clinic.sync(DUE)
    assert clinic.why("1001", DUE)["quiet"] == (None, "blind")
    (row,) = clinic.rows(Quarantine)
    quarantine.discard(clinic.practice.store, clinic.practice.vault, row.id, "root", "a line of totals", DUE)
    clinic.sync(DUE + DAY)
    assert clinic.why("1001", DUE + DAY)["quiet"] == (True, "quiet")
