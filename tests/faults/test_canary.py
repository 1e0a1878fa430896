"""Codes only beyond the store: long, non-ASCII identities run through everything; then each sink is searched, and shown a plant."""

import asyncio
import base64
import contextlib
import gzip
import hashlib
import html
import io
import json
import logging
import pickle
import quopri
import re
import smtplib
import unicodedata
import urllib.parse
import zlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect import flow
from sqlalchemy import select, text

from flows.calendar_sync import calendar_sync
from flows.deliver_notices import deliver_notices
from flows.nightly_check import nightly_check
from flows.record_sync import record_sync
from flows.stalled_clients import stalled_clients
from flows.weekly_letters import weekly_letters
from integrations.messages.mailbox import Mailbox
from integrations.opened import lend
from integrations.practice import Practice, open_practice
from integrations.store import arming, audit, facts
from integrations.store.decisions import decide
from integrations.store.engine import SQLITE
from integrations.store.people import ref_hash
from models.instants import DAY, HOUR, Instant, utc_text, wall_of
from models.subjects import normal_form
from tending.cli import run as tending
from tending.server import Server
from tending.serving import hand_over
from tests.faults.canary import Search, Sink, cells_of, files_in, mails_in, prefect_says, words_of
from tests.flows.clinic import monday_morning
from tests.flows.test_reactor import reacting, until
from tests.integrations.messages.servers import scripted
from tests.integrations.store.test_audit import unguarded

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
    rows += [
        f"b1,{IDS[1]},{TWIN},T1,{wall_of(now, ZONE)[:16]},{NOTES},attended",
        f"b2,{QUIET},,T1,2026-01-01 10:00,50,attended",
    ]
    rows += [
        f"b3,{IDS[1]},{TWIN},T1,2026-03-29 02:30,50,{REJECTED}",
        f"b4,{IDS[1]},{TWIN},T1,2026-03-29 02:30,50,attended",
    ]
    (exports / "appointments.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
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
[policy]
speak = "at_once"
{parts}"""


@pytest.fixture
def run(tmp_path: Path, database_url: str, prefect_server: Server) -> Iterator[Run]:
    folder = tmp_path / "praxis"
    folder.mkdir()
    now = monday_morning() - 7 * DAY
    write_files(folder, now)
    with Mailbox(tmp_path / "mails") as mailbox:
        url = "" if database_url.startswith("sqlite") else database_url
        (folder / "practice.toml").write_text(practice_toml(url, mailbox.port), encoding="utf-8")
        run = Run(folder, open_practice(folder / "practice.toml", create=True), mailbox, now, prefect_server)
        yield run
        run.practice.close()


def at(when: Instant) -> str:
    return utc_text(when)


async def everything(run: Run) -> str:
    """Intake, rules, notices, delivery, letters and every way to fail, with identities at hand. Answers the head that was sent out."""
    now = run.now
    arming.arm(run.practice.store, run.practice.data, "test", now)
    with lend(run.practice, "test"):
        run.write_calendar(4)
        assert await record_sync(now=at(now)) is not None
        await calendar_sync(now=at(now))
        await stalled_clients(now=at(now))
        run.write_calendar()
        await calendar_sync(now=at(now + 60))
        with run.practice.store.write() as connection:
            decide(run.practice, connection, [run.client_id(IDS[0])], now + 60)
        await refusals(run, 451, "RCPT", now + 120)
        await stalled_clients(now=at(now + HOUR))
        assert any(run.code_of(IDS[0]) in mail.text for mail in run.mailbox.mails())
    for clinic_id in IDS[:3]:
        await asyncio.to_thread(run.command, "who", run.code_of(clinic_id), expect=0, shows=True)
    run.reopen(broken=True)
    with lend(run.practice, "test"):
        await calendar_sync(now=at(now + HOUR))
        await failures(run)
        await nightly_check(now=at(now + 2 * HOUR))
        await weekly_letters(now=at(now + 2 * HOUR))
        await deliver_notices(now=at(now + DAY))
    run.execute(f"UPDATE notice SET {WAITING}")
    await refusals(run, 554, "content", now + DAY + HOUR)
    await reaction(run, now + DAY + 2 * HOUR)
    await asyncio.to_thread(commands, run)
    return head_sent(run)


async def refusals(run: Run, code: int, word: str, when: Instant) -> None:
    """A mail server that refuses, and in refusing repeats an address and a name."""
    other = run.folder / "refused.toml"
    url = run.practice.settings.store.url
    with scripted(**{word: f"{code} 5.1.1 <{THERAPIST_MAIL}> {QUIET} unbekannt"}) as server:
        other.write_text(practice_toml(url, server.port), encoding="utf-8")
        with open_practice(other) as practice, lend(practice, "test"):
            await deliver_notices(now=at(when))
            assert ("DATA" if word == "content" else word) in server.heard
    other.unlink()


async def reaction(run: Run, when: Instant) -> None:
    """The long-lived process takes in a booking, and a file that breaks in the middle, tells Prefect and logs."""

    def there(start: Instant) -> bool:
        with run.practice.store.read() as connection:
            taken = connection.exec_driver_sql(
                f"SELECT count(*) FROM appointment WHERE start_at = {start}"
            ).scalar_one()
            waiting = connection.exec_driver_sql("SELECT count(*) FROM change WHERE NOT event_sent").scalar_one()
        return bool(taken) and not waiting

    async with reacting(replace(run, now=when), sweep_seconds=1.0):
        run.write_calendar(20)
        assert await until(lambda: there(run.now + 20 * DAY), 40)
        whole = (run.folder / "t1.ics").read_bytes()
        (run.folder / "t1.ics").write_bytes(whole[: len(whole) // 2])

        def noticed() -> bool:
            with run.practice.store.read() as connection:
                return bool(connection.exec_driver_sql("SELECT problem FROM source WHERE name = 'cal-t1'").scalar_one())

        assert await until(noticed, 40)
    run.write_calendar()


async def failures(run: Run) -> None:
    """Runs that fail at a fault nobody foresaw, in the middle of writing a row, an entry and a message."""
    later = at(run.now + HOUR + 60)
    clients = run.folder / "exports" / "clients.csv"
    whole = clients.read_text(encoding="utf-8")
    clients.write_text(whole + f"{IDS[3]}-3,{REJECTED},T1,{NOTES},2026-01-05,{PHONE},{NOTES}\n", encoding="utf-8")
    run.execute("ALTER TABLE quarantine RENAME COLUMN raw TO raw_elsewhere")
    await record_sync(now=later)
    await asyncio.to_thread(run.command, "sync", "records", expect=70)  # an error of our own: its place is written down
    assert (run.practice.data / "logs" / "errors.log").read_text()
    run.execute("ALTER TABLE quarantine RENAME COLUMN raw_elsewhere TO raw")
    clients.write_text(whole, encoding="utf-8")
    run.write_calendar(5, 6)
    run.execute("ALTER TABLE observation RENAME COLUMN hints TO hints_elsewhere")
    await calendar_sync(now=later)
    run.execute("ALTER TABLE observation RENAME COLUMN hints_elsewhere TO hints")
    run.write_calendar()
    await must_fail(run, weekly_letters, "notice", "facts")
    await weekly_letters(now=later)
    await must_fail(run, nightly_check, "digest", "line")
    run.execute(
        "UPDATE notice SET state = 'waiting', message_id = NULL, not_before = 0, expires_at = 99999999999 WHERE purpose = 'weekly_line'"
    )
    await must_fail(run, deliver_notices, "message", "sealed")
    with pytest.raises(Exception, match="source of that name"):
        await calendar_sync(sources=["cal-t9"])


async def must_fail(run: Run, workflow: Callable[..., Awaitable[object]], table: str, column: str) -> None:
    """A flow run that really fails in Prefect: a column it needs is gone."""
    run.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO {column}_elsewhere")
    try:
        with pytest.raises(Exception, match=r"at integrations/"):
            await workflow(now=at(run.now + HOUR + 120))
    finally:
        run.execute(f"ALTER TABLE {table} RENAME COLUMN {column}_elsewhere TO {column}")


def commands(run: Run) -> None:
    """What an administrator types, also with names where codes belong."""
    code = run.code_of(IDS[0])
    run.command("sync", expect=(1, 3, 4))
    run.command("sync", "--json", expect=(1, 3, 4))
    for words in (
        ("findings", "--all"),
        ("findings", "--json"),
        ("status",),
        ("policy",),
        ("held", "cal-t1"),
        ("unmatched",),
    ):
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


def sinks(run: Run, logged: Callable[[], str]) -> dict[str, Callable[[], Sink]]:
    """Everything beyond the seal, by name."""
    return {
        "database": lambda: cells_of(run.database),
        "data folder": lambda: files_in(run.folder / "data"),
        "Prefect's database": lambda: cells_of(f"sqlite:///{run.server.folder / 'prefect.db'}"),
        "Prefect's folder": lambda: files_in(run.server.folder, without="ui"),  # its pages come with Prefect
        "Prefect's pages": lambda: prefect_says(run.server.api_url),
        "mails": lambda: mails_in(run.mailbox.folder, without=THERAPIST_MAIL),
        "printed": lambda: run.printed,
        "logged": lambda: {"log": logged().encode()},
    }


async def plant(run: Run) -> dict[str, tuple[str, ...]]:
    """Put identities into every sink, in the shape they would have there. Answers sink -> identities, one after the other."""
    with run.practice.store.write() as connection:
        facts.put(connection, "plant", QUIET)
        audit.record(connection, run.now, "test", "planted", "", {"name": TWIN})
    stranger = STRANGER[run.practice.store.dialect]
    logs = run.folder / "data" / "logs"
    logs.mkdir(exist_ok=True)
    (logs / "plant.log").write_bytes(repr(UNKNOWN).encode("utf-16-le"))

    @flow(name="Plant", persist_result=True)
    async def planted() -> str:
        return stranger

    await planted()
    async with httpx.AsyncClient(base_url=run.server.api_url, trust_env=False) as client:
        (
            await client.post("/artifacts/", json={"key": "plant", "type": "markdown", "data": stranger})
        ).raise_for_status()
        line = {
            "name": "x",
            "level": 20,
            "message": stranger,
            "timestamp": utc_text(run.now),
            "flow_run_id": str(uuid4()),
        }
        (await client.post("/logs/", json=[line])).raise_for_status()
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", f"={QUIET}"
    mail.set_content(f"{NOTES}\n" * 3, cte="base64")
    mail.add_attachment(html.escape(TITLE).encode("ascii", "xmlcharrefreplace"), maintype="text", subtype="html")

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", run.mailbox.port) as smtp:
            smtp.send_message(mail)

    await asyncio.to_thread(send)
    run.printed["planted"] = next(iter(run.shown.values()))  # what `who` printed
    logging.getLogger("tending.flows").error("about %s", MISREAD)
    return {
        "database": (QUIET, TWIN),
        "data folder": (UNKNOWN, *((QUIET, TWIN) if run.practice.store.dialect == SQLITE else ())),
        "Prefect's database": (stranger,),
        "Prefect's folder": (stranger,),
        "Prefect's pages": (stranger,),
        "mails": (QUIET, "verünglückten", "Kindesmißhandlung"),
        "printed": (QUIET, IDS[0]),
        "logged": (MISREAD,),
    }


@pytest.mark.timeout(300)
async def test_identities_lie_nowhere_but_sealed(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """Everything runs, then every sink is searched; then each sink gets a plant, and its search finds it. The head of the audit that
    left the house finds what is then done to the audit."""
    caplog.set_level(logging.INFO)
    head = await everything(run)
    await hand_over()
    looks = sinks(run, lambda: caplog.text)
    leaks = [f"{name}: {leak}" for name, look in looks.items() for leak in SEARCH.in_sink(look())]
    assert not leaks, "\n".join(leaks[:40])
    stranger = Search([STRANGER[run.practice.store.dialect]])
    assert not [one for name, look in looks.items() for one in stranger.in_sink(look())]
    planted = await plant(run)
    assert planted.keys() == looks.keys()
    for name, texts in planted.items():
        found = (stranger if "Prefect" in name else SEARCH).in_sink(looks[name]())
        missed = {word for text in texts for word in words_of([text])} - {
            one.split(": ")[-1].rpartition(" (")[0] for one in found
        }
        assert not missed, name
        if name == "Prefect's folder":
            places = {part for one in found for part in Path(one.split(": ")[0]).parts}
            assert "storage" in places
            assert places & {"prefect.db", "prefect.db-wal"}
    tampering_is_found(run, head)


def tampering_is_found(run: Run, head: str) -> None:
    """Changed, cut or made anew: with the head that a weekly mail carried, each is found; and before it, nothing is."""
    store = run.practice.store
    audit.seal_all(store)
    place = int(head.partition(":")[0])
    assert audit.verify(store, head).whole
    run.command("audit", "verify", "--head", head, expect=0)
    kept = acts_as_written(run)
    assert len(kept) > place > 1
    unguarded(store)
    damage = {
        "changed": [f"UPDATE audit SET who = 'nobody' WHERE place = {place - 1}"],
        "lost": [f"DELETE FROM audit WHERE place = {place - 1}"],
        "cut": [f"DELETE FROM audit WHERE place >= {place}"],
        "made anew": ["UPDATE audit SET place = NULL, seal = '', who = 'nobody'"],
    }
    for how, statements in damage.items():
        run.execute(*statements)
        if how in ("cut", "made anew"):
            audit.seal_all(store)
            assert audit.verify(store).whole  # by itself it looks well
        assert not audit.verify(store, head).whole, how
        run.command("audit", "verify", "--head", head, expect=1)
        put_back(run, kept)
        assert audit.verify(store, head).whole


def acts_as_written(run: Run) -> list[dict[str, Any]]:
    with run.practice.store.read() as connection:
        return [dict(row._mapping) for row in connection.execute(select(audit.AUDIT))]


def put_back(run: Run, acts: list[dict[str, Any]]) -> None:
    with run.practice.store.write() as connection:
        connection.execute(audit.AUDIT.delete())
        connection.execute(audit.AUDIT.insert(), acts)


PLAIN = "Þórunnsdóttir"
WRITTEN = {
    "plain": PLAIN.encode(),
    "decomposed": unicodedata.normalize("NFD", PLAIN).encode(),
    "in small letters": PLAIN.casefold().encode(),
    "as names are compared": normal_form(QUIET).encode(),
    "html": f"<b>{html.escape(QUIET)}</b>".encode("ascii", "xmlcharrefreplace"),
    "html by name": PLAIN.replace("Þ", "&THORN;").replace("ó", "&oacute;").encode(),
    "url": urllib.parse.quote(f"a={QUIET}").encode(),
    "url of a form": urllib.parse.urlencode({"q": QUIET}, encoding="cp1252", errors="replace").encode(),
    "json": json.dumps({"a": QUIET}).encode(),
    "json in json": json.dumps(json.dumps(json.dumps({"a": QUIET}))).encode(),
    "a representation": repr(QUIET.encode()).encode(),
    **{f"base64 behind {n}": base64.b64encode(b"x" * n + PLAIN.encode() + b"y") for n in range(3)},
    **{f"base64 of UTF-16 behind {n}": base64.b64encode(b"x" * n + PLAIN.encode("utf-16-le")) for n in range(3)},
    "base64 in lines": base64.encodebytes(b"z" * 50 + PLAIN.encode() + b"z" * 50),
    "quoted-printable": quopri.encodestring((f"{'z' * 70}{PLAIN} " * 3).encode()),
    "UTF-16": PLAIN.encode("utf-16-le"),
    "UTF-16 the other way": PLAIN.encode("utf-16-be"),
    "another code page": PLAIN.encode("cp1252"),
    "decoded wrongly and stored": PLAIN.encode().decode("latin-1").encode(),
    "compressed": b"before" + zlib.compress(f"{PLAIN} {NOTES}".encode() * 9) + b"after",
    "compressed as a file": gzip.compress(PLAIN.encode()),
    "pickled": pickle.dumps({"name": PLAIN}),
    "hexadecimal": PLAIN.encode().hex().encode(),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_the_search_finds_every_spelling(how: str) -> None:
    search = Search([QUIET])
    assert any(
        "runnsd" in found or "óttir" in found for found in search.found(b"\0" * 100 + WRITTEN[how] + b" and more")
    )
    assert not search.found(b"C-7F3K9QX is quiet; gAAAAABl" + base64.b64encode(hashlib.sha512(PLAIN.encode()).digest()))
