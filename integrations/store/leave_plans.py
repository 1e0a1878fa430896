"""Plans for a therapist's absence: the caseload in one view, what a person decided for each client, and go, after which people are told."""

from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, select, update

from integrations.store import audit
from integrations.store.cases import shared
from integrations.store.tables import insert_rows, table
from integrations.store.turns import take_turn
from models.case import ENDED, Case
from models.digest import BOOKED, Digest
from models.ending_acts import OPEN, STATES, State
from models.errors import UsageError
from models.goals import all_met, standing_goals
from models.instants import DAY, FAR, Instant, day_of
from models.leave_plan import (
    Choice,
    Colleague,
    LeaveChoice,
    LeavePlan,
    Proposal,
    Standing,
    propose,
    spread,
)
from models.looking import DIGEST_COLUMNS
from models.people import Client, Leave, Therapist
from models.policy import Policy
from models.rhythm import rhythm_of

if TYPE_CHECKING:
    from integrations.practice import Practice


class Line(NamedTuple):
    """One client of a plan: how they stand, what is proposed, and what holds (a person's choice, else the proposal)."""

    client_id: int
    code: str
    standing: Standing
    proposal: Proposal
    choice: Choice
    to_therapist: str
    decided: bool


class Plan(NamedTuple):
    """A plan with its lines, by code; `policy` is the therapist's."""

    id: int
    therapist: str
    from_at: Instant
    to_at: Instant
    went_at: Instant | None
    policy: Policy
    lines: tuple[Line, ...]


def draft(
    practice: "Practice",
    connection: Connection,
    therapist: str,
    from_at: Instant,
    to_at: Instant,
    by: str,
    now: Instant,
) -> int:
    """The therapist's draft for this absence, new where there is none; a draft for other days gives way to it. Answers its id.

    Raises UsageError for days that have passed or that end before they begin.
    """
    if to_at <= from_at:
        raise UsageError("The leave ends before it begins; correct --from or --to.")
    if to_at <= now:
        raise UsageError("These days have passed; name some that lie ahead.")
    take_turn(connection)
    before = _open(connection, therapist)
    if before is not None:
        if (before.from_at, before.to_at) == (from_at, to_at):
            return int(before.id)
        drop(connection, int(before.id), by, now)
    rows = table(LeavePlan)
    made = {"therapist_id": therapist, "from_at": from_at, "to_at": to_at, "made_at": now, "made_by": by, "went_by": ""}
    plan_id = connection.execute(rows.insert().values(**made).returning(rows.c.id)).scalar_one()
    audit.record(connection, now, by, "leave planned", f"therapist {therapist}", {"plan": plan_id})
    return int(plan_id)


def _open(connection: Connection, therapist: str) -> Any:
    rows = table(LeavePlan)
    draft_of = (rows.c.therapist_id == therapist) & rows.c.went_at.is_(None) & rows.c.dropped_at.is_(None)
    return connection.execute(select(rows).where(draft_of).order_by(rows.c.id.desc())).first()


class Row(NamedTuple):
    """A plan as lists show it; `went_at` is None for a draft."""

    id: int
    therapist: str
    from_at: Instant
    to_at: Instant
    went_at: Instant | None


def newest_of(connection: Connection, therapists: Collection[str]) -> dict[str, Row]:
    """The newest plan of each of these therapists that was not given up; of whom there is none is left out."""
    rows = table(LeavePlan)
    query = (
        select(rows.c.id, rows.c.therapist_id, rows.c.from_at, rows.c.to_at, rows.c.went_at)
        .where(rows.c.therapist_id.in_(therapists), rows.c.dropped_at.is_(None))
        .order_by(rows.c.id)
    )
    return {row.therapist_id: Row(*row) for row in connection.execute(query)}


def open_plan(connection: Connection, therapist: str) -> int:
    """The id of a therapist's draft. Raises UsageError where there is none."""
    found = _open(connection, therapist)
    if found is None:
        raise UsageError(
            f"No leave of {therapist} is being planned; begin with `tending leave plan {therapist} --from DATE`."
        )
    return int(found.id)


def drop(connection: Connection, plan_id: int, by: str, now: Instant) -> None:
    """Give a draft up."""
    rows = table(LeavePlan)
    connection.execute(update(rows).where(rows.c.id == plan_id, rows.c.went_at.is_(None)).values(dropped_at=now))
    audit.record(connection, now, by, "leave plan dropped", "plan", {"plan": plan_id})


def choose(
    connection: Connection, plan_id: int, client_id: int, choice: Choice, to_therapist: str, by: str, now: Instant
) -> None:
    """Keep what a person decided for one client of a draft."""
    take_turn(connection)
    plans, rows = table(LeavePlan), table(LeaveChoice)
    plan = connection.execute(select(plans).where(plans.c.id == plan_id)).one()
    if plan.went_at is not None or plan.dropped_at is not None:
        raise UsageError("This plan is no draft any more; nothing was changed.")
    if choice is Choice.waits and plan.to_at >= FAR:
        raise UsageError(
            "The therapist does not come back, so nobody can wait for them: they transfer, or their care ends."
        )
    if to_therapist == plan.therapist_id:
        raise UsageError("That is the therapist who goes; name somebody else.")
    if to_therapist and choice is not Choice.transfers:
        raise UsageError("Somebody to take over goes with `transfers` alone.")
    mine = (rows.c.plan_id == plan_id) & (rows.c.client_id == client_id)
    values = {"choice": choice.value, "to_therapist": to_therapist, "by": by, "at": now}
    if connection.execute(update(rows).where(mine).values(**values)).rowcount == 0:
        insert_rows(connection, LeaveChoice, [{"plan_id": plan_id, "client_id": client_id, **values}])
    code = connection.execute(select(table(Client).c.code).where(table(Client).c.id == client_id)).scalar_one()
    audit.record(connection, now, by, "leave choice", code, {"plan": plan_id, "choice": choice.value})


