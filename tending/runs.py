"""Flow runs in this process, for the reactor: with connections that outlive a run, and without Prefect where it is away."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from prefect.context import AsyncClientContext, SyncClientContext

from integrations.opened import Loan, lend
from integrations.practice import Practice
from integrations.store.leases import LeaseHeld
from integrations.threads import in_thread

LOG = logging.getLogger("tending.runs")
PREFECT_SECONDS = 8.0  # in which Prefect has to begin a run, or to end it
WITHOUT_PREFECT_SECONDS = 30.0  # before Prefect is tried again
STOP_SECONDS = 1.0


class Runs:
    """Runs flows over one open practice, one after the other; use as a context manager, in one task."""

    def __init__(self, practice: Practice, holder: str) -> None:
        self._practice = practice
        self._holder = holder
        self._prefect_from = 0.0  # monotonic: not tried before
        self._line = AsyncExitStack()  # connections to Prefect's server that outlive a run
        self._connected = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connected = False
        await self._line.aclose()

    @property
    def prefect_answers(self) -> bool:
        """Whether Prefect was there when it was last needed, or may be again."""
        return time.monotonic() >= self._prefect_from

    async def run(self, flow_run: Callable[[], Awaitable[Any]], plainly: Callable[[], object]) -> Any:
        """Run a flow in this process; where Prefect is not there to run it, do the same without it.

        Doing it twice does no harm: what is decided is drained, what is sent is not due any more.
        """
        if time.monotonic() < self._prefect_from:
            return await self._plainly(plainly)

        async def begin() -> Any:
            return await flow_run()

        await self._connect()
        with lend(self._practice, self._holder) as loan:
            task = asyncio.create_task(begin())
            task.add_done_callback(_look_at_its_end)
        await self._patiently(task, loan)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=1.0)
            return await self._without_prefect(loan, "it does not answer", plainly)
        error = RuntimeError("the run was cancelled") if task.cancelled() else task.exception()
        if error is None:
            return task.result()
        if loan.begun and not loan.ended:
            raise error  # ours: Prefect only carried it
        return await self._without_prefect(loan, type(error).__name__, plainly)

    async def _connect(self) -> None:
        """Keep the connections that a run would make for itself: making them takes half of its time."""
        if self._connected:
            return
        try:
            async with asyncio.timeout(PREFECT_SECONDS):
                await self._line.enter_async_context(AsyncClientContext())
                self._line.enter_context(SyncClientContext())
        except Exception as error:
            LOG.warning("Prefect cannot be reached (%s)", type(error).__name__)
        else:
            self._connected = True

    async def _patiently(self, task: "asyncio.Task[Any]", loan: Loan) -> None:
        """Wait for a run: as long as its work takes, but not for ever on Prefect before and after it."""
        try:
            waited_from, stage = time.monotonic(), (False, False)
            while not task.done():
                await asyncio.wait({task}, timeout=1.0)
                if (loan.begun, loan.ended) != stage:
                    stage, waited_from = (loan.begun, loan.ended), time.monotonic()
                at_work = loan.begun and not loan.ended
                if not at_work and time.monotonic() - waited_from > PREFECT_SECONDS:
                    return
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task}, timeout=STOP_SECONDS)
            raise

    async def _without_prefect(self, loan: Loan, why: str, plainly: Callable[[], object]) -> Any:
        self._prefect_from = time.monotonic() + WITHOUT_PREFECT_SECONDS
        LOG.warning("Prefect is not there (%s); the work goes on without it", why)
        self._connected = False
        with contextlib.suppress(Exception):
            await self._line.aclose()
        return None if loan.ended else await self._plainly(plainly)

    async def _plainly(self, plainly: Callable[[], object]) -> object:
        try:
            return await in_thread(plainly)
        except LeaseHeld:
            return None


def _look_at_its_end(task: "asyncio.Task[Any]") -> None:
    """So that asyncio does not log an error that nobody waits for any more, with its words."""
    if not task.cancelled():
        task.exception()
