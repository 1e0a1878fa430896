"""The part of the long-lived process that reacts: it reads sources when they change, and looks after whoever that concerns at once.

Import it only after the client environment of Prefect is applied. Why it is built so: docs/decisions/0015-reacting.md.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from flows.client_looks import client_looks
from flows.deliver_notices import deliver_notices
from flows.workflow import where
from integrations.looks import hand_over_due, look_after
from integrations.practice import Practice
from integrations.store import arming, cases, due
from integrations.store.leases import LeaseHeld
from integrations.store.watching import tell_of_sources
from integrations.syncing import sync_source
from integrations.threads import in_thread, set_within
from models.errors import TendingError
from models.instants import Instant, instant_of, utc_text
from models.settings_source import SourcePart
from tending.events import Events
from tending.glances import GLANCE_SECONDS, FileWatch, PulseWatch, glance
from tending.runs import Runs

LOG = logging.getLogger("tending.reactor")
HOLDER = "up"
SWEEP_SECONDS = 60.0
STOP_SECONDS = 1.0
FIRST_SECONDS = 60.0  # for which what was read last may be waited for at the start
PING_SECONDS = 300.0
LONGEST_WAIT = 60.0  # of the back-off after trouble
BUSY_SECONDS = 1.0  # before trying again what another run is at
FEW = 3  # readings in a row may fail before the watchdog is no longer called
HELPLESS_SECONDS = 900.0  # before delivery is tried again at what it could not help
TRIES = 3  # at what another run may be at, before it waits for the next sweep


def real_now() -> Instant:
    """The instant by the machine's clock."""
    return instant_of(datetime.now(UTC))


@dataclass
class Health:
    """When each source was last read well, and when sweep and delivery last went well, by the monotonic clock."""

    read: dict[str, float] = field(default_factory=dict)
    swept: float = float("-inf")
    delivered: float = float("-inf")

    def good(self, sources: tuple[SourcePart, ...], interval: float) -> bool:
        """Whether every source was read well within a few of its own intervals, sweep and delivery in the last one."""
        now = time.monotonic()
        read = (
            now - self.read.get(s.name, float("-inf")) <= FEW * max(interval, s.every_minutes * 60) for s in sources
        )
        return all(read) and min(self.swept, self.delivered) >= now - interval


