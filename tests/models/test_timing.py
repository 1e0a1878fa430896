"""When a message may reach a person, in that person's own zone; wall times over changes of the clock."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.eligibility import Urgency
from models.instants import DAY, NoSuchTimeError, at_wall, day_of, end_of, local, start_of, utc_text, wall_of
from models.timing import Hours, not_before
from tests.builders import at

ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Auckland")


@pytest.mark.parametrize(
    ("wall", "zone", "utc"),
    [
        ("2026-11-23T10:30:00", "Europe/Berlin", "2026-11-23T09:30:00Z"),
        ("2026-03-28T10:00:00", "Europe/Berlin", "2026-03-28T09:00:00Z"),  # the day before clocks go forward
        ("2026-03-29T10:00:00", "Europe/Berlin", "2026-03-29T08:00:00Z"),
        ("2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T01:30:00Z"),  # does not exist: read with the offset before
        ("2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T00:30:00Z"),  # exists twice: the first
        ("2026-10-25T03:00:00", "Europe/Berlin", "2026-10-25T02:00:00Z"),
        ("2026-03-08T02:30:00", "America/New_York", "2026-03-08T07:30:00Z"),
        ("2026-11-01T01:30:00", "America/New_York", "2026-11-01T05:30:00Z"),
        ("2026-09-27T02:30:00", "Pacific/Auckland", "2026-09-26T14:30:00Z"),
        ("2026-04-05T02:30:00", "Pacific/Auckland", "2026-04-04T13:30:00Z"),
    ],
)
def test_instants_of_wall_times(wall, zone, utc):
    assert utc_text(at_wall(wall, zone)) == utc


@pytest.mark.parametrize(
    ("wall", "zone", "exists"),
    [
        ("2026-03-29T01:59:59", "Europe/Berlin", True),
        ("2026-03-29T02:00:00", "Europe/Berlin", False),
        ("2026-03-29T02:59:59", "Europe/Berlin", False),
        ("2026-03-29T03:00:00", "Europe/Berlin", True),
        ("2026-03-08T02:00:00", "America/New_York", False),
        ("2026-09-27T02:30:00", "Pacific/Auckland", False),
        ("2026-10-25T02:30:00", "Europe/Berlin", True),
    ],
)
def test_a_wall_time_that_the_clock_skips_is_refused_where_it_matters(wall, zone, exists):
    if exists:
        assert wall_of(at_wall(wall, zone, strict=True), zone) == wall
    else:
        with pytest.raises(NoSuchTimeError, match=zone):
            at_wall(wall, zone, strict=True)


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 11, 23), "Europe/Berlin", 24),
        (date(2026, 3, 29), "Europe/Berlin", 23),
        (date(2026, 10, 25), "Europe/Berlin", 25),
        (date(2026, 3, 8), "America/New_York", 23),
        (date(2026, 11, 1), "America/New_York", 25),
        (date(2026, 9, 27), "Pacific/Auckland", 23),
        (date(2026, 4, 5), "Pacific/Auckland", 25),
        (date(2018, 11, 4), "America/Sao_Paulo", 23),  # clocks went forward at midnight: the day begins at one
    ],
)
def test_days_are_as_long_as_the_clock_makes_them(day, zone, hours):
    assert end_of(day, zone) - start_of(day, zone) == hours * 3600
    assert day_of(start_of(day, zone), zone) == day
    assert day_of(start_of(day, zone) - 1, zone) < day
    assert day_of(end_of(day, zone) - 1, zone) == day


HOLIDAY = frozenset({date(2026, 12, 25)})


@pytest.mark.parametrize(
    ("now", "morning", "open_at"),
    [
        ("2026-11-23 07:59:59", "2026-11-23 08:00", "2026-11-23 08:00"),  # a Monday
        ("2026-11-23 08:00:00", "2026-11-24 08:00", "2026-11-23 08:00"),
        ("2026-11-23 17:59:59", "2026-11-24 08:00", "2026-11-23 17:59:59"),
        ("2026-11-23 18:00:00", "2026-11-24 08:00", "2026-11-24 08:00"),
        ("2026-11-23 23:59:59", "2026-11-24 08:00", "2026-11-24 08:00"),
        ("2026-11-27 12:00:00", "2026-11-30 08:00", "2026-11-27 12:00:00"),  # a Friday
        ("2026-11-28 12:00:00", "2026-11-30 08:00", "2026-11-30 08:00"),
        ("2026-12-24 12:00:00", "2026-12-28 08:00", "2026-12-24 12:00:00"),  # then Christmas and a weekend
        ("2026-12-25 12:00:00", "2026-12-28 08:00", "2026-12-28 08:00"),
        ("2026-03-27 12:00:00", "2026-03-30 08:00", "2026-03-27 12:00:00"),  # clocks change on that weekend in Berlin
        ("2026-10-23 12:00:00", "2026-10-26 08:00", "2026-10-23 12:00:00"),
    ],
)
@pytest.mark.parametrize("zone", ZONES)
def test_working_hours(zone, now, morning, open_at):
    hours = Hours(zone, days_off=HOLIDAY)
    assert wall_of(hours.next_morning(at(now, zone)), zone) == f"{morning.replace(' ', 'T')}:00"
    assert hours.next_open(at(now, zone)) == at(open_at, zone)


@given(st.integers(at("2026-01-01 00:00"), at("2027-12-31 00:00")), st.sampled_from(ZONES))
def test_what_can_wait_comes_inside_the_recipients_hours_and_soon(now, zone):
    hours = Hours(zone, days_off=HOLIDAY)
    for urgency in (Urgency.ordinary, Urgency.weekly, Urgency.prompt):
        when = not_before(urgency, hours, now)
        there = local(when, zone)
        assert now <= when <= now + 5 * DAY
        assert hours.works_on(there.date())
        assert 8 <= there.hour < 18
    for urgency in (Urgency.safety, Urgency.system, Urgency.cancellation):
        assert not_before(urgency, hours, now) == now


def test_somebody_who_never_works_is_still_reached():
    class EveryDay:
        def __contains__(self, day: object) -> bool:
            return True

    assert Hours("Europe/Berlin", days_off=EveryDay()).next_morning(0) == DAY


def test_a_working_day_after_is_the_same_hour_of_the_next_working_day():
    hours = Hours("Europe/Berlin")
    for told, after in (
        ("2026-11-23T09:30", "2026-11-24T09:30"),
        ("2026-11-20T17:55", "2026-11-23T17:55"),
        ("2026-11-20T18:00", "2026-11-24T08:00"),
        ("2026-11-22T12:00", "2026-11-24T08:00"),
    ):
        assert hours.working_day_after(at_wall(f"{told}:00", hours.zone)) == at_wall(f"{after}:00", hours.zone)
