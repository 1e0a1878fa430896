"""Plans for a therapist's absence: the caseload in one view, what a person decided for each client, and go, after which people are told."""

from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, select, update

from integrations.store import audit, terminations
from integrations.store.cases import shared
from integrations.store.decisions import decide
from integrations.store.derive import derive
from integrations.store.intake import clients_of
from integrations.store.people import Touched, derive_leave
from integrations.store.recipients import Recipients
from integrations.store.tables import insert_new, insert_rows, table
from integrations.store.turns import take_turn
from models.case import ENDED, Case
from models.digest import BOOKED, Digest
from models.eligibility import Urgency
from models.ending_acts import OPEN, QUESTION, STATES
from models.ending_steps import By, Reason
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
from models.notices import Notice
from models.noticing import NoticeKey, notice_row, therapist_recipient
from models.observations import Observation
from models.people import Client, Leave, Therapist
from models.policy import Policy
from models.rules.stalled import rhythm_of
from models.settings import OWN_SOURCE
from models.timing import not_before
from models.told import NOT_KNOWN

if TYPE_CHECKING:
    from integrations.practice import Practice

HANDING_ON = "leave_transfer"  # what a therapist hears who is to take clients over


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


class Went(NamedTuple):
    """What saying go came to: how many colleagues will hear, the codes whose ending was begun, those where it was refused, with why, and
    whether the answer to the question stopped it all."""

    told: int
    begun: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    stopped: bool = False


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


def go(practice: "Practice", connection: Connection, plan_id: int, by: str, personal: str, now: Instant) -> Went:
    """What a person said go to: colleagues hear of whom they are to take over, endings begin, and the leave pauses clocks.

    Clients hear nothing from here. Whoever transfers is moved in the record system, by people. `personal` answers the question that every
    ending asks: with a yes no ending begins, that is kept, and the plan stays a draft. Raises UsageError where the question has no
    answer, somebody who takes over is missing, or the plan is no draft any more; nothing is changed then.
    """
    take_turn(connection)
    plan = view(practice, connection, plan_id, now)
    rows = table(LeavePlan)
    draft_of = (rows.c.id == plan_id) & rows.c.went_at.is_(None) & rows.c.dropped_at.is_(None)
    lacking = [line.code for line in plan.lines if line.choice is Choice.transfers and not line.to_therapist]
    ends = any(line.choice is Choice.ends and not line.standing.ending for line in plan.lines)
    if ends and personal not in ("no", "yes"):
        raise UsageError(f"{QUESTION} Answer with `--personal no` or `--personal yes`; nothing was changed.")
    if lacking:
        raise UsageError(f"Nobody is named to take over {', '.join(lacking)}; `tending leave set` names somebody.")
    begun, refused = _endings(practice, connection, plan, by, personal, now)
    if ends and personal == "yes":
        return Went(0, (), tuple(refused), stopped=True)
    if connection.execute(update(rows).where(draft_of).values(went_at=now, went_by=by)).rowcount == 0:
        raise UsageError("This plan is no draft any more; nothing was changed.")
    told = _tell(practice, connection, plan, now)
    if plan.to_at < FAR:
        _leave(practice, connection, plan, now)
    decide(practice, connection, [line.client_id for line in plan.lines], now)
    counts = {choice.value: sum(line.choice is choice for line in plan.lines) for choice in Choice}
    audit.record(connection, now, by, "leave plan went", f"therapist {plan.therapist}", {"plan": plan_id, **counts})
    return Went(told, tuple(begun), tuple(refused))


def _endings(
    practice: "Practice", connection: Connection, plan: Plan, by: str, personal: str, now: Instant
) -> tuple[list[str], list[tuple[str, str]]]:
    """Begin the endings; those that are going on already go on. With a yes to the question every one of them is stopped."""
    begun: list[str] = []
    refused: list[tuple[str, str]] = []
    until = (
        plan.from_at if plan.from_at > now else NOT_KNOWN
    )  # all appointments of the ending lie before the therapist goes
    for line in plan.lines:
        if line.choice is not Choice.ends or line.standing.ending:
            continue
        asked = terminations.Start(Reason.leaving.value, personal, By.therapist.value, until=until)
        try:
            taken = terminations.start(
                practice, connection, line.client_id, asked, by, now, act_id=f"leave-{plan.id}-{line.client_id}"
            )
        except UsageError as error:
            refused.append((line.code, str(error)))
        else:
            if taken.stopped:
                refused.append((line.code, taken.stopped))
            else:
                begun.append(line.code)
    return begun, refused


def _tell(practice: "Practice", connection: Connection, plan: Plan, now: Instant) -> int:
    """One notice for each colleague who takes clients over, with their codes."""
    mine: dict[str, list[str]] = defaultdict(list)
    for line in plan.lines:
        if line.choice is Choice.transfers:
            mine[line.to_therapist].append(line.code)
    recipients = Recipients(practice, connection, now)
    made = 0
    for colleague, codes in sorted(mine.items()):
        policy = practice.book.of(therapist=colleague).policy
        key = NoticeKey(f"therapist:{plan.therapist}", HANDING_ON, plan.id, 0, therapist_recipient(colleague))
        when = not_before(Urgency.duty, recipients.hours(colleague, policy), now)
        facts = {"therapist": plan.therapist, "from_at": plan.from_at, "codes": ", ".join(codes), "count": len(codes)}
        row = notice_row(key, Urgency.duty, when, int(policy.notice_expires_days * DAY), now, facts=facts)
        made += insert_new(connection, Notice, row)
    return made


def _leave(practice: "Practice", connection: Connection, plan: Plan, now: Instant) -> None:
    """Have the clocks of this caseload pause, as a source of our own tells of the leave; one that the records tell of adds to it."""
    entry_id = f"plan-{plan.id}"
    facts = {
        "therapist_id": plan.therapist,
        "from_on": day_of(plan.from_at, practice.zone).isoformat(),
        "to_on": day_of(plan.to_at - 1, practice.zone).isoformat(),
        "cover_id": None,
    }
    row = {
        "source": OWN_SOURCE,
        "kind": "leave",
        "entry_id": entry_id,
        "content_hash": practice.vault.hash("content", entry_id),
        "said_at": now,
        "known_at": now,
        "gone": False,
        "current": True,
        "facts": facts,
        "hints": {},
        "sealed": None,
    }
    insert_rows(connection, Observation, [row])
    touched = Touched()
    derive_leave(connection, touched)
    derive(connection, clients_of(connection, touched.therapists), practice.book.of().policy, now, practice.zone)
