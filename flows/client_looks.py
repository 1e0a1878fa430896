"""Looks at clients who changed or whose next look has come, by every rule at once, and hands over what is due then."""

from prefect import flow

from flows.running import Outcome, already_running, done, log_faults, moment, name_run, record, show_open_findings
from flows.running import with_progress as working
from flows.workflow import Workflow, tells_no_data
from integrations.looks import LookedAfter, Progress, look_after
from integrations.opened import opened
from integrations.store.leases import LeaseHeld
from models.settings import PrefectPart

WORKFLOW = Workflow(
    "client_looks",
    "Look at clients who are due",
    "flows.client_looks.client_looks",
    cron=PrefectPart().sweep_cron,
)


@flow(name="Client looks", flow_run_name="Client looks")
@tells_no_data
async def client_looks(clients: list[str] | None = None, now: str | None = None) -> Outcome:
    """Look at the clients with these codes, or at everybody who changed or is due.

    Decisions are recorded in short transactions together with the changes they answer; then what is due to be sent at
    once is handed over, if this installation may send.
    """
    at = moment(now)
    with opened() as (practice, holder):

        def work(progress: Progress) -> LookedAfter:
            return look_after(practice, at, holder, codes=clients, progress=progress)

        try:
            result = await working(work, of=None, key="client-looks-progress", title="Clients looked at")
        except LeaseHeld:
            return already_running()
        log_faults(result.put_off, "a client could not be looked at and is tried again in an hour")
        decided = result.decided
        await name_run(f"Client looks: {decided.looked} looked at")
        if decided.opened or decided.cleared or clients is None:
            await show_open_findings(practice)
        await record(practice, WORKFLOW.name, at, result.said)
    counts = {
        "looked": decided.looked,
        "opened": decided.opened,
        "day_one": decided.day_one,
        "cleared": decided.cleared,
        "notices": decided.notices,
        "blind": decided.blind,
        "changes": result.changes,
        "put_off": len(result.put_off),
        "sent": result.delivered.sent,
        "not_sent": result.delivered.refused + result.delivered.failed + result.delivered.unsure,
    }
    return done(result.said, counts, name="Some put off" if result.put_off else "Completed")
