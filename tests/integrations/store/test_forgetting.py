"""A source that practice.toml names no more: told of, and forgotten only when a person says so; the past stays."""

import pytest

from integrations.store import forgetting, quarantine
from integrations.store.rebuild import rebuild
from integrations.store.sources import left_over
from integrations.store.watching import tell_of_sources
from models.audit import Audit
from models.entries import Reject
from models.errors import UsageError
from models.instants import HOUR
from models.people import Break
from tests.builders import NOW, a_reading, an_appointment, days_ago, each, in_days

LATER = NOW + HOUR


@pytest.fixture
def left(a_clinic):
    """A clinic whose calendar's [[source]] was taken out while a booking of a client, and a row not understood, stood in it."""
    clinic = a_clinic()
    clinic.client("1001", "Anna Müller")
    clinic.seen("1001", *each(7, 5, days_ago(30)))
    clinic.sync()
    old, ahead = an_appointment("old", days_ago(29), "1001"), an_appointment("new", in_days(3), "1001")
    bad = Reject("t1.ics, line 5", "bad-date", "The entry at line 5 has no date.", b"x", "u9", ("1001",))
    clinic.take("cal-t1", a_reading(old, ahead, rejects=[bad], kinds=["appointment"]), NOW)
    other = a_clinic(calendars=())
    other.clients, other.appointments = clinic.clients, clinic.appointments
    other.sync(LATER)
    return other


def names(clinic):
    with clinic.practice.store.read() as connection:
        return [row.name for row in left_over(clinic.practice, connection)]


def tell(clinic, now):
    with clinic.practice.store.write() as connection:
        return tell_of_sources(clinic.practice, connection, now)


def forget(clinic, name="cal-t1"):
    with clinic.practice.store.write() as connection:
        return forgetting.forget(clinic.practice, connection, name, "anna", LATER)


def test_the_administrator_is_told_once(left):
    assert names(left) == ["cal-t1"]
    assert [tell(left, LATER), tell(left, LATER + HOUR)] == [1, 0]
    (notice,) = left.notices()
    assert (notice.purpose, notice.recipient, notice.facts) == ("source_left", "admin", {"source": "cal-t1"})


def test_forgetting_withdraws_what_lies_ahead_and_keeps_the_past(left):
    assert left.why("1001", LATER)["quiet"] == (False, "booked")
    with left.practice.store.read() as connection:
        would = forgetting.would_forget(left.practice, connection, "cal-t1", LATER)
    assert would == (1, 0, 1)
    assert names(left) == ["cal-t1"]
    line = left.digest("1001").line
    assert forget(left) == would
    assert len(left.digest("1001").line) == len(line) - 8
    assert left.why("1001", LATER)["quiet"] == (True, "quiet")
    assert quarantine.listed(left.practice.store) == []
    assert names(left) == []
    assert tell(left, LATER) == 0
    assert rebuild(left.practice, LATER, dry_run=True).differed == ()
    act = left.rows(Audit)[-1]
    assert (act.who, act.act, act.subject, act.details) == ("anna", "source forgotten", "cal-t1", would._asdict())


def test_a_source_that_is_back_is_no_longer_forgotten(left, a_clinic):
    forget(left)
    back = a_clinic()
    back.clients, back.appointments = left.clients, left.appointments
    back.entry("t1", "u", in_days(5), "Anna Müller")
    back.sync(LATER + 1)
    assert back.why("1001", LATER + 1)["quiet"] == (False, "booked")
    assert names(left) == ["cal-t1"]


def test_breaks_that_have_not_begun_go_with_their_source(a_clinic):
    clinic = a_clinic(more='[[source]]\nname = "old"\nkind = "records"\npath = "exports"\n')
    clinic.client("1001", "Anna Müller")
    clinic.breaks = [
        {"client": "1001", "from": "2026-11-20", "to": "2026-11-30"},
        {"client": "1001", "from": "2026-12-20", "to": "2026-12-30"},
    ]
    clinic.sync(NOW, "old")
    other = a_clinic()
    assert forget(other, "old").breaks_and_leave == 1
    assert [str(row.from_on) for row in other.rows(Break)] == ["2026-11-20"]


def test_what_stands_in_practice_toml_or_was_never_there_is_not_forgotten(clinic):
    clinic.sync()
    for name in ("cal-t1", "nobody"):
        with pytest.raises(UsageError):
            forget(clinic, name)
