"""`answer`: what happened about a finding, said at the terminal as on the desk, and taken back within a minute."""

from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from integrations import answering
from integrations.practice import Practice
from integrations.store import finding_rows
from models.answers import NAMES_A_DAY, REASONS, UNDO_SECONDS, Reply, answer, asked_again, said, until_of
from models.errors import UsageError
from models.instants import Instant, day_of
from models.kinds import all_kinds, is_safety
from tending.commands.common import client_of, day_from, instant_or_none, login, now, opened, voice_of
from tending.commands.options import JsonOption, PracticeOption
from tending.output import say, show_json

SHORTEST_CODE = 7  # characters behind the C-; a shorter number is a notice's


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("answer")(answer_finding)


def answer_finding(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NOTICE REPLY | CLIENT KIND REPLY",
            help="What is answered: a notice by its number, as `tending findings` shows it, or a client's code and a kind of finding,"
            f" such as quiet; then what is said: {', '.join(one.value for one in Reply)}.",
            show_default=False,
        ),
    ] = None,
    until: Annotated[
        str,
        typer.Option(
            "--until",
            metavar="DATE",
            help="agreed: the day of the next contact; snooze, known: when to ask again.",
            show_default=False,
        ),
    ] = "",
    days: Annotated[
        int, typer.Option("--days", metavar="N", help="agreed: every so many days.", show_default=False)
    ] = 0,
    reason: Annotated[
        str,
        typer.Option(
            "--reason",
            metavar="WORD",
            help="; ".join(f"{reply.value}: {', '.join(words)}" for reply, words in REASONS.items()) + ".",
            show_default=False,
        ),
    ] = "",
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="A few words; kept encrypted.", show_default=False)
    ] = "",
    undo: Annotated[
        str,
        typer.Option("--undo", metavar="ID", help="Take this answer back, within a minute.", show_default=False),
    ] = "",
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Say what happened about a finding.

    It is no longer told then, until the day that was named or until something gets worse. An answer is taken back
    within a minute: `tending answer --undo ID`.
    """
    at = now()
    if undo:
        if words:
            raise UsageError("To take an answer back, give its id alone: `tending answer --undo ID`.")
        with opened(practice) as here, here.store.write() as connection:
            code = answering.unsay(here, connection, undo.strip(), login(), at)
        show_json({"undone": undo.strip(), "code": code}) if as_json else say(f"{code}: the answer is taken back.")
        return
    with opened(practice) as here:
        given, code = _give(here, words or [], until, days, reason, note, at)
        voice = voice_of(here, at)
    if as_json:
        show_json(
            given | {"until": instant_or_none(given["_until"]), "asked_again_at": instant_or_none(given["_again"])}
        )
        return
    again = "" if Reply(given["reply"]) in NAMES_A_DAY else asked_again(given["_again"], voice)
    say(" ".join(filter(None, (f"{code}, {all_kinds()[given['kind']].label}: {given['_said'](voice)}", again))))
    say(f"Within {UNDO_SECONDS} seconds `tending answer --undo {given['id']}` takes it back.")


def _give(
    here: Practice, words: list[str], until: str, days: int, reason: str, note: str, at: Instant
) -> tuple[dict[str, Any], str]:
    """Check and give the answer. Answers its facts and the client's code."""
    number = _notice(words[0]) if words else None
    if len(words) != (3 if number is None else 2):
        raise UsageError(
            "Say to what, and what: `tending answer C-7F3K9QX quiet done`, or a notice by its number, `tending answer 12 done`."
        )
    word = words[-1]
    with here.store.read() as connection:
        about = _named(connection, words[0], words[1]) if number is None else _of_notice(connection, number)
    kind = about.kind
    try:
        reply = Reply(word.strip().lower().replace("_", "-"))
    except ValueError:
        raise UsageError(f"That is no answer; there are {', '.join(one.value for one in Reply)}.") from None
    day = day_from(until) if until else None
    if day == day_of(at, here.zone) and reply in (Reply.snooze, Reply.known):
        raise UsageError("Today it is asked about already; name tomorrow or a later day.")
    when = None if day is None else until_of(reply, day, here.zone)
    checked = answer(kind, reply, at, until=when, days=days, reason=reason, safety=is_safety(kind))
    with here.store.write() as connection:
        if number is not None and not finding_rows.still_tells(connection, about):
            raise UsageError(
                "What that notice told of has cleared, or has come back as something new; nothing was changed."
            )
        answer_id = answering.say(here, connection, about.client_id, checked, login(), at, note=note.strip())
        again = finding_rows.told_again_at(connection, about.client_id, kind)
    facts = {"id": answer_id, "code": about.code, "kind": kind, "reply": reply.value, "days": days, "reason": reason}
    return facts | {
        "_until": checked.until,
        "_again": again,
        "_said": lambda voice: said(reply, checked.until, days, reason, voice),
    }, about.code


def _notice(word: str) -> int | None:
    """The number of a notice, `12` or `#12`; None for what may be a client's code, which has seven characters or more."""
    digits = word.strip().removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < SHORTEST_CODE else None


def _named(connection: Connection, client: str, word: str) -> finding_rows.Asks:
    kind = word.strip().lower().replace("-", "_")
    if kind not in all_kinds():
        raise UsageError(f"There is no such kind of finding; there are {', '.join(all_kinds())}.")
    who = client_of(connection, client)
    return finding_rows.Asks(who.id, who.code, kind, 0)


def _of_notice(connection: Connection, number: int) -> finding_rows.Asks:
    about = finding_rows.asked_by(connection, number)
    if about is None or about.kind not in all_kinds():
        raise UsageError("No notice of that number asks for an answer; `tending findings` shows the numbers.")
    return about
