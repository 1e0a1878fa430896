"""Rules: the arithmetic for daily and weekly ones gives what dateutil gives, at any window, for any rule."""

from datetime import datetime, timedelta

import pytest
from dateutil.rrule import rrulestr  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.calendars import rules
from integrations.calendars.values import BadValueError

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall times are naive on purpose
START = EPOCH.replace(year=2026, month=3, day=2, hour=10)
DAYS = st.sampled_from(rules.DAYS)


def seconds(wall: datetime) -> int:
    return int((wall - EPOCH).total_seconds())


def parse(text: str) -> rules.Rule:
    return rules.parse(text, seconds, seconds)


def until(rule: rules.Rule, start: datetime, low: datetime, high: datetime) -> list[datetime]:
    return [w for w in rules.walls(rule, start, low, high) if rule.until is None or seconds(w) <= rule.until]


@st.composite
def simple_rules(draw: st.DrawFn) -> str:
    parts = [f"FREQ={draw(st.sampled_from(('DAILY', 'WEEKLY')))}"]
    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(1, 9))}")
    ending = draw(st.sampled_from(("", "COUNT", "UNTIL")))
    if ending == "COUNT":
        parts.append(f"COUNT={draw(st.integers(1, 60))}")
    elif ending:
        parts.append(f"UNTIL={START + timedelta(hours=draw(st.integers(-50, 9000))):%Y%m%dT%H%M%S}")
    if parts[0] == "FREQ=WEEKLY" and draw(st.booleans()):
        parts.append("BYDAY=" + ",".join(draw(st.lists(DAYS, min_size=1, max_size=7))))
    if draw(st.booleans()):
        parts.append(f"WKST={draw(DAYS)}")
    return ";".join(parts)


@settings(max_examples=400)
@given(
    text=simple_rules(),
    start=st.datetimes(START - timedelta(days=900), START + timedelta(days=900)).map(
        lambda w: w.replace(microsecond=0)
    ),
    offset=st.integers(-500, 700),
    width=st.integers(0, 500),
)
def test_arithmetic_agrees_with_dateutil(text: str, start: datetime, offset: int, width: int) -> None:
    low = START + timedelta(days=offset, hours=offset % 24)
    high = low + timedelta(days=width)
    rule = parse(text)
    assert rule.simple
    expected = [wall for wall in rrulestr(text, dtstart=start).between(low, high, inc=True) if low <= wall < high]
    assert until(rule, start, low, high) == expected


@settings(max_examples=100)
@given(
    text=st.sampled_from(
        (
            "FREQ=MONTHLY;BYDAY=2TU",
            "FREQ=MONTHLY;BYDAY=-1FR;COUNT=9",
            "FREQ=MONTHLY;BYMONTHDAY=31;COUNT=20",
            "FREQ=MONTHLY;INTERVAL=2;BYDAY=MO,TU;BYSETPOS=1",
            "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=40",
            "FREQ=WEEKLY;BYDAY=MO;BYMONTH=3,4,5",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        )
    ),
    offset=st.integers(-500, 700),
)
def test_walked_rules_agree_with_dateutil_inside_any_window(text: str, offset: int) -> None:
    low = START + timedelta(days=offset)
    high = low + timedelta(days=300)
    rule = parse(text)
    assert not rule.simple
    expected = [wall for wall in rrulestr(text, dtstart=START).between(low, high, inc=True) if wall < high]
    assert until(rule, START, low, high) == expected


def test_a_week_number_alone_means_the_day_of_the_start() -> None:
    rule = parse("FREQ=YEARLY;BYWEEKNO=10")
    low, high = START, START + timedelta(days=700)
    assert [wall.date().isoformat() for wall in rules.walls(rule, START, low, high)] == ["2026-03-02", "2027-03-08"]


@pytest.mark.parametrize(
    ("text", "endless"),
    [("FREQ=WEEKLY", True), ("FREQ=WEEKLY;COUNT=2", False), ("FREQ=WEEKLY;UNTIL=20260401", False)],
)
def test_endless(text: str, endless: bool) -> None:
    assert parse(text).endless is endless


@pytest.mark.parametrize("text", ["freq=weekly;count=2", " FREQ=WEEKLY ;COUNT=2;", "FREQ=WEEKLY;COUNT=2;X-NOTE=1"])
def test_forms_that_programs_write(text: str) -> None:
    assert len(list(rules.walls(parse(text), START, START, START + timedelta(days=90)))) == 2


def test_a_number_before_the_day_of_a_weekly_rule_means_nothing() -> None:
    assert parse("FREQ=WEEKLY;BYDAY=1MO,-2TU").days == (0, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "FREQ=",
        "COUNT=3",
        "FREQ=WEEKLY;COUNT=-1",
        "FREQ=WEEKLY;COUNT=many",
        "FREQ=WEEKLY;WKST=1",
        "FREQ=WEEKLY;HOW=1",
    ],
)
def test_rules_that_cannot_be_read(text: str) -> None:
    with pytest.raises(BadValueError) as caught:
        parse(text)
    assert caught.value.reason == "bad-rule"


@pytest.mark.parametrize(
    "text", ["FREQ=MONTHLY;BYMONTHDAY=x", "FREQ=MONTHLY;BYSETPOS=999", "FREQ=YEARLY;BYDAY=54MO,TU"]
)
def test_rules_that_no_calendar_meets(text: str) -> None:
    with pytest.raises(BadValueError) as caught:
        list(rules.walls(parse(text), START, START, START + timedelta(days=90)))
    assert caught.value.reason == "bad-rule"


def test_a_daily_rule_from_the_year_one_is_refused_before_it_takes_seconds() -> None:
    with pytest.raises(BadValueError):
        list(rules.walls(parse("FREQ=DAILY;BYDAY=MO"), EPOCH.replace(year=1), START, START + timedelta(days=90)))
