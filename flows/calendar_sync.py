"""Reads all calendars; one that cannot be read never stops the others."""

from collections.abc import Callable

from prefect import flow

from flows.running import Outcome, already_running, done, log_faults, moment, name_run, record, with_progress
from flows.workflow import Workflow, tells_no_data
from integrations.opened import opened
from integrations.store.leases import LeaseHeld
from integrations.syncing import Synced, sync_alone
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
    at = moment(now)
    with opened() as (practice, holder):
        settings = practice.settings
        wanted = [settings.source_named(name) for name in sources] if sources is not None else settings.source
        mine = [source for source in wanted if source.kind == "calendar"]

        def work(progress: Callable[[int], None]) -> tuple[Synced, list[Exception]]:
            return sync_alone(practice, WORKFLOW.name, mine, at, holder, progress=progress)

        try:
            synced, faults = await with_progress(work, of=len(mine), key="calendar-sync-progress", title="Sources read")
        except LeaseHeld:
            return already_running()
        log_faults(faults, "a source could not be read")
        await name_run(f"Calendar sync: {synced.read} of {len(mine)} read")
        await record(practice, WORKFLOW.name, at, synced.said)
    return done(synced.said, synced.counts, name="Some unread" if synced.failed else "Completed")
