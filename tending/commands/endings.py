"""`end` and `ending`: care is ended by people, step by step, never without the question, and never by the product."""

import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from integrations import ending, ending_schedule, letters
from integrations.practice import Practice
from integrations.store import ending_rows, lookups
from integrations.store.terminations import Start, Taken
from models.ending_acts import MEANS, QUESTION, STEPS, State, Termination, What
from models.ending_steps import COULD_NOT_WORDS, REASON_WORDS, STEP_WORDS, By, CouldNot, Need, Reason, Step, asked
from models.errors import UsageError
from models.instants import Instant, end_of
from models.told import NOT_KNOWN
from models.voice import Voice
from tending.commands import ending_schedule as schedules
from tending.commands.common import (
    JsonOption,
    PracticeOption,
    client_of,
    instant_or_none,
    login,
    moment_from,
    now,
    opened,
    voice_of,
)
from tending.output import columns, say, show_json, toned

ACTIONS = {
    "confirm": What.confirmed,
    "decline": What.declined,
    "done": What.done,
    "could-not": What.could_not,
    "reopen": What.reopened,
    "attempt": What.attempt,
    "careful": What.careful,
    "withdraw": What.withdrawn,
    "close": What.closed,
}
WITH_STEP = ("done", "could-not", "reopen")
LETTER, SCHEDULE = "letter", "schedule"
WORDS = (*ACTIONS, LETTER, SCHEDULE)
STATE_WORDS = {
    State.waiting: "waits to be confirmed",
    State.going: "going on",
    State.declined: "not confirmed",
    State.withdrawn: "withdrawn",
    State.closed: "closed",
}
IN_THE_RECORD = "The client's status stands in the record system, which is its own: set it there."

