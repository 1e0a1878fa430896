"""The administrator's weekly line, even when nothing happened, and each therapist's list: did these take place?"""

from prefect import flow

from flows.running import Outcome, already_running, done, moment, name_run, record
from flows.workflow import Workflow, tells_no_data
from integrations.looks import hand_over_due, real_time
from integrations.opened import opened
from integrations.practice import Practice
from integrations.store import audit, leases
from integrations.store.watching import write_weekly_letters
from integrations.threads import in_thread
from models.instants import Instant
from models.settings import PrefectPart

WORKFLOW = Workflow(
    "weekly_letters", "Write the weekly letters", "flows.weekly_letters.weekly_letters", cron=PrefectPart().weekly_cron
)
LEASE_SECONDS = 120


@flow(name="Weekly letters", flow_run_name="Weekly letters")
@tells_no_data
async def weekly_letters(now: str | None = None) -> Outcome:
    """Write this week's letters, once however often it is asked, and hand over those that are due."""
    at = moment(now)
    with opened() as (practice, holder):
        try:
            written = await in_thread(_write, practice, at, holder)
        except leases.LeaseHeld:
            return already_running()
        delivered, why_not = await in_thread(hand_over_due, practice, at, holder)
        said = f"{written} written, {delivered.sent} sent" + (f", nothing sent: {why_not}" if why_not else "")
        await name_run(f"Weekly letters: {written} written")
        await record(practice, WORKFLOW.name, at, said)
    return done(said, {"written": written, "sent": delivered.sent})


def _write(practice: Practice, now: Instant, holder: str) -> int:
    with leases.lease(practice.store, WORKFLOW.name, holder, real_time(), LEASE_SECONDS):
        audit.seal_all(practice.store)  # the line carries the audit's head out of the house
        with practice.store.write() as connection:
            return write_weekly_letters(practice, connection, now)
