"""Looks at the endings of care that are going on or wait: what is due is asked about, and how each stands is shown by code.

What is long-lived is in the store. A run does what is due and ends; one that is stopped at any moment is made up for by the next.
"""

from collections.abc import Sequence

from prefect import flow
from prefect.artifacts import acreate_table_artifact

from flows.running import Outcome, already_running, done, log_faults, moment, name_run, quietly, record
from flows.workflow import Workflow, tells_no_data
from integrations.ending_wake import Shown, wake
from integrations.opened import opened
from integrations.store.leases import LeaseHeld
from integrations.threads import in_thread
from models.instants import wall_of
from models.settings import PrefectPart

WORKFLOW = Workflow(
    "terminations", "Look at endings of care", "flows.terminations.terminations", cron=PrefectPart().endings_cron
)


@flow(name="Endings", flow_run_name="Endings")
@tells_no_data
async def terminations(now: str | None = None) -> Outcome:
    """Look at everybody whose care is being ended, hand over what is due, and show all of them by code, stage and next step."""
    at = moment(now)
    with opened() as (practice, holder):
        try:
            looked, shown = await in_thread(wake, practice, at, holder)
        except LeaseHeld:
            return already_running()
        log_faults(looked.put_off, "an ending could not be looked at and is tried again in an hour")
        waiting = sum(1 for one in shown if one.waits)
        said = f"{len(shown)} going on or waiting, {waiting} to be confirmed, {looked.delivered.sent} sent"
        await name_run(f"Endings: {len(shown)}, {waiting} to be confirmed")
        await quietly(
            acreate_table_artifact(_rows(shown, practice.zone), key="endings", description=_needs(waiting, shown))
        )
        await record(practice, WORKFLOW.name, at, said)
    counts = {"open": len(shown), "waiting": waiting, "sent": looked.delivered.sent, "put_off": len(looked.put_off)}
    return done(said, counts, name="Some put off" if looked.put_off else "Completed")


def _rows(shown: Sequence[Shown], zone: str) -> list[dict[str, str]]:
    return [
        {
            "code": one.code,
            "stage": one.stage,
            "next step": one.next_step,
            "since": wall_of(one.since, zone)[:10],
            "therapist": one.therapist,
        }
        for one in shown
    ]


def _needs(waiting: int, shown: Sequence[Shown]) -> str:
    if not shown:
        return "Nothing needs doing: no ending of care is going on."
    if not waiting:
        return "Nothing needs doing here: the therapists are asked about the next steps."
    many = "One ending waits" if waiting == 1 else f"{waiting} endings wait"
    return f"{many} to be confirmed: whoever is named has a notice; nothing else happens with it before."
