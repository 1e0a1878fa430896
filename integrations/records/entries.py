"""From the cells of one row to the entry it tells of, form by form."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from integrations.records.cells import Grammar
from integrations.records.dates import Moment
from integrations.records.vocabularies import BOOKED, Status
from models.instants import DAY, Instant, NoSuchTimeError, at_wall, wall_of
from models.observations import (
    AppointmentEntry,
    Attendance,
    BreakEntry,
    ClientEntry,
    ClientStatus,
    Entry,
    LeaveEntry,
    TherapistEntry,
)

MINUTE = 60


class BadRowError(Exception):
    """Cells that do not fit together; `column` is ours, the rest as in BadCellError."""

    def __init__(self, column: str, reason: str, fault: str, remedy: str) -> None:
        super().__init__(reason)
        self.column, self.reason, self.fault, self.remedy = column, reason, fault, remedy


@dataclass(slots=True)
class Doubts:
    """How many statuses of a reading are believed, or not, because of the time at which it was read."""

    believed: int = 0
    ahead: int = 0


Values = Mapping[str, Any]
Build = Callable[[Values, Grammar, Doubts], Entry]


def client(values: Values, grammar: Grammar, doubts: Doubts) -> ClientEntry:
    """A client. A date of death or of a pause's end says that there is one."""
    died, paused = values.get("died", False), values.get("paused until", False)
    name = values.get("name") or " ".join(filter(None, (values.get("first name"), values.get("last name"))))
    return ClientEntry(
        id=values["id"],
        name=name,
        therapist_id=values.get("therapist"),
        status=values.get("status", ClientStatus.active),
        intake_on=values.get("intake date"),
        ended_on=values.get("ended date"),
        died_on=died if isinstance(died, date) else None,
        died=bool(died),
        paused_until=paused if isinstance(paused, date) else None,
        paused=bool(paused),
        opted_out=values.get("opted out", False),
        site=values.get("site", ""),
        code=values.get("code"),
        contact=values.get("contact", ""),
        said_at=_said_at(values, grammar),
    )


def therapist(values: Values, grammar: Grammar, doubts: Doubts) -> TherapistEntry:
    """A therapist."""
    return TherapistEntry(
        id=values["id"],
        name=values["name"],
        email=values.get("email", ""),
        zone=values.get("zone", ""),
        site=values.get("site", ""),
        supervisor_id=values.get("supervisor"),
        started_on=values.get("started"),
        said_at=_said_at(values, grammar),
    )


def client_break(values: Values, grammar: Grammar, doubts: Doubts) -> BreakEntry:
    """A client's planned break."""
    first, last = _span(values)
    known_as = values.get("id") or _derived(values["client"], first.isoformat(), last.isoformat())
    return BreakEntry(known_as, values["client"], first, last, _said_at(values, grammar))


def leave(values: Values, grammar: Grammar, doubts: Doubts) -> LeaveEntry:
    """A therapist's leave."""
    first, last = _span(values)
    known_as = values.get("id") or _derived(values["therapist"], first.isoformat(), last.isoformat())
    return LeaveEntry(known_as, values["therapist"], first, last, values.get("cover"), _said_at(values, grammar))


def appointment(values: Values, grammar: Grammar, doubts: Doubts) -> AppointmentEntry:
    """An appointment. Nothing ahead is attended, and what a system says by itself is believed only after some days."""
    zone = values.get("zone") or grammar.zone
    begin = starting(values, grammar)
    assert begin.day is not None
    assert begin.clock is not None
    start, wall = _instant(begin.day, begin.clock, begin.instant, zone, "start")
    end = _ending(values, grammar, start, wall, zone)
    status: Status = values.get("status", BOOKED)
    attendance = status.attendance
    if start > grammar.read_at:
        doubts.ahead += attendance is not Attendance.unknown
        attendance = Attendance.unknown
    elif status.presumed and start >= grammar.trust_after:
        attendance = Attendance.unknown
    elif status.presumed:
        doubts.believed += 1
    clients: tuple[str, ...] = values.get("client", ())
    return AppointmentEntry(
        id=values.get("id") or _derived(wall, zone, values.get("therapist") or "", *clients),
        wall=wall,
        zone=zone,
        start=start,
        end=end,
        plan=status.plan,
        attendance=attendance,
        cancelled_by=status.cancelled_by,
        client_ids=clients,
        therapist_id=values.get("therapist"),
        title=values.get("client name", ""),
        said_at=_said_at(values, grammar),
    )


