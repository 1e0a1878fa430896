"""When a therapist is free and what suits a client: both sides of every boundary, days on which clocks change, and what holds for any."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clock import merged
from models.instants import HOUR, at_wall, day_of, local
from models.slots import Usual, free, less, proposals, usual, working
from models.timing import Hours

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
MONDAY = date(2026, 11, 30)
LENGTH = 50 * 60


def at(text: str, zone: str = BERLIN) -> int:
    return at_wall(text, zone)


def walls(spans, zone=BERLIN) -> list[str]:
    """`Mon 09:00-12:00`, one for each span."""
    return [f"{local(start, zone):%a %H:%M}-{local(end, zone):%H:%M}" for start, end in spans]


HOURS = Hours(BERLIN, "09:00", "12:00")

# taken (from, until; on Monday) -> what of 9 to 12 is free, without a buffer
BUSY = {
    "nothing": ([], ["Mon 09:00-12:00"]),
    "the middle": ([("10:00", "11:00")], ["Mon 09:00-10:00", "Mon 11:00-12:00"]),
    "the start": ([("08:00", "09:30")], ["Mon 09:30-12:00"]),
    "up to the start": ([("08:00", "09:00")], ["Mon 09:00-12:00"]),
    "the end": ([("11:30", "13:00")], ["Mon 09:00-11:30"]),
    "from the end on": ([("12:00", "13:00")], ["Mon 09:00-12:00"]),
    "all": ([("08:00", "13:00")], []),
    "exactly all": ([("09:00", "12:00")], []),
    "one after another": ([("09:00", "10:00"), ("10:00", "11:00")], ["Mon 11:00-12:00"]),
    "across one another": ([("09:00", "10:30"), ("10:00", "11:00")], ["Mon 11:00-12:00"]),
    "no time at all": ([("10:00", "10:00")], ["Mon 09:00-12:00"]),
}


@pytest.mark.parametrize("case", BUSY)
def test_busy_is_taken_out(case):
    taken, left = BUSY[case]
    spans = [(at(f"{MONDAY}T{a}"), at(f"{MONDAY}T{b}")) for a, b in taken]
    assert walls(free(HOURS, spans, MONDAY, MONDAY)) == left


def test_a_buffer_stays_free_on_both_sides():
    spans = [(at(f"{MONDAY}T10:00"), at(f"{MONDAY}T10:50"))]
    assert walls(free(HOURS, spans, MONDAY, MONDAY, buffer=600)) == ["Mon 09:00-09:50", "Mon 11:00-12:00"]


def test_weekends_holidays_and_leave_are_days_off():
    off = frozenset({MONDAY, date(2026, 12, 2)})
    found = working(HOURS._replace(days_off=off), MONDAY, MONDAY + timedelta(days=7))
    assert [f"{local(start, BERLIN):%a}" for start, _ in found] == ["Tue", "Thu", "Fri", "Mon"]


@pytest.mark.parametrize(
    ("zone", "day", "hours", "length"),
    [
        (BERLIN, date(2027, 3, 26), ("08:00", "18:00"), 10),
        ("Africa/Cairo", date(2023, 4, 28), ("00:30", "10:00"), 8.5),  # a Friday without its first hour
        ("Africa/Cairo", date(2023, 4, 28), ("01:00", "10:00"), 9),
        ("Africa/Cairo", date(2023, 10, 26), ("22:00", "23:30"), 1.5),  # a Thursday whose last hour comes twice
        ("Africa/Cairo", date(2023, 10, 27), ("00:00", "10:00"), 10),
    ],
)
def test_working_hours_are_wall_times(zone, day, hours, length):
    """A day on which clocks change at night: working hours are read as the wall shows them, by the rule of models.instants."""
    ((start, end),) = working(Hours(zone, *hours), day, day)
    assert (end - start) / HOUR == length


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_a_weekly_time_is_the_same_wall_time_all_year(zone):
    hours = Hours(zone, "08:00", "18:00")
    found = proposals(
        working(hours, date(2026, 9, 1), date(2027, 5, 31)),
        zone=zone,
        since=at("2026-09-01T00:00", zone),
        count=30,
        length=LENGTH,
        rhythm_days=7,
        when=Usual(1, time(10, 10)),
    )
    assert {(local(each.start, zone).weekday(), f"{local(each.start, zone):%H:%M}") for each in found} == {(1, "10:10")}
    days = [day_of(each.start, zone) for each in found]
    assert {(b - a).days for a, b in pairwise(days)} == {7}
    assert len(found) == 30
    assert {each.reason for each in found} == {"same weekday and hour"}


TUESDAYS = Usual(1, time(10))


def proposed(busy=(), *, off=(), count=1, when=TUESDAYS, rhythm=7, since="2026-11-30T00:00", **more):
    hours = Hours(BERLIN, "09:00", "18:00", frozenset(off))
    spans = free(hours, [(at(a), at(b)) for a, b in busy], MONDAY, MONDAY + timedelta(days=60))
    found = proposals(
        spans, zone=BERLIN, since=at(since), count=count, length=LENGTH, rhythm_days=rhythm, when=when, **more
    )
    return [(f"{local(p.start, BERLIN):%a %d %b %H:%M}", p.reason) for p in found]


TUESDAY_FULL = [("2026-12-01T09:00", "2026-12-01T18:00")]
TUESDAYS_FULL = [(f"2026-12-{d:02}T09:00", f"2026-12-{d:02}T18:00") for d in (1, 8, 15, 22)]
WEEK_OFF = [MONDAY + timedelta(days=n) for n in range(-3, 5)]

RANKED = {
    "the usual time": ({}, [("Tue 01 Dec 10:00", "same weekday and hour")]),
    "not before it is asked for": (
        {"since": "2026-12-01T10:01"},
        [("Tue 08 Dec 10:00", "same weekday and hour")],
    ),
    "from that very instant": ({"since": "2026-12-01T10:00"}, [("Tue 01 Dec 10:00", "same weekday and hour")]),
    "its hour is taken": (
        {"busy": [("2026-12-01T09:30", "2026-12-01T11:00")]},
        [("Tue 01 Dec 11:00", "same weekday, another hour")],
    ),
    "taken up to it": (
        {"busy": [("2026-12-01T09:00", "2026-12-01T10:00")]},
        [("Tue 01 Dec 10:00", "same weekday and hour")],
    ),
    "taken right after it": (
        {"busy": [("2026-12-01T10:50", "2026-12-01T12:00")]},
        [("Tue 01 Dec 10:00", "same weekday and hour")],
    ),
    "taken a minute before its end": (
        {"busy": [("2026-12-01T10:49", "2026-12-01T12:00")]},
        [("Tue 01 Dec 09:45", "same weekday, another hour")],
    ),
    "its day is full": ({"busy": TUESDAY_FULL}, [("Mon 30 Nov 10:00", "same hour, another weekday")]),
    "its day and that hour elsewhere": (
        {
            "busy": [
                ("2026-11-30T09:00", "2026-11-30T18:00"),
                *TUESDAY_FULL,
                *((f"2026-12-0{d}T09:00", f"2026-12-0{d}T12:00") for d in (2, 3, 4)),
            ]
        },
        [("Wed 02 Dec 12:00", "nearest to the usual time")],
    ),
    "leave: a week later, and on from there": (
        {"off": WEEK_OFF, "count": 2},
        [
            ("Tue 08 Dec 10:00", "same weekday and hour, 1 week later since nothing is free before"),
            ("Tue 15 Dec 10:00", "same weekday and hour"),
        ],
    ),
    "one of three is moved, the third stays": (
        {"busy": [("2026-12-08T09:00", "2026-12-08T18:00")], "count": 3},
        [
            ("Tue 01 Dec 10:00", "same weekday and hour"),
            ("Mon 07 Dec 10:00", "same hour, another weekday"),
            ("Tue 15 Dec 10:00", "same weekday and hour"),
        ],
    ),
    "its day is seldom free: all on one other": (
        {"busy": [*TUESDAYS_FULL[:3], ("2026-12-07T09:00", "2026-12-07T11:00")], "count": 3},
        [
            ("Wed 02 Dec 10:00", "same hour, another weekday"),
            ("Wed 09 Dec 10:00", "same hour, another weekday"),
            ("Wed 16 Dec 10:00", "same hour, another weekday"),
        ],
    ),
    "free on half of its days": (
        {"busy": TUESDAYS_FULL[1:3], "count": 4},
        [(f"Mon {day} 10:00", "same hour, another weekday") for day in ("30 Nov", "07 Dec", "14 Dec", "21 Dec")],
    ),
    "free on more than half of its days": (
        {"busy": TUESDAYS_FULL[1:2], "count": 3},
        [
            ("Tue 01 Dec 10:00", "same weekday and hour"),
            ("Mon 07 Dec 10:00", "same hour, another weekday"),
            ("Tue 15 Dec 10:00", "same weekday and hour"),
        ],
    ),
    "no other day has them all": (
        {
            "busy": [
                ("2026-11-30T09:00", "2026-12-01T18:00"),
                *((f"2026-12-{d:02}T09:00", f"2026-12-{d:02}T18:00") for d in (3, 4, 8, 9, 10, 11)),
            ],
            "count": 2,
        },
        [("Wed 02 Dec 10:00", "same hour, another weekday"), ("Mon 07 Dec 10:00", "same hour, another weekday")],
    ),
    "without a usual time": (
        {"when": None, "busy": [("2026-12-07T09:00", "2026-12-07T18:00")], "count": 3},
        [(f"Tue {day} Dec 09:00", "nearest to the client's rhythm") for day in ("01", "08", "15")],
    ),
    "every two weeks": (
        {"rhythm": 14, "count": 2},
        [("Tue 01 Dec 10:00", "same weekday and hour"), ("Tue 15 Dec 10:00", "same weekday and hour")],
    ),
    "a rhythm without a usual time": (
        {"when": None, "count": 2},
        [
            ("Mon 30 Nov 09:00", "nearest to the client's rhythm"),
            ("Mon 07 Dec 09:00", "nearest to the client's rhythm"),
        ],
    ),
    "nobody's rhythm": (
        {"when": None, "rhythm": 0, "count": 3, "buffer": 600},
        [
            ("Mon 30 Nov 09:00", "first free time"),
            ("Mon 30 Nov 10:00", "first free time"),
            ("Mon 30 Nov 11:00", "first free time"),
        ],
    ),
}


@pytest.mark.parametrize("case", RANKED)
def test_what_is_proposed(case):
    asked, wanted = RANKED[case]
    assert proposed(**asked) == wanted


def test_nothing_free_for_months_proposes_nothing():
    assert proposed(off=[MONDAY + timedelta(days=n) for n in range(80)]) == []


USUAL = {
    "nothing": ([], None),
    "once is no habit": (["2026-11-03T10:00"], None),
    "twice": (["2026-11-03T10:00", "2026-11-10T10:00"], Usual(1, time(10))),
    "most": (["2026-11-03T10:00", "2026-11-11T15:00", "2026-11-17T10:00"], Usual(1, time(10))),
    "a tie goes to the newer": (
        ["2026-11-03T10:00", "2026-11-04T15:00", "2026-11-10T10:00", "2026-11-11T15:00"],
        Usual(2, time(15)),
    ),
    "across a change of clocks": (["2026-10-20T10:00", "2026-10-27T10:00"], Usual(1, time(10))),
    "only the last six": (
        [*["2026-09-01T10:00"] * 3, *(f"2026-10-{d:02}T09:00" for d in (1, 2, 5, 6, 7, 8))],
        Usual(3, time(9)),
    ),
}


@pytest.mark.parametrize("case", USUAL)
def test_the_usual_weekday_and_hour(case):
    starts, wanted = USUAL[case]
    assert usual([at(each) for each in starts], BERLIN) == wanted


ZONES = st.sampled_from([BERLIN, NEW_YORK, "Australia/Lord_Howe", "Africa/Cairo", "UTC"])
SPANS = st.lists(
    st.tuples(st.integers(0, 70 * 96), st.integers(0, 40)).map(lambda s: (s[0] * 900 + 300, (s[0] + s[1]) * 900)),
    max_size=40,
)


@given(
    zone=ZONES,
    first=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    taken=SPANS,
    off=st.sets(st.integers(0, 70), max_size=40),
    rhythm=st.sampled_from([0, 1, 3, 5, 7, 10, 14, 30]),
    when=st.none()
    | st.builds(
        Usual, st.integers(0, 6), st.times(time(0), time(23, 59)).map(lambda t: t.replace(second=0, microsecond=0))
    ),
    count=st.integers(0, 8),
    minutes=st.integers(10, 120),
    buffer=st.integers(0, 30).map(lambda m: m * 60),
)
def test_proposals_never_overlap_anything(zone, first, taken, off, rhythm, when, count, minutes, buffer):
    since = at_wall(datetime.combine(first, time(7)), zone)
    busy = [(since + a, since + b) for a, b in taken]
    days_off = frozenset(first + timedelta(days=n) for n in off)
    hours = Hours(zone, "08:30", "17:00", days_off)
    spans = free(hours, busy, first, first + timedelta(days=70), buffer=buffer)
    found = proposals(
        spans, zone=zone, since=since, count=count, length=minutes * 60, rhythm_days=rhythm, when=when, buffer=buffer
    )
    assert len(found) <= count
    for before, after in pairwise(found):
        assert before.end + buffer <= after.start
    for each in found:
        assert each.end - each.start == minutes * 60
        assert each.start >= since
        for start, end in busy:
            assert start >= end or each.end + buffer <= start or end + buffer <= each.start
        begins, ends = local(each.start, zone), local(each.end, zone)
        assert begins.date() not in days_off
        assert begins.weekday() < 5
        assert (begins.date(), f"{begins:%H:%M}" >= "08:30", f"{ends:%H:%M}" <= "17:00") == (ends.date(), True, True)
    if count and rhythm == 0:
        assert bool(found) == any(_fits(span, since, minutes * 60) for span in spans)


def _fits(span, since, length):
    start = max(span[0], since)
    return -(-start // 900) * 900 + length <= span[1] or (
        span[0] <= start and start % 900 == 0 and start + length <= span[1]
    )


@given(SPANS, SPANS)
def test_what_is_left_is_what_was_there_and_was_not_taken(spans, taken):
    there = merged(spans)
    left = less(there, taken)
    assert left == merged(left)
    for instant in {edge + step for span in (*there, *taken) for edge in span for step in (-1, 0)}:
        within = any(a <= instant < b for a, b in there) and not any(a <= instant < b for a, b in taken)
        assert any(a <= instant < b for a, b in left) == within
    assert sum(b - a for a, b in left) <= sum(b - a for a, b in there)
