"""Dates, distances and lists as people of a locale write them."""

from datetime import date, datetime

import pytest

from models import words
from models.errors import SettingsError

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (date(2026, 11, 22), "yesterday"),
        (date(2026, 11, 21), "2 days ago"),
        (TODAY, "today"),
        (date(2026, 11, 24), "tomorrow"),
        (date(2026, 11, 25), "in 2 days"),
        (date(2026, 11, 3), "20 days ago"),
    ],
)
def test_distance(when: date, said: str) -> None:
    assert words.distance(when, today=TODAY) == said


@pytest.mark.parametrize(
    ("when", "british", "american"),
    [
        (date(2026, 11, 3), "Tue 3 Nov", "Tue, Nov 3"),
        (date(2027, 5, 24), "Mon 24 May", "Mon, May 24"),  # 182 days: still no year
        (date(2027, 5, 25), "Tue 25 May 2027", "Tue, May 25, 2027"),
        (date(2025, 11, 3), "Mon 3 Nov 2025", "Mon, Nov 3, 2025"),
    ],
)
def test_a_day_takes_its_year_when_it_is_far(when: date, british: str, american: str) -> None:
    assert words.day(when, today=TODAY, locale="en_GB") == british
    assert words.day(when, today=TODAY, locale="en_US") == american


@pytest.mark.parametrize(
    ("days", "british", "american"),
    [
        ([date(2026, 11, 10)], "10 Nov", "Nov 10"),
        ([date(2026, 11, 17), date(2026, 11, 10)], "10 and 17 Nov", "Nov 10 and 17"),
        ([date(2026, 11, 3), date(2026, 11, 10), date(2026, 11, 17)], "3, 10 and 17 Nov", "Nov 3, 10, and 17"),
        ([date(2026, 10, 27), date(2026, 11, 3)], "27 Oct and 3 Nov", "Oct 27 and Nov 3"),
        ([date(2026, 11, 10), date(2026, 11, 10)], "10 Nov", "Nov 10"),
        ([date(2025, 11, 10), date(2025, 11, 17)], "10 Nov 2025 and 17 Nov 2025", "Nov 10, 2025 and Nov 17, 2025"),
    ],
)
def test_several_days_are_one_list(days: list[date], british: str, american: str) -> None:
    assert words.days(days, today=TODAY, locale="en_GB") == british
    assert words.days(days, today=TODAY, locale="en_US") == american


def test_numbers_and_rhythms() -> None:
    assert [words.every(n) for n in (1, 7)] == ["every day", "every 7 days"]
    assert [words.counted(n, "item") for n in (0, 1, 2)] == ["0 items", "1 item", "2 items"]
    assert words.counted(2, "entry", "entries") == "2 entries"
    assert [words.spelled(n) for n in (1, 9, 10)] == ["one", "nine", "10"]


@pytest.mark.parametrize(
    ("hour", "british", "american"),
    [(0, "00:05", "12:05 am"), (7, "07:05", "7:05 am"), (12, "12:05", "12:05 pm"), (23, "23:05", "11:05 pm")],
)
def test_time_of_day(hour: int, british: str, american: str) -> None:
    moment = datetime(2026, 11, 23, hour, 5)  # noqa: DTZ001 - a wall time
    assert words.time_of_day(moment, locale="en_GB") == british
    assert words.time_of_day(moment, locale="en_US") == american


def test_a_locale_without_words_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="en_GB and en_US"):
        words.day(TODAY, today=TODAY, locale="de_DE")
