"""Events for others: each change whose consequences are recorded becomes one of Prefect's, so that the clinic's own automations see it.

Only for others: nothing here waits for an event or takes one for the only copy.
"""

import asyncio
import logging
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from prefect.events import emit_event

from flows.workflow import where
from integrations.practice import Practice
from integrations.store import changes
from integrations.threads import in_thread
from models.changes import ChangeKind
from tending.runs import PREFECT_SECONDS, Runs

LOG = logging.getLogger("tending.reactor")
MOST_EVENTS = 500  # more changes at once (a first import) are one event
_ENTITY = {True: "client", False: "source"}


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
