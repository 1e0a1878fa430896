"""A practice with long, non-ASCII identities in every place that can hold one, and what its commands print."""

import contextlib
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from integrations.messages.mailbox import Mailbox
from integrations.practice import Practice, open_practice
from integrations.store.engine import SQLITE
from integrations.store.people import ref_hash
from models.instants import DAY, HOUR, Instant, utc_text, wall_of
from tending.cli import run as tending
from tending.server import Server
from tests.faults.canary import Search

ZONE = "Europe/Berlin"
QUIET = "Żółćisława Þórunnsdóttir-Ångerström"
TWIN = "Κωνσταντῖνος Παπαδημητρόπουλος"
REJECTED = "Ğülşahnur Çağlayanoğlu"
UNKNOWN = "Øyvindsdatter Kjærlighetsbrønn"
MISREAD = "Brünnhildegård Wächtersbächer"
THERAPIST = "Ottokàr Wünschelrütenbâcher"
THERAPIST_MAIL = "wuenschelrute.ottokar@praxisbeispiel.example"
IDS = ("KLIENT-ÆGIR-90417", "KLIENT-77120934", "KLIENT-77120935", "KLIENT-55501238")
CONTACT, PHONE = "zolcislawa@privatpostfach.example", "+49151588901177"
TITLE = f"Erstgespräch {UNKNOWN} wegen Kindesmißhandlung"
NOTES = "trauert um verünglückten Bräutigam"
GOAL = "Nächtelang ohne Zähneknirschen schlafen können"
PROVIDER_ID = "P-1"
PROVIDER = "Ärztehaus Rübezählchen Großkröpfelbach"
PROVIDER_PHONE = "+49335889014466"
MISSCORED = "Trübsinnsskala Schwermütigkeitsgröße"
UID = "sitzung-þórunnsdóttir-rosenkränzchen@kalender"
OWN_ZONE = "Zeitzone/Mühlhäuserinnen"
IDENTITIES = (
    QUIET,
    TWIN,
    REJECTED,
    UNKNOWN,
    MISREAD,
    THERAPIST,
    THERAPIST_MAIL,
    *IDS,
    CONTACT,
    PHONE,
    TITLE,
    NOTES,
    UID,
    OWN_ZONE,
    GOAL,
    MISSCORED,
    PROVIDER,
    PROVIDER_PHONE,
)
SEARCH = Search([text.replace(".example", "").removesuffix("@kalender") for text in IDENTITIES])
# What is planted in Prefect, which all tests share: names that no other run looks for.
STRANGER = {"sqlite": "Łukaszewiczówna Gęślińskaja", "postgresql": "Őrszigethyné Szűcsújhelyiová"}
WAITING = "state = 'waiting', message_id = NULL, not_before = 0, expires_at = 99999999999, tries = tries + 1"


def event(uid: str, at: Instant, title: str, zone: str = ZONE) -> str:
    start = wall_of(at, ZONE).replace("-", "").replace(":", "")
    return (
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID={zone}:{start}\r\nDURATION:PT50M\r\n"
        f"SUMMARY:{title}\r\nDESCRIPTION:{NOTES}\r\nATTENDEE;CN={QUIET}:mailto:{CONTACT}\r\nEND:VEVENT\r\n"
    )


def calendar(*events: str) -> str:
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nX-WR-CALNAME:{THERAPIST}\r\n{''.join(events)}END:VCALENDAR\r\n"


