"""Hands over what is due: every notice is looked at once more right before it leaves."""

from dataclasses import asdict

from prefect import flow

from flows.running import Outcome, already_running, done, moment, name_run, record, show
from flows.workflow import Workflow, tells_no_data
from integrations.delivery import Delivered, deliver
from integrations.opened import opened
from integrations.practice import Practice
from integrations.store import due
from integrations.store.leases import LeaseHeld
from integrations.threads import in_thread
from models.errors import NotArmedError
from models.instants import Instant
from models.settings import PrefectPart

WORKFLOW = Workflow(
    "deliver_notices", "Send what is due", "flows.deliver_notices.deliver_notices", cron=PrefectPart().deliver_cron
)
NOT_ARMED = "not armed: nothing sent"


@flow(name="Deliver notices", flow_run_name="Deliver notices")
@tells_no_data
async def deliver_notices(now: str | None = None) -> Outcome:
    """Claim and hand over everything that is due; where this installation may not send, say so loudly."""
    at = moment(now)
    with opened() as (practice, holder):
        try:
            delivered = await in_thread(deliver, practice, at, holder)
        except LeaseHeld:
            return already_running()
        except NotArmedError:
            waiting = await in_thread(_waiting, practice, at)
            await name_run("Deliver notices: not armed, nothing sent")
            await show(practice, "delivery", _loud(waiting))
            await record(practice, WORKFLOW.name, at, f"{NOT_ARMED}, {waiting} due")
            return done(NOT_ARMED, {"armed": False, "due": waiting})
        said = _said(delivered)
        await name_run(f"Deliver notices: {delivered.sent} sent")
        await show(practice, "delivery", _quiet(delivered))
        await record(practice, WORKFLOW.name, at, said)
    return done(said, {"armed": True, **asdict(delivered)})


def _waiting(practice: Practice, now: Instant) -> int:
    with practice.store.read() as connection:
        unsent = due.unsent(connection, now)
        return unsent.notices + unsent.invitations


def _said(delivered: Delivered) -> str:
    parts = [f"{delivered.sent} sent"]
    parts += [f"{delivered.refused} refused for now"] * bool(delivered.refused)
    parts += [f"{delivered.failed} refused for good"] * bool(delivered.failed)
    parts += [f"{delivered.unsure} of which nobody knows whether they arrived"] * bool(delivered.unsure)
    parts += [f"{delivered.recovered} taken up after a crash"] * bool(delivered.recovered)
    return ", ".join(parts)


def _loud(waiting: int) -> str:
    many = "1 message is" if waiting == 1 else f"{waiting} messages are"
    return (
        "# NOT ARMED: nothing is sent\n\n"
        f"This installation may not send; {many} due now. If this is the practice itself and not a copy of it, "
        "allow it with `tending arm`."
    )


def _quiet(delivered: Delivered) -> str:
    if delivered.failed or delivered.unsure:
        return "Messages are sent, but some did not get through or nobody knows: `tending outbox` lists them."
    if delivered.refused:
        return "Messages are sent, but a channel refuses them for now; they are tried again by themselves."
    return "Nothing needs doing: messages are sent when they are due."
