"""`leave`: a therapist goes, for a while or for good, and what becomes of each client is decided by people."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from integrations.practice import Practice
from integrations.store import leave_going, leave_plans
from integrations.store.leave_plans import Line, Plan
from models.errors import UsageError
from models.instants import FAR, Instant, start_of
from models.leave_plan import WHY, Choice, asks, told_by
from models.voice import Voice
from models.words import counted
from tending.commands.common import client_of, day_from, instant_or_none, login, now, opened, therapist_of, voice_of
from tending.commands.options import JsonOption, PracticeOption
from tending.output import columns, say, show_json

Who = Annotated[str, typer.Argument(metavar="THERAPIST", help="The therapist's id, as the exports have it.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Plan a therapist's leave or going.")
    group.command("plan")(plan)
    group.command("set")(set_choice)
    group.command("go")(go)
    group.command("drop")(drop)
    app.add_typer(group, name="leave")


def plan(
    therapist: Who,
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="The first day away.")],
    last: Annotated[
        str, typer.Option("--to", metavar="DATE", help="The last day away; left out: for good.", show_default=False)
    ] = "",
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """The whole caseload in one view: who waits, who transfers, who ends.

    What is proposed is kept as a draft. Nothing happens and nobody hears of it until somebody says `tending leave go`.
    """
    at = now()
    with opened(practice) as here:
        begins = start_of(day_from(first), here.zone)
        ends = start_of(day_from(last) + timedelta(days=1), here.zone) if last else FAR
        with here.store.write() as connection:
            who = therapist_of(connection, therapist)
            plan_id = leave_plans.draft(here, connection, who, begins, ends, login(), at)
            found = leave_plans.view(here, connection, plan_id, at)
        _show(here, found, at, as_json=as_json)


def set_choice(
    therapist: Who,
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="The client's code, such as C-7F3K9QX.")],
    choice: Annotated[str, typer.Argument(metavar="CHOICE", help=f"What becomes of their care: {', '.join(Choice)}.")],
    to: Annotated[
        str, typer.Option("--to", metavar="THERAPIST", help="transfers: who takes over.", show_default=False)
    ] = "",
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Decide for one client of the draft, instead of what is proposed."""
    at = now()
    try:
        chosen = Choice(choice.strip().lower())
    except ValueError:
        raise UsageError(f"That is no choice; there are {', '.join(Choice)}.") from None
    with opened(practice) as here:
        with here.store.write() as connection:
            who = therapist_of(connection, therapist)
            plan_id = leave_plans.open_plan(connection, who)
            about = client_of(connection, client)
            if about.therapist_id != who:
                raise UsageError(f"{about.code} is not in the caseload of {who}.")
            taker = therapist_of(connection, to) if to else ""
            leave_plans.choose(connection, plan_id, about.id, chosen, taker, login(), at)
            found = leave_plans.view(here, connection, plan_id, at)
            line = next((one for one in found.lines if one.client_id == about.id), None)
            if line is None:
                raise UsageError(f"The care of {about.code} has ended, so nothing has to become of it in this plan.")
        voice = voice_of(here, at)
    show_json(_facts(line, found, at, voice)) if as_json else say(f"{line.code}: {_words(line)}.")


def go(
    therapist: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without this it is only shown.")] = False,
    personal: Annotated[
        str,
        typer.Option(
            "--personal",
            metavar="no|yes",
            help="Is beginning a personal relationship, or a waiting period, part of why? Asked where endings begin.",
            show_default=False,
        ),
    ] = "",
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Say go: colleagues hear whom they are to take over, endings begin, clocks pause during the leave.

    Clients hear nothing from here: their therapist tells them. Transfers are entered in the record system.
    """
    at = now()
    with opened(practice) as here:
        with here.store.read() as connection:
            who = therapist_of(connection, therapist)
            plan_id = leave_plans.open_plan(connection, who)
            found = leave_plans.view(here, connection, plan_id, at)
        if not yes:
            _show(here, found, at, as_json=as_json)
            if not as_json:
                say("Nothing was done yet; `--yes` does it.")
            return
        with here.store.write() as connection:
            went = leave_going.go(here, connection, plan_id, login(), personal.strip().lower(), at)
    if as_json:
        show_json(went._asdict())
        return
    for code, why in went.refused:
        say(f"{code}: no ending was begun. {why}")
    if went.stopped:
        raise UsageError("Nothing was done: the plan is a draft as before.")
    say(f"{who}: {counted(went.told, 'colleague')} will hear; {counted(len(went.begun), 'ending')} begun.")
    say("Enter the transfers in the record system; access moves with them.")


def drop(therapist: Who, practice: PracticeOption = None) -> None:
    """Give the draft up."""
    with opened(practice) as here, here.store.write() as connection:
        who = therapist_of(connection, therapist)
        leave_plans.drop(connection, leave_plans.open_plan(connection, who), login(), now())
    say(f"The plan for {who} is given up; nothing had been done.")


def _words(line: Line) -> str:
    how = f"{line.choice.value} to {line.to_therapist}" if line.to_therapist else line.choice.value
    return f"{how} (decided)" if line.decided else f"{how}, since {WHY[line.proposal.why]}"


def _facts(line: Line, plan: Plan, at: Instant, voice: Voice) -> dict[str, Any]:
    return {
        "code": line.code,
        "choice": line.choice.value,
        "to": line.to_therapist,
        "decided": line.decided,
        "why": "" if line.decided else WHY[line.proposal.why],
        "last": instant_or_none(line.standing.last),
        "next": instant_or_none(line.standing.next),
        "booked_before": line.standing.before,
        "booked_during": line.standing.during,
        "to_do": asks(line.standing, line.choice, line.to_therapist, at, plan.from_at, voice),
    }


def _show(here: Practice, plan: Plan, at: Instant, *, as_json: bool) -> None:
    voice = voice_of(here, at)
    facts = [_facts(line, plan, at, voice) for line in plan.lines]
    deadline = told_by(plan.from_at, plan.policy)
    if as_json:
        span = {"from": instant_or_none(plan.from_at), "to": instant_or_none(plan.to_at if plan.to_at < FAR else None)}
        show_json({"therapist": plan.therapist, **span, "told_by": instant_or_none(deadline), "clients": facts})
        return
    until = f"until {voice.day(plan.to_at - 1)}" if plan.to_at < FAR else "for good"
    say(f"{plan.therapist} goes on {voice.day(plan.from_at)}, {until}: {counted(len(plan.lines), 'client')}.")
    when = voice.day_and_distance(deadline)
    if deadline <= at:
        say(f"They should have known of it by {when}: tell them at the next appointment.")
    else:
        say(f"Tell them by {when}: at an appointment, not by letter.")
    columns([(line.code, _words(line), " ".join(told["to_do"])) for line, told in zip(plan.lines, facts, strict=True)])