@dataclass
class Run:
    """The practice, and what its commands printed."""

    folder: Path
    practice: Practice
    mailbox: Mailbox
    now: Instant
    server: Server
    printed: dict[str, bytes] = field(default_factory=dict)
    shown: dict[str, bytes] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)

    @property
    def toml(self) -> Path:
        return self.folder / "practice.toml"

    @property
    def database(self) -> str:
        return self.practice.store.url.render_as_string(hide_password=False)

    def write_calendar(self, *ahead: float) -> None:
        past = [event(f"past{w}", self.now - w * 7 * DAY, f"Sitzung {QUIET}") for w in range(5, 11)]
        past.append(event(UID, self.now - 11 * 7 * DAY, f"Sitzung {QUIET}"))
        booked = [event(f"next{n}", self.now + int(days * DAY), f"Sitzung {QUIET}") for n, days in enumerate(ahead)]
        odd = [event("odd", self.now + DAY, TITLE), event("zoned", self.now + DAY, f"{REJECTED} {NOTES}", OWN_ZONE)]
        (self.folder / "t1.ics").write_text(calendar(*past, *booked, *odd), encoding="utf-8", newline="")

    def command(self, *words: str, expect: int | tuple[int, ...], shows: bool = False) -> str:
        """Run a command as a user would. What it prints is evidence, unless showing identity is what it is for."""
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = tending(["--practice", str(self.toml), *words])
        printed = out.buffer.getvalue() + b"\n" + err.buffer.getvalue()
        told = printed.decode()
        assert code in ((expect,) if isinstance(expect, int) else expect), told
        assert "Traceback" not in told
        (self.shown if shows else self.printed)[f"command {len(self.printed) + len(self.shown)}"] = printed
        return told

    def acts(self) -> list[tuple[str, str, str]]:
        with self.practice.store.read() as connection:
            rows = connection.exec_driver_sql("SELECT who, act, subject FROM audit ORDER BY id").tuples()
            return [(str(a), str(b), str(c)) for a, b, c in rows]

    def code_of(self, clinic_id: str) -> str:
        """The code of a client, past the audit."""
        return str(self._client(clinic_id).code)

    def client_id(self, clinic_id: str) -> int:
        return int(self._client(clinic_id).id)

    def _client(self, clinic_id: str) -> Any:
        ref = ref_hash(self.practice.vault, clinic_id)
        with self.practice.store.read() as connection:
            return connection.exec_driver_sql(f"SELECT id, code FROM client WHERE ref_hash = '{ref}'").one()

    def reopen(self, *, broken: bool) -> None:
        url = self.practice.settings.store.url if self.practice.store.dialect != SQLITE else ""
        self.toml.write_text(practice_toml(url, self.mailbox.port, broken=broken), encoding="utf-8")
        self.practice.close()
        self.practice = open_practice(self.toml)

    def execute(self, *statements: str) -> None:
        with self.practice.store.write() as connection:
            for statement in statements:
                connection.execute(text(statement))


async def must_fail(run: Run, workflow: Callable[..., Awaitable[object]], table: str, column: str) -> None:
    """A flow run that really fails in Prefect: a column it needs is gone."""
    run.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO {column}_elsewhere")
    try:
        with pytest.raises(Exception, match=r"at integrations/"):
            await workflow(now=utc_text(run.now + HOUR + 120))
    finally:
        run.execute(f"ALTER TABLE {table} RENAME COLUMN {column}_elsewhere TO {column}")


