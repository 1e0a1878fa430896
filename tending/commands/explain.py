"""`why`: what every rule says about one client at any past instant, and what became of it."""

from typing import Annotated, Any

import typer

from integrations.store import lookups
from models.answers import Reply, asked_again, said
from models.appointments import Mark
from models.kinds import all_kinds
from models.notices import MessageState, NoticeState
from models.noticing import THERAPIST
from models.rules import all_rules
from models.voice import Voice
from tending.commands.common import client_of, moment_from, now, opened, voice_of
from tending.commands.explained import explained
from tending.commands.options import JsonOption, PracticeOption
from tending.output import columns, moment, say, show_json, toned

FIRED = {True: "yes", False: "no", None: "cannot say"}
MARK_WORDS = {
    Mark.unknown: "not marked",
    Mark.presumed: "presumed attended",
    Mark.attended: "attended",
    Mark.no_show: "missed",
}
PURPOSES = {
    "nightly_check": "Nightly comparison",
}


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(why)


def why(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="The client's code, such as C-7F3K9QX.")],
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="DATE",
            help="As it was, and as it was known, then: a day (its end) or a moment.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Why something was said about a client, or why not.

    Every rule with its sentence, its facts and the policy behind it; now, or as it was on a past day."""
    current = now()
    with opened(practice) as here:
        when = current if at is None else moment_from(at, here.zone, current)
        with here.store.read() as connection:
            who = client_of(connection, client)
            facts = explained(here, connection, who, when, past=at is not None and when != current)
            since = lookups.first_known(connection, who.id)
        then = voice_of(here, when)
    if as_json:
        show_json(facts)
        return
    of = f"as of {moment(voice_of(here, current), when)}" + (
        ", from what was known then" if facts["as_known_then"] else ""
    )
    if not facts["known"]:
        first = (
            ""
            if since is None
            else f" First read {moment(voice_of(here, current), since)}; name that day or a later one."
        )
        say(f"{facts['code']}, {of}: nothing was known of this client yet.{first}")
        return
    _print(facts, then, of)
    if facts["not_as_then"]:
        say("Not as it was then")
        columns([(line,) for line in facts["not_as_then"]], indent=2)


def _print(facts: dict[str, Any], voice: Voice, of: str) -> None:
    about = [f"therapist {facts['therapist']}" if facts["therapist"] else "no therapist named", facts["status"]]
    if facts["site"]:
        about.append(f"site {facts['site']}")
    say(f"{facts['code']} ({', '.join(about)}), {of}")
    for one in facts["rules"]:
        say()
        fired = FIRED[one["fired"]]
        mark = "" if one["label"].endswith("?") else ":"
        say(f"{one['label']}{mark} {toned(fired, 'good' if one['fired'] is False else 'mend')}. {one['sentence']}")
        if one["clears"]:
            say(f"  {one['clears']}")
        for line in one["policy"]:
            say(f"  {line}")
    say()
    say("Appointments")
    columns(
        [
            (
                moment(voice, a["_at"]),
                ("in question" if a["in_question"] else "booked" if a["booked"] else "planned in a series")
                if a["_at"] > voice.now
                else MARK_WORDS[Mark[a["mark"]]],
            )
            for a in facts["appointments"]
        ]
        or [("none",)],
        indent=2,
    )
    say("Findings")
    columns([(_label(f["kind"]), _finding_line(f, voice)) for f in facts["findings"]] or [("none so far",)], indent=2)
    if facts["answers"]:
        say("Answers")
        columns([(_label(a["kind"]), *_answer_line(a, voice)) for a in facts["answers"]], indent=2)
    say("Messages about this client")
    columns(
        [
            (_purpose(n["purpose"]), f"to {n['recipient'].removeprefix(THERAPIST)}", _fate(n, voice))
            for n in facts["notices"]
        ]
        or [("none so far",)],
        indent=2,
    )
    say("May be sent")
    columns(
        [
            (f"to the {e['audience']}, {e['class']}", "yes" if e["allowed"] else "no", e["reason"])
            for e in facts["eligible"]
        ],
        indent=2,
    )


def _label(kind: str) -> str:
    """A kind of finding by its word for people."""
    known = all_kinds()
    return known[kind].label if kind in known else kind.replace("_", " ")


def _answer_line(a: dict[str, Any], voice: Voice) -> tuple[str, str]:
    """What was said, and who said it when."""
    sentence = said(Reply(a["reply"]), a["_until"], a["days"], a["reason"], voice)
    return sentence, f"{a['by']}, {moment(voice, a['_at'])}"


def _purpose(purpose: str) -> str:
    for rule in all_rules():
        for kind in rule.kinds.values():
            if purpose == f"{rule.name}.{kind.name}":
                return kind.label
    return PURPOSES.get(purpose, purpose.replace("_", " ").capitalize())


def _finding_line(f: dict[str, Any], voice: Voice) -> str:
    how = "already so at first sight" if f["opened"] == "day_one" else "noticed"
    again = f", for the {voice.ordinal(f['generation'])} time" if f["generation"] > 1 else ""
    if f["_cleared"] is not None:
        return f"{how} {voice.day(f['_opened'])}{again}, cleared {voice.day(f['_cleared'])}"
    stands = f"{how} {voice.day_and_distance(f['_opened'])}{again}, still so" + (", answered" if f["answered"] else "")
    return f"{stands}. {asked_again(f['_again'], voice)}" if f["_again"] is not None else stands


def _fate(n: dict[str, Any], voice: Voice) -> str:
    state, outcome = n["state"], f": {n['outcome']}" if n["outcome"] else ""
    if state == NoticeState.waiting:
        return f"waits until {moment(voice, n['_due'])}" if n["_due"] > voice.now else f"due{outcome}"
    if state == MessageState.unsure:
        return f"nobody knows whether it arrived{outcome}; `tending outbox`"
    settled = f" {moment(voice, n['_settled'])}" if n["_settled"] else ""
    return f"{state}{settled}{outcome}"