BUILD: dict[str, Build] = {
    "clients": client,
    "therapists": therapist,
    "appointments": appointment,
    "breaks": client_break,
    "leave": leave,
}


def starting(values: Values, grammar: Grammar) -> Moment:
    """Day and time of the beginning, from start, or from date and time. Raises BadRowError if either cannot be told.

    A date column's midnight is not taken for a time: systems write it behind every plain day.
    """
    parts: list[Moment | None] = [values.get(name) for name in ("start", "date", "time")]
    start, on, at = parts
    if on is not None and on.clock == time():
        on = Moment(on.day, None)
    days = next((part for part in (start, on, at) if part is not None and part.day is not None), None)
    if days is None:
        column = next((name for name, part in (("start", start), ("time", at)) if part is not None), "start")
        if start is None and at is None:
            raise BadRowError(column, "missing", "is empty", "fill in the date and time of the appointment")
        raise BadRowError(
            column, "no-date", "holds a time but no date", "name the column with the date of the appointment"
        )
    clocks = next((part for part in (start, at, on) if part is not None and part.clock is not None), None)
    clock = clocks.clock if clocks is not None else grammar.time_of_day
    if clock is None:
        column = "start" if start is not None else "date" if at is None and "time" not in values else "time"
        raise BadRowError(
            column,
            "no-time",
            "holds a date but no time of day",
            "add it, or set time_of_day if the export has days only",
        )
    return Moment(days.day, clock, days.instant if clocks is days else None)


def _ending(values: Values, grammar: Grammar, start: Instant, wall: str, zone: str) -> Instant:
    end: Moment | None = values.get("end")
    if end is None or end.clock is None:
        length: int = values.get("minutes", grammar.minutes)
        return start + length * MINUTE
    day = end.day or datetime.fromisoformat(wall).date()
    instant, _ = _instant(day, end.clock, end.instant, zone, "end")
    if instant < start:
        raise BadRowError("end", "end-before-start", "lies before the start", "correct the end or the start")
    return instant


def _instant(day: date, clock: time, instant: Instant | None, zone: str, column: str) -> tuple[Instant, str]:
    """The instant and the wall time to the second. Raises BadRowError for a local time that does not exist."""
    if instant is not None:
        return instant, wall_of(instant, zone)
    wall = datetime.combine(day, clock.replace(microsecond=0))
    try:
        return at_wall(wall, zone, strict=True), wall.isoformat()
    except NoSuchTimeError:
        raise BadRowError(
            column,
            "no-such-time",
            f"does not exist in {zone}, where clocks went forward over it",
            "correct the time or the zone",
        ) from None


def _said_at(values: Values, grammar: Grammar) -> Instant | None:
    updated: Moment | None = values.get("updated")
    if updated is None or updated.day is None:
        return None
    if updated.instant is not None:
        return updated.instant
    return at_wall(datetime.combine(updated.day, updated.clock or time()), grammar.zone)


def _span(values: Values) -> tuple[date, date]:
    first, last = values["from"], values["to"]
    if last < first:
        raise BadRowError("to", "end-before-start", "lies before the first day", "correct one of the two days")
    return first, last


def _derived(*parts: str) -> str:
    """An id for a row that has none, from what it is about; never from a name, which a hash would not hide."""
    return "row-" + hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:20]


def trusted_from(read_at: Instant, days: float) -> Instant:
    """Only presumed attendance of appointments that began before this instant is believed."""
    return read_at - round(days * DAY)
