"""Times: which zone a name means, clocks that change, and that no feed reads another feed's zone."""

import pytest

from integrations.calendars.zones import iana_name
from tests.integrations.calendars.ics import calendar, entries, read, reasons, starts, walls


def session(start: str, *more: str) -> str:
    return "\n".join((f"UID:{start[-15:]}", f"DTSTART{start}", *more))


def vtimezone(tzid: str, standard: str, daylight: str = "", *more: str) -> str:
    """A VTIMEZONE by the rules of central Europe; without `daylight` of one offset only."""
    other = daylight or standard
    lines = ["BEGIN:VTIMEZONE", f"TZID:{tzid}", *more]
    lines += ["BEGIN:STANDARD", "DTSTART:16010101T030000", f"TZOFFSETFROM:{other}", f"TZOFFSETTO:{standard}"]
    lines += ["RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"] if daylight else []
    lines += ["END:STANDARD"]
    if daylight:
        lines += ["BEGIN:DAYLIGHT", "DTSTART:16010101T020000", f"TZOFFSETFROM:{standard}", f"TZOFFSETTO:{daylight}"]
        lines += ["RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3", "END:DAYLIGHT"]
    return "\n".join([*lines, "END:VTIMEZONE"])


# ---------------------------------------------------------------- clocks that change


def test_a_series_keeps_its_wall_time_over_both_changes() -> None:
    spring = read(calendar(session(";TZID=Europe/Berlin:20260323T100000", "RRULE:FREQ=WEEKLY;COUNT=2")))
    assert starts(spring) == ["2026-03-23T09:00", "2026-03-30T08:00"]
    autumn = read(calendar(session(";TZID=Europe/Berlin:20261019T100000", "RRULE:FREQ=WEEKLY;COUNT=2")))
    assert starts(autumn) == ["2026-10-19T08:00", "2026-10-26T09:00"]


def test_a_series_in_utc_keeps_its_instant() -> None:
    assert walls(read(calendar(session(":20260323T090000Z", "RRULE:FREQ=WEEKLY;COUNT=2")))) == [
        "2026-03-23T09:00 UTC",
        "2026-03-30T09:00 UTC",
    ]


@pytest.mark.parametrize("zone", ["", vtimezone("Berlin, own", "+0100", "+0200")], ids=["database", "own"])
def test_a_time_that_does_not_exist_and_one_that_exists_twice(zone: str) -> None:
    tzid = '"Berlin, own"' if zone else "Europe/Berlin"
    gap = session(f";TZID={tzid}:20260329T023000")
    fold = session(f";TZID={tzid}:20261025T023000")
    reading = read(calendar(gap, fold, head=zone), zone="America/New_York")
    assert starts(reading) == ["2026-03-29T01:30", "2026-10-25T00:30"]
    assert reading.rejects == []


# ---------------------------------------------------------------- what a name means


