"""The reactor: from a changed file to one mail, at once, whatever else is broken, and once only."""

import asyncio
import contextlib
import http.server
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.events import Event, emit_event, get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter

from integrations.looks import look_after
from integrations.messages.mailbox import Mailbox
from integrations.store.tables import insert_new
from models.eligibility import Urgency
from models.instants import DAY, Instant
from models.notices import Notice
from models.noticing import ADMIN, NoticeKey, notice_row
from models.settings_source import SourcePart
from tending.glances import FileWatch, mark_of
from tending.reactor import Health, Reactor
from tending.server import Server, start_server
from tests.flows.clinic import SECRETS, Clinic, make_clinic
from tests.prefect_server import pointed_at, runs_of


def clock_from(start: Instant) -> Callable[[], Instant]:
    """A clock that runs as the real one does, from another instant on."""
    began = time.monotonic()
    return lambda: start + int(time.monotonic() - began)


async def until(true: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.05)
    return True


@asynccontextmanager
async def reacting(clinic: Clinic, **options: float) -> AsyncIterator[Reactor]:
    """A reactor over the practice, when it has caught up, for the length of the block."""
    ready = asyncio.Event()
    reactor = Reactor(clinic.practice, clock=clock_from(clinic.now), on_ready=ready.set, **options)
    running = asyncio.create_task(reactor.run())
    try:
        await asyncio.wait_for(ready.wait(), 60)
        yield reactor
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.wait({running})


async def runs_named(name: str) -> dict[UUID, str]:
    """Each run of a flow that the server knows, from whichever test, by its id."""
    async with get_client() as client:
        return {run.id: run.name for run in await runs_of(client, name)}


def open_kinds(clinic: Clinic) -> list[tuple[object, ...]]:
    return clinic.rows("SELECT kind FROM finding WHERE cleared_at IS NULL")


@pytest.fixture
def unread(tmp_path: Path, mailbox: Mailbox, database_url: str) -> Iterator[Clinic]:
    """A practice of which nothing has been read yet, on SQLite and on PostgreSQL."""
    made = make_clinic(tmp_path / "clinic", mailbox, url=database_url)
    made.arm()
    yield made
    made.practice.close()


async def test_a_cancellation_in_a_calendar_file_becomes_one_mail_and_clears(
    prefect_server: Server, unread: Clinic
) -> None:
    clinic, seen = unread, []
    wanted = EventFilter(event=EventNameFilter(prefix=["tending."]))

    async def listen() -> None:
        async with get_events_subscriber(filter=wanted) as subscriber:
            listening.set()
            async for event in subscriber:
                seen.append(event)

    listening = asyncio.Event()
    listener = asyncio.create_task(listen())
    await listening.wait()
    async with reacting(clinic):
        assert open_kinds(clinic) == []
        before = await runs_named("Client looks")
        clinic.write_calendar()
        assert await until(lambda: len(clinic.mails()) == 1)
        assert open_kinds(clinic) == [("quiet",)]
        code = clinic.code()

        def told() -> list[Event]:
            mine = [e for e in seen if e.resource.id == f"tending.client.{code}"]
            return [e for e in mine if e.event == "tending.appointment.cancelled"]

        assert await until(lambda: bool(told()))
        (event,) = told()
        assert event.payload == {}
        clinic.write_calendar(9)
        assert await until(lambda: open_kinds(clinic) == [])
        # One run for each batch, none for the reading; each has its name once it has ended, which is after what it wrote is there.
        for _ in range(20):
            await asyncio.sleep(1)
            runs = await runs_named("Client looks")
            made = [name for run, name in runs.items() if run not in before]
            if "Client looks" not in made:
                break
        assert made == ["Client looks: 1 looked at"] * 2
    listener.cancel()
    assert len(clinic.mails()) == 1
    assert clinic.rows("SELECT count(*) FROM change WHERE drained_at IS NULL OR NOT event_sent") == [(0,)]


async def test_what_another_process_wrote_is_noticed(prefect_server: Server, unread: Clinic) -> None:
    from integrations.practice import open_practice
    from integrations.reading import read_source

    clinic = unread
    async with reacting(clinic) as reactor:
        reactor._touched.clear()  # its own watching of files plays no part
        reactor._touched.update(dict.fromkeys(["records", "cal-t1"], asyncio.Event()))
        clinic.write_calendar()
        with open_practice(clinic.toml) as other:
            read_source(other, other.settings.source[1], clinic.now + 60)
        assert await until(lambda: len(clinic.mails()) == 1)


