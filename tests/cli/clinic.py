"""A small clinic's own files, around a given day: two therapists, six clients, exports and calendars as their systems write them."""

from datetime import date, datetime, timedelta
from pathlib import Path

ZONE = "Europe/Berlin"
THERAPISTS = "id,name,email\nT1,Dr Kärcher,kaercher@example.org\nT2,Dr Lund,\n"
CLIENTS = """id,name,therapist,status,intake,phone
1001,Anna-Sofía Müllenbröck,T1,active,{long_ago},0170 123
1002,Bengt Ünalsson,T1,active,{long_ago},0170 124
1003,Chloé Øverland,T1,active,{long_ago},
1004,Dagny Þórsdóttir,T2,intake,{month_ago},
1005,Emre Çelikbilek,T2,active,{long_ago},
1006,Fritz Späth,,active,{long_ago},
"""
NAMES = ("Müllenbröck", "Ünalsson", "Øverland", "Þórsdóttir", "Çelikbilek", "Späth")


def write_clinic(folder: Path, today: date) -> Path:
    """Write exports and calendars into `folder`. Of the clients, 1001 came three weeks ago and has bookings, 1002 came last five weeks ago,
    1003 missed the last two, 1004 was never seen, 1005 comes and is not marked, 1006 has nobody named."""
    exports = folder / "exports"
    exports.mkdir(parents=True)
    (exports / "therapists.csv").write_text(THERAPISTS, encoding="utf-8")
    days = {"long_ago": today - timedelta(days=300), "month_ago": today - timedelta(days=30)}
    (exports / "clients.csv").write_text(CLIENTS.format(**days), encoding="utf-8")
    rows = ["id,client,therapist,start,minutes,status"]
    rows += _rows("a", 1001, "T1", today, range(21, 84, 7), "attended")
    rows += _rows("b", 1002, "T1", today, range(35, 98, 7), "attended")
    rows += _rows("c", 1003, "T1", today, (3, 10), "no show")
    rows += _rows("c", 1003, "T1", today, range(17, 80, 7), "attended")
    rows += _rows("e", 1005, "T2", today, range(28, 80, 7), "attended")
    (exports / "appointments.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    calendars = folder / "calendars"
    calendars.mkdir()
    ahead = [event(f"next-{n}", at(today, -7 * n), "Anna-Sofía Müllenbröck") for n in (1, 2, 3)]
    ahead.append(event("dentist", at(today, -1, 15), "Zahnarzt Königsallee"))
    (calendars / "T1.ics").write_bytes(calendar(ahead))
    (calendars / "T2.ics").write_bytes(
        calendar([event(f"e-{n}", at(today, 7 * n), "Çelikbilek, Emre") for n in range(-2, 4)])
    )
    return folder


def _rows(mark: str, client: int, therapist: str, today: date, back: object, status: str) -> list[str]:
    days = [today - timedelta(days=n) for n in back]  # type: ignore[attr-defined]
    return [f"{mark}{day:%m%d}{status[0]},{client},{therapist},{day} 10:00,50,{status}" for day in days]


def at(today: date, days_ago: int, hour: int = 10) -> datetime:
    """A wall time so many days before a day."""
    return datetime.combine(today - timedelta(days=days_ago), datetime.min.time()).replace(hour=hour)


def event(uid: str, start: datetime, title: str, more: str = "") -> str:
    """One VEVENT of fifty minutes."""
    return (
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID={ZONE}:{start:%Y%m%dT%H%M%S}\r\n"
        f"DURATION:PT50M\r\nSUMMARY:{title}\r\n{more}END:VEVENT\r\n"
    )


def calendar(events: list[str]) -> bytes:
    """A whole calendar file."""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//clinic//EN\r\n" + "".join(events) + "END:VCALENDAR\r\n"
    ).encode()