ClientArgument = Annotated[
    str, typer.Argument(metavar="CLIENT", help="The client's code, such as C-7F3K9QX.", show_default=False)
]
PersonalOption = Annotated[
    str, typer.Option("--personal", metavar="no|yes", help=f"The answer to: {QUESTION}", show_default=False)
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("end")(end)
    app.command("ending")(show_or_say)


def end(
    client: ClientArgument,
    reason: Annotated[
        str,
        typer.Option("--reason", metavar="WORD", help=f"Why: {', '.join(Reason)}.", show_default=False),
    ],
    personal: PersonalOption = "",
    careful: Annotated[
        bool,
        typer.Option("--careful", help="The client finds rejection hard: more room, and nothing goes by itself."),
    ] = False,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="|".join(one for one in By if one is not By.nobody),
            help="Whose wish it is; without it what is usual for the reason.",
            show_default=False,
        ),
    ] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="By which day it should be over.", show_default=False)
    ] = "",
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Start an ending of care, with its reason.

    It is always asked whether beginning a personal relationship, or a waiting period, is part of why; a yes stops it.
    What a therapist begins waits until the supervisor (or the policy's peer) has confirmed it. Nothing is sent to the
    client, and nothing ends by itself: `tending ending CLIENT` shows the steps. The table of reasons and steps stands
    in docs/endings.md.
    """
    at = now()
    with opened(practice) as here:
        until_at = _day_ahead(until, here.zone)
        answer = _answer(personal, as_json)
        start = Start(reason, answer, by, careful, until_at)
        with here.store.write() as connection:
            who = client_of(connection, client)
            taken = ending.begin(here, connection, who.id, start, login(), at)
        _stop(taken)
        _show(here, who, at, as_json, taken)


def show_or_say(
    client: ClientArgument = "",
    what: Annotated[
        str,
        typer.Argument(metavar="WHAT", help=f"What is said: {', '.join(WORDS)}. Without it: show.", show_default=False),
    ] = "",
    step: Annotated[
        str,
        typer.Argument(metavar="STEP", help=f"{', '.join(WITH_STEP)}: {', '.join(STEPS)}.", show_default=False),
    ] = "",
    personal: PersonalOption = "",
    reason: Annotated[
        str,
        typer.Option("--reason", metavar="WORD", help=f"could-not: {', '.join(CouldNot)}.", show_default=False),
    ] = "",
    means: Annotated[
        str, typer.Option("--means", metavar="WORD", help=f"attempt: {', '.join(MEANS)}.", show_default=False)
    ] = "",
    on: Annotated[
        str,
        typer.Option("--on", metavar="DATE", help="attempt: when it was made; now if left out.", show_default=False),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="letter: where the draft goes.", show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="schedule: propose what is new to the therapist.")] = False,
    to_client: Annotated[
        bool, typer.Option("--tell-client", help="schedule: the client's own messages; you are asked about each.")
    ] = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Show an ending, or say what was done.

    Without a client all endings that are going on or wait. With one: its steps, its appointments, what is open, who has
    to confirm, and what comes next. `confirm` and `decline` are for whoever was named, never for whoever began it. Each step is `done`
    or `could-not` be, with a reason; `reopen` takes that back. `attempt` notes that somebody tried to reach a client
    who is out of contact. `letter` drafts the closing letter with the names in it, into a file that only you can
    read; each draft is recorded, a person finishes and sends it, and `done letter` says so. `schedule` shows which
    appointment has which part and which times would be proposed for the rest; with --yes the therapist is invited to
    them, by mail. The client hears of them only with --tell-client, once the therapist's calendar shows them.
    """
    at = now()
    with opened(practice) as here:
        if not client:
            _list(here, at, as_json)
            return
        if what == LETTER:
            _letter(here, client, out, at, as_json)
            return
        if (yes or to_client) and what != SCHEDULE:
            raise UsageError("--yes and --tell-client go with `tending ending CLIENT schedule`.")
        if what == SCHEDULE:
            if yes and to_client:
                raise UsageError("First the therapist, then the client: give --yes or --tell-client.")
            with here.store.read() as connection:
                who = client_of(connection, client)
            if to_client:
                schedules.tell_client(here, who, at, as_json=as_json)
            else:
                schedules.schedule(here, who, at, yes=yes, as_json=as_json)
            return
        if not what:
            with here.store.read() as connection:
                who = client_of(connection, client)
            _show(here, who, at, as_json)
            return
        act = _action(what, step)
        answer = _answer(personal, as_json) if act is What.confirmed else ""
        when = moment_from(on, here.zone, at) if on else NOT_KNOWN
        words = {"step": step.strip().lower(), "reason": reason.strip().lower(), "means": means.strip().lower()}
        with here.store.write() as connection:
            who = client_of(connection, client)
            taken = ending.say(here, connection, who.id, act, login(), at, personal=answer, on=when, **words)
        _stop(taken)
        _show(here, who, at, as_json, taken)


# ---------------------------------------------------------------- what was typed


def _action(what: str, step: str) -> What:
    word = what.strip().lower().replace("_", "-")
    if word not in ACTIONS:
        raise UsageError(f"That cannot be said of an ending; there are {', '.join(WORDS)}.")
    if bool(step) != (word in WITH_STEP):
        raise UsageError(
            f"Name the step: `tending ending CLIENT {word} STEP`; there are {', '.join(STEPS)}."
            if not step
            else f"A step does not go with `{word}`."
        )
    return ACTIONS[word]


def _answer(personal: str, as_json: bool) -> str:
    """The answer to the question as it was given, or, at a terminal, asked for."""
    word = personal.strip().lower()
    if not word and not as_json and sys.stdin.isatty():
        word = typer.prompt(f"{QUESTION} (no/yes)").strip().lower()
    if word not in ("", "no", "yes"):
        raise UsageError(f"{QUESTION} The answer is no or yes.")
    return word


def _day_ahead(until: str, zone: str) -> Instant:
    try:
        return end_of(date.fromisoformat(until.strip()), zone) if until else NOT_KNOWN
    except (ValueError, OverflowError):
        raise UsageError("A day is written like 2026-11-03.") from None


def _stop(taken: Taken) -> None:
    """After what was kept is kept: say why nothing begins."""
    if taken.stopped:
        raise UsageError(taken.stopped)


# ---------------------------------------------------------------- what is shown


def _letter(here: Practice, client: str, out: Path | None, at: Instant, as_json: bool) -> None:
    with here.store.write() as connection:
        who = client_of(connection, client)
        code, text = letters.draft(here, connection, who.id, login(), at)
    path = out or Path(f"closing-letter-{code}.txt")
    letters.write_draft(path, text)
    if as_json:
        show_json({"code": code, "file": str(path)})
        return
    say(
        f"{code}: the draft lies in {path}, with the client's name in it. Finish it, and delete it where it has done its work."
    )
    say(f"Nothing was sent. When you have sent it: `tending ending {code} done letter`.")


def _list(here: Practice, at: Instant, as_json: bool) -> None:
    with here.store.read() as connection:
        rows = ending_rows.open_rows(connection)
    if as_json:
        names = ("code", "therapist_id", "reason", "state", "next_step", "needs_confirmation_of")
        show_json([{name: getattr(row, name) for name in names} | _times(row) for row in rows])
        return
    voice = voice_of(here, at)
    columns(
        [
            (
                row.code,
                f"therapist {row.therapist_id or 'none'}",
                STATE_WORDS[State(row.state)],
                _next_of(row),
                f"since {voice.day_and_distance(row.moved_at)}",
            )
            for row in rows
        ]
    )
    if not rows:
        say("No ending is going on.")


def _times(row: Any) -> dict[str, Any]:
    return {"started_at": instant_or_none(row.started_at), "moved_at": instant_or_none(row.moved_at)}


def _next_of(row: Any) -> str:
    if row.needs_confirmation_of:
        return f"{row.needs_confirmation_of} confirms it"
    return STEP_WORDS[Step(row.next_step)] if row.next_step else "close it"


def _show(here: Practice, who: lookups.About, at: Instant, as_json: bool, taken: Taken | None = None) -> None:
    with here.store.read() as connection:
        planned = ending_schedule.planned_for(here, connection, who.id, at)
    stands = planned.stands if planned else None
    if as_json:
        appointments = schedules.facts(planned) if planned else {}
        show_json({"code": who.code} | ({"changed": taken.changed} if taken else {}) | _facts(stands) | appointments)
        return
    if planned is None or stands is None:
        say(f"{who.code}: no ending was started.")
        return
    voice = voice_of(here, at)
    if taken is not None and not taken.changed:
        say(toned("That was said before; nothing was changed.", "note"))
    say(f"{who.code}: an ending, {STATE_WORDS[stands.state]}; {REASON_WORDS[stands.reason]}.")
    say(f"Started {voice.day_and_distance(stands.started_at)} by {stands.started_by}; whose wish: {stands.wished_by}.")
    for line in _about(stands, voice):
        say(line)
    say()
    columns(
        [(step, STEP_WORDS[step], stands.need(step).value, _settled(stands, step, voice)) for step in STEPS],
        indent=2,
    )
    schedules.lines(planned, who.code, voice)
    say()
    say(_what_next(stands, who.code))


def _about(stands: Termination, voice: Voice) -> list[str]:
    lines = []
    if stands.confirmer:
        answered = {State.waiting: "not yet", State.declined: "no"}.get(stands.state, "")
        by = f"by {stands.answered_by}" if stands.answered_by else "not needed any more"
        lines.append(f"Confirmation of {stands.confirmer}: {answered or by}.")
    if stands.careful:
        lines.append("The client finds rejection hard: more room, and nothing goes by itself.")
    if stands.until != NOT_KNOWN:
        lines.append(f"It should be over by {voice.day(stands.until - 1)}.")
    if stands.died:
        lines.append("The client has died: only the records are left.")
    for attempt in stands.attempts:
        lines.append(f"Tried to reach the client {voice.day_and_distance(attempt.on)}: {attempt.means} ({attempt.by}).")
    return lines


def _settled(stands: Termination, step: Step, voice: Voice) -> str:
    said = stands.of(step)
    if said is None:
        return "" if stands.need(step) is Need.none else "open"
    when = f"{voice.day(said.at)}, {said.by}"
    if said.could_not:
        return f"could not be: {COULD_NOT_WORDS[CouldNot(said.could_not)]} ({when})"
    return f"done ({when})"


def _what_next(stands: Termination, code: str) -> str:
    left = stands.left()
    if stands.state is State.closed:
        return f"Closed. {IN_THE_RECORD}"
    if stands.state in (State.withdrawn, State.declined):
        return "Care goes on."
    if stands.state is State.waiting:
        return f"Next: {stands.confirmer} confirms it, `tending ending {code} confirm`; until then it can only be withdrawn."
    if not left:
        return f"Next: nothing is open any more; `tending ending {code} close`."
    if stands.reason is Reason.contact and left[0] is Step.letter and not stands.died:
        return (
            f"Next: try to reach the client, and note each try, `tending ending {code} attempt --means phone`; then the "
            "closing letter. The client may always come back."
        )
    note = f" At least {stands.needed} after it was started." if left[0] is Step.process else ""
    return f"Next: {asked(stands.reason, left[0])}{note}" if not stands.died else "Next: mark the record for keeping."


def _facts(stands: Termination | None) -> dict[str, Any]:
    if stands is None:
        return {"ending": None}
    left = stands.left()
    return {
        "ending": stands.id,
        "state": stands.state.value,
        "reason": stands.reason.value,
        "wished_by": stands.wished_by.value,
        "started_at": instant_or_none(stands.started_at),
        "started_by": stands.started_by,
        "confirmer": stands.confirmer,
        "answered_by": stands.answered_by,
        "careful": stands.careful,
        "appointments_needed": stands.needed,
        "until": None if stands.until == NOT_KNOWN else instant_or_none(stands.until),
        "died": stands.died,
        "steps": [_step_facts(stands, step) for step in STEPS],
        "attempts": [{"on": instant_or_none(a.on), "means": a.means, "by": a.by} for a in stands.attempts],
        "next": left[0] if left and stands.state is State.going else None,
    }


def _step_facts(stands: Termination, step: Step) -> dict[str, Any]:
    said = stands.of(step)
    return {
        "step": step,
        "need": stands.need(step).value,
        "asked": asked(stands.reason, step),
        "done": said is not None and not said.could_not,
        "could_not": said.could_not if said else "",
        "at": instant_or_none(said.at) if said else None,
        "by": said.by if said else "",
    }
