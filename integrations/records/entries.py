"""From the cells of one row to the entry it tells of, form by form."""

from datetime import date, datetime, time

from integrations.records.building import BadRowError, Build, Doubts, Values, derived, instant_at, said_at, span
from integrations.records.cells import Grammar
from integrations.records.dates import Moment
from integrations.records.progress import goal, hold, score
from integrations.records.referring import provider, referral_news
from integrations.records.vocabularies import BOOKED, Status
from models.entries import (
    AppointmentEntry,
    Attendance,
    BreakEntry,
    ClientEntry,
    ClientStatus,
    LeaveEntry,
    TherapistEntry,
)
from models.instants import DAY, Instant, day_of

MINUTE = 60


def client(values: Values, grammar: Grammar, doubts: Doubts) -> ClientEntry:
    """A client. A date of death or of a pause's end says that there is one; that care ended, where no status says otherwise, too."""
    died, paused = values.get("died", False), values.get("paused until", False)
    ended = values.get("ended date", False)
    if isinstance(ended, date) and ended > day_of(grammar.read_at, grammar.zone):
        doubts.ahead += 1
        over = False
    else:
        over = bool(ended)
    name = values.get("name") or " ".join(filter(None, (values.get("first name"), values.get("last name"))))
    return ClientEntry(
        id=values["id"],
        name=name,
        therapist_id=values.get("therapist"),
        status=values.get("status", ClientStatus.ended if over else ClientStatus.active),
        intake_on=values.get("intake date"),
        ended_on=ended if isinstance(ended, date) else None,
        died_on=died if isinstance(died, date) else None,
        died=bool(died),
        paused_until=paused if isinstance(paused, date) else None,
        paused=bool(paused),
        opted_out=values.get("opted out", False),
        site=values.get("site", ""),
        code=values.get("code"),
        contact=values.get("contact", ""),
        said_at=said_at(values, grammar),
    )


def therapist(values: Values, grammar: Grammar, doubts: Doubts) -> TherapistEntry:
    """A therapist, known by name where there is no id."""
    return TherapistEntry(
        id=values.get("id") or values["name"],
        name=values["name"],
        email=values.get("email", ""),
        zone=values.get("zone", ""),
        site=values.get("site", ""),
        supervisor_id=values.get("supervisor"),
        started_on=values.get("started"),
        said_at=said_at(values, grammar),
    )


def client_break(values: Values, grammar: Grammar, doubts: Doubts) -> BreakEntry:
    """A client's planned break."""
    first, last = span(values)
    known_as = values.get("id") or derived(values["client"], first.isoformat(), last.isoformat())
    return BreakEntry(known_as, values["client"], first, last, said_at(values, grammar))


def leave(values: Values, grammar: Grammar, doubts: Doubts) -> LeaveEntry:
    """A therapist's leave."""
    first, last = span(values)
    known_as = values.get("id") or derived(values["therapist"], first.isoformat(), last.isoformat())
    return LeaveEntry(known_as, values["therapist"], first, last, values.get("cover"), said_at(values, grammar))


def appointment(values: Values, grammar: Grammar, doubts: Doubts) -> AppointmentEntry:
    """An appointment. Nothing ahead is attended, and what a system says by itself is believed only after some days."""
    zone = values.get("zone") or grammar.zone
    begin = starting(values, grammar)
    assert begin.day is not None
    assert begin.clock is not None
    start, wall = instant_at(begin.day, begin.clock, begin.instant, zone, "start")
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
        id=values.get("id") or derived(wall, zone, values.get("therapist") or "", *clients),
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
        said_at=said_at(values, grammar),
    )


BUILD: dict[str, Build] = {
    "clients": client,
    "therapists": therapist,
    "appointments": appointment,
    "breaks": client_break,
    "leave": leave,
    "goals": goal,
    "scores": score,
    "holds": hold,
    "providers": provider,
    "referral_news": referral_news,
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
    instant, _ = instant_at(day, end.clock, end.instant, zone, "end")
    if instant < start:
        raise BadRowError("end", "end-before-start", "lies before the start", "correct the end or the start")
    return instant


def trusted_from(read_at: Instant, days: float) -> Instant:
    """Only presumed attendance of appointments that began before this instant is believed."""
    return read_at - round(days * DAY)
