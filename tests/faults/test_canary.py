"""Codes only beyond the store: long, non-ASCII identities run through everything, then every sink is searched, and each search is shown to find a plant."""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from flows.calendar_sync import calendar_sync
from flows.deliver_notices import deliver_notices
from flows.nightly_check import nightly_check
from flows.record_sync import record_sync
from flows.stalled_clients import stalled_clients
from flows.weekly_letters import weekly_letters
from integrations.messages.mailbox import Mailbox
from integrations.opened import lend
from integrations.practice import Practice, open_practice
from integrations.store import arming, audit
from integrations.store.engine import SQLITE
from models.instants import DAY, HOUR, Instant, instant_of, utc_text, wall_of
from tending.server import Server
from tests.faults.canary import Search, cells_of, files_in, mails_in, prefect_says, spellings, words_of
from tests.flows.clinic import monday_morning
from tests.integrations.messages.servers import scripted

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
UID = "sitzung-þórunnsdóttir-rosenkränzchen@kalender"
OWN_ZONE = "Zeitzone/Mühlhäuserinnen"
IDENTITIES = (QUIET, TWIN, REJECTED, UNKNOWN, MISREAD, THERAPIST, THERAPIST_MAIL, *IDS, CONTACT, PHONE, TITLE, NOTES, UID, OWN_ZONE)
SEARCH = Search([text.replace(".example", "").removesuffix("@kalender") for text in IDENTITIES])
SHOWS_IDENTITY = "shows identity, and is recorded"


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
        environment = {**os.environ, "TENDING_PRACTICE": str(self.toml), "PYTHONIOENCODING": "utf-8", "COLUMNS": "200"}
        done = subprocess.run(
            [sys.executable, "-m", "tending.cli", *words], capture_output=True, env=environment, cwd=self.folder, timeout=60
        )
        told = (done.stdout + done.stderr).decode("utf-8", "replace")
        assert done.returncode in ((expect,) if isinstance(expect, int) else expect), told
        assert b"Traceback" not in done.stdout + done.stderr
        (self.shown if shows else self.printed)[f"tending {' '.join(words)}"] = done.stdout + b"\n" + done.stderr
        return told

    def acts(self) -> list[tuple[str, str, str]]:
        with self.practice.store.read() as connection:
            rows = connection.exec_driver_sql("SELECT who, act, subject FROM audit ORDER BY id").tuples()
            return [(str(a), str(b), str(c)) for a, b, c in rows]

    def code_of(self, clinic_id: str) -> str:
        """The code of a client, past the audit."""
        from integrations.store.people import ref_hash

        with self.practice.store.read() as connection:
            ref = ref_hash(self.practice.vault, clinic_id)
            return str(connection.exec_driver_sql(f"SELECT code FROM client WHERE ref_hash = '{ref}'").scalar_one())

    def execute(self, *statements: str) -> None:
        with self.practice.store.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))


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
    rows += [f"b1,{IDS[1]},{TWIN},T1,{wall_of(now, ZONE)[:16]},{NOTES},attended", f"b2,{QUIET},,T1,2026-01-01 10:00,50,attended"]
    rows += [f"b3,{IDS[1]},{TWIN},T1,2026-03-29 02:30,50,{REJECTED}", f"b4,{IDS[1]},{TWIN},T1,2026-03-29 02:30,50,attended"]
    (exports / "appointments.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (exports / "breaks.csv").write_text(f"client,from,to\n{IDS[1]},2026-02-01,2026-02-08\n", encoding="utf-8")
    (folder / "misread").mkdir()
    row = f"{IDS[3]},{MISREAD},T1,active\n".encode("cp1252")
    broken = f"{IDS[3]}-2,{MISREAD},T1,active\n".encode() + b"K9,\xff\xfe\x81" + MISREAD.encode("cp1252") + b",T1,active\n"
    (folder / "misread" / "clients.csv").write_bytes(b"id,name,therapist,status\n" + broken + row)
    (folder / "headless").mkdir()
    (folder / "headless" / "clients.csv").write_text(f"{IDS[3]},{REJECTED},T1,active,{CONTACT}\n", encoding="utf-8")
    (folder / "cut.ics").write_text(calendar(event("cut", now, TITLE))[:-40], encoding="utf-8", newline="")
    (folder / "page.ics").write_text(f"<html><title>Anmelden als {THERAPIST}</title></html>", encoding="utf-8")


def practice_toml(url: str, port: int, data: str = "data") -> str:
    sources = [
        ("records", "records", "exports", ""),
        ("misread", "records", "misread", ""),
        ("headless", "records", "headless", ""),
        ("cal-t1", "calendar", "t1.ics", 'therapist = "T1"'),
        ("cut", "calendar", "cut.ics", ""),
        ("page", "calendar", "page.ics", ""),
    ]
    parts = "".join(f'[[source]]\nname = "{n}"\nkind = "{k}"\npath = "{p}"\n{more}\n' for n, k, p, more in sources)
    return f"""
[practice]
name = "Northside"
zone = "{ZONE}"
data = "{data}"
[store]
url = "{url}"
[mail]
host = "127.0.0.1"
port = {port}
sender = "alerts@example.org"
[admin]
email = "admin@example.org"
[policy]
speak = "at_once"
{parts}"""


@pytest.fixture
def run(tmp_path: Path, database_url: str, prefect_server: Server) -> Iterator[Run]:
    folder = tmp_path / "praxis"
    folder.mkdir()
    now = monday_morning()
    write_files(folder, now)
    with Mailbox(tmp_path / "mails") as mailbox:
        url = "" if database_url.startswith("sqlite") else database_url
        (folder / "practice.toml").write_text(practice_toml(url, mailbox.port), encoding="utf-8")
        with open_practice(folder / "practice.toml", create=True) as practice:
            yield Run(folder, practice, mailbox, now, prefect_server)


def at(when: Instant) -> str:
    return utc_text(when)


async def everything(run: Run) -> str:
    """Intake, rules, notices, delivery, letters and every way to fail, with identities at hand. Answers the head that was sent out."""
    practice, now = run.practice, run.now
    arming.arm(practice.store, practice.data, "test", now)
    with lend(practice, "test"):
        run.write_calendar(4)
        assert await record_sync(now=at(now)) is not None
        await calendar_sync(now=at(now))
        await stalled_clients(now=at(now))
        await refusals(run)
        run.write_calendar()
        await calendar_sync(now=at(now + HOUR))
        await stalled_clients(now=at(now + HOUR))
        assert any(run.code_of(IDS[0]) in mail.text for mail in run.mailbox.mails())
        await failures(run)
        await nightly_check(now=at(now + 2 * HOUR))
        await weekly_letters(now=at(now + 2 * HOUR))
        await deliver_notices(now=at(now + 4 * HOUR))
    commands(run)
    return head_sent(run)


async def refusals(run: Run) -> None:
    """A mail server that refuses, and in refusing repeats an address and a name."""
    answer = f"550 5.1.1 <{THERAPIST_MAIL}> {QUIET} unbekannt"
    other = run.folder / "refused.toml"
    run.write_calendar()
    with scripted(RCPT=answer, content=answer, MAIL=answer) as server:
        other.write_text(practice_toml(run.practice.settings.store.url, server.port), encoding="utf-8")
        with open_practice(other) as practice, lend(practice, "test"):
            await calendar_sync(sources=["cal-t1"], now=at(run.now + 60))
            await stalled_clients(now=at(run.now + 60))
            await deliver_notices(now=at(run.now + 120))
            assert "RCPT" in server.heard or "MAIL" in server.heard
    other.unlink()
    run.write_calendar(4)
    await calendar_sync(now=at(run.now + 180))
    await stalled_clients(now=at(run.now + 180))


async def failures(run: Run) -> None:
    """Runs that fail at a fault nobody foresaw, in the middle of writing a row, an entry and a message."""
    later = at(run.now + HOUR + 60)
    clients = run.folder / "exports" / "clients.csv"
    whole = clients.read_text(encoding="utf-8")
    clients.write_text(whole + f"{IDS[3]}-3,{REJECTED},T1,{NOTES},2026-01-05,{PHONE},{NOTES}\n", encoding="utf-8")
    run.execute("ALTER TABLE quarantine RENAME COLUMN raw TO raw_elsewhere")
    await record_sync(now=later)
    run.execute("ALTER TABLE quarantine RENAME COLUMN raw_elsewhere TO raw")
    clients.write_text(whole, encoding="utf-8")
    run.write_calendar(5, 6)
    run.execute("ALTER TABLE observation RENAME COLUMN hints TO hints_elsewhere")
    await calendar_sync(now=later)
    run.execute("ALTER TABLE observation RENAME COLUMN hints_elsewhere TO hints")
    run.write_calendar()
    await must_fail(run, weekly_letters, "notice", "facts")
    await weekly_letters(now=later)
    await must_fail(run, nightly_check, "finding", "evidence")
    run.execute("UPDATE notice SET state = 'waiting', message_id = NULL, not_before = 0, expires_at = 99999999999 WHERE purpose = 'weekly_line'")
    await must_fail(run, deliver_notices, "message", "sealed")
    with pytest.raises(Exception, match="source called"):
        await calendar_sync(sources=["cal-t9"])


async def must_fail(run: Run, flow: Callable[..., Awaitable[object]], table: str, column: str) -> None:
    """A flow run that really fails in Prefect: a column it needs is gone."""
    run.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO {column}_elsewhere")
    try:
        with pytest.raises(Exception, match="Error at"):
            await flow(now=at(run.now + HOUR + 120))
    finally:
        run.execute(f"ALTER TABLE {table} RENAME COLUMN {column}_elsewhere TO {column}")


def commands(run: Run) -> None:
    """What an administrator types, also with names where codes belong."""
    code = run.code_of(IDS[0])
    run.command("sync", expect=(1, 3, 4))
    run.command("sync", "--json", expect=(1, 3, 4))
    for words in (("findings", "--all"), ("findings", "--json"), ("status",), ("policy",), ("held", "cal-t1"), ("unmatched",)):
        run.command(*words, expect=(0, 1))
    run.command("check", expect=1)
    run.command("check", "--json", expect=1)
    run.command("outbox", "list", "--all", expect=(0, 1))
    run.command("why", code, expect=0)
    run.command("why", code, "--at", f"{datetime.fromtimestamp(run.now - DAY, UTC):%Y-%m-%d}", "--json", expect=0)
    run.command("quarantine", "list", expect=1)
    run.command("quarantine", "list", "--json", expect=1)
    run.command("rebuild", "--dry-run", expect=0)
    run.command("init", "--dry-run", "--from", str(run.folder), expect=0)
    # Refused, with an identity on the command line.
    for name in (QUIET, QUIET.split()[1], IDS[0]):
        run.command("why", name, expect=2)
        run.command("who", name, expect=2)
        run.command("policy", name, expect=2)
        run.command("policy", "--therapist", name, expect=2)
        run.command("sync", name, expect=(2, 3))
        run.command(name, expect=2)
    run.command("why", *QUIET.split(), expect=2)
    run.command(f"--{QUIET.split()[0]}", expect=2)
    run.command("why", code, "--at", QUIET, expect=2)
    run.command("quarantine", "show", QUIET, expect=2)
    run.command("quarantine", "discard", "999999", NOTES, expect=2)
    run.command("code", UNKNOWN, expect=2)
    run.command("audit", "list", "--about", QUIET, expect=2)
    run.command("audit", "verify", "--head", QUIET, expect=2)
    recorded(run, code)
    run.command("audit", "list", "--last", "1000", expect=0)
    run.command("audit", "list", "--last", "1000", "--json", expect=0)


def recorded(run: Run, code: str) -> None:
    """Every act that shows who somebody is writes a row, with who asked and about whom."""
    with run.practice.store.read() as connection:
        (held, *_) = connection.exec_driver_sql("SELECT id FROM quarantine WHERE state = 'held' ORDER BY id").scalars()
    looks = (
        (("who", code), "identity read", code, QUIET),
        (("who", code, "--json"), "identity read", code, IDS[0]),
        (("code", QUIET), "code looked up", code, code),
        (("code", IDS[0]), "code looked up", code, code),
        (("quarantine", "show", str(held)), "quarantine opened", None, ""),
        (("quarantine", "discard", str(held), NOTES), "quarantine discarded", None, ""),
        (("unmatched", "--titles", "--all"), "titles of unmatched entries read", "", UNKNOWN),
    )
    for words, act, subject, told in looks:
        before = len(run.acts())
        shows = words[0] in ("who", "unmatched") or "show" in words
        # `code` is asked with a name; what it prints is codes alone.
        assert told in run.command(*words, expect=0, shows=shows)
        new = run.acts()[before:]
        assert [(a, s) for _, a, s in new if subject is None or s == subject] == [(act, s) for _, _, s in new], words
        assert len(new) == 1, words
        assert new[0][1] == act
        assert new[0][0]
    before = len(run.acts())
    assert len(run.command("code", TWIN, expect=0).split("C-")) == 3  # two of that name
    assert [act for _, act, _ in run.acts()[before:]] == ["code looked up"] * 2
    before = len(run.acts())
    run.command("code", "Niemand Unbekanntes", expect=2)
    assert [act for _, act, _ in run.acts()[before:]] == ["code looked up"]


def head_sent(run: Run) -> str:
    """The head of the audit that the weekly mail carried."""
    heads = [found for mail in run.mailbox.mails() for found in re.findall(r"\b\d+:[0-9a-f]{32}\b", mail.text)]
    assert heads
    return heads[-1]


async def test_identities_lie_nowhere_but_sealed(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """Everything runs, then every sink is searched; then each sink gets a plant, and its search finds it."""
    caplog.set_level(logging.INFO)
    await everything(run)
    from tending.serving import hand_over

    await __import__("asyncio").to_thread(lambda: None)
    await hand_over()
    sinks = {
        "database": lambda: cells_of(run.database),
        "data folder": lambda: files_in(run.folder / "data"),
        "Prefect's database": lambda: cells_of(f"sqlite:///{run.server.folder / 'prefect.db'}"),
        "Prefect's folder": lambda: files_in(run.server.folder),
        "Prefect's pages": lambda: prefect_says(run.server.api_url),
        "mails": lambda: mails_in(run.mailbox.folder, without=THERAPIST_MAIL),
        "printed": lambda: run.printed,
        "logged": lambda: {"log": caplog.text.encode()},
    }
    leaks = [f"{name}: {leak}" for name, look in sinks.items() for leak in SEARCH.in_sink(look())]
    assert not leaks, "\n".join(leaks[:40])
