"""Looks at everybody from scratch each night and compares; seals the audit; a difference is an alarm of its own."""

from collections.abc import Callable

from prefect import flow

from flows.running import (
    Outcome,
    already_running,
    done,
    log_faults,
    moment,
    name_run,
    record,
    show,
    show_open_findings,
    with_progress,
)
from flows.workflow import Workflow, tells_no_data
from integrations.night import Checked, night
from integrations.opened import opened
from integrations.store.leases import LeaseHeld
from models.settings import PrefectPart

WORKFLOW = Workflow(
    "nightly_check",
    "Check everybody from scratch",
    "flows.nightly_check.nightly_check",
    cron=PrefectPart().nightly_cron,
)


@flow(name="Nightly check", flow_run_name="Nightly check")
@tells_no_data
async def nightly_check(now: str | None = None) -> Outcome:
    """Sweep, evaluate all from scratch, compare with what stands, tell differences, and seal the audit."""
    at = moment(now)
    with opened() as (practice, holder):

        def work(progress: Callable[[int], None]) -> Checked:
            return night(practice, at, holder, progress)

        try:
            checked = await with_progress(work, of=None, key="nightly-check-progress", title="Clients checked")
        except LeaseHeld:
            return already_running()
        log_faults(checked.put_off, "a client could not be looked at and is tried again in an hour")
        many = len(checked.night.differences)
        said = f"{checked.night.looked} checked, {many} differ, audit sealed with {checked.sealed} new"
        if not checked.audit_whole:
            said += ", the audit has been altered"
        await name_run(f"Nightly check: {checked.night.looked} checked, {many} differ")
        await show_open_findings(practice, anyway=True)
        await show(practice, "nightly-check", _shown(many, checked.audit_whole))
        await record(practice, WORKFLOW.name, at, said)
    counts = {
        "looked": checked.night.looked,
        "differences": many,
        "sealed": checked.sealed,
        "whole": checked.audit_whole,
    }
    return done(said, counts, name="Completed" if not many and checked.audit_whole else "Differs")


def _shown(differences: int, whole: bool) -> str:
    audit = (
        "" if whole else " **The audit does not fit together: acts were cut or rewritten.** `tending check` says where."
    )
    if not differences:
        return f"What stands is what a fresh look at everybody finds.{audit or ' Nothing needs doing.'}"
    return f"**A fresh look disagrees about {differences} client(s).** The administrator is told, with both evidences.{audit}"