def view(practice: "Practice", connection: Connection, plan_id: int, now: Instant) -> Plan:
    """The whole caseload as the plan has it; a constant number of queries, whatever its size."""
    plans, choices, clients, digests = table(LeavePlan), table(LeaveChoice), table(Client), table(Digest)
    plan = connection.execute(select(plans).where(plans.c.id == plan_id)).one()
    said = {row.client_id: row for row in connection.execute(select(choices).where(choices.c.plan_id == plan_id))}
    wanted = select(*(digests.c[name] for name in DIGEST_COLUMNS), clients.c.code)
    mine = wanted.join_from(digests, clients, clients.c.id == digests.c.client_id).where(
        digests.c.therapist_id == plan.therapist_id, digests.c.status != ENDED, digests.c.died == 0
    )
    together = shared(practice, connection, now)
    found = []
    for *row, code in connection.execute(mine.order_by(clients.c.code)):
        case, policy = together.case(tuple(row)), together.policy(tuple(row)).policy
        if _is_over(case):
            continue
        stands = _standing(case, policy, plan.from_at, plan.to_at)
        found.append((row[0], row[2], code, stands, propose(stands, plan.from_at, plan.to_at, policy)))
    named = _cover_of(connection, plan)
    colleagues = _colleagues(practice, connection, plan, together.is_new, now)
    takers = iter(spread([site for _, site, *_, p in found if p.choice is Choice.transfers], named, colleagues))
    lines = []
    for client_id, _, code, stands, proposal in found:
        taker = next(takers) if proposal.choice is Choice.transfers else ""
        mine_said = said.get(client_id)
        choice = Choice(mine_said.choice) if mine_said else proposal.choice
        to = (mine_said.to_therapist or (taker if choice is Choice.transfers else "")) if mine_said else taker
        lines.append(Line(client_id, code, stands, proposal, choice, to, mine_said is not None))
    site = next((site for _, site, *_ in found), "")
    policy = practice.book.of(site, plan.therapist_id, new=together.is_new(plan.therapist_id)).policy
    return Plan(plan.id, plan.therapist_id, plan.from_at, plan.to_at, plan.went_at, policy, tuple(lines))


def _is_over(case: Case) -> bool:
    """Whether a client's ending is closed, and they neither came back nor are booked to: nothing has to become of them."""
    if not case.told.endings or case.next_booked() is not None:
        return False
    newest = case.told.endings[-1]
    return STATES[newest.state] is State.closed and (case.last_seen() or 0) <= newest.moved_at


def _standing(case: Case, policy: Policy, from_at: Instant, to_at: Instant) -> Standing:
    ahead = [entry >> 3 for entry in case.line[case.past :] if entry & BOOKED]
    going = [ending for ending in case.told.endings if STATES[ending.state] in OPEN]
    return Standing(
        last=case.last_seen(),
        next=case.next_booked(),
        rhythm=int(rhythm_of(case, policy)[0]),
        before=sum(start < from_at for start in ahead),
        during=sum(from_at <= start < to_at for start in ahead),
        goals_met=all_met(standing_goals(case)),
        ending=bool(going),
        careful=any(ending.careful for ending in going),
    )


def _cover_of(connection: Connection, plan: Any) -> str:
    """Whom the therapist's leave names as cover, where the record system knows of that leave."""
    leave = table(Leave)
    rows = connection.execute(
        select(leave).where(leave.c.therapist_id == plan.therapist_id, leave.c.cover_id.is_not(None))
    )
    near = [row for row in rows if _meets(row, plan)]
    return near[0].cover_id if near else ""


def _meets(leave: Any, plan: Any) -> bool:
    """Whether a leave and a plan share a day; a day more or less of a zone does not matter here."""
    first, last = day_of(plan.from_at, "UTC"), day_of(min(plan.to_at - 1, plan.from_at + 3650 * DAY), "UTC")
    return bool(leave.from_on <= last and leave.to_on >= first)


def _colleagues(practice: "Practice", connection: Connection, plan: Any, is_new: Any, now: Instant) -> list[Colleague]:
    therapists, digests = table(Therapist), table(Digest)
    load: dict[str, int] = defaultdict(int)
    in_care = select(digests.c.therapist_id).where(digests.c.status != ENDED, digests.c.died == 0)
    for who in connection.execute(in_care).scalars():
        load[who] += 1
    away = {row.therapist_id for row in connection.execute(select(table(Leave))) if _meets(row, plan)}
    rows = connection.execute(select(therapists.c.id, therapists.c.site).order_by(therapists.c.id))
    return [
        Colleague(row.id, row.site, load[row.id], is_new(row.id), row.id in away)
        for row in rows
        if row.id != plan.therapist_id
    ]
