"""`findings` and `status`: what asks for somebody, and how the practice stands."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from integrations.practice import Practice
from integrations.store import answers, arming, audit, cases, finding_rows, invitations, lookups, nobodys, quarantine
from integrations.store.answers import AnswerRow
from integrations.store.arming import Arming
from integrations.store.sources import all_rows, left_over
from models.answers import NAMES_A_DAY, Reply, asked_again, said
from models.findings import Opened
from models.instants import DAY, Instant
from models.kinds import all_kinds, is_safety
from models.notices import MEANING, MessageState
from models.rules import all_rules, told
from models.sources import asked_about
from models.voice import Voice
from models.words import counted as words_counted
from tending.commands.common import counted, instant_or_none, now, opened, therapist_of, voice_of
from tending.commands.options import JsonOption, PracticeOption
from tending.output import columns, moment, say, show_json, since, toned

CLEARED_DAYS = 30
ARMED = {
    Arming.armed: "armed: messages are sent from here",
    Arming.never: "not armed: nothing is sent; `tending arm` allows it",
    Arming.copy: "not armed: armed elsewhere, this is a copy; nothing is sent from here",
}


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(findings)
    app.command()(status)


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


def status(as_json: JsonOption = False, practice: PracticeOption = None) -> None:
    """How the practice stands, in numbers.

    Sources, clients, findings, messages, and what waits for a person."""
    at = now()
    with opened(practice) as here:
        facts = standing(here, at)
        voice = voice_of(here, at)
    if as_json:
        show_json(facts)
        return
    say(f"{facts['practice']}, {moment(voice, at)}")
    armed = Arming(facts["arming"])
    columns(
        [
            ("sending", toned(ARMED[armed], "good" if armed is Arming.armed else "mend")),
            (
                "running",
                f"yes ({', '.join(facts['running'])})" if facts["running"] else "no; `tending up` runs the practice",
            ),
            *[(f"source {s['name']}", _source_line(s, voice)) for s in facts["sources"]],
            *[
                (f"source {name}", toned(f"practice.toml names it no more: `tending forget {name}`", "mend"))
                for name in facts["left_over"]
            ],
            ("clients", counted(facts["clients"])),
            ("findings", counted({_label(kind): n for kind, n in facts["findings"].items()})),
            ("to sort", f"{facts['day_one']} already so at first sight" if facts["day_one"] else "nothing"),
            *[("answered", f"{facts['answered']} and still so: `tending findings`")] * bool(facts["answered"]),
            *[("waiting", _waiting_line(w)) for w in facts["waiting"]],
            (
                "messages",
                f"{counted(_in_words(facts['messages']))} (last 7 days)"
                if facts["messages"]
                else "none in the last 7 days",
            ),
            *[("invitations", toned(_late_line(facts["invitations_late"]), "mend"))] * bool(facts["invitations_late"]),
            ("quarantine", counted(facts["quarantine"]) if facts["quarantine"] else "empty"),
            (
                "unmatched",
                nobodys.Nobodys(**facts["unmatched"]).sentence() if any(facts["unmatched"].values()) else "none",
            ),
            ("audit", f"sealed; its head is {facts['audit_head']}" if facts["audit_head"] else "nothing is sealed yet"),
        ]
    )


def _in_words(messages: dict[str, int]) -> dict[str, int]:
    return {MEANING[MessageState(state)]: n for state, n in messages.items()}


def _label(kind: str) -> str:
    known = all_kinds().get(kind)
    return known.label if known else kind


def _late_line(many: int) -> str:
    calendars = "1 calendar does" if many == 1 else f"{many} calendars do"
    return f"{calendars} not hold for a day what they should: `tending invite`"


def _waiting_line(w: dict[str, Any]) -> str:
    older = f", {w['too_old']} too old and dropped at the next delivery" if w["too_old"] else ""
    of = words_counted(w["notices"], f"{w['urgency']} notice")
    due = "" if not w["due"] else ", due now" if w["due"] == w["notices"] else f", {w['due']} of them due now"
    return f"{of}{due}{older}"


def _source_line(source: dict[str, Any], voice: Voice) -> str:
    read = "never read; `tending sync`" if source["read_at"] is None else f"read {since(voice, source['_read'])}"
    parts = [toned(f"{read}, too old to rely on", "mend") if source["stale"] else read]
    if source["_renewed"] is not None:
        parts.append(f"newest file written {since(voice, source['_renewed'])}")
    if source["told"]:
        parts.append(toned(f"last try failed: {source['told']}", "mend"))
    if source["held"]:
        parts.append(
            toned(
                f"{words_counted(source['held'], 'entry', 'entries')} vanished at once: `tending held {source['name']}`",
                "mend",
            )
        )
    return "; ".join(parts)


def standing(here: Practice, at: Instant) -> dict[str, Any]:
    """The facts of `status`, for people and machines."""
    with here.store.read() as connection:
        rows = all_rows(connection)
        late = cases.stale_sources(here, connection, at)
        kinds: dict[str, int] = {}
        answered = 0
        for (kind, how, was_answered), n in finding_rows.finding_counts(connection).items():
            kinds[kind] = kinds.get(kind, 0) + (n if how == Opened.noticed and not was_answered else 0)
            answered += n if was_answered else 0
        return {
            "practice": here.name,
            "at": instant_or_none(at),
            "arming": arming.state_in(connection, here.data).value,
            "running": sorted(name for name, lease in lookups.leases(connection).items() if lease.until > at),
            "sources": [
                {
                    "name": source.name,
                    "kind": source.kind,
                    "read_at": instant_or_none(rows[source.name].read_at) if source.name in rows else None,
                    "_read": rows[source.name].read_at if source.name in rows else None,
                    "renewed_at": instant_or_none(rows[source.name].renewed_at) if source.name in rows else None,
                    "_renewed": rows[source.name].renewed_at if source.name in rows else None,
                    "stale": source.name in late,
                    "told": rows[source.name].told if source.name in rows else "",
                    "held": asked_about(rows[source.name].held) if source.name in rows else 0,
                }
                for source in here.settings.source
            ],
            "left_over": [row.name for row in left_over(here, connection)],
            "clients": lookups.client_counts(connection),
            "findings": {kind: n for kind, n in sorted(kinds.items()) if n},
            "day_one": finding_rows.day_one_left(connection),
            "answered": answered,
            "waiting": [w._asdict() for w in lookups.waiting(connection, at)],
            "messages": lookups.message_counts(connection, at - 7 * DAY),
            "invitations_late": invitations.waiting_long(connection, at),
            "quarantine": quarantine.counts(connection),
            "unmatched": nobodys.unmatched_count(connection)._asdict(),
            "audit_head": audit.head(connection),
        }
