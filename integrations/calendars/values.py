"""The values of single calendar properties: content lines, dates and times, durations, text."""

import re
from datetime import date, datetime, timedelta
from typing import NamedTuple

_DATE = re.compile(r"\d{8}")
_DATE_TIME = re.compile(r"\d{8}T\d{6}Z?")
_DURATION = re.compile(r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_PARAMETER = re.compile(r';([^=;:"]+)=("[^"]*"|[^;:"]*)')
_ESCAPE = re.compile(r"\\([\\;,nN])")


class BadValueError(ValueError):
    """A value that cannot be understood; `reason` is the code, the message says it of the entry, without the value."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class Property(NamedTuple):
    """One content line: its parameters as written (`;TZID=Europe/Berlin`, or nothing) and its value."""

    parameters: str
    value: str

    def parameter(self, name: str) -> str:
        """The value of a parameter, without quotes; empty when absent."""
        for found, value in _PARAMETER.findall(self.parameters):
            if found.strip().upper() == name:
                return str(value).strip('"').strip()
        return ""


class Moment(NamedTuple):
    """A date or date-time as written: `day`, or `wall` with `utc` if it ends in Z, else `tzid`, empty for floating."""

    day: date | None = None
    wall: datetime | None = None
    tzid: str = ""
    utc: bool = False


def split_line(line: str) -> tuple[str, Property] | None:
    """(NAME, property) of a content line; None for a line that is none. A colon in a quoted parameter is no end."""
    head, colon, value = line.partition(":")
    if not colon:
        return None
    if '"' in head and head.count('"') % 2:
        ends = [end for end, sign in enumerate(line) if sign == ":" and line.count('"', 0, end) % 2 == 0]
        # Where the quote never closes, the first colon is the best guess there is.
        end = ends[0] if ends else len(head)
        head, value = line[:end], line[end + 1 :]
    name, semicolon, parameters = head.partition(";")
    return name.strip().upper(), Property(semicolon + parameters, value)


def moments(prop: Property) -> list[Moment]:
    """The dates or date-times of DTSTART, EXDATE and their like, in order. Raises BadValueError ('bad-date')."""
    tzid = prop.parameter("TZID") if prop.parameters else ""
    return [moment_of(part.strip(), tzid) for part in prop.value.split(",") if part.strip()]


def moment_of(text: str, tzid: str = "") -> Moment:
    """One date or date-time as written. Raises BadValueError ('bad-date')."""
    try:
        if _DATE_TIME.fullmatch(text):
            wall = datetime.fromisoformat(text[:15])
            return Moment(wall=wall, utc=True) if text[-1] == "Z" else Moment(wall=wall, tzid=tzid)
        if _DATE.fullmatch(text):
            return Moment(day=date.fromisoformat(text))
    except ValueError:
        pass
    raise BadValueError(
        "bad-date", "holds a date or time that does not exist or cannot be read; correct the entry in the calendar"
    )


def moment(prop: Property) -> Moment:
    """The one date or date-time of a property. Raises BadValueError ('bad-date') for none or several."""
    found = moments(prop)
    if len(found) != 1:
        raise BadValueError("bad-date", "holds no single readable start or end; correct the entry in the calendar")
    return found[0]


def duration(text: str) -> timedelta:
    """A DURATION value. Raises BadValueError ('bad-duration')."""
    match = _DURATION.fullmatch(text.strip().upper())
    if match is None or not any(match.groups()[1:]):
        raise BadValueError("bad-duration", "holds a duration that cannot be read; correct the entry in the calendar")
    sign, weeks, days, hours, minutes, seconds = match.groups()
    length = timedelta(
        weeks=int(weeks or 0),
        days=int(days or 0),
        hours=int(hours or 0),
        minutes=int(minutes or 0),
        seconds=int(seconds or 0),
    )
    return -length if sign == "-" else length


def plain_text(prop: Property) -> str:
    """The text of a TEXT property with its escapes undone, on one line."""
    text = prop.value
    if "\\" in text:
        text = _ESCAPE.sub(lambda match: " " if match.group(1) in "nN" else match.group(1), text)
    return text.strip()


def whole_number(prop: Property | None) -> int:
    """An integer property such as SEQUENCE; 0 when absent or unreadable: a revision nobody can read is the first."""
    text = prop.value.strip() if prop is not None else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
