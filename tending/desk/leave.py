"""A therapist's leave or going, planned in one view: who waits, who transfers, who ends. Nothing happens before somebody says go."""

import hashlib
from dataclasses import dataclass

from fastapi.responses import Response
from sqlalchemy import Connection

from integrations.store import desk, leave_going, leave_plans, lookups
from integrations.store.leave_plans import Line, Plan
from integrations.store.turns import take_turn
from models.accounts import Role
from models.ending_acts import QUESTION
from models.errors import UsageError
from models.instants import FAR, Instant, end_of, start_of
from models.leave_plan import WHY, Choice, asks, told_by
from models.voice import Voice
from models.words import counted
from tending.desk import cards
from tending.desk.asking import NOTHING_HERE, Asked, SorryError, day_in, form_id, go, page, stopped
from tending.desk.today import labels_of

CHOICES: dict[Choice, str] = {
    Choice.waits: "waits until the therapist is back",
    Choice.transfers: "transfers to somebody else",
    Choice.ends: "ends, by the steps of an ending",
}
CHANGED = (
    "The plan has changed since you opened the page, so nothing was done. Look again, and say go if it still holds."
)


@dataclass(frozen=True, slots=True)
class LineShown:
    """One client of a plan: `choice` and `to` as they hold, the sentence for it, how they stand, and what is still to do."""

    code: str
    label: str
    choice: str
    to: str
    sentence: str
    stands: str
    to_do: tuple[str, ...]
    settled: bool


def leaves(asked: Asked) -> Response:
    """Whose leave may be planned: one's own, and a supervisor's team's."""
    found = _planners(asked)
    with asked.practice.store.read() as connection:
        plans = leave_plans.newest_of(connection, found)
    voice = asked.voice
    rows = [
        (who, asked.naming.therapist(who), _when(plans[who], voice) if who in plans else "Nothing is planned.")
        for who in found
    ]
    return page(asked, "leaves.html", title="Leave", rows=rows, me=asked.person.therapist_id)


def _planners(asked: Asked) -> list[str]:
    """The therapists whose leave they may plan, themselves first."""
    me = asked.person.therapist_id
    if not me:
        return []
    if asked.person.role is not Role.supervisor:
        return [me]
    with asked.practice.store.read() as connection:
        return [me, *(one for one in desk.team_of(connection, me) if one != me)]


def _whose(asked: Asked) -> str:
    """The therapist of the path, if their leave may be planned by whoever asks. Raises SorryError."""
    who = asked.path["therapist"]
    if who not in _planners(asked):
        raise SorryError(404, NOTHING_HERE)
    asked.back = f"/leave/{who}"
    return who


def view(asked: Asked) -> Response:
    """The whole caseload as it is planned, or the days to begin with. Looking changes nothing."""
    who = _whose(asked)
    with asked.practice.store.read() as connection:
        row = leave_plans.newest_of(connection, [who]).get(who)
        plan = None if row is None else leave_plans.view(asked.practice, connection, row.id, asked.now)
        others = [(one, asked.naming.therapist(one)) for one in lookups.therapists(connection) if one != who]
    labels: dict[int, str] = {}
    if plan is not None:
        labels = labels_of(asked, asked.reach, {line.client_id for line in plan.lines})
    lines = [] if plan is None else [_shown(asked, plan, line, labels) for line in plan.lines]
    return page(
        asked,
        "leave.html",
        title="Leave",
        therapist=who,
        called=asked.naming.therapist(who),
        mine=who == asked.person.therapist_id,
        when="" if row is None else _when(row, asked.voice),
        told="" if plan is None else _told(plan, asked.voice),
        draft=plan is not None and plan.went_at is None,
        went=plan is not None and plan.went_at is not None,
        lines=lines,
        summary=_summary(lines),
        ends=any(line.choice == Choice.ends and not line.settled for line in lines),
        plan_id=0 if plan is None else plan.id,
        seen="" if plan is None else seen_of(plan),
        choices=_choices(FAR if plan is None else plan.to_at),
        others=others,
        question=QUESTION,
        first=cards.choices(asked).first,
    )


def seen_of(plan: Plan) -> str:
    """What a plan holds, so that go never does something else than what was looked at."""
    held = [(line.code, line.choice.value, line.to_therapist, line.standing.ending) for line in plan.lines]
    return hashlib.sha256(repr((plan.id, held)).encode()).hexdigest()[:16]


def _when(row: leave_plans.Row, voice: Voice) -> str:
    until = f"until {voice.day(row.to_at - 1)}" if row.to_at < FAR else "for good"
    said = f"From {voice.day(row.from_at)}, {until}"
    if row.went_at is None:
        return f"{said}: a draft. Nothing has happened."
    return f"{said}: somebody said go, {voice.day_and_distance(row.went_at)}."


def _told(plan: Plan, voice: Voice) -> str:
    if plan.went_at is not None:
        return ""
    deadline = told_by(plan.from_at, plan.policy)
    if deadline <= voice.now:
        return "Clients should know of it by now: tell them at the next appointment, not by letter."
    return f"Tell the clients by {voice.day_and_distance(deadline)}: at an appointment, not by letter."


def _choices(to_at: Instant) -> dict[Choice, str]:
    """What can become of a client: nobody waits for who does not come back."""
    return {one: words for one, words in CHOICES.items() if one is not Choice.waits or to_at < FAR}


