"""Free times from real files: what is taken, who is away, whose zone it is, and the client's own rhythm."""

from datetime import timedelta

import pytest

from integrations import scheduling
from integrations.store import invitations
from models.entries import Plan
from models.instants import DAY, HOUR, day_of, local, start_of
from models.invitations import Wanted
from tests.builders import NOW, ZONE, a_reading, an_appointment, at, each

MONDAY = "2026-11-30"


@pytest.fixture
def scheduled(a_clinic):
    """A practice in Berlin (public holidays of Germany) with one client who comes on Tuesdays at ten."""
    clinic = a_clinic(holidays="DE", more='[policy.therapist.T1]\nwork_from = "09:00"\nwork_until = "13:00"\n')
    clinic.client("1001", "Anna Müller")
    clinic.seen("1001", *each(7, 6, at("2026-11-17 10:00")))
    clinic.sync()
    return clinic


def slots(clinic, since=f"{MONDAY} 00:00", count=1, minutes=60, client=None, therapist="T1"):
    with clinic.practice.store.read() as connection:
        return scheduling.slots(
            clinic.practice,
            connection,
            therapist,
            NOW,
            since=at(since),
            count=count,
            minutes=minutes,
            client_id=clinic.id_of(client) if client else None,
        )


def first(clinic, since=f"{MONDAY} 00:00", **more):
    """The first free time from an instant on."""
    found = slots(clinic, since, **more)
    return f"{local(found.proposals[0].start, found.zone):%Y-%m-%d %H:%M}"


def test_nothing_entered_is_free_from_the_morning_on(scheduled):
    assert first(scheduled) == "2026-11-30 09:00"
    assert first(scheduled, "2026-11-30 12:00") == "2026-11-30 12:00"
    assert first(scheduled, "2026-11-30 12:01") == "2026-12-01 09:00"


def test_an_entry_of_nobody_is_busy_and_its_words_are_nowhere(scheduled):
    scheduled.entry("t1", "u1", at("2026-11-30 09:30"), "Zahnarzt Dr Überall")
    scheduled.sync(NOW + 1)
    assert first(scheduled) == "2026-11-30 10:30", "fifty minutes and ten between"
    assert "Zahnarzt" not in str(slots(scheduled))


def test_an_appointment_of_a_client_is_busy_unless_it_is_called_off(scheduled):
    booked = an_appointment("u1", at("2026-11-30 09:00"), title="Anna Müller")
    scheduled.take("cal-t1", a_reading(booked, kinds=["appointment"]), NOW + 1)
    assert first(scheduled) == "2026-11-30 10:00"
    off = an_appointment("u1", at("2026-11-30 09:00"), title="Anna Müller", plan=Plan.cancelled)
    scheduled.take("cal-t1", a_reading(off, kinds=["appointment"]), NOW + 2)
    assert first(scheduled) == "2026-11-30 09:00"


def test_the_tail_of_a_weekly_series_is_busy(scheduled):
    scheduled.entry("t1", "u1", at("2026-11-23 09:00"), "Anna Müller", "RRULE:FREQ=WEEKLY\r\n")
    scheduled.sync(NOW + 1)
    assert [first(scheduled, f"2026-{day} 00:00") for day in ("11-30", "12-07", "12-14")] == [
        "2026-11-30 10:00",
        "2026-12-07 10:00",
        "2026-12-14 10:00",
    ]


def test_what_was_invited_is_busy_before_any_calendar_shows_it(scheduled):
    wanted = Wanted(f"{MONDAY}T09:00:00", ZONE, 50, "Appointment")
    client = scheduled.id_of("1001")
    with scheduled.practice.store.write() as connection:
        uid = invitations.want(scheduled.practice, connection, client, "therapist:T1", wanted, NOW)
    assert first(scheduled) == "2026-11-30 10:00"
    with scheduled.practice.store.write() as connection:
        invitations.call_off(scheduled.practice, connection, uid, "therapist:T1", NOW)
    assert first(scheduled) == "2026-11-30 09:00"


def test_another_therapists_entries_and_appointments_take_nothing(a_clinic):
    clinic = a_clinic(calendars=("t1", "t2"))
    clinic.client("1001", "Anna Müller", therapist="T2")
    clinic.entry("t2", "u1", at("2026-11-30 08:00"), "Anna Müller")
    clinic.entry("t2", "u2", at("2026-11-30 09:00"), "Zahnarzt")
    clinic.sync()
    assert first(clinic) == "2026-11-30 08:00"
    assert first(clinic, therapist="T2") == "2026-11-30 10:00"


def test_leave_and_public_holidays_are_days_off(scheduled):
    scheduled.leave = [{"therapist": "T1", "from": "2026-11-30", "to": "2026-12-02"}]
    scheduled.sync(NOW + 1)
    assert first(scheduled) == "2026-12-03 09:00"
    assert first(scheduled, "2026-12-25 00:00") == "2026-12-28 09:00", "Christmas, and the weekend after it"


def test_hours_are_those_of_the_therapists_own_zone(a_clinic):
    clinic = a_clinic()
    clinic.therapists[0]["zone"] = "America/New_York"
    clinic.sync()
    found = slots(clinic)
    assert found.zone == "America/New_York"
    assert f"{local(found.proposals[0].start, ZONE):%H:%M}" == "14:00"


def test_a_clients_rhythm_weekday_and_hour(scheduled):
    found = slots(scheduled, count=3, minutes=50, client="1001")
    assert (found.rhythm_days, f"{found.usual}") == (7, "Tuesday at 10:00")
    assert [(f"{local(p.start, ZONE):%m-%d %H:%M}", p.reason) for p in found.proposals] == [
        (f"12-{day} 10:00", "same weekday and hour") for day in ("01", "08", "15")
    ]


def test_leave_moves_the_rest_on(scheduled):
    scheduled.leave = [{"therapist": "T1", "from": "2026-12-03", "to": "2026-12-13"}]
    scheduled.sync(NOW + 1)
    found = slots(scheduled, count=3, minutes=50, client="1001")
    assert [f"{day_of(p.start, ZONE):%m-%d}" for p in found.proposals] == ["12-01", "12-15", "12-22"]
    assert "1 week later" in found.proposals[1].reason


def test_a_therapist_without_free_hours_for_months(scheduled):
    scheduled.leave = [{"therapist": "T1", "from": "2026-11-01", "to": "2027-12-31"}]
    scheduled.sync(NOW + 1)
    assert slots(scheduled, client="1001").proposals == ()


def test_is_free(scheduled):
    scheduled.entry("t1", "u1", at("2026-11-30 10:00"), "Zahnarzt")
    scheduled.sync(NOW + 1)
    nine = at("2026-11-30 09:00")
    with scheduled.practice.store.read() as connection:

        def free(start, end):
            return scheduling.is_free(scheduled.practice, connection, "T1", start, end)

        assert free(nine, nine + HOUR)
        assert not free(nine, nine + HOUR + 60)
        assert not free(nine - 60, nine + HOUR), "before working hours"
        assert not free(start_of(day_of(nine, ZONE) - timedelta(days=1), ZONE) + 10 * HOUR, nine - DAY + 2 * HOUR)
