"""Dates, distances, counts and lists in the words and the order that people of one locale use."""

from collections.abc import Sequence
from datetime import date, datetime

from models.errors import SettingsError

LOCALES = ("en_GB", "en_US")

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WHOLE_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_SPELLED = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# Farther away than this, a day without its year could be taken for another one.
_YEAR_NEEDED_AFTER = 182


def american(locale: str) -> bool:
    """Whether dates and lists follow American usage. Raises SettingsError for a locale we have no words in."""
    if locale not in LOCALES:
        raise SettingsError(f"The locale is not one of {' and '.join(LOCALES)}; write one of them.")
    return locale == "en_US"


def day(when: date, *, today: date, locale: str, weekday: bool = True) -> str:
    """A calendar day: `Tue 3 Nov`, `Tue, Nov 3`; with its year when it is more than half a year from today."""
    us = american(locale)
    text = f"{_MONTHS[when.month - 1]} {when.day}" if us else f"{when.day} {_MONTHS[when.month - 1]}"
    if _far(when, today):
        text += f", {when.year}" if us else f" {when.year}"
    if weekday:
        text = f"{_WEEKDAYS[when.weekday()]}{',' if us else ''} {text}"
    return text


def dated(when: date, *, locale: str) -> str:
    """A calendar day that means the same whenever it is read: `Tue 3 Nov 2026`, `Tue, Nov 3, 2026`."""
    year = f", {when.year}" if american(locale) else f" {when.year}"
    return day(when, today=when, locale=locale) + year


def whole_day(when: date, *, locale: str) -> str:
    """A day as letters write it: `3 November 2026`, `November 3, 2026`."""
    month = _WHOLE_MONTHS[when.month - 1]
    return f"{month} {when.day}, {when.year}" if american(locale) else f"{when.day} {month} {when.year}"


def distance(when: date, *, today: date) -> str:
    """How far a day lies from today: `20 days ago`, `yesterday`, `today`, `tomorrow`, `in 3 days`."""
    ahead = (when - today).days
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    if ahead in near:
        return near[ahead]
    return f"in {ahead} days" if ahead > 0 else f"{-ahead} days ago"


def day_and_distance(when: date, *, today: date, locale: str) -> str:
    """`Tue 3 Nov, 20 days ago`."""
    return f"{day(when, today=today, locale=locale)}, {distance(when, today=today)}"


def days(when: Sequence[date], *, today: date, locale: str) -> str:
    """Several days as one list, in order: `10 and 17 Nov`, `Nov 10 and 17`, `27 Oct and 3 Nov`."""
    ordered = sorted(set(when))
    one_month = len({(each.year, each.month) for each in ordered}) == 1
    if not one_month or any(_far(each, today) for each in ordered):
        return listed([day(each, today=today, locale=locale, weekday=False) for each in ordered], locale=locale)
    month, numbers = _MONTHS[ordered[0].month - 1], listed([str(each.day) for each in ordered], locale=locale)
    return f"{month} {numbers}" if american(locale) else f"{numbers} {month}"


def time_of_day(when: datetime, *, locale: str) -> str:
    """A wall time: `07:30`, `7:30 am`."""
    if not american(locale):
        return f"{when:%H:%M}"
    return f"{when.hour % 12 or 12}:{when:%M} {'am' if when.hour < 12 else 'pm'}"


def every(number_of_days: int) -> str:
    """A rhythm: `every day`, `every 7 days`."""
    return "every day" if number_of_days == 1 else f"every {number_of_days} days"


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 item`, `2 items`, `3 entries`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def spelled(number: int) -> str:
    """One to nine in words, for the start of a sentence and for letters to clients; other numbers in figures."""
    return _SPELLED[number] if 0 <= number < len(_SPELLED) else str(number)


def ordinal(number: int) -> str:
    """First to ninth in words; other places in figures."""
    if 1 <= number < 10:
        return ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")[number - 1]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def listed(parts: Sequence[str], *, locale: str) -> str:
    """`a`, `a and b`, `a, b and c` (American: `a, b, and c`)."""
    if len(parts) < 3:
        return " and ".join(parts)
    return f"{', '.join(parts[:-1])}{',' if american(locale) else ''} and {parts[-1]}"


def _far(when: date, today: date) -> bool:
    return abs((when - today).days) > _YEAR_NEEDED_AFTER
