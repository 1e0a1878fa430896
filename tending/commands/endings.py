"""`end` and `ending`: care is ended by people, step by step, never without the question, and never by the product."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from integrations import ending, letters
from integrations.practice import Practice
from integrations.store import terminations
from integrations.store.terminations import Start, Taken
from models.ending_acts import MEANS, QUESTION, STEPS, State, What
from models.ending_steps import By, CouldNot, Onward, Reason
from models.errors import UsageError
from models.instants import Instant, end_of
from models.told import NOT_KNOWN
from tending.commands import ending_schedule as schedules
from tending.commands.common import client_of, day_from, login, moment_from, now, opened
from tending.commands.ending_shown import show_all, show_one, who_confirms
from tending.commands.options import JsonOption, PracticeOption
from tending.output import say, show_json

ACTIONS = {
    "done": What.done,
    "could-not": What.could_not,
    "reopen": What.reopened,
    "attempt": What.attempt,
    "careful": What.careful,
    "withdraw": What.withdrawn,
    "close": What.closed,
}
GOES_WITH: dict[str, tuple[What, ...]] = {
    "--reason": (What.could_not, What.done),
    "--means": (What.attempt,),
    "--on": (What.attempt,),
    "--out": (),
    "--personal": (),  # the question is asked where it begins and where it is confirmed
}
WITH_STEP = ("done", "could-not", "reopen")
LETTER, SCHEDULE = "letter", "schedule"
ANSWERS = ("confirm", "decline")  # whose word it is nobody can tell at a terminal
WORDS = (*ACTIONS, LETTER, SCHEDULE)

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
        show_one(here, who, at, as_json, taken)


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
    reason: Annotated[
        str,
        typer.Option(
            "--reason",
            metavar="WORD",
            help=f"could-not: {', '.join(CouldNot)}; done referral, where the goals are met: {', '.join(Onward)}.",
            show_default=False,
        ),
    ] = "",
    means: Annotated[
        str, typer.Option("--means", metavar="WORD", help=f"attempt: {', '.join(MEANS)}.", show_default=False)
    ] = "",
    on: Annotated[
        str,
        typer.Option("--on", metavar="DATE", help="attempt: when it was made; now if left out.", show_default=False),
    ] = "",
    personal: Annotated[str, typer.Option("--personal", hidden=True)] = "",
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
    to confirm, and what comes next. Whoever was named confirms it, or does not, at the desk or by the link of the
    mail, and nobody does here. Each step is `done` or `could-not` be, with a reason; `reopen` takes that back.
    `attempt` notes that somebody tried to reach a client who is out of contact; it counts once their therapist has
    approved it, at the desk. `letter` drafts the closing letter with the names in it, into a file that only you can
    read; each draft is recorded, a person finishes and sends it, and `done letter` says so. `schedule` shows which
    appointment has which part and which times would be proposed for the rest; with --yes the therapist is invited to
    them, by mail. The client hears of them only with --tell-client, once the therapist's calendar shows them.
    """
    at = now()
    with opened(practice) as here:
        if not client:
            show_all(here, at, as_json)
            return
        if what.strip().lower() in ANSWERS:
            raise UsageError(_answered_elsewhere(here, client, at))
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
            show_one(here, who, at, as_json)
            return
        act = _action(what, step)
        given = {"--reason": reason, "--means": means, "--on": on, "--out": out, "--personal": personal}
        stray = [name for name, value in given.items() if value and act not in GOES_WITH[name]]
        if stray:
            raise UsageError(f"{' and '.join(stray)} does not go with `{what}`; nothing was changed.")
        when = moment_from(on, here.zone, at) if on else NOT_KNOWN
        words = {"step": step.strip().lower(), "reason": reason.strip().lower(), "means": means.strip().lower()}
        with here.store.write() as connection:
            who = client_of(connection, client)
            taken = ending.say(here, connection, who.id, act, login(), at, on=when, **words)
        show_one(here, who, at, as_json, taken)


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


def _answered_elsewhere(here: Practice, client: str, at: Instant) -> str:
    """Why nobody is confirmed or declined for at a terminal, and who does it where."""
    with here.store.read() as connection:
        who = client_of(connection, client)
        stands = terminations.newest(connection, who.id, died=who.died)
    if stands is None:
        return "No ending was started for this client; `tending end` does."
    if stands.state is not State.waiting:
        return "This ending waits for no confirmation."
    return f"Nothing was changed: {who_confirms(here, stands)}, and nobody does in their place."


def _answer(personal: str, as_json: bool) -> str:
    """The answer to the question as it was given, or, at a terminal, asked for."""
    word = personal.strip().lower()
    if not word and not as_json and sys.stdin.isatty():
        word = typer.prompt(f"{QUESTION} (no/yes)").strip().lower()
    if word not in ("", "no", "yes"):
        raise UsageError(f"{QUESTION} The answer is no or yes.")
    return word


def _day_ahead(until: str, zone: str) -> Instant:
    return end_of(day_from(until), zone) if until else NOT_KNOWN


def _stop(taken: Taken) -> None:
    """After what was kept is kept: say why nothing begins."""
    if taken.stopped:
        raise UsageError(taken.stopped)


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
