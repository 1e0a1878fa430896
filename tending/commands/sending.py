"""`arm`, `disarm` and `outbox`: whether this installation sends, and messages of which a person has to say something."""

import sys
from typing import Annotated, Any

import typer

from integrations.store import arming, audit, lookups, outbox
from integrations.store.arming import Arming
from models.errors import UsageError
from models.instants import Instant
from models.notices import MEANING, MessageState
from models.voice import Voice
from models.words import counted as words_counted
from tending.commands.common import instant_or_none, login, now, opened, voice_of
from tending.commands.options import JsonOption, PracticeOption
from tending.output import columns, moment, say, show_json

Number = Annotated[int, typer.Argument(metavar="NUMBER", help="The message's number, as `tending outbox` lists it.")]
ASKED = (MessageState.unsure, MessageState.failed)
UNDERWAY = (MessageState.claimed, MessageState.handing)
CLASSES = {
    "ordinary": "merged into one mail each, on the next working morning",
    "prompt": "merged, within working hours",
    "weekly": "the weekly lists",
    "cancellation": "at once",
    "system": "to the administrator, at once",
    "safety": "at once, day and night",
}


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(arm)
    app.command()(disarm)
    group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
    group.callback()(outbox_group)
    for command in (list_outbox, arrived, again, drop):
        group.command("list" if command is list_outbox else None)(command)
    app.add_typer(group, name="outbox")


def arm(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Let this installation send; a copy made later stays silent.

    Shows first what would go out, and asks. A copy that was armed itself has to be disarmed there."""
    at = now()
    with opened(practice) as here:
        with here.store.read() as connection:
            before, waits = arming.state_in(connection, here.data), lookups.waiting(connection, at)
        if not as_json:
            _show_before(before, waits)
        if not yes:
            if as_json or not sys.stdin.isatty():
                raise UsageError("Nobody is here to be asked: look at what waits, then say `tending arm --yes`.")
            if not typer.confirm("Is no other copy of this practice sending, and may this one send from now on?"):
                say("Nothing was changed.")
                raise typer.Exit(1)
        arming.arm(here.store, here.data, login(), at)
        no_way = here.settings.mail is None and not here.settings.channel
    if as_json:
        show_json({"was": before.value, "now": Arming.armed.value, "waiting": [w._asdict() for w in waits]})
    else:
        say("Armed. `tending up` sends what is due; `tending disarm` stops it.")
        if no_way:
            say("Yet nothing can leave: practice.toml names neither a mail server in [mail] nor a [[channel]].")
        if yes and before is not Arming.armed:
            say("If another copy of this practice was armed, disarm it there: it does not know of this one.")


def _show_before(before: Arming, waits: list[lookups.Waiting]) -> None:
    if before is Arming.armed:
        say("This installation is armed already; arming it again gives it a new token.")
    elif before is Arming.copy:
        say(
            "This practice was armed elsewhere: its database or folder was copied or restored. Two that send write twice."
        )
    if not waits:
        say("Nothing waits to be sent.")
        return
    say("What waits:")
    columns(
        [
            (
                f"{w.notices} {w.urgency}",
                f"{w.due} due now" + (f", {w.too_old} too old and dropped" if w.too_old else ""),
                CLASSES.get(w.urgency, ""),
            )
            for w in waits
        ],
        indent=2,
    )
    say("Each is looked at once more before it goes: what has cleared meanwhile is not sent.")


def disarm(practice: PracticeOption = None) -> None:
    """Send nothing from now on. All else goes on."""
    with opened(practice) as here:
        arming.disarm(here.store, here.data, login(), now())
    say("Disarmed: nothing is sent. What falls due waits, and grows too old as its class says.")


def outbox_group(ctx: typer.Context, as_json: JsonOption = False, practice: PracticeOption = None) -> None:
    """Messages that a person has to say something about."""
    if ctx.invoked_subcommand is None:
        list_outbox(as_json=as_json, practice=practice)


def list_outbox(
    everything: Annotated[bool, typer.Option("--all", help="Also those that were sent or dropped.")] = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """The messages, by number.

    Exit code 1 when a person has to say something about one: whether it arrived, or what to do with one that was refused."""
    at = now()
    with opened(practice) as here:
        states = list(MessageState) if everything else [*UNDERWAY, *ASKED]
        with here.store.read() as connection:
            rows = outbox.listed(connection, states)
            held = outbox.answerable(connection, [row.id for row in rows])
            waits, whose = lookups.waiting(connection, at), lookups.waiting_for(connection)
        voice = voice_of(here, at)
    if as_json:
        facts = {
            "messages": [_fact(row, held.get(row.id, [])) for row in rows],
            "waiting": [w._asdict() for w in waits],
        }
        show_json(facts | {"waiting_for": [{"recipient": to, "urgency": u, "notices": n} for to, u, n in whose]})
    else:
        columns([_row(row, held.get(row.id, []), voice) for row in rows])
        if not rows:
            say("No message asks for anybody.")
        if waits:
            say(f"{words_counted(sum(w.notices for w in waits), 'notice')} waiting:")
            columns([(to, f"{n} {urgency}") for to, urgency, n in whose], indent=2)
        if any(row.state in ASKED for row in rows):
            say("Say `tending outbox arrived N`, `tending outbox again N` or `tending outbox drop N`.")
    if any(row.state in ASKED for row in rows):
        raise typer.Exit(1)


def _row(row: Any, notices: list[int], voice: Voice) -> tuple[str, ...]:
    when = moment(voice, row.handed_at or row.claimed_at)
    problem = f": {row.problem}" if row.problem else ""
    holds = f"; notice {', '.join(map(str, notices))}" if notices else ""
    return (str(row.id), row.recipient, f"by {row.channel}", when, MEANING[MessageState(row.state)] + problem + holds)


def _fact(row: Any, notices: list[int]) -> dict[str, Any]:
    return {
        "number": row.id,
        "notices": notices,
        "recipient": row.recipient,
        "channel": row.channel,
        "class": row.urgency,
        "state": row.state,
        "claimed_at": instant_or_none(row.claimed_at),
        "handed_at": instant_or_none(row.handed_at),
        "problem": row.problem,
    }


def arrived(number: Number, practice: PracticeOption = None) -> None:
    """It arrived after all: nothing is sent again."""
    _settle(practice, number, "arrived", (MessageState.unsure,))
    say(f"Message {number} counts as sent.")


def again(number: Number, practice: PracticeOption = None) -> None:
    """Send it once more, as a new message."""
    _settle(practice, number, "again", ASKED)
    say(f"What message {number} held waits to be sent again; `tending up` sends it.")


def drop(number: Number, practice: PracticeOption = None) -> None:
    """Do not send it."""
    _settle(practice, number, "dropped", ASKED)
    say(f"Message {number} is dropped.")


def _settle(practice: Any, number: int, word: str, fits: tuple[MessageState, ...]) -> None:
    at: Instant = now()
    with opened(practice) as here, here.store.write() as connection:
        state = lookups.message_state(connection, number)
        if state is None:
            raise UsageError(f"There is no message {number}; `tending outbox` lists the numbers.")
        if state not in fits:
            raise UsageError(
                f"Message {number} is not one to be asked about ({MEANING[MessageState(state)]}); nothing was changed."
            )
        if word == "again":
            outbox.again(connection, number, at)
        elif word == "arrived":
            outbox.move(connection, number, MessageState.sent, at, "a person said that it arrived")
        else:
            outbox.move(connection, number, MessageState.dropped, at, "a person dropped it")
        audit.record(connection, at, login(), f"message: {word}", "", {"message": number})
