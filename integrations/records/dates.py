"""Dates and times as exports write them, read under one declared order of day, month and year."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from enum import StrEnum

from models.instants import Instant, instant_of

FIRST_YEAR, LAST_YEAR = (
    1900,
    2199,
)  # outside of these a year is a slip of the keyboard (0202, 20225); some columns take fewer
SLIPS = 0.01  # share of dates that may contradict the order of all others before it counts as unknown
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = (
    r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,]\d{1,9})?)?)?"
    r"\s*(?P<half>[ap]\.?\s?m\.?)?\s*(?P<offset>z|utc|gmt|[+-]\d{2}:?\d{2})?"
)
_NUMBERS = r"(?P<one>\d{1,6})(?P<sep>[./-])(?P<two>\d{1,2})(?P=sep)(?P<three>\d{1,6})"
_WORDS = (
    r"(?:[a-z]{3,9},?\s+)??"
    r"(?:(?P<d1>\d{1,2})(?:st|nd|rd|th)?[\s-]+(?P<m1>[a-z]{3,9})\.?,?[\s-]+|(?P<m2>[a-z]{3,9})\.?\s+(?P<d2>\d{1,2})(?:st|nd|rd|th)?,?\s+)(?P<year>\d{2,6})"
)
_DAY = rf"(?:{_NUMBERS}|{_WORDS})"
_ANY = re.compile(rf"(?:{_DAY}(?:(?:t|,?\s+(?:at\s+)?){_CLOCK})?)\Z", re.ASCII | re.IGNORECASE)
_ONLY_CLOCK = re.compile(rf"{_CLOCK}\Z", re.ASCII | re.IGNORECASE)
_ISO_START = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?\Z", re.ASCII)
_ODD_SPACES = str.maketrans({"\u202f": " ", "\u00a0": " ", "\u2009": " "})  # some systems write 9:00<narrow space>AM


class Order(StrEnum):
    """Which of three numbers is the day; a four-digit year in front is always read as year, month, day."""

    dmy = "dmy"
    mdy = "mdy"
    ymd = "ymd"


ORDER_WORDS = {Order.dmy: "day/month/year", Order.mdy: "month/day/year", Order.ymd: "year/month/day"}


class NotADateError(Exception):
    """The text is no date or time; `fault` and `remedy` are parts of a sentence and hold none of the text."""

    def __init__(self, fault: str, remedy: str) -> None:
        super().__init__(fault)
        self.fault, self.remedy = fault, remedy


@dataclass(frozen=True, slots=True)
class Moment:
    """What a cell says about when: a day, a time of day, or both; `instant` only where it has an offset from UTC."""

    day: date | None
    clock: time | None
    instant: Instant | None = None


def moment(text: str, order: Order) -> Moment:
    """A date, a time, or both, as written. Raises NotADateError for what does not exist or cannot be read."""
    if _ISO_START.match(text):
        try:  # the common case, and by far the fastest
            found = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            return _moment(found.date(), found.timetz() if len(text) > 10 else None)
    text = text.translate(_ODD_SPACES).strip()
    if match := _ANY.match(text):
        parts = match.groupdict()
        day = _day_of_words(parts) if parts["one"] is None else _day_of_numbers(parts, order)
        return _moment(day, _clock(parts) if parts["hour"] else None)
    if (match := _ONLY_CLOCK.match(text)) and (match["minute"] or match["half"]):
        return Moment(None, _clock(match.groupdict()).replace(tzinfo=None))
    if _SERIAL.match(text):
        raise NotADateError("is a spreadsheet's day number, not a date", "format the column as a date before exporting")
    raise NotADateError("cannot be read as a date", "write it as 2026-03-14 or 2026-03-14 09:00")


def _moment(day: date, clock: time | None) -> Moment:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise NotADateError("has an impossible year", "correct the year")
    if clock is None:
        return Moment(day, None)
    if clock.tzinfo is None:
        return Moment(day, clock)
    return Moment(day, clock.replace(tzinfo=None), instant_of(datetime.combine(day, clock)))


def _day_of_numbers(parts: dict[str, str | None], order: Order) -> date:
    one, two, three = parts["one"] or "", parts["two"] or "", parts["three"] or ""
    if len(one) > 2 or (order is Order.ymd and len(three) <= 2):
        year, month, day = one, two, three
        order = Order.ymd
    elif order is Order.ymd:
        raise NotADateError(
            "does not begin with the year, as other dates here do", "write it as 2026-03-14, or set date_order"
        )
    elif order is Order.mdy:
        month, day, year = one, two, three
    else:
        day, month, year = one, two, three
    return _exact(
        year, month, day, f"is no day that exists, read as {ORDER_WORDS[order]}", "correct it, or set date_order"
    )


def _day_of_words(parts: dict[str, str | None]) -> date:
    name = (parts["m1"] or parts["m2"] or "")[:3].lower()
    if name not in _MONTHS:
        raise NotADateError("cannot be read as a date", "write it as 2026-03-14")
    return _exact(
        parts["year"] or "",
        str(_MONTHS.index(name) + 1),
        parts["d1"] or parts["d2"] or "",
        "is no day that exists",
        "correct the date",
    )


def _exact(year: str, month: str, day: str, fault: str, remedy: str) -> date:
    number = int(year) + (2000 if len(year) <= 2 else 0)
    if not FIRST_YEAR <= number <= LAST_YEAR:
        raise NotADateError("has an impossible year", "correct the year")
    try:
        return date(number, int(month), int(day))
    except ValueError:
        raise NotADateError(fault, remedy) from None


def _clock(parts: dict[str, str | None]) -> time:
    hour, half, offset = int(parts["hour"] or 0), parts["half"], parts["offset"]
    wrong = NotADateError("holds a time of day that does not exist", "write it as 09:00 or 9:00 AM")
    if half is None and parts["minute"] is None:
        raise wrong
    if half:
        if not 1 <= hour <= 12:
            raise wrong
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    zone: tzinfo | None = None
    try:
        if offset:
            zone = UTC if offset[0] not in "+-" else timezone(_offset(offset))
        return time(hour, int(parts["minute"] or 0), int(parts["second"] or 0), tzinfo=zone)
    except ValueError:
        raise wrong from None


def _offset(text: str) -> timedelta:
    size = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return -size if text[0] == "-" else size


@dataclass(slots=True)
class OrderEvidence:
    """What the dates of a source say about their order: how many can only be day first, only month first, or either."""

    day_first: int = 0
    month_first: int = 0
    either: int = 0

    def add(self, texts: Iterable[str]) -> None:
        """Look at more cells; those that are no dates of three short numbers say nothing."""
        for text in texts:
            if _ISO_START.match(text):
                continue
            match = _ANY.match(text.translate(_ODD_SPACES).strip())
            if not match or match["one"] is None or len(match["one"]) > 2:
                continue
            one, two = int(match["one"]), int(match["two"])
            if match["sep"] == "-" and len(match["three"]) <= 2:  # 25-09-15: even the year might be any of the three
                self.either += 1
            elif match["sep"] == "." or (one > 12 >= two):  # with dots the day stands first everywhere
                self.day_first += 1
            elif two > 12 >= one:
                self.month_first += 1
            elif one <= 12:
                self.either += 1

    def order(self) -> Order | None:
        """The order that the evidence shows, year first where there is none; None if it speaks for both."""
        if self.day_first == self.month_first == self.either == 0:
            return Order.ymd
        fewer, more = sorted((self.day_first, self.month_first))
        if fewer > SLIPS * more or more == 0:
            return None
        return Order.dmy if self.day_first == more else Order.mdy
