"""`status`: how the practice stands, in numbers."""

from typing import Any

import typer

from integrations.practice import Practice
from integrations.store import arming, audit, cases, finding_rows, invitations, lookups, nobodys, quarantine
from integrations.store.arming import Arming
from integrations.store.sources import all_rows, left_over
from models.findings import Opened
from models.instants import DAY, Instant
from models.kinds import all_kinds
from models.notices import MEANING, MessageState
from models.sources import asked_about
from models.voice import Voice
from models.words import counted as words_counted
from tending.commands.common import cannot_be_said, counted, instant_or_none, now, opened, voice_of
from tending.commands.options import JsonOption, PracticeOption
from tending.output import columns, moment, say, show_json, since, toned

ARMED = {
    Arming.armed: "armed: messages are sent from here",
    Arming.never: "not armed: nothing is sent; `tending arm` allows it",
    Arming.copy: "not armed: armed elsewhere, this is a copy; nothing is sent from here",
}


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(status)


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
            *([("not said", toned(cannot_be_said(facts["unsaid"]), "mend"))] if facts["unsaid"] else []),
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
        parts.append(toned(f"last try failed: {source['told'].removesuffix('.')}", "mend"))
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
            "unsaid": finding_rows.unsaid(connection),
            "day_one": finding_rows.day_one_left(connection),
            "answered": answered,
            "waiting": [w._asdict() for w in lookups.waiting(connection, at)],
            "messages": lookups.message_counts(connection, at - 7 * DAY),
            "invitations_late": invitations.waiting_long(connection, at),
            "quarantine": quarantine.counts(connection),
            "unmatched": nobodys.unmatched_count(connection)._asdict(),
            "audit_head": audit.head(connection),
        }