async def test_restarted_in_the_middle_nothing_is_lost_or_said_twice(prefect_server: Server, unread: Clinic) -> None:
    clinic = unread
    for _ in range(2):
        async with reacting(clinic):
            pass
    clinic.write_calendar()
    clinic.read(clinic.now + 60)  # taken in, and then the process ended: nothing decided yet
    assert open_kinds(clinic) == []
    for _ in range(3):
        async with reacting(clinic):
            assert open_kinds(clinic) == [("quiet",)]
            assert await until(lambda: len(clinic.mails()) == 1)
    assert len(clinic.mails()) == 1


async def test_two_at_once_make_one_mail(prefect_server: Server, unread: Clinic) -> None:
    from integrations.practice import open_practice

    clinic = unread
    with open_practice(clinic.toml) as second:
        other = Clinic(clinic.folder, clinic.now, clinic.mailbox, second)
        async with reacting(clinic), reacting(other):
            clinic.write_calendar()
            assert await until(lambda: len(clinic.mails()) == 1)
            await asyncio.sleep(3)
    assert len(clinic.mails()) == 1
    assert clinic.rows("SELECT count(*) FROM message") == [(1,)]


async def test_after_an_outage_what_is_sent_is_what_the_sources_say_then(
    prefect_server: Server, tmp_path: Path, mailbox: Mailbox, database_url: str
) -> None:
    """Due when the program ended; before it starts, another appointment was booked."""
    clinic = make_clinic(tmp_path / "clinic", mailbox, url=database_url)
    for at, ahead in ((clinic.now - 120, (4,)), (clinic.now - 60, ())):
        clinic.write_calendar(*ahead)
        clinic.read(at)
        look_after(clinic.practice, at, "test")
    assert clinic.rows("SELECT state FROM notice") == [("waiting",)]
    clinic.write_calendar(9)
    clinic.arm()
    async with reacting(clinic):
        assert open_kinds(clinic) == []
        assert await until(lambda: clinic.rows("SELECT state FROM notice") == [("cancelled",)])
    assert clinic.mails() == []
    clinic.practice.close()


