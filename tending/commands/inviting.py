"""`invite`: an appointment put into a calendar, tried out first; a client's own message only when a person approves it."""

import sys
from datetime import datetime
from typing import Annotated, Any

import typer

from integrations import scheduling
from integrations.practice import Practice
from integrations.scheduling import Draft
from integrations.store import audit, desk, invitations, lookups, people
from integrations.store.invitations import Side
from models.accounts import Role
from models.errors import UsageError
from models.instants import Instant, NoSuchTimeError, at_wall, day_of, utc_text
from models.invitations import CLIENT, Wanted
from models.noticing import THERAPIST, therapist_recipient
from models.voice import Voice
from tending.commands.common import client_of, instant_or_none, login, now, opened, therapist_of
from tending.commands.options import JsonOption, PracticeOption
from tending.commands.slots import FARTHEST, length_of
from tending.output import clean, columns, moment, say, show_json

MEANING = {
    "even": "told",
    "waiting": "waits to be sent",
    "underway": "being sent",
    "asked": "nobody knows whether it arrived: `tending outbox`",
    "dropped": "not sent",
}


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(invite)


def invite(
    client: Annotated[
        str, typer.Argument(metavar="CLIENT", help="The client's code, such as C-7F3K9QX.", show_default=False)
    ] = "",
    therapist: Annotated[
        str, typer.Argument(metavar="THERAPIST", help="The therapist's id, such as T1.", show_default=False)
    ] = "",
    start: Annotated[
        str,
        typer.Argument(metavar="START", help="When, in the therapist's zone: 2026-12-01T10:00.", show_default=False),
    ] = "",
    minutes: Annotated[
        int | None,
        typer.Option("--minutes", metavar="N", help="How long; else as [invitations] says.", show_default=False),
    ] = None,
    move: Annotated[
        str,
        typer.Option(
            "--move", metavar="UID", help="Move this appointment to START, or send it again.", show_default=False
        ),
    ] = "",
    cancel: Annotated[
        str, typer.Option("--cancel", metavar="UID", help="Call this appointment off.", show_default=False)
    ] = "",
    to_client: Annotated[
        bool,
        typer.Option("--to-client", help="The client's own message, of which you are asked whether it may be sent."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it only what would be sent is shown.")] = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Put an appointment into the therapist's calendar, by mail.

    Without --yes it says what would be sent and changes nothing. Without anything it lists the appointments that
    invitations are about.
    """
    at = now()
    with opened(practice) as here:
        if not (client or therapist or start or move or cancel):
            _list(here, at, as_json=as_json)
            return
        if cancel:
            if client or therapist or start or move:
                raise UsageError("To call an appointment off, give its UID alone: `tending invite --cancel UID --yes`.")
            wish = _called_off(here, cancel, to_client, at)
        else:
            wish = _wished(here, (client, therapist, start), minutes, move, to_client, at)
        if to_client:
            scheduling.must_be_reachable(here, wish["code"], login(), at)
        approved = login() if to_client else ""
        drafted = scheduling.draft(
            here, wish["client_id"], wish["recipient"], wish["wanted"], at, uid=wish["uid"], approved=approved
        )
        if drafted.refused:
            raise UsageError(f"That may not be sent: {drafted.problem}.")
        if not as_json:
            _show(drafted, wish)
        if not yes:
            show_json(_facts(drafted, wish) | {"done": False}) if as_json else say("Nothing was kept; `--yes` does it.")
            return
        if to_client:
            _ask()
        uid = _do(here, wish, approved, at)
    if as_json:
        show_json(_facts(drafted, wish) | {"uid": uid, "done": True})
    else:
        say(f"It is kept as {uid}{'; `tending up` sends it' if drafted.payload else ''}.")


def _wished(
    here: Practice, what: tuple[str, str, str], minutes: int | None, move: str, to_client: bool, at: Instant
) -> dict[str, Any]:
    """Whose calendar is to hold what, checked."""
    if not all(what):
        raise UsageError("Say about whom, with whom and when: `tending invite C-7F3K9QX T1 2026-12-01T10:00`.")
    with here.store.read() as connection:
        who = client_of(connection, what[0])
        whose = therapist_of(connection, what[1])
        zone = people.zone_of(connection, whose) or here.zone
        begin = _start(what[2], zone, at)
        length = length_of(here, minutes)
        free = scheduling.is_free(here, connection, whose, begin, begin + length * 60)
        standing = invitations.listed(connection, at)
        fresh = invitations.next_uid(here, connection, who.id, whose, begin)
        theirs = desk.reach_of(connection, Role.therapist, whose, day_of(at, here.zone)).clients
    title = here.settings.invitations.title
    wanted = Wanted.at(
        begin, length, zone, title if to_client else f"{title} {who.code}", here.settings.invitations.place
    )
    recipient = f"{CLIENT}{who.code}" if to_client else therapist_recipient(whose)
    uid = move.strip()
    if uid and not any(side.uid == uid and side.code == who.code for side in standing):
        raise UsageError("There is no appointment of that client with that UID; `tending invite` lists them.")
    held = {side.recipient for side in standing if side.uid == uid and side.recipient.startswith(THERAPIST)}
    if held - {therapist_recipient(whose)}:
        raise UsageError("That appointment is another therapist's: call it off, and invite whom you mean to a new one.")
    if not uid:
        # The client's message is about the very appointment that stands in the therapist's calendar.
        same = (side.uid for side in standing if _same(side, who.code, whose, begin) and side.recipient != recipient)
        uid = next(same, "") if to_client else ""
        if not to_client and any(_same(side, who.code, whose, begin) for side in standing):
            raise UsageError("That client is invited at that time already; `tending invite` lists it with its UID.")
    return {
        "client_id": who.id,
        "code": who.code,
        "recipient": recipient,
        "wanted": wanted,
        "uid": uid or fresh,  # so that what is shown is what is sent
        "_busy": not free and not to_client,
        "_not_theirs": "" if who.id in theirs else _whose(who, whose),
    }


def _whose(who: lookups.About, whose: str) -> str:
    main = f"that is {who.therapist_id}" if who.therapist_id else "nobody is named"
    return f"{whose} is not the therapist of {who.code} ({main}), and covers for nobody of theirs."


def _same(side: Side, code: str, therapist: str, start: Instant) -> bool:
    return (
        (side.code, side.recipient) == (code, therapist_recipient(therapist))
        and side.wanted.start == start
        and not side.wanted.cancelled
    )


def _called_off(here: Practice, uid: str, to_client: bool, at: Instant) -> dict[str, Any]:
    with here.store.read() as connection:
        sides = [side for side in invitations.listed(connection, at) if side.uid == uid.strip()]
        mine = [side for side in sides if side.recipient.startswith(CLIENT) == to_client]
        if not mine:
            raise UsageError("There is no invitation with that UID to that person; `tending invite` lists them.")
        side = mine[0]
        who = client_of(connection, side.code)
    wanted = side.wanted._replace(cancelled=True)
    facts = {"client_id": who.id, "code": side.code, "recipient": side.recipient, "wanted": wanted, "uid": side.uid}
    return facts | {"_busy": False, "_not_theirs": ""}


def _start(text: str, zone: str, at: Instant) -> Instant:
    try:
        wall = datetime.fromisoformat(text.strip())
        if wall.tzinfo is not None or len(text.strip()) < 16:
            raise ValueError
        begin = at_wall(wall, zone, strict=True)
    except NoSuchTimeError as error:
        raise UsageError(str(error)) from None
    except (ValueError, OverflowError):
        raise UsageError("A start is written like 2026-12-01T10:00, as the clock shows it to the therapist.") from None
    if begin <= at:
        raise UsageError("That start has passed; name one that lies ahead.")
    if begin > at + FARTHEST:
        raise UsageError("That start is more than two years ahead; correct it.")
    return begin


def _show(drafted: Draft, wish: dict[str, Any]) -> None:
    if wish["_not_theirs"]:
        say(f"Mind: {wish['_not_theirs']}")
    if wish["_busy"]:
        say("Mind: the therapist does not work then or has something entered; `tending slots` shows what is free.")
    if drafted.payload is None:
        say(f"Nothing would be sent: {drafted.problem}.")
        return
    whom = "the client" if wish["recipient"].startswith(CLIENT) else wish["recipient"].removeprefix(THERAPIST)
    to = clean(drafted.payload["to"])
    say(f"To {whom} ({to}), {drafted.payload['method']}:")
    for line in (f"Subject: {drafted.payload['subject']}", "", *drafted.payload["text"].rstrip().splitlines()):
        say(f"  {line}".rstrip())
    say()
    for line in drafted.payload["calendar"].splitlines():
        say(f"  {line}")


def _facts(drafted: Draft, wish: dict[str, Any]) -> dict[str, Any]:
    said = drafted.payload or {}
    return {
        "code": wish["code"],
        "recipient": wish["recipient"],
        "start": utc_text(wish["wanted"].start),
        "end": utc_text(wish["wanted"].end),
        "uid": wish["uid"],
        "to": said.get("to"),
        "busy": wish["_busy"],
        "not_theirs": wish["_not_theirs"] or None,
        "problem": drafted.problem or None,
        "method": said.get("method"),
        "subject": said.get("subject"),
        "text": said.get("text"),
        "calendar": said.get("calendar"),
    }


def _ask() -> None:
    """A person approves a message to a client, each one; nothing else may say yes for them."""
    if not sys.stdin.isatty():
        raise UsageError("A message to a client is approved by a person: say this at a terminal, where you are asked.")
    if not typer.confirm("Send exactly this to the client?"):
        say("Nothing was changed.")
        raise typer.Exit(1)


def _do(here: Practice, wish: dict[str, Any], approved: str, at: Instant) -> str:
    with here.store.write() as connection:
        uid = invitations.want(
            here,
            connection,
            wish["client_id"],
            wish["recipient"],
            wish["wanted"],
            at,
            uid=wish["uid"],
            approved=approved,
            again=True,
        )
        act = "appointment called off" if wish["wanted"].cancelled else "invited"
        details = {"recipient": wish["recipient"], "start": utc_text(wish["wanted"].start), "uid": uid}
        audit.record(connection, at, login(), f"{act}, approved" if approved else act, wish["code"], details)
    return uid


def _list(here: Practice, at: Instant, *, as_json: bool) -> None:
    with here.store.read() as connection:
        sides = invitations.listed(connection, at)
    voice = Voice(here.zone, here.settings.practice.locale, at)
    if as_json:
        show_json([_side_facts(side) for side in sides])
        return
    columns([_line(side, voice) for side in sides])
    if not sides:
        say("Nobody is invited to anything that lies ahead.")


def _line(side: Side, voice: Voice) -> tuple[str, ...]:
    off = "called off, " if side.wanted.cancelled else ""
    why = f": {side.outcome}" if side.outcome and side.state != "even" else ""
    whom = "the client" if side.recipient.startswith(CLIENT) else side.recipient.removeprefix(THERAPIST)
    apart = "; the therapist's calendar says otherwise" if side.apart else ""
    return (side.code, whom, moment(voice, side.wanted.start), f"{off}{MEANING[side.state]}{why}{apart}", side.uid)


def _side_facts(side: Side) -> dict[str, Any]:
    return {
        "uid": side.uid,
        "code": side.code,
        "recipient": side.recipient,
        "about": side.about or None,
        "start": utc_text(side.wanted.start),
        "end": utc_text(side.wanted.end),
        "cancelled": side.wanted.cancelled,
        "state": side.state,
        "outcome": side.outcome or None,
        "sequence": side.sequence,
        "wanted_since": instant_or_none(side.wanted_since),
        "apart": side.apart,
    }
