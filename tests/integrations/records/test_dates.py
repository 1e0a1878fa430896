"""Dates and times as exports write them, in each order, and the evidence by which an order is told."""

from datetime import date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.records.dates import Moment, NotADateError, Order, OrderEvidence, moment
from integrations.records.mapping import Mapping
from integrations.records.reading import read_records
from models.entries import AppointmentEntry
from models.errors import SettingsError
from models.instants import at_wall, wall_of
from tests.integrations.records.exports import NOW, ZONE, only_reject, put, read

D, NINE, TWO = date(2026, 3, 4), time(9), time(14, 5)

READ = [
    ("2026-03-04", Order.mdy, Moment(D, None)),
    ("2026-03-04", Order.dmy, Moment(D, None)),
    ("2026/3/4", Order.dmy, Moment(D, None)),
    ("04/03/2026", Order.dmy, Moment(D, None)),
    ("03/04/2026", Order.mdy, Moment(D, None)),
    ("3/4/26", Order.mdy, Moment(D, None)),
    ("4.3.2026", Order.dmy, Moment(D, None)),
    ("26-03-04", Order.ymd, Moment(D, None)),
    ("4 Mar 2026", Order.ymd, Moment(D, None)),
    ("04-Mar-2026", Order.ymd, Moment(D, None)),
    ("March 4, 2026", Order.ymd, Moment(D, None)),
    ("Wednesday, March 4th, 2026", Order.ymd, Moment(D, None)),
    ("2026-03-04 09:00", Order.dmy, Moment(D, NINE)),
    ("2026-03-04T09:00:00.000", Order.dmy, Moment(D, NINE)),
    ("04/03/2026, 09:00", Order.dmy, Moment(D, NINE)),
    ("03/04/2026 9:00 AM", Order.mdy, Moment(D, NINE)),
    ("03/04/2026 9:00\u202fa.m.", Order.mdy, Moment(D, NINE)),
    ("Mar 4, 2026 at 2:05 PM", Order.mdy, Moment(D, TWO)),
    ("4.3.2026 14.05", Order.dmy, Moment(D, TWO)),
    ("09:00", Order.dmy, Moment(None, NINE)),
    ("9am", Order.dmy, Moment(None, NINE)),
    ("12:30 AM", Order.dmy, Moment(None, time(0, 30))),
    ("12:30 PM", Order.dmy, Moment(None, time(12, 30))),
    ("2026-03-04T09:00:00Z", Order.dmy, Moment(D, NINE, at_wall("2026-03-04T09:00:00", "UTC"))),
    ("2026-03-04T09:00:00+02:00", Order.dmy, Moment(D, NINE, at_wall("2026-03-04T07:00:00", "UTC"))),
    ("04/03/2026 09:00 -0530", Order.dmy, Moment(D, NINE, at_wall("2026-03-04T14:30:00", "UTC"))),
    ("1900-01-01", Order.dmy, Moment(date(1900, 1, 1), None)),
    ("2199-12-31", Order.dmy, Moment(date(2199, 12, 31), None)),
]


@pytest.mark.parametrize(("text", "order", "expected"), READ)
def test_read(text: str, order: Order, expected: Moment) -> None:
    assert moment(text, order) == expected


REFUSED = [
    ("2026-02-29", Order.dmy, "is no day that exists"),
    ("29/02/2026", Order.dmy, "is no day that exists, read as day/month/year"),
    ("03/13/2026", Order.dmy, "read as day/month/year"),
    ("13/03/2026", Order.mdy, "read as month/day/year"),
    ("03/04/2026", Order.ymd, "does not begin with the year"),
    ("31 Feb 2026", Order.dmy, "is no day that exists"),
    ("4 Foo 2026", Order.dmy, "cannot be read as a date"),
    ("1899-12-31", Order.dmy, "has an impossible year"),
    ("2200-01-01", Order.dmy, "has an impossible year"),
    ("20225-03-04", Order.dmy, "has an impossible year"),
    ("04/03/20225", Order.dmy, "has an impossible year"),
    ("2026-03-04 24:00", Order.dmy, "a time of day that does not exist"),
    ("2026-03-04 09:60", Order.dmy, "a time of day that does not exist"),
    ("2026-03-04 9", Order.dmy, "a time of day that does not exist"),
    ("0:30 AM", Order.dmy, "a time of day that does not exist"),
    ("45932", Order.dmy, "a spreadsheet's day number"),
    ("", Order.dmy, "cannot be read as a date"),
    ("soon", Order.dmy, "cannot be read as a date"),
    ("٠٤/٠٣/٢٠٢٦", Order.dmy, "cannot be read as a date"),
]


@pytest.mark.parametrize(("text", "order", "fault"), REFUSED)
def test_refused(text: str, order: Order, fault: str) -> None:
    with pytest.raises(NotADateError) as caught:
        moment(text, order)
    assert fault in caught.value.fault


@given(st.text(max_size=40), st.sampled_from(Order))
def test_any_text_is_a_moment_or_is_refused(text: str, order: Order) -> None:
    try:
        moment(text, order)
    except NotADateError:
        pass


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.times().map(lambda t: t.replace(microsecond=0)))
def test_every_way_of_writing_says_the_same(day: date, clock: time) -> None:
    both = datetime.combine(day, clock)
    expected = Moment(day, clock)
    assert moment(both.isoformat(), Order.ymd) == expected
    assert moment(both.strftime("%d/%m/") + f"{day.year} {clock}", Order.dmy) == expected
    assert moment(both.strftime("%m/%d/") + both.strftime(f"{day.year} %I:%M:%S %p"), Order.mdy) == expected
    assert moment(both.strftime("%d %b ") + f"{day.year} {clock}", Order.mdy) == expected


