"""The real reactor over the story's practice, until nothing waits any more: `python -m tests.faults.reacting` tells it in forks."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

from integrations.practice import Practice, open_practice
from integrations.store import arming, due
from tending.reactor import Reactor
from tests.faults.kills import Tracer, forge
from tests.faults.story import NOW, Clinic, warm

NO_PREFECT = 9  # nothing listens on the port of the discard protocol
SWEEP = 0.3  # seconds
LONGEST = 60.0
CALM = 1.2  # seconds without anything to do, several sweeps long


def work(do: str, folder: str, port: int, trace: str, kill: int | None, **given: Any) -> None:
    """One fork's work: arm where that was not done, and react until it is calm. Prefect is not there."""
    assert do == "react"
    clinic = Clinic(Path(folder), port, given.get("web", ""), given.get("url", ""))
    tracer = Tracer(Path(trace), clinic.folder, kill, deaf_to=NO_PREFECT)
    tracer.step = "react"
    with open_practice(clinic.toml) as practice:
        if not arming.armed(practice.store, practice.data):
            arming.arm(practice.store, practice.data, "admin", NOW)
        tracer.install()
        asyncio.run(react(practice, for_ever=kill is not None))


async def react(practice: Practice, *, for_ever: bool) -> None:
    """Until it is calm; or until the kill, which each sweep comes nearer to."""
    ready = asyncio.Event()
    reactor = Reactor(practice, clock=lambda: NOW, on_ready=ready.set, glance_seconds=0.05, sweep_seconds=SWEEP)
    running = asyncio.create_task(reactor.run())
    await ready.wait()
    calm, end = 0.0, time.monotonic() + LONGEST
    while calm < CALM or (for_ever and time.monotonic() < end):
        await asyncio.sleep(0.1)
        calm = 0.0 if busy(practice) else calm + 0.1
        assert not running.done()
    running.cancel()
    await asyncio.wait({running})


def busy(practice: Practice) -> bool:
    with practice.store.read() as connection:
        waits = due.what_waits(connection, NOW)
    return waits.changes or waits.looks or waits.unsent != due.Unsent()


if __name__ == "__main__":
    warm(25)
    assert threading.active_count() == 1, "a fork would lose the other threads"
    forge(work)