def write_files(folder: Path, now: Instant) -> None:
    exports = folder / "exports"
    exports.mkdir()
    clients = [
        "id,name,therapist,status,intake,contact,notes",
        f'{IDS[0]},{QUIET},T1,active,2026-01-05,{CONTACT},"{NOTES}"',
        f"{IDS[1]},{TWIN},T1,active,2026-01-05,{PHONE},{NOTES}",
        f"{IDS[2]},{TWIN},T1,ended,2026-01-05,,",
        f"{IDS[3]},{REJECTED},T1,active,2026-31-31,{PHONE},{NOTES}",
    ]
    (exports / "clients.csv").write_text("\n".join(clients) + "\n", encoding="utf-8")
    (exports / "therapists.csv").write_text(f"id,name,email\nT1,{THERAPIST},{THERAPIST_MAIL}\n", encoding="utf-8")
    rows = ["id,client,client name,therapist,start,minutes,status"]
    rows += [f"a{w},{IDS[0]},{QUIET},T1,{wall_of(now - w * 7 * DAY, ZONE)[:16]},50,attended" for w in range(10, 4, -1)]
    rows += [
        f"b1,{IDS[1]},{TWIN},T1,{wall_of(now, ZONE)[:16]},{NOTES},attended",
        f"b2,{QUIET},,T1,2026-01-01 10:00,50,attended",
    ]
    rows += [
        f"b3,{IDS[1]},{TWIN},T1,2026-03-29 02:30,50,{REJECTED}",
        f"b4,{IDS[1]},{TWIN},T1,2026-03-29 02:30,50,attended",
    ]
    (exports / "appointments.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    goals = [f"G-1,{IDS[0]},{GOAL},{NOTES},2026-01-05", f"G-2,{IDS[1]},{GOAL},,2026-31-31"]
    (exports / "goals.csv").write_text("\n".join(["id,client,goal,target,set", *goals]) + "\n", encoding="utf-8")
    taken = wall_of(now - DAY, ZONE)[:10]
    scores = [f"{IDS[0]},PHQ-9,{taken},12,1", f"{IDS[1]},{MISSCORED},{taken},12,", f"{IDS[1]},PHQ-9,{taken},{QUIET},"]
    (exports / "scores.csv").write_text(
        "\n".join(["client,measure,taken,score,risk", *scores]) + "\n", encoding="utf-8"
    )
    provider = f"{PROVIDER_ID},{PROVIDER},Leipzig,trauma,german,{PROVIDER_PHONE},open,{taken}"
    (exports / "providers.csv").write_text(
        f"id,name,place,specialty,language,phone,capacity,verified\n{provider}\n", encoding="utf-8"
    )
    (exports / "breaks.csv").write_text(f"client,from,to\n{IDS[1]},2026-02-01,2026-02-08\n", encoding="utf-8")
    (folder / "misread").mkdir()
    row = f"{IDS[3]},{MISREAD},T1,active\n".encode("cp1252")
    broken = (
        f"{IDS[3]}-2,{MISREAD},T1,active\n".encode() + b"K9,\xff\xfe\x81" + MISREAD.encode("cp1252") + b",T1,active\n"
    )
    (folder / "misread" / "clients.csv").write_bytes(b"id,name,therapist,status\n" + broken + row)
    (folder / "headless").mkdir()
    (folder / "headless" / "clients.csv").write_text(f"{IDS[3]},{REJECTED},T1,active,{CONTACT}\n", encoding="utf-8")
    (folder / "cut.ics").write_text(calendar(event("cut", now, TITLE))[:-40], encoding="utf-8", newline="")
    (folder / "page.ics").write_text(f"<html><title>Anmelden als {THERAPIST}</title></html>", encoding="utf-8")


def practice_toml(url: str, port: int, *, broken: bool = False) -> str:
    """`broken`: with sources that cannot be read, while which nobody is called quiet."""
    sources = [
        ("records", "records", "exports", ""),
        ("misread", "records", "misread", ""),
        ("cal-t1", "calendar", "t1.ics", 'therapist = "T1"'),
    ]
    if broken:
        sources += [
            ("headless", "records", "headless", ""),
            ("cut", "calendar", "cut.ics", ""),
            ("page", "calendar", "page.ics", ""),
        ]
    parts = "".join(f'[[source]]\nname = "{n}"\nkind = "{k}"\npath = "{p}"\n{more}\n' for n, k, p, more in sources)
    return f"""
[practice]
name = "Northside"
zone = "{ZONE}"
[store]
url = "{url}"
[mail]
host = "127.0.0.1"
port = {port}
sender = "alerts@example.org"
[admin]
email = "admin@example.org"
[desk]
public_url = "http://127.0.0.1:9"
label = "name"
[policy]
speak = "at_once"
{parts}"""
