"""Entries for whole days: no appointments, but most of them take a therapist's time."""

from datetime import date, datetime, time, timedelta

from integrations.calendars.light import Event
from integrations.calendars.values import BadValueError, Moment, duration, moment
from models.entries import BusyEntry
from models.instants import Instant

FREE_DAYS = "all-day entries that take no time"


def first_of(event: Event) -> Moment:
    """When an entry begins, as written. Raises BadValueError ('no-start', 'bad-date')."""
    start = event.once.get("DTSTART") or event.once.get("RECURRENCE-ID")
    if start is None:
        raise BadValueError("no-start", "has no start (DTSTART); give the entry a date and time in the calendar")
    return moment(start)


def is_for_days(event: Event) -> bool:
    """Whether an entry is for whole days. Raises BadValueError ('no-start', 'bad-date')."""
    return first_of(event).day is not None


def midnight(day: date) -> datetime:
    """The wall time at which a day begins."""
    return datetime.combine(day, time())


def how_many(event: Event, first: date) -> int:
    """For how many days it lasts: its end is the day after the last one, and some programs name the last. Raises BadValueError."""
    if "DTEND" in event.once:
        end = moment(event.once["DTEND"])
        last = end.day or end.wall
        return max(1, (last or first).toordinal() - first.toordinal())
    return max(1, duration(event.once["DURATION"].value).days) if "DURATION" in event.once else 1


def takes_no_time(event: Event) -> bool:
    """Whether its owner is free meanwhile (RFC 5545, 3.8.2.7): an entry that says nothing of it takes time."""
    return "TRANSP" in event.once and event.once["TRANSP"].value.strip().upper() == "TRANSPARENT"


def taken(entry_id: str, therapist_id: str | None, wall: str, days: int, said_at: Instant | None) -> BusyEntry:
    """The days that it takes, the first of them by its wall time; what it is called is left at the border."""
    first = date.fromisoformat(wall[:10])
    return BusyEntry(entry_id, therapist_id, first, first + timedelta(days=days - 1), said_at)
