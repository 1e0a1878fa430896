"""Go, said of a leave plan by a person: endings begin, colleagues are told of whom they take over, and clocks pause."""

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, update

from integrations.store import audit, terminations
from integrations.store.decisions import decide
from integrations.store.derive import derive
from integrations.store.intake import clients_of
from integrations.store.leave_plans import Plan, view
from integrations.store.people import Touched
from integrations.store.recipients import Recipients
from integrations.store.relations import derive_leave
from integrations.store.tables import insert_new, insert_rows, table
from integrations.store.turns import take_turn
from models.eligibility import Urgency
from models.ending_acts import QUESTION
from models.ending_steps import By, Reason
from models.errors import UsageError
from models.instants import DAY, FAR, Instant, day_of
from models.leave_plan import (
    Choice,
    LeavePlan,
)
from models.notices import Notice
from models.noticing import NoticeKey, notice_row, therapist_recipient
from models.observations import Observation
from models.settings import OWN_SOURCE
from models.timing import not_before
from models.told import NOT_KNOWN

if TYPE_CHECKING:
    from integrations.practice import Practice

HANDING_ON = "leave_transfer"  # what a therapist hears who is to take clients over


class Went(NamedTuple):
    """What saying go came to: how many colleagues will hear, the codes whose ending was begun, those where it was refused, with why, and
    whether the answer to the question stopped it all."""

    told: int
    begun: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    stopped: bool = False


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
            elif taken.changed:
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
        facts = {
            "therapist": plan.therapist,
            "from_on": day_of(plan.from_at, practice.zone).isoformat(),
            "codes": ", ".join(codes),
            "count": len(codes),
        }
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
