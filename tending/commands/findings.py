"""`findings`: what asks for somebody."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from integrations.practice import Practice
from integrations.store import answers, finding_rows, lookups
from integrations.store.answers import AnswerRow
from integrations.store.sources import all_rows
from models.answers import NAMES_A_DAY, Reply, asked_again, said
from models.findings import Opened
from models.instants import DAY
from models.kinds import is_safety
from models.rules import all_rules, told
from models.voice import Voice
from models.words import counted as words_counted
from tending.commands.common import cannot_be_said, instant_or_none, now, opened, therapist_of, voice_of
from tending.commands.options import JsonOption, PracticeOption
from tending.output import columns, say, show_json, since

CLEARED_DAYS = 30


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(findings)


def findings(
    therapist: Annotated[
        str, typer.Option("--therapist", metavar="ID", help="Only this therapist's clients.", show_default=False)
    ] = "",
    day_one: Annotated[
        bool, typer.Option("--day-one", help="The list to sort: what was already so at first sight.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help=f"Both lists, and what cleared in the last {CLEARED_DAYS} days.")
    ] = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Who may be dropping out of care, and why.

    By therapist, each with its reason in a sentence. What was already so when Tending first looked is a list of
    its own, to sort once: nobody is mailed about it. What was answered and is still so stands below.
    """
    at = now()
    with opened(practice) as here:
        with here.store.read() as connection:
            mine = therapist_of(connection, therapist) if therapist else None
            cleared_since = at - CLEARED_DAYS * DAY if everything else None
            rows = finding_rows.findings(connection, cleared_since=cleared_since)
            read = all_rows(connection)
            given = {(row.code, row.kind): _said(here, connection, row) for row in rows if row.answered}
            unsaid = finding_rows.unsaid(connection, mine)
        voice = voice_of(here, at)
    rows.sort(key=lambda row: not is_safety(row.kind))  # and else as they came
    facts = [_fact(row, given, voice) for row in rows if mine is None or row.therapist_id == mine]
    cleared = [f for f in facts if f["cleared_at"] is not None]
    still = [f for f in facts if f["cleared_at"] is None]
    by_list = {how: [f for f in still if f["opened"] == how] for how in Opened}
    listed = still if everything else by_list[Opened.day_one if day_one else Opened.noticed]
    answered = [f for f in listed if f["answered"]]
    noticed, first = ([f for f in by_list[how] if not f["answered"]] for how in (Opened.noticed, Opened.day_one))
    shown = [*by_list[Opened.noticed], *by_list[Opened.day_one], *cleared] if everything else listed
    if as_json:
        show_json(shown)
        return
    if everything or not day_one:
        _print(noticed, "Nothing new asks for anybody." + _read_when(read, voice))
        if unsaid:
            sentence = cannot_be_said(unsaid)
            say(f"{sentence[:1].upper()}{sentence[1:]}.")
    if first and not everything and not day_one:
        one = words_counted(len(first), "client was", "findings were")
        say(
            f"Besides, {'1 finding was' if len(first) == 1 else one} already so at first sight: `tending findings --day-one`."
        )
    if everything or day_one:
        if everything:
            say()
        say("Already so at first sight, to sort; nobody is mailed about these:")
        _print(first, "Nothing is left to sort.", indent=2)
    if answered:
        say()
        say("Answered, and still so:")
        _print(answered, "", indent=2)
    _how_to_answer([f for f in listed if f["notice"] is None and not f["answered"]])
    if everything:
        say()
        say(f"Cleared in the last {CLEARED_DAYS} days:")
        _print(cleared, "Nothing.", indent=2)


def _how_to_answer(facts: list[dict[str, Any]]) -> None:
    """What a weekly list tells of, and what nobody was told of, has no number of its own."""
    if facts:
        kinds = ", ".join(dict.fromkeys(f["kind"] for f in facts))
        example = f"`tending answer {facts[0]['code']} {facts[0]['kind']} done`"
        say(f"What shows no number is answered by code and kind ({kinds}): {example}.")


def _read_when(read: dict[str, Any], voice: Voice) -> str:
    times = [row.read_at for row in read.values() if row.read_at is not None]
    return f" Sources were read {since(voice, min(times))}." if times else " No source was read yet: `tending sync`."


def _said(here: Practice, connection: Connection, row: finding_rows.FindingRow) -> AnswerRow | None:
    """The answer that stands for a finding."""
    who = lookups.about(connection, row.code)
    given = answers.answers_to(here, connection, who.id) if who is not None else []
    return next((one for one in given if one.kind == row.kind), None)


def _fact(
    row: finding_rows.FindingRow, answered: Mapping[tuple[str, str], AnswerRow | None], voice: Voice
) -> dict[str, Any]:
    words = told(row.kind, row.reason, row.evidence, voice)
    kinds = [kind for rule in all_rules() for kind in rule.kinds]
    given = answered.get((row.code, row.kind))
    first = next((fact for fact in row.evidence["facts"] if isinstance(fact, int)), row.opened_at)
    return {
        "code": row.code,
        "therapist": row.therapist_id,
        "notice": row.notice,
        "rule": row.rule,
        "kind": row.kind,
        **words,
        "opened": row.opened,
        "opened_at": instant_or_none(row.opened_at),
        "cleared_at": instant_or_none(row.cleared_at),
        "generation": row.generation,
        "answered": row.answered,
        "answer": said(Reply(given.reply), given.until, given.days, given.reason, voice) if given else "",
        "asked_again_at": instant_or_none(row.speaks_at if row.answered else None),
        "_again": asked_again(row.speaks_at, voice)
        if row.answered and not (given and given.reply in NAMES_A_DAY)
        else "",
        "_answered_at": voice.day(given.at) if given else "",
        "_order": (row.therapist_id, kinds.index(row.kind), first, row.code),
    }


def _print(facts: list[dict[str, Any]], otherwise: str, indent: int = 0) -> None:
    """By therapist, kinds together, the longest wait first."""
    if not facts:
        say(" " * indent + otherwise)
        return
    by_therapist: dict[str, list[dict[str, Any]]] = {}
    for fact in sorted(facts, key=lambda f: f["_order"]):
        by_therapist.setdefault(fact["therapist"], []).append(fact)
    for therapist, mine in by_therapist.items():
        say(" " * indent + (therapist or "Nobody is named for these"))
        columns(
            [(f["code"], f["label"], f["sentence"] + _answer(f) + _number(f["notice"])) for f in mine],
            indent=indent + 2,
        )


def _answer(fact: dict[str, Any]) -> str:
    if not fact["answer"] or fact["cleared_at"]:
        return ""
    return " ".join(filter(None, (f" Answered {fact['_answered_at']}: {fact['answer']}", fact["_again"])))


def _number(notice: int | None) -> str:
    """The number under which it is answered: `tending answer 12 done`. What is on a list, to sort or weekly, has none."""
    return f" (notice {notice})" if notice is not None else ""