async def test_a_source_that_hangs_at_the_start_keeps_no_notice_for_long(
    prefect_server: Server, tmp_path: Path, mailbox: Mailbox
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/c.ics"
        clinic = make_clinic(
            tmp_path / "clinic", mailbox, extra=f'[[source]]\nname = "slow"\nkind = "calendar"\nurl = "{address}"\n'
        )
        clinic.arm()
        key = NoticeKey("source:records", "held_vanished", 1, 0, ADMIN)
        facts = {"source": "records", "what": "goals", "vanished": 3, "ahead": 4}
        row = notice_row(key, Urgency.system, clinic.now, DAY, clinic.now, facts=facts)
        with clinic.practice.store.write() as connection:
            insert_new(connection, Notice, row)
        reactor = Reactor(clinic.practice, clock=clock_from(clinic.now), first_seconds=3)
        began, running = time.monotonic(), asyncio.create_task(reactor.run())
        assert await until(lambda: len(clinic.mails()) == 1)
        assert time.monotonic() - began > 3
        running.cancel()
        await asyncio.wait({running})
    clinic.practice.close()


@pytest.mark.long
async def test_people_are_looked_after_while_prefect_is_down(
    prefect_folder: Path, tmp_path: Path, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    clinic = make_clinic(tmp_path / "clinic", mailbox)
    clinic.arm()
    server = start_server(prefect_folder)
    with pointed_at(server):
        async with reacting(clinic):
            assert server.pid
            os.kill(server.pid, signal.SIGKILL)
            server.stop()
            caplog.set_level(logging.WARNING, "tending")
            clinic.write_calendar()
            assert await until(lambda: len(clinic.mails()) == 1, 40)
            assert open_kinds(clinic) == [("quiet",)]
            clinic.write_calendar(9)
            assert await until(lambda: open_kinds(clinic) == [])
            assert any("Prefect is not there" in line for line in caplog.messages)
            assert clinic.rows("SELECT count(*) FROM change WHERE NOT event_sent") != [(0,)]
    # When it is there again, others are told late rather than never.
    with start_server(prefect_folder) as again, pointed_at(again):
        async with reacting(clinic):
            assert await until(lambda: clinic.rows("SELECT count(*) FROM change WHERE NOT event_sent") == [(0,)])
    assert len(clinic.mails()) == 1
    for line in caplog.messages:
        assert not any(secret in line for secret in SECRETS)
    clinic.practice.close()


async def test_it_starts_without_prefect_too(tmp_path: Path, mailbox: Mailbox) -> None:
    clinic = make_clinic(tmp_path / "clinic", mailbox)
    clinic.arm()
    nowhere = Server(tmp_path, "http://127.0.0.1:9/api", "http://127.0.0.1:9")
    with pointed_at(nowhere):
        async with reacting(clinic):
            clinic.write_calendar()
            assert await until(lambda: len(clinic.mails()) == 1)
    clinic.practice.close()


async def test_a_bad_source_stops_no_other_and_is_told_of(
    prefect_server: Server, tmp_path: Path, mailbox: Mailbox
) -> None:
    extra = (
        '[[source]]\nname = "gone"\nkind = "calendar"\npath = "gone.ics"\nevery_minutes = 0.02\nfresh_for_hours = 1\n'
    )
    clinic = make_clinic(tmp_path / "clinic", mailbox, extra=extra)
    clinic.arm()
    async with reacting(clinic, sweep_seconds=1.0):
        clinic.write_calendar()
        assert await until(lambda: clinic.rows("SELECT count(*) FROM appointment WHERE start_at > 0") != [(0,)])
        assert await until(lambda: any(mail.to == "admin@example.org" for mail in clinic.mailbox.mails()))
        # It was never read, so it could refute: nobody is called quiet.
        assert open_kinds(clinic) == []
        await asyncio.sleep(2.5)
    assert len(clinic.mails()) == 1
    clinic.practice.close()


async def test_half_a_calendar_is_not_taken_for_a_whole_one(prefect_server: Server, unread: Clinic) -> None:
    clinic = unread
    async with reacting(clinic):
        whole = clinic.calendar.read_text(encoding="utf-8")
        clinic.calendar.write_text(whole[: len(whole) // 2], encoding="utf-8", newline="")
        assert await until(
            lambda: clinic.rows("SELECT problem FROM source WHERE name = 'cal-t1'") == [("SourceError",)]
        )
        clinic.calendar.write_text(whole, encoding="utf-8", newline="")
        assert await until(lambda: clinic.rows("SELECT problem FROM source WHERE name = 'cal-t1'") == [("",)])
    assert open_kinds(clinic) == []
    assert clinic.mails() == []


async def test_what_another_system_says_has_changed_is_read_at_once(
    prefect_server: Server, tmp_path: Path, mailbox: Mailbox
) -> None:
    clinic = make_clinic(tmp_path / "clinic", mailbox)
    clinic.arm()
    # Nobody glances at files meanwhile, and no source asks to be read before long.
    async with reacting(clinic, glance_seconds=3600.0):
        clinic.write_calendar()
        emit_event("clinic.records.exported", resource={"prefect.resource.id": "clinic"})  # not that one
        await asyncio.sleep(3)
        assert clinic.mails() == []
        for _ in range(10):  # it may still be about to listen
            emit_event("clinic.calendar.changed", resource={"prefect.resource.id": "clinic"})
            if await until(lambda: len(clinic.mails()) == 1, 3):
                break
        assert len(clinic.mails()) == 1
    clinic.practice.close()


class Pinged(http.server.BaseHTTPRequestHandler):
    """A watchdog that counts how often it is called."""

    count = 0

    def do_GET(self) -> None:
        type(self).count += 1
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@contextlib.contextmanager
def a_watchdog(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Pinged]]:
    """A real address that counts its calls, named in the environment."""
    pinged = type("Counted", (Pinged,), {"count": 0})
    watchdog = http.server.ThreadingHTTPServer(("127.0.0.1", 0), pinged)
    threading.Thread(target=watchdog.serve_forever, daemon=True).start()
    monkeypatch.setenv("TENDING_WATCHDOG_URL", f"http://127.0.0.1:{watchdog.server_port}/alive")
    try:
        yield pinged
    finally:
        watchdog.shutdown()
        watchdog.server_close()


async def test_the_watchdog_is_called_only_while_all_goes_well(
    prefect_server: Server, tmp_path: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = make_clinic(tmp_path / "clinic", mailbox)
    with a_watchdog(monkeypatch) as pinged:
        async with reacting(clinic, sweep_seconds=0.5, ping_seconds=2.0):
            await asyncio.sleep(4)
            assert pinged.count == 0  # a copy that may not send does not look alive
            clinic.arm()
            assert await until(lambda: pinged.count >= 2)
            mailbox.stop()  # nothing can be handed over any more
            clinic.write_calendar()
            assert await until(lambda: clinic.rows("SELECT max(tries) FROM notice") == [(1,)])
            await asyncio.sleep(1)  # one call may be on its way
            before = pinged.count
            await asyncio.sleep(5)
            assert pinged.count == before  # though nothing is due until it is tried again
    clinic.practice.close()


@pytest.mark.long
async def test_a_source_that_is_stale_holds_the_watchdog_back(
    prefect_server: Server, tmp_path: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = '[[source]]\nname = "late"\nkind = "calendar"\npath = "late.ics"\nevery_minutes = 0.02\n'
    clinic = make_clinic(tmp_path / "clinic", mailbox, extra=extra)
    clinic.arm()
    with a_watchdog(monkeypatch) as pinged:
        async with reacting(clinic, sweep_seconds=0.5, ping_seconds=1.0) as reactor:
            assert await until(lambda: "late" not in reactor._untried and reactor.health.delivered > 0)
            assert "late" not in reactor.health.read
            await asyncio.sleep(2.5)
            assert pinged.count == 0
            (clinic.folder / "late.ics").write_bytes(clinic.calendar.read_bytes())
            assert await until(lambda: pinged.count >= 1)
            (clinic.folder / "late.ics").write_bytes(
                b"<html>Sign in</html>"
            )  # not stale yet, but it fails again and again
            sources = clinic.practice.settings.source
            assert await until(lambda: not reactor.health.good(sources, 1.0), 15)
            count = pinged.count
            await asyncio.sleep(2.5)
            assert pinged.count == count
    clinic.practice.close()


async def test_a_source_that_reads_well_but_is_renewed_no_more_holds_the_watchdog_back(
    prefect_server: Server, tmp_path: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = (
        '[[source]]\nname = "late"\nkind = "calendar"\npath = "late.ics"\n'
        "every_minutes = 0.02\nrenewed_within_hours = 1\n"
    )
    clinic = make_clinic(tmp_path / "clinic", mailbox, extra=extra)
    clinic.arm()
    late = clinic.folder / "late.ics"
    late.write_bytes(clinic.calendar.read_bytes())
    os.utime(late, (clinic.now - 7200, clinic.now - 7200))
    with a_watchdog(monkeypatch) as pinged:
        async with reacting(clinic, sweep_seconds=0.5, ping_seconds=1.0) as reactor:
            assert await until(lambda: reactor.health.good(clinic.practice.settings.source, 1.0))
            await asyncio.sleep(2.5)
            assert pinged.count == 0
            os.utime(late)
            assert await until(lambda: pinged.count >= 1)
    clinic.practice.close()


@pytest.mark.parametrize(
    ("read", "swept", "delivered", "good"),
    [
        ({"often": 1, "seldom": 1}, 1, 1, True),
        ({"often": 899, "seldom": 10799}, 299, 299, True),
        ({"often": 901, "seldom": 1}, 1, 1, False),  # three times the interval, since it is asked more often than that
        ({"often": 1, "seldom": 10801}, 1, 1, False),  # hangs or fails: three times its own hour has passed
        ({"often": 1}, 1, 1, False),  # hangs from the start
        ({"often": 1, "seldom": 1}, 301, 1, False),
        ({"often": 1, "seldom": 1}, 1, 301, False),
    ],
)
def test_all_is_well_while_everything_was_read_swept_and_delivered(
    read: dict[str, int], swept: int, delivered: int, good: bool
) -> None:
    sources = (
        SourcePart(name="often", kind="calendar", path="a.ics", every_minutes=1),
        SourcePart(name="seldom", kind="calendar", path="b.ics", every_minutes=60),
    )
    now = time.monotonic()
    health = Health({name: now - ago for name, ago in read.items()}, now - swept, now - delivered)
    assert health.good(sources, 300) is good


def test_tables_are_read_when_they_stand_still_and_calendars_at_once(tmp_path: Path, mailbox: Mailbox) -> None:
    clinic = make_clinic(tmp_path / "clinic", mailbox)
    changed: list[str] = []
    watch = FileWatch(clinic.practice.settings.source, changed.append)
    watch()
    assert changed == []
    clinic.write_calendar()
    with (clinic.folder / "exports" / "clients.csv").open("a") as file:
        file.write("\n")
    watch()
    assert changed == ["cal-t1"]
    time.sleep(1.1)
    watch()
    assert changed == ["cal-t1", "records"]
    watch()
    assert changed == ["cal-t1", "records"]
    clinic.calendar.unlink()
    assert mark_of(clinic.practice.settings.source[1]) == ()
    with contextlib.suppress(OSError):
        watch()
    assert changed[2:] == ["cal-t1"]
    clinic.practice.close()
