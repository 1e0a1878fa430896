"""The real reactor over the story's practice, until nothing waits any more: `python -m tests.faults.reacting` tells it in forks."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from integrations.practice import Practice, open_practice
from integrations.store import arming, due
from models.instants import DAY, Instant
from tending.reactor import Reactor
from tests.faults.clinic import NOW, Clinic
from tests.faults.kills import Kill, Tracer, forge
from tests.faults.story import MINUTE, answer, warm
from tests.faults.web import heard

NO_PREFECT = 9  # nothing listens on the port of the discard protocol
SWEEP = 0.3  # seconds
PING = 1.0
LONGEST = 60.0
LATER = 2 * MINUTE
CALM = 1.2  # seconds without anything to do, several sweeps long


def work(
    do: str, folder: str, port: int, trace: str, kill: Kill, pings: str, mails: str, asked: str, **given: Any
) -> None:
    """One fork's work: arm where that was not done, react until it is calm, and once more when the calendar that had gone is there
    again, until the watchdog was called. Prefect is not there."""
    assert do == "react"
    clinic = Clinic.given(folder, port, **given)
    tracer = Tracer(Path(trace), clinic.folder, kill, deaf_to=NO_PREFECT)
    tracer.step = "react"
    with open_practice(clinic.toml) as practice:
        if not arming.armed(practice.store, practice.data):
            arming.arm(practice.store, practice.data, "admin", NOW)
        tracer.install()

        def person(practice: Practice, now: Instant) -> None:
            answer(practice, Path(mails), clinic.pager, now, Path(asked))

        asyncio.run(react(practice, clinic, Path(pings), person, for_ever=kill is not None))


async def react(
    practice: Practice, clinic: Clinic, pings: Path, person: Callable[[Practice, Instant], None], *, for_ever: bool
) -> None:
    """Until the watchdog was called and it is calm; or until the kill, which each sweep comes nearer to.

    When it is calm it is two minutes later: what a kill has put off is due, and `person` answers what was asked. When that has left, the
    calendar is back.
    """
    back = clinic.folder / "t2.ics"
    ready, before = asyncio.Event(), len(heard(pings))
    now = NOW + LATER if back.exists() else NOW
    reactor = Reactor(
        practice,
        clock=lambda: now,
        on_ready=ready.set,
        glance_seconds=0.05,
        sweep_seconds=SWEEP,
        ping_seconds=PING,
    )
    running = asyncio.create_task(reactor.run())
    await ready.wait()
    end = time.monotonic() + LONGEST

    async def calm(enough: Callable[[], bool]) -> None:
        since = time.monotonic()
        while time.monotonic() - since < CALM or not enough():
            assert not running.done()
            assert time.monotonic() < end, "not calm"
            await asyncio.sleep(0.1)
            if busy(practice, now):
                since = time.monotonic()

    await calm(lambda: True)
    now = NOW + LATER
    person(practice, now)
    if put_off(practice):
        await calm(lambda: not put_off(practice))
    if not back.exists():
        clinic.calendar(2, [("next1004", NOW + 3 * DAY, "1004")])
    await calm(lambda: len(heard(pings)) > before)
    if for_ever:
        await asyncio.sleep(end - time.monotonic())
    running.cancel()
    await asyncio.wait({running})


def busy(practice: Practice, now: Instant) -> bool:
    with practice.store.read() as connection:
        waits = due.what_waits(connection, now)
    return waits.changes or waits.looks or waits.unsent != due.Unsent()


def put_off(practice: Practice) -> bool:
    with practice.store.read() as connection:
        return due.refused(connection)


if __name__ == "__main__":
    warm(25)
    assert threading.active_count() == 1, "a fork would lose the other threads"
    forge(work)
