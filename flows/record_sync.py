"""Reads all exports of record systems; one that cannot be read never stops the others."""

from prefect import flow

from flows.running import Outcome, sync
from flows.workflow import Workflow, tells_no_data
from models.settings import PrefectPart

WORKFLOW = Workflow(
    "record_sync",
    "Read all exports of record systems",
    "flows.record_sync.record_sync",
    cron=PrefectPart().sync_cron,
    triggers=("clinic.records.exported",),
)


@flow(name="Record sync", flow_run_name="Record sync")
@tells_no_data
async def record_sync(sources: list[str] | None = None, now: str | None = None) -> Outcome:
    """Read the exports of record systems of these names, or all; what follows is decided by a run of its own."""
    return await sync(WORKFLOW, "records", sources, now)