def _shown(asked: Asked, plan: Plan, line: Line, labels: dict[int, str]) -> LineShown:
    voice, stands = asked.voice, line.standing
    how = CHOICES[line.choice]
    if line.choice is Choice.transfers and line.to_therapist:
        how = f"transfers to {asked.naming.therapist(line.to_therapist)}"
    how += "." if line.decided else f": {WHY[line.proposal.why]}."
    if stands.ending:
        how = "ends: an ending is going on already."
    seen = f"Last seen {voice.day(stands.last)}." if stands.last is not None else "Not seen yet."
    ahead = f" Next {voice.day(stands.next)}." if stands.next is not None else " Nothing booked."
    to_do = asks(stands, line.choice, line.to_therapist, asked.now, plan.from_at, voice) if plan.went_at is None else []
    return LineShown(
        line.code,
        labels.get(line.client_id) or line.code,
        line.choice.value,
        line.to_therapist,
        how[:1].upper() + how[1:],
        f"{seen}{ahead}",
        tuple(to_do),
        stands.ending,
    )


def _summary(lines: list[LineShown]) -> str:
    """What go would do, in a sentence."""
    takers = {line.to for line in lines if line.choice == Choice.transfers and line.to}
    ends = sum(line.choice == Choice.ends and not line.settled for line in lines)
    told = (
        f"{counted(len(takers), 'colleague')} will hear whom to take over" if takers else "no colleague is written to"
    )
    begun = f"{counted(ends, 'ending')} will begin" if ends else "no ending begins"
    said = f"{told}, {begun}, and the clocks of this caseload pause meanwhile. Clients hear nothing from here."
    return said[:1].upper() + said[1:]


# ---------------------------------------------------------------- what is said


def plan(asked: Asked) -> Response:
    """Draft a plan for these days; the same days are the same draft."""
    asked.require_form()
    who = _whose(asked)
    first, last = day_in(asked, "from"), day_in(asked, "to")
    for_good = asked.form.get("for_good") == "yes"
    if first is None or (last is None) == (not for_good):
        raise UsageError("Say from which day, and either until which or that it is for good; nothing was changed.")
    ends = FAR if last is None else end_of(last, asked.practice.zone)
    with asked.practice.store.write() as connection:
        leave_plans.draft(
            asked.practice, connection, who, start_of(first, asked.practice.zone), ends, asked.by, asked.now
        )
    return go(f"/leave/{who}")


def choose(asked: Asked) -> Response:
    """What becomes of one client's care, instead of what is proposed."""
    asked.require_form()
    who = _whose(asked)
    try:
        choice = Choice(asked.form.get("choice", ""))
    except ValueError:
        raise UsageError("Say what becomes of their care; nothing was changed.") from None
    to = asked.form.get("to", "") if choice is Choice.transfers else ""
    with asked.practice.store.write() as connection:
        take_turn(connection)
        plan_id = _draft(asked, connection, who)
        about = lookups.about(connection, asked.form.get("code", ""))
        if about is None or about.therapist_id != who:
            raise SorryError(404, NOTHING_HERE)
        if to and to not in lookups.therapists(connection):
            raise UsageError("Nobody of that id is among the therapists; nothing was changed.")
        leave_plans.choose(connection, plan_id, about.id, choice, to, asked.by, asked.now)
    return go(f"/leave/{who}#{about.code}")


def go_ahead(asked: Asked) -> Response:
    """Go, for exactly what was looked at. Said twice it is done once."""
    asked.require_form()
    who = _whose(asked)
    form_id(asked)
    with asked.practice.store.write() as connection:
        take_turn(connection)
        row = leave_plans.newest_of(connection, [who]).get(who)
        if row is not None and row.went_at is not None and str(row.id) == asked.form.get("plan"):
            return go(f"/leave/{who}")  # sent twice
        plan_id = _draft(asked, connection, who)
        stands = leave_plans.view(asked.practice, connection, plan_id, asked.now)
        if asked.form.get("seen", "") != seen_of(stands):
            raise UsageError(CHANGED)
        personal = asked.form.get("personal", "")
        asks_it = any(line.choice is Choice.ends and not line.standing.ending for line in stands.lines)
        if asks_it and personal not in ("no", "yes"):
            raise UsageError("The question needs its answer, no or yes; nothing was done.")
        went = leave_going.go(asked.practice, connection, plan_id, asked.by, personal, asked.now)
    if went.stopped:
        why = went.refused[0][1] if went.refused else ""
        return stopped(asked, why, "The plan is a draft as before.", title="Nothing was done", back=f"/leave/{who}")
    return go(f"/leave/{who}")


def drop(asked: Asked) -> Response:
    """Give the draft up."""
    asked.require_form()
    who = _whose(asked)
    with asked.practice.store.write() as connection:
        row = leave_plans.newest_of(connection, [who]).get(who)
        if row is not None and row.went_at is None and str(row.id) == asked.form.get("plan"):
            leave_plans.drop(connection, row.id, asked.by, asked.now)
    return go(f"/leave/{who}")


def _draft(asked: Asked, connection: Connection, who: str) -> int:
    """The draft that the form is about. Raises UsageError where it is none any more."""
    row = leave_plans.newest_of(connection, [who]).get(who)
    if row is None or row.went_at is not None or str(row.id) != asked.form.get("plan"):
        raise UsageError("This plan is no draft any more; nothing was changed. Open the page anew.")
    return row.id