@pytest.mark.parametrize(
    ("tzid", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Japan", "Japan"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("eastern standard time", "America/New_York"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
        ("/mozilla.org/20050126_1/America/Boise", "America/Boise"),
        ("/softwarestudio.org/Tzfile/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("/Europe/Stockholm", "Europe/Stockholm"),
        ("posix/Europe/Vaduz", "Europe/Vaduz"),
        ("right/Europe/Vaduz", "Europe/Vaduz"),
        ("Europe/Germany", ""),
        ("Customized Time Zone", ""),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", ""),
        ("GMT+0200", ""),
        ("localtime", ""),
        ("Europe", ""),
        ("../../etc/localtime", ""),
        ("", ""),
    ],
)
def test_names(tzid: str, name: str) -> None:
    assert iana_name(tzid) == name


def test_the_database_beats_a_definition_under_its_name() -> None:
    # Feeds carry old laws for years; the same for the names Windows uses.
    for tzid in ("Europe/Berlin", "W. Europe Standard Time"):
        reading = read(calendar(session(f";TZID={tzid}:20260302T100000"), head=vtimezone(tzid, "+0900")))
        assert walls(reading) == ["2026-03-02T10:00 Europe/Berlin"]


def test_a_windows_zone_as_outlook_writes_it() -> None:
    event = session(';TZID="W. Europe Standard Time":20260706T100000')
    assert starts(read(calendar(event, head=vtimezone("W. Europe Standard Time", "+0100", "+0200")), zone="UTC")) == [
        "2026-07-06T08:00"
    ]


# ---------------------------------------------------------------- zones of the feed's own


def test_two_feeds_that_call_different_zones_alike() -> None:
    event = session(";TZID=Customized Time Zone:20260302T100000")
    india = calendar(event, head=vtimezone("Customized Time Zone", "+0530"))
    pacific = calendar(event, head=vtimezone("Customized Time Zone", "-0800"))
    for _ in range(2):
        assert starts(read(india)) == ["2026-03-02T04:30"]
        assert starts(read(pacific)) == ["2026-03-02T18:00"]
    assert reasons(read(calendar(event))) == ["unknown-zone"]


def test_a_definition_may_stand_after_its_entries() -> None:
    event = session(";TZID=Ours:20260302T100000")
    assert starts(read(calendar(event, tail=vtimezone("Ours", "+0530")))) == ["2026-03-02T04:30"]


def test_an_own_zone_that_is_the_sources_zone_by_another_name() -> None:
    event = session(";TZID=Customized Time Zone:20260302T100000", "RRULE:FREQ=WEEKLY;COUNT=30")
    found = walls(read(calendar(event, head=vtimezone("Customized Time Zone", "+0100", "+0200"))))
    assert (found[0], found[-1]) == ("2026-03-02T10:00 Europe/Berlin", "2026-09-21T10:00 Europe/Berlin")


def test_an_own_zone_that_says_which_place_it_is() -> None:
    head = vtimezone("Ours", "+0100", "+0200", "X-LIC-LOCATION:Europe/Vienna")
    assert walls(read(calendar(session(";TZID=Ours:20260706T100000"), head=head), zone="UTC")) == [
        "2026-07-06T10:00 Europe/Vienna"
    ]


def test_an_own_zone_that_is_no_known_place_is_kept_in_utc() -> None:
    head = vtimezone("Ours", "+0130", "+0230", "X-LIC-LOCATION:Europe/Berlin")
    event = session(";TZID=Ours:20260323T100000", "RRULE:FREQ=WEEKLY;COUNT=2")
    assert walls(read(calendar(event, head=head))) == ["2026-03-23T08:30 UTC", "2026-03-30T07:30 UTC"]


@pytest.mark.parametrize(
    "broken",
    [
        "BEGIN:VTIMEZONE\nTZID:Ours\nEND:VTIMEZONE",
        vtimezone("Ours", "+5328"),
        vtimezone("Ours", "+0100", "+0200").replace("FREQ=YEARLY", "FREQ=SECONDLY"),
        vtimezone("Ours", "+0100", "+0200").replace("16010101", "never"),
        vtimezone("Ours", "+0100").replace("TZOFFSETFROM:+0100\n", ""),
    ],
)
def test_a_broken_definition_harms_only_the_entries_that_need_it(broken: str) -> None:
    reading = read(calendar(session(";TZID=Ours:20260302T100000"), session(":20260303T100000Z"), head=broken))
    assert starts(reading) == ["2026-03-03T10:00"]
    assert reasons(reading) == ["unknown-zone"]


def test_an_escaped_name_and_a_plain_day_as_start_of_a_definition() -> None:
    head = vtimezone("Kuala Lumpur\\, Singapore", "+0800").replace(
        "DTSTART:16010101T030000", "DTSTART;VALUE=DATE:20170101"
    )
    assert starts(read(calendar(session(';TZID="Kuala Lumpur, Singapore":20260302T100000'), head=head))) == [
        "2026-03-02T02:00"
    ]


# ---------------------------------------------------------------- times without a zone


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("", "2026-03-02T10:00 Europe/Berlin"),
        ("X-WR-TIMEZONE:America/New_York", "2026-03-02T10:00 America/New_York"),
        ("X-WR-TIMEZONE:Pacific Standard Time", "2026-03-02T10:00 America/Los_Angeles"),
        ("X-WR-TIMEZONE:Middle Earth", "2026-03-02T10:00 Europe/Berlin"),
    ],
)
def test_floating(head: str, expected: str) -> None:
    assert walls(read(calendar(session(":20260302T100000"), head=head))) == [expected]


def test_the_calendars_zone_touches_floating_times_only() -> None:
    head = "X-WR-TIMEZONE:America/New_York\n" + vtimezone("Ours", "+0530")  # no TZNAME, as Exchange writes it
    reading = read(
        calendar(
            session(";TZID=Europe/Berlin:20260302T100000"),
            session(":20260303T100000Z", "RRULE:FREQ=MONTHLY;COUNT=2;BYMONTHDAY=3"),
            session(";TZID=Ours:20260304T100000"),
            head=head,
        )
    )
    assert walls(reading) == [
        "2026-03-02T10:00 Europe/Berlin",
        "2026-03-03T10:00 UTC",
        "2026-03-04T04:30 UTC",
        "2026-04-03T10:00 UTC",
    ]


def test_what_a_file_says_of_one_calendar_is_not_said_of_the_next() -> None:
    first = calendar(session(":20260302T100000"), head="METHOD:CANCEL\nX-WR-TIMEZONE:America/New_York")
    second = calendar(session(":20260303T100000"))
    found = entries(read(first + second))
    assert [(entry.zone, entry.plan) for entry in found] == [
        ("America/New_York", "cancelled"),
        ("Europe/Berlin", "booked"),
    ]
