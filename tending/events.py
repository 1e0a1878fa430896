"""Prefect's events, both ways: each change whose consequences are recorded becomes one, so that the clinic's own automations see it; and
what other systems say of their calendars and exports has these read at once.

Nothing rests on an event: one that is lost changes nothing, since sources are read by the clock as well.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from prefect.events import emit_event, get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter

from flows import calendar_sync, record_sync
from flows.workflow import where
from integrations.practice import Practice
from integrations.store import changes
from integrations.threads import in_thread
from models.changes import ChangeKind
from tending.runs import PREFECT_SECONDS, Runs

LOG = logging.getLogger("tending.reactor")
MOST_EVENTS = 500  # more changes at once (a first import) are one event
_ENTITY = {True: "client", False: "source"}
# The workflow of each is served as well, and runs seconds later, in a process of its own: it finds that nothing is left to read.
KIND_TO_READ = {
    event: kind
    for kind, workflow in (("calendar", calendar_sync.WORKFLOW), ("records", record_sync.WORKFLOW))
    for event in workflow.triggers
}


class Events:
    """Emits what was not yet emitted, each time that `news` is set."""

    def __init__(self, practice: Practice, runs: Runs) -> None:
        self.news = asyncio.Event()
        self._practice = practice
        self._runs = runs

    async def tell(self) -> None:
        """Until cancelled; trouble with it never matters to anything else."""
        while True:
            await self.news.wait()
            self.news.clear()
            while self._runs.prefect_answers and (told := await in_thread(self._without_event)):
                try:
                    async with asyncio.timeout(PREFECT_SECONDS):
                        await in_thread(self._emit, told)
                except TimeoutError:
                    LOG.warning("events could not be emitted in time; they are tried again later")
                    break
                except Exception as error:
                    LOG.warning("events could not be emitted (%s)", where(error))
                await in_thread(self._events_sent, [row.id for row in told])

    async def listen(self, touched: Callable[[str], None]) -> None:
        """Until cancelled: name the sources that others say have changed. While Prefect is away nobody is heard; that is said once."""
        wanted, said = EventFilter(event=EventNameFilter(name=list(KIND_TO_READ))), False
        while True:
            try:
                async with get_events_subscriber(filter=wanted) as subscriber:
                    said = False
                    async for event in subscriber:
                        for source in self._practice.settings.source:
                            if source.kind == KIND_TO_READ[event.event]:
                                touched(source.name)
            except Exception as error:
                if not said:
                    LOG.warning("what other systems say is not heard (%s); tried again", where(error))
                said = True
            await asyncio.sleep(PREFECT_SECONDS)

    def _without_event(self) -> list[Any]:
        with self._practice.store.read() as connection:
            return changes.without_event(connection, 4 * MOST_EVENTS)

    def _events_sent(self, ids: list[int]) -> None:
        with self._practice.store.write() as connection:
            changes.events_sent(connection, ids)

    def _emit(self, told: list[Any]) -> None:
        if len(told) > MOST_EVENTS:
            emit_event(
                "tending.changes.many",
                resource={"prefect.resource.id": "tending.practice"},
                payload={"changes": len(told)},
            )
            return
        for row in told:
            entity = _ENTITY[row.client_id is not None]
            emit_event(
                f"tending.{ChangeKind(row.kind).value}",
                resource={"prefect.resource.id": f"tending.{entity}.{row.subject}"},
                # The same change told again after a crash is known by its id.
                id=uuid5(NAMESPACE_URL, f"tending:{self._practice.vault.mark()}:{row.id}"),
            )
