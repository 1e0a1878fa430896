"""Reads all calendars; one that cannot be read never stops the others."""

from prefect import flow

from flows.running import Outcome, sync
from flows.workflow import Workflow, tells_no_data
from models.settings import PrefectPart

WORKFLOW = Workflow(
    "calendar_sync",
    "Read all calendars",
    "flows.calendar_sync.calendar_sync",
    cron=PrefectPart().sync_cron,
    triggers=("clinic.calendar.changed",),
)


@flow(name="Calendar sync", flow_run_name="Calendar sync")
@tells_no_data
async def calendar_sync(sources: list[str] | None = None, now: str | None = None) -> Outcome:
    """Read the calendars of these names, or all; what follows is decided by a run of its own."""
    return await sync(WORKFLOW, "calendar", sources, now)
