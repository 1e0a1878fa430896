"""From a changed calendar file, or what another system says of one, to the mail in a mailbox, beside a flow run that a subscriber to
Prefect's events starts."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import text

from benchmarks.calendars import entry, file_of
from benchmarks.claims import Claim, Told, duration
from benchmarks.clients import ZONE, fill
from benchmarks.databases import Database
from benchmarks.practices import NOW, practice_on
from integrations.messages.mailbox import Mailbox
from integrations.practice import Practice
from integrations.store import arming
from integrations.store.tables import insert_rows
from models.instants import DAY, Instant, wall_of
from models.people import Relation
from tending.prefect_settings import apply_environment, client_environment
from tending.server import start_server

ROUNDS = 10  # of each of the two ways; the calendar has seven entries for each round
WARM = 3
CHANGES = ROUNDS + WARM
LONGEST = 30.0
GLANCE = 0.005


def reacting(database: Database, _: int) -> Told:
    """The claim about being at once, measured by turns against one server."""
    told = Told(f"From a changed calendar file to a mail, {database.name}")
    with (
        Mailbox(database.folder / f"mails-{database.name}") as mailbox,
        practice_on(database, "reacting", port=mailbox.port) as practice,
        start_server(database.folder / f"prefect-{database.name}") as server,
    ):
        _people(practice)
        arming.arm(practice.store, practice.data, "benchmark", NOW)
        before = dict(os.environ)
        apply_environment(client_environment(server, practice=practice.folder / "practice.toml"))
        from prefect.settings import PREFECT_API_URL, temporary_settings

        with temporary_settings({PREFECT_API_URL: server.api_url}):  # another round's server may be in the settings
            by_file = asyncio.run(_measure(practice, mailbox, CHANGES, by_event=False))
            by_event = asyncio.run(_measure(practice, mailbox, 2 * CHANGES, by_event=True))
        for name in os.environ.keys() - before.keys():
            del os.environ[name]  # the next database gets a server of its own
    for what, (ours, began, ended) in (
        ("from the changed file to the mail", by_file),
        ("from another system's event to the mail", by_event),
    ):
        for other, name, limit in (
            (ended, "from an event to the end of a flow run that a subscriber started", 1.5),
            (began, "from an event to the first line of that flow", None),
        ):
            ratio = median(a / b for a, b in zip(ours, other, strict=True))
            told.claims.append(Claim(what, name, ratio, limit, duration(median(ours)), duration(median(other))))
    return told


def _people(practice: Practice) -> None:
    count = 2 * CHANGES
    with practice.store.write() as connection:
        fill(connection, count, NOW)
        relations = [
            {"client_id": number, "therapist_id": "T1", "kind": "main", "from_on": None, "to_on": None}
            for number in range(1, count + 1)
        ]
        insert_rows(connection, Relation, relations)
        sealed = practice.vault.seal({"name": "Therapist", "email": "t1@example.org"})
        connection.execute(text("UPDATE therapist SET sealed = :sealed WHERE id = 'T1'"), {"sealed": sealed})
    _write(practice, 0)


def _write(practice: Practice, cancelled: int) -> None:
    """The calendar, in which the next session of so many clients is cancelled."""
    entries = []
    for number in range(1, 2 * CHANGES + 1):
        code = f"C-{number:07d}"
        for week in range(1, 7):
            entries.append(entry(f"{number}-{week}", _wall(NOW - 13 * DAY - week * 7 * DAY), code))
        status = "CANCELLED" if number <= cancelled else "CONFIRMED"
        entries.append(entry(f"{number}-next", _wall(NOW + 5 * DAY), code, status=status))
    place = Path(practice.settings.source[0].path)
    new = place.with_suffix(".new")
    new.write_bytes(file_of(entries))
    new.replace(place)


def _wall(instant: Instant) -> str:
    return wall_of(instant, ZONE)


async def _measure(
    practice: Practice, mailbox: Mailbox, last: int, *, by_event: bool
) -> tuple[list[float], list[float], list[float]]:
    """Seconds to the mail, to the first line of the other's flow and to its end; so many sessions up to the `last` are cancelled, one in
    each round. `by_event`: nobody glances at files, and another system says that they have changed."""
    from prefect import flow
    from prefect.events import emit_event, get_events_subscriber
    from prefect.events.filters import EventFilter, EventNameFilter

    from tending.glances import GLANCE_SECONDS
    from tending.reactor import Reactor

    ended, listening, ready = (asyncio.Event() for _ in range(3))
    times: dict[str, float] = {}

    @flow(name="Nothing")
    async def nothing() -> None:
        times["began"] = time.perf_counter()

    async def subscribe() -> None:
        wanted: Any = EventFilter(event=EventNameFilter(name=["benchmark.asked"]))
        async with get_events_subscriber(filter=wanted) as subscriber:
            listening.set()
            async for _ in subscriber:
                await nothing()
                times["ended"] = time.perf_counter()
                ended.set()

    start = time.monotonic()
    glance_seconds = LONGEST * ROUNDS if by_event else GLANCE_SECONDS
    reactor = Reactor(
        practice,
        clock=lambda: NOW + int(time.monotonic() - start),
        on_ready=ready.set,
        glance_seconds=glance_seconds,
    )
    tasks = [asyncio.create_task(reactor.run()), asyncio.create_task(subscribe())]
    found: tuple[list[float], list[float], list[float]] = ([], [], [])
    try:
        await asyncio.wait_for(asyncio.gather(ready.wait(), listening.wait()), 120)
        for number in range(last - CHANGES + 1, last + 1):
            before = _mails(mailbox.folder)
            if by_event:
                _write(practice, number)
            at = time.perf_counter()
            if by_event:
                emit_event("clinic.calendar.changed", resource={"prefect.resource.id": "benchmark"})
            else:
                _write(practice, number)
            await _until(lambda before=before: _mails(mailbox.folder) > before)  # type: ignore[misc]
            mail = time.perf_counter() - at
            await asyncio.sleep(1.5)  # what follows a mail (artifacts, events) is not the other's burden
            ended.clear()
            at = time.perf_counter()
            emit_event("benchmark.asked", resource={"prefect.resource.id": "benchmark"})
            await asyncio.wait_for(ended.wait(), LONGEST)
            if number > last - ROUNDS:
                for list_, value in zip(found, (mail, times["began"] - at, times["ended"] - at), strict=True):
                    list_.append(value)
            await asyncio.sleep(1.0)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    return found


def _mails(folder: Path) -> int:
    return sum(name.endswith(".eml") for name in os.listdir(folder))


async def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST
    while not true():
        if time.monotonic() > end:
            raise AssertionError("no mail came")
        await asyncio.sleep(GLANCE)
