"""Codes only beyond the store: long, non-ASCII identities run through everything; then each sink is searched, and shown a plant."""

import asyncio
import html
import logging
import re
import smtplib
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect import flow
from sqlalchemy import select

from integrations.messages.mailbox import Mailbox
from integrations.practice import open_practice
from integrations.store import audit, facts
from integrations.store.engine import SQLITE
from models.instants import DAY, utc_text
from tending.server import Server
from tending.serving import hand_over
from tests.faults.canary import Search, Sink, cells_of, files_in, mails_in, prefect_says, words_of
from tests.faults.canary_practice import (
    IDS,
    MISREAD,
    NOTES,
    QUIET,
    SEARCH,
    STRANGER,
    THERAPIST,
    THERAPIST_MAIL,
    TITLE,
    TWIN,
    UNKNOWN,
    Run,
    practice_toml,
    write_files,
)
from tests.faults.canary_way import everything
from tests.flows.clinic import monday_morning
from tests.integrations.store.test_audit import unguarded


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


# Inside a mail a therapist is called by name: a colleague, and nobody's client. No header and no other sink may.
COLLEAGUE = re.compile(rf"mails: \S+ (raw body|part \d+): ({'|'.join(map(re.escape, words_of([THERAPIST])))}) \(")


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
    leaks = [leak for leak in leaks if not COLLEAGUE.match(leak)]
    assert not leaks, "\n".join(leaks[:40])
    # A token opens a door: it lies in the mail that brought it, and nowhere else.
    assert len(run.tokens) > 2
    tokens = Search(run.tokens)
    opened = [f"{name}: {leak}" for name, look in looks.items() if name != "mails" for leak in tokens.in_sink(look())]
    assert not opened, "\n".join(opened[:10])
    assert tokens.in_sink(looks["mails"]())
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
