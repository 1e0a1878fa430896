"""What became of referrals: looks at clients with an open one, hands over what is due, and shows each by code, stage and next step."""

from prefect import flow

from flows.running import Outcome, already_running, done, log_faults, moment, name_run, record, show_table
from flows.workflow import Workflow, tells_no_data
from integrations.looks import LookedAfter, look_after, real_time
from integrations.opened import opened
from integrations.practice import Practice
from integrations.store import leases, referrals
from integrations.store.leases import LeaseHeld
from integrations.threads import in_thread
from models.instants import Instant, wall_of
from models.referral_words import next_words, state_words
from models.settings import PrefectPart

WORKFLOW = Workflow(
    "referral_followups",
    "Ask what became of referrals",
    "flows.referral_followups.referral_followups",
    cron=PrefectPart().referral_cron,
)
SHOWN = 500
LEASE_SECONDS = 300


@flow(name="Referral follow-ups", flow_run_name="Referral follow-ups")
@tells_no_data
async def referral_followups(now: str | None = None) -> Outcome:
    """Look at everybody with an open referral and hand over what is due; nothing waits in a process for the next question."""
    at = moment(now)
    with opened() as (practice, holder):
        rows = await in_thread(_open, practice)
        try:
            result = await in_thread(_look, practice, at, holder, sorted({row.code for row in rows}))
        except LeaseHeld:
            return already_running()
        log_faults(result.put_off, "a client could not be looked at and is tried again in an hour")
        stuck = sum(bool(row.referral.stuck) for row in rows)
        said = f"{len(rows)} open, {stuck} not going on, {result.decided.notices} asked"
        await name_run(f"Referral follow-ups: {len(rows)} open")
        await show_table(
            practice, "referrals", _told(len(rows), stuck), [_row(row, practice.zone) for row in rows[:SHOWN]]
        )
        await record(practice, WORKFLOW.name, at, said)
    counts = {"open": len(rows), "stuck": stuck, "looked": result.decided.looked, "notices": result.decided.notices}
    return done(said, counts)


def _open(practice: Practice) -> list[referrals.Row]:
    with practice.store.read() as connection:
        return referrals.rows_of(connection)


def _look(practice: Practice, now: Instant, holder: str, codes: list[str]) -> LookedAfter:
    """Look at them; whom another run is looking at just now, it looks at for us. Raises LeaseHeld where another run of this is at it."""
    with leases.lease(practice.store, WORKFLOW.name, holder, real_time(), LEASE_SECONDS):
        try:
            return look_after(practice, now, holder, codes=codes)
        except LeaseHeld:
            return LookedAfter()


def _row(row: referrals.Row, zone: str) -> dict[str, str]:
    r = row.referral
    return {
        "code": row.code,
        "stage": state_words(r.state, r.status, r.stuck, r.heard),
        "since": wall_of(r.since, zone)[:10],
        "next": next_words(r.state, r.stuck, r.rung, r.agreed),
        "therapist": r.therapist_id,
    }


def _told(count: int, stuck: int) -> str:
    if not count:
        return "Nothing needs doing: no referral is open."
    said = "1 referral is open" if count == 1 else f"{count} referrals are open"
    more = f" The first {SHOWN} are shown; `tending referrals` lists all." if count > SHOWN else ""
    return f"{said}, {stuck} of them not going on: their therapists are asked.{more}"
