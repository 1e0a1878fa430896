"""Small calendars in the words of the test that needs them."""

from datetime import UTC, datetime

from integrations.calendars.reading import read_calendar
from models.entries import AppointmentEntry, Plan, Reading
from models.instants import utc_text

FROM, TO = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2026, 2027))


def calendar(*events: str, head: str = "", tail: str = "") -> bytes:
    """A whole calendar; each event is the lines between BEGIN:VEVENT and END:VEVENT, `head` stands before, `tail` after them."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Practice//Calendar//EN", *_lines(head)]
    for event in events:
        lines += ["BEGIN:VEVENT", *_lines(event), "END:VEVENT"]
    lines += [*_lines(tail), "END:VCALENDAR", ""]
    return "\r\n".join(lines).encode()


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def read(
    data: bytes, *, zone: str = "Europe/Berlin", window_from: int = FROM, window_to: int = TO, name: str = "anna.ics"
) -> Reading:
    """Read as the source of therapist T1, the year 2026."""
    return read_calendar(data, name=name, zone=zone, therapist_id="T1", window_from=window_from, window_to=window_to)


def entries(reading: Reading) -> list[AppointmentEntry]:
    """Its appointments by start."""
    return sorted((e for e in reading.entries if isinstance(e, AppointmentEntry)), key=lambda e: (e.start, e.id))


def starts(reading: Reading, *plans: Plan) -> list[str]:
    """Starts in UTC, `2026-03-02T09:00`, of those plans (all, if none is named)."""
    return [utc_text(entry.start)[:16] for entry in entries(reading) if not plans or entry.plan in plans]


def walls(reading: Reading) -> list[str]:
    """Wall times with their zones, `2026-03-02T10:00 Europe/Berlin`."""
    return [f"{entry.wall[:16]} {entry.zone}" for entry in entries(reading)]


def reasons(reading: Reading) -> list[str]:
    """Why things were rejected."""
    return [reject.reason for reject in reading.rejects]
