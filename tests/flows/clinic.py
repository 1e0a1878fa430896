"""A small real practice for the tests of flows: two clients, an export of records, a calendar file, a mailbox."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from integrations.messages.mailbox import Mailbox
from integrations.practice import Practice, open_practice
from integrations.reading import read_source
from integrations.store import arming
from models.instants import DAY, Instant, instant_of, wall_of

ZONE = "Europe/Berlin"
NAME = "Zoë Ångström-Müller"
OTHER = "Ünal Çelik"
SECRETS = ("Zoë", "Ångström", "Müller", "ngstr", "zoe angstrom muller", "Çelik", "k@example.org")


def monday_morning() -> Instant:
    """The last Monday at ten, at least a day ago: no holiday or weekend delays anything, and leases and pulses are real."""
    today = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    return instant_of(today - timedelta(days=today.weekday() or 7))


@dataclass
class Clinic:
    """Files of a practice, and the practice opened from them."""

    folder: Path
    now: Instant
    mailbox: Mailbox
    practice: Practice
    weeks: Sequence[int] = field(default=(10, 9, 8, 7, 6, 5))

    @property
    def toml(self) -> Path:
        return self.folder / "practice.toml"

    @property
    def calendar(self) -> Path:
        return self.folder / "t1.ics"

    def write_calendar(self, *ahead: float) -> None:
        """The calendar with sessions that took place, and one booked for each number of days ahead of now."""
        events = [_event(f"past{w}", self.now - w * 7 * DAY) for w in self.weeks]
        events += [_event(f"next{number}", self.now + int(days * DAY)) for number, days in enumerate(ahead)]
        text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\n" + "".join(events) + "END:VCALENDAR\r\n"
        new = self.calendar.with_suffix(".new")
        new.write_text(text, encoding="utf-8", newline="")
        new.replace(self.calendar)

    def read(self, now: Instant | None = None) -> None:
        """Read all sources in the ordinary way."""
        for source in self.practice.settings.source:
            read_source(self.practice, source, now or self.now)

    def arm(self) -> None:
        arming.arm(self.practice.store, self.practice.data, "test", self.now)

    def mails(self) -> list[str]:
        return [mail.text for mail in self.mailbox.mails()]

    def code(self, status: str = "active") -> str:
        with self.practice.store.read() as connection:
            rows = connection.exec_driver_sql(f"SELECT code FROM client WHERE status = '{status}'").all()
        return str(rows[0][0])

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with self.practice.store.read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql).all()]


def _event(uid: str, at: Instant) -> str:
    start = wall_of(at, ZONE).replace("-", "").replace(":", "")
    return (
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID={ZONE}:{start}\r\n"
        f"DURATION:PT50M\r\nSUMMARY:Session {NAME}\r\nEND:VEVENT\r\n"
    )


def make_clinic(
    folder: Path, mailbox: Mailbox, *, url: str = "", now: Instant | None = None, policy: str = "", extra: str = ""
) -> Clinic:
    """Write and open a practice; nothing is read or armed yet."""
    now = monday_morning() if now is None else now
    exports = folder / "exports"
    exports.mkdir(parents=True)
    (exports / "clients.csv").write_text(
        f"id,name,therapist,status,intake\n1001,{NAME},T1,active,2026-01-05\n1002,{OTHER},T1,ended,2026-01-01\n",
        encoding="utf-8",
    )
    (exports / "therapists.csv").write_text("id,name,email\nT1,Dr K,k@example.org\n")
    rows = [
        f"a{w},1001,T1,{wall_of(now - w * 7 * DAY, ZONE)[:16].replace('T', ' ')},50,attended" for w in range(10, 4, -1)
    ]
    (exports / "appointments.csv").write_text("id,client,therapist,start,minutes,status\n" + "\n".join(rows) + "\n")
    (folder / "practice.toml").write_text(
        f"""
[practice]
name = "Northside"
zone = "{ZONE}"
[store]
url = "{url}"
[mail]
host = "127.0.0.1"
port = {mailbox.port}
sender = "alerts@example.org"
[admin]
email = "admin@example.org"
[policy]
speak = "at_once"
{policy}
[[source]]
name = "records"
kind = "records"
path = "exports"
[[source]]
name = "cal-t1"
kind = "calendar"
path = "t1.ics"
therapist = "T1"
{extra}
""",
        encoding="utf-8",
    )
    practice = open_practice(folder / "practice.toml", create=True, env={**os.environ})
    clinic = Clinic(folder, now, mailbox, practice)
    clinic.write_calendar(4)
    return clinic