class Reactor:
    """Looks after one practice until it is cancelled. One bad source, one bad client or a Prefect server that is down stop nothing.

    `clock` says what time it is for the practice; a test gives its own. `on_ready` is called when everything that
    waited at the start is done and every source was tried once.
    """

    def __init__(
        self,
        practice: Practice,
        *,
        clock: Callable[[], Instant] = real_now,
        on_ready: Callable[[], None] | None = None,
        glance_seconds: float = GLANCE_SECONDS,
        sweep_seconds: float = SWEEP_SECONDS,
        ping_seconds: float = PING_SECONDS,
        first_seconds: float = FIRST_SECONDS,
    ) -> None:
        self.practice = practice
        self.health = Health()
        self._clock = clock
        self._on_ready = on_ready
        self._untried = {source.name for source in practice.settings.source}
        self._glance_seconds = glance_seconds
        self._sweep_seconds = sweep_seconds
        self._ping_seconds = ping_seconds
        self._first_until = time.monotonic() + first_seconds
        self._work = asyncio.Event()
        self._sweep_at = 0.0  # monotonic
        self._runs = Runs(practice, HOLDER)
        self._events = Events(practice, self._runs)
        self._helpless: due.Unsent | None = None  # what the last delivery left
        self._helpless_until = 0.0  # monotonic
        self._stuck: due.Waits | None = None  # what looking did not help
        self._touched = {source.name: asyncio.Event() for source in practice.settings.source}

    async def run(self) -> None:
        """Everything at once, until cancelled."""
        loop, stop = asyncio.get_running_loop(), threading.Event()
        threads: list[threading.Thread] = []

        def wake() -> None:
            loop.call_soon_threadsafe(self._work.set)

        def touched(name: str) -> None:
            loop.call_soon_threadsafe(self._touched[name].set)

        sources = self.practice.settings.source
        try:
            # Their marks are taken before the first reading: what changes from here on is read again.
            files = await in_thread(FileWatch, sources, touched)
            watches: dict[str, Callable[[], None]] = {
                "files": files,
                "the store": PulseWatch(self.practice.store, wake),
            }
            threads += [glance(what, look, stop, self._glance_seconds) for what, look in watches.items()]
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forever("looking after", self._look_after))
                group.create_task(self._forever("telling others", self._events.tell))
                group.create_task(self._forever("hearing others", self._events.listen, touched))
                group.create_task(self._forever("the watchdog", self._ping))
                for source in sources:
                    group.create_task(self._tend(source))
        finally:
            stop.set()
            for thread in threads:
                # The store must not be asked after it is closed; a folder that hangs is not waited for.
                thread.join(STOP_SECONDS)

    async def _forever(self, what: str, work: Callable[..., Awaitable[None]], *args: Any) -> None:
        """Do it again after any trouble, later each time; say where, never with what."""
        wait = 1.0
        while True:
            began = time.monotonic()
            try:
                await work(*args)
            except Exception as error:
                LOG.error("%s: %s", what, where(error))
            if time.monotonic() - began > LONGEST_WAIT:
                wait = 1.0
            await asyncio.sleep(wait)
            wait = min(LONGEST_WAIT, wait * 2)

    # ------------------------------------------------------------ intake

    async def _tend(self, source: SourcePart) -> None:
        """Read one source at the start, when its files change, and as often as it asks for."""
        touched, faults = self._touched[source.name], 0
        every = source.every_minutes * 60
        while True:
            touched.clear()
            wait = every
            try:
                taken = await in_thread(sync_source, self.practice, source, self._clock(), HOLDER)
                faults = 0
                self.health.read[source.name] = time.monotonic()
                if not taken.unchanged:
                    LOG.info(
                        "source %s: %d new, %d changed, %d vanished",
                        source.name,
                        taken.new,
                        taken.changed,
                        taken.vanished,
                    )
                self._work.set()
            except LeaseHeld:
                wait = BUSY_SECONDS
            except Exception as error:
                faults += 1
                if not isinstance(error, TendingError):
                    wait = min(every, 2.0**faults)
                LOG.warning("source %s could not be read (%s)", source.name, where(error))
            if source.name in self._untried:
                self._untried.discard(source.name)
                self._work.set()
            await set_within(touched, wait)

    # ------------------------------------------------------------ looking after people

    async def _look_after(self) -> None:
        """Whenever something may have changed, and every minute: do all that waits."""
        await self._first_readings()
        async with self._runs:
            await self._do_all_that_waits()

    async def _first_readings(self) -> None:
        """After an outage nobody is written to by what was known before it: every source is tried first, if that does not take long."""
        while self._untried and (left := self._first_until - time.monotonic()) > 0:
            self._work.clear()
            await set_within(self._work, left)
        self._work.set()

    async def _do_all_that_waits(self) -> None:
        while True:
            left = self._sweep_at - time.monotonic()
            if left > 0:
                await set_within(self._work, left)
            self._work.clear()
            if time.monotonic() >= self._sweep_at:
                await in_thread(self._tell_of_sources)
                await self._do_what_waits(sweep=True)
                self._sweep_at = time.monotonic() + self._sweep_seconds
            else:
                await self._do_what_waits(sweep=False)
            if not self._untried and self._on_ready:
                self._on_ready()
                self._on_ready = None
            self._events.news.set()

    def _tell_of_sources(self) -> None:
        with self.practice.store.write() as connection:
            tell_of_sources(self.practice, connection, self._clock())

    async def _do_what_waits(self, *, sweep: bool) -> None:
        tries = 0
        while True:
            waits, armed = await in_thread(self._what_waits, sweep)
            to_look = waits._replace(unsent=due.Unsent())
            helpless = waits.unsent == self._helpless and time.monotonic() < self._helpless_until
            if (waits.changes or waits.looks) and (sweep or to_look != self._stuck):
                await self._decide(waits.codes, sweep=sweep)
                after, _ = await in_thread(self._what_waits, sweep)
                tries = tries + 1 if after._replace(unsent=due.Unsent()) == to_look else 0
                self._stuck = to_look if tries == TRIES else None
                if tries:
                    await asyncio.sleep(BUSY_SECONDS)
            elif waits.unsent != due.Unsent() and armed and not helpless:
                await self._deliver()
            else:
                self.health.swept = time.monotonic()
                if armed and waits.unsent == due.Unsent():
                    self.health.delivered = time.monotonic()
                return
            sweep = sweep and tries == 0 and self._stuck is None

    def _what_waits(self, thoroughly: bool) -> tuple[due.Waits, bool]:
        now = self._clock()
        with self.practice.store.read() as connection:
            waits = due.what_waits(connection, now)
            if thoroughly and not waits.looks:
                # Looks made under other rules or another policy.
                waits = waits._replace(
                    looks=bool(cases.due(connection, now, cases.basis(self.practice, connection), 1))
                )
            return waits, arming.state_in(connection, self.practice.data) is arming.Arming.armed

    async def _decide(self, codes: tuple[str, ...], *, sweep: bool) -> None:
        now, clients = self._clock(), list(codes) if codes and not sweep else None

        def plainly() -> object:
            return look_after(self.practice, now, HOLDER, codes=clients)

        await self._runs.run(lambda: client_looks(clients=clients, now=utc_text(now)), plainly)

    async def _deliver(self) -> None:
        now = self._clock()

        def plainly() -> object:
            return hand_over_due(self.practice, now, HOLDER)

        answer = await self._runs.run(lambda: deliver_notices(now=utc_text(now)), plainly)
        waits, _ = await in_thread(self._what_waits, False)
        self._helpless, self._helpless_until = waits.unsent, time.monotonic() + HELPLESS_SECONDS
        if isinstance(answer, dict) and answer.get("already"):
            self._helpless = None
            await asyncio.sleep(BUSY_SECONDS)

    # ------------------------------------------------------------ being alive

    async def _ping(self) -> None:
        """Call the watchdog's address after intake, sweep and delivery all went well: nothing hangs, no source is stale, and nothing that
        was refused waits to be tried again."""
        variable = self.practice.settings.watchdog.url_env
        while True:
            address = os.environ.get(variable, "")
            wait = min(5.0, self._ping_seconds)
            well = bool(address) and self.health.good(self.practice.settings.source, self._ping_seconds)
            if well and not await in_thread(self._amiss):
                try:
                    async with httpx.AsyncClient(timeout=10, follow_redirects=True) as client:
                        (await client.get(address)).raise_for_status()
                    wait = self._ping_seconds
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    LOG.warning("the watchdog's address could not be called (%s)", type(error).__name__)
            await asyncio.sleep(wait)

    def _amiss(self) -> bool:
        with self.practice.store.read() as connection:
            return due.refused(connection) or bool(cases.stale_sources(self.practice, connection, self._clock()))
