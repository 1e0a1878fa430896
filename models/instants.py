"""Instants and wall times: what is past is an instant, what lies ahead is a wall time in a zone from which the instant is derived.

An instant is an `int`, seconds since 1970-01-01T00:00Z. A wall time is ISO text without offset, `2026-11-03T09:00:00`.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models.errors import TendingError

Instant = int
HOUR = 3600
DAY = 24 * HOUR
FAR = 2**40  # an instant that never comes (the year 36812)


class NoSuchTimeError(TendingError):
    """The wall time is skipped in that zone (clocks went forward over it). Exit code 2."""

    exit_code = 2


class UnknownZoneError(TendingError):
    """No time zone of that name is known. Exit code 3."""

    exit_code = 3


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of that IANA name. Raises UnknownZoneError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, IsADirectoryError):
        raise UnknownZoneError("This time zone is not known; write an IANA name such as Europe/Berlin.") from None


def instant_of(moment: datetime) -> Instant:
    """The instant of an aware datetime."""
    if moment.tzinfo is None:
        raise ValueError("a wall time without a zone has no instant")
    return int(moment.timestamp())


def at_wall(wall: str | datetime, zone_name: str, *, strict: bool = False) -> Instant:
    """The instant of a wall time in a zone.

    A time that occurs twice is the first of the two (RFC 5545 3.3.5). A time that does not exist is read with the offset before
    the gap (RFC 5545), or, with strict, raises NoSuchTimeError.
    """
    naive = datetime.fromisoformat(wall) if isinstance(wall, str) else wall
    if naive.tzinfo is not None:
        raise ValueError("a wall time carries no offset")
    moment = naive.replace(tzinfo=zone(zone_name), fold=0)
    instant = int(moment.timestamp())
    if strict and datetime.fromtimestamp(instant, moment.tzinfo).replace(tzinfo=None) != naive:
        raise NoSuchTimeError(
            f"This local time does not exist in {zone_name} (clocks went forward); check the time or the zone."
        )
    return instant


def wall_of(instant: Instant, zone_name: str) -> str:
    """The wall time of an instant in a zone, as ISO text to the second."""
    return datetime.fromtimestamp(instant, zone(zone_name)).replace(tzinfo=None).isoformat(timespec="seconds")


def local(instant: Instant, zone_name: str) -> datetime:
    """The aware datetime of an instant in a zone."""
    return datetime.fromtimestamp(instant, zone(zone_name))


def day_of(instant: Instant, zone_name: str) -> date:
    """The calendar day of an instant in a zone."""
    return datetime.fromtimestamp(instant, zone(zone_name)).date()


def start_of(day: date, zone_name: str) -> Instant:
    """The first instant of a calendar day in a zone."""
    return at_wall(datetime.combine(day, time()), zone_name)


def end_of(day: date, zone_name: str) -> Instant:
    """The instant at which a calendar day is over in a zone (the start of the next)."""
    return start_of(day + timedelta(days=1), zone_name)


def utc_text(instant: Instant) -> str:
    """ISO text in UTC, for machines: `2026-11-03T08:00:00Z`."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