EVIDENCE = [
    (["2026-01-02"], Order.ymd),
    ([], Order.ymd),
    (["12/12/2026", "13/12/2026"], Order.dmy),
    (["12/12/2026", "12/13/2026"], Order.mdy),
    (["12/12/2026"], None),
    (["01.02.2026"], Order.dmy),
    (["25-09-15"], None),
    (["13/01/2026"] * 99 + ["01/13/2026"], None),  # one in a hundred may be a slip, more is another order
    (["13/01/2026"] * 100 + ["01/13/2026"], Order.dmy),
    (["01/13/2026"] * 100 + ["13/01/2026"], Order.mdy),
    (["13/13/2026", "nonsense", "01/31/2026"], Order.mdy),
]


@pytest.mark.parametrize(("texts", "order"), EVIDENCE, ids=lambda v: str(v)[:30])
def test_the_order_that_the_dates_show(texts: list[str], order: Order | None) -> None:
    evidence = OrderEvidence()
    evidence.add(texts)
    assert evidence.order() == order


def test_dates_that_can_be_read_both_ways_are_asked_about(tmp_path: Path) -> None:
    content = "id,client,start\nA,1,03/04/2026 09:00\n"
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, "appointments", content)
    assert str(caught.value) == (
        "appointments.csv: the dates can be read as day/month or as month/day; set date_order to dmy or mdy."
    )
    walls = {
        order: entry.wall
        for order in ("dmy", "mdy")
        for entry in read(tmp_path, "appointments", content, date_order=order).entries
        if isinstance(entry, AppointmentEntry)
    }
    assert walls == {"dmy": "2026-04-03T09:00:00", "mdy": "2026-03-04T09:00:00"}


def appointment(tmp_path: Path, header: str, row: str, **mapping: str) -> AppointmentEntry:
    (entry,) = read(tmp_path, "appointments", f"client,{header}\n1,{row}\n", **mapping).entries
    assert isinstance(entry, AppointmentEntry)
    return entry


@pytest.mark.parametrize(
    ("header", "row", "wall", "minutes"),
    [
        ("start,minutes", "2026-10-01 09:00,45", "2026-10-01T09:00:00", 45),
        ("start", "2026-10-01 09:00", "2026-10-01T09:00:00", 50),
        ("start,end", "2026-10-01 09:00,09:45", "2026-10-01T09:00:00", 45),
        ("start,end", "2026-10-01 09:00,2026-10-01 09:00", "2026-10-01T09:00:00", 0),
        ("start,end", "2026-10-01 23:30,2026-10-02 00:15", "2026-10-01T23:30:00", 45),
        ("start,end,minutes", "2026-10-01 09:00,,30", "2026-10-01T09:00:00", 30),
        ("date,time", "2026-10-01,9:00 AM", "2026-10-01T09:00:00", 50),
        ("date,time", "2026-10-01 00:00:00,9:00 AM", "2026-10-01T09:00:00", 50),
        ("date,start", "2026-10-01,09:00", "2026-10-01T09:00:00", 50),
        ("Start time", "2026-10-01 09:00", "2026-10-01T09:00:00", 50),
        ("start", "2026-10-01T07:00:00Z", "2026-10-01T09:00:00", 50),
        ("start,zone", "2026-10-01 09:00,America/New_York", "2026-10-01T09:00:00", 50),
        ("start", "2026-10-25 02:30", "2026-10-25T02:30:00", 50),  # twice there that night: the first of the two
        ("start,end", "2026-03-29 01:59,03:00", "2026-03-29T01:59:00", 1),  # either side of the hour that is skipped
    ],
)
def test_beginning_and_end(tmp_path: Path, header: str, row: str, wall: str, minutes: int) -> None:
    entry = appointment(tmp_path, header, row)
    assert entry.wall == wall
    assert entry.end - entry.start == minutes * 60
    assert wall_of(entry.start, entry.zone) == wall


def test_days_without_times_only_where_the_practice_says_so(tmp_path: Path) -> None:
    assert appointment(tmp_path, "date", "2026-10-01", time_of_day="12:00").wall == "2026-10-01T12:00:00"
    assert appointment(tmp_path, "date,time", "2026-10-01,09:00", time_of_day="12:00").wall == "2026-10-01T09:00:00"


def test_the_zone_of_the_mapping_wins_over_that_of_the_practice(tmp_path: Path) -> None:
    files = {"appointments": put(tmp_path, "appointments", "client,start\n1,2026-10-01 09:00\n")}
    for mapping, start in ((Mapping(), "07:00"), (Mapping(zone="America/Sao_Paulo"), "12:00")):
        (entry,) = read_records(files, mapping, name="records", zone=ZONE, read_at=NOW).entries
        assert isinstance(entry, AppointmentEntry)
        assert entry.start == at_wall(f"2026-10-01T{start}:00", "UTC")


def test_a_day_in_the_other_order_names_the_setting(tmp_path: Path) -> None:
    content = "id,client,start\nA,1,13/04/2026 09:00\n"
    sentence = only_reject(read(tmp_path, "appointments", content, date_order="mdy")).sentence
    assert sentence.endswith("it is no day that exists, read as month/day/year; correct it, or set date_order.")
    assert ZONE not in sentence
