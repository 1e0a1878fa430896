"""`why`: what every rule says about one client at any past instant, and what became of it."""

from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from integrations.practice import Practice
from integrations.store import answers, cases, finding_rows, lookups, policies
from models.answers import Reply, asked_again, said
from models.appointments import Mark
from models.case import ENDED, Case
from models.clock import Clock
from models.digest import BOOKED, STATUS
from models.eligibility import Audience, State, Urgency, eligible
from models.errors import UsageError
from models.instants import Instant
from models.kinds import all_kinds
from models.notices import MessageState, NoticeState
from models.noticing import THERAPIST
from models.rules import all_rules, rules_version
from models.voice import Voice
from tending.commands.common import client_of, instant_or_none, moment_from, now, opened, voice_of
from tending.commands.options import JsonOption, PracticeOption
from tending.output import columns, moment, say, show_json, toned

SHOWN_BEFORE, SHOWN_AHEAD = 8, 4  # appointments listed before the instant and after it
FIRED = {True: "yes", False: "no", None: "cannot say"}
STATUS_WORDS = {number: status.value for status, number in STATUS.items()}
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


def explained(
    here: Practice, connection: Connection, who: lookups.About, when: Instant, *, past: bool
) -> dict[str, Any]:
    """All that `why` says, for people and machines. With `past`, from what was known then."""
    voice = voice_of(here, when)
    said_then = lookups.client_facts(connection, who.id, when)
    if said_then is None:
        return {"code": who.code, "at": instant_or_none(when), "as_known_then": past, "known": False}
    if past:
        together, row = cases.shared(here, connection, when, when), cases.digest_known(here, connection, who.id, when)
    else:
        together = cases.shared(here, connection, when)
        stored = list(cases.digests(connection, [who.id]))
        if not stored:
            raise UsageError(f"Nothing is derived for {who.code} yet; `tending rebuild` derives it.")
        row = stored[0]
    standing = (
        finding_rows.findings_then(connection, who, when)
        if past
        else finding_rows.findings(connection, client_id=who.id, cleared_since=0)
    )
    case, layered = together.case(row), together.policy(row)
    clock = Clock(when)
    rules = [one for rule in all_rules() for one in rule.explain(case, layered, voice, clock)]
    return {
        "code": who.code,
        "at": instant_or_none(when),
        "as_known_then": past,
        "known": True,
        "therapist": row[1],
        "site": row[2],
        "status": "died" if case.died else STATUS_WORDS[case.status],
        "intake_at": instant_or_none(case.intake_at if case.intake_at >= 0 else None),
        "rules": rules,
        "next_look": instant_or_none(clock.next_look),
        "appointments": _appointments(case),
        "not_counted": [
            {"from": instant_or_none(a), "until": instant_or_none(b)}
            for a, b in case.pauses
            if b > (case.last_seen() or when) and a <= when
        ],
        "findings": [
            {
                "kind": f.kind,
                "answered": f.answered,
                "asked_again_at": instant_or_none(f.speaks_at if f.answered else None),
                "_again": f.speaks_at if f.answered else None,
                "_opened": f.opened_at,
                "_cleared": f.cleared_at,
                "opened": f.opened,
                "opened_at": instant_or_none(f.opened_at),
                "cleared_at": instant_or_none(f.cleared_at),
                "generation": f.generation,
            }
            for f in standing
        ],
        "answers": [_answer(a) for a in answers.answers_to(here, connection, who.id) if a.at <= when],
        "notices": [
            _notice(n, when, past=past)
            for n in finding_rows.notices_about(connection, who.id)
            if n.made_at <= when or not past
        ],
        "eligible": _eligible(case, bool(said_then.get("opted_out")), when),
        "not_as_then": (
            policies.not_as_then(here, policies.held_at(connection, when), rules_version()) if past else []
        ),
    }


def _appointments(case: Case) -> list[dict[str, Any]]:
    line = case.line[max(0, case.past - SHOWN_BEFORE) : case.past + SHOWN_AHEAD]
    return [
        {
            "start": instant_or_none(entry >> 3),
            "_at": entry >> 3,
            "mark": Mark(entry & 3).name,
            "booked": bool(entry & BOOKED),
        }
        for entry in line
    ]


def _notice(n: Any, when: Instant, *, past: bool) -> dict[str, Any]:
    """A notice and what had become of it by an instant; the sentence names the state in words. As of now it is what is recorded, whatever
    the clock said when that was."""
    settled = n.settled_at if n.message_id is not None else n.decided_at
    to_come = past and settled is not None and settled > when
    return {
        "purpose": n.purpose,
        "recipient": n.recipient if to_come else n.went_to or n.recipient,
        "urgency": n.urgency,
        "state": (
            NoticeState.waiting.value
            if to_come
            else n.message_state
            if n.state == NoticeState.taken and n.message_state
            else n.state
        ),
        "made_at": instant_or_none(n.made_at),
        "not_before": instant_or_none(n.not_before),
        "settled_at": instant_or_none(None if to_come else settled),
        "outcome": "" if to_come else n.outcome or n.problem or "",
        "_made": n.made_at,
        "_due": n.not_before,
        "_settled": None if to_come else settled,
        "message": None if to_come else n.message_id,
    }


def _answer(a: answers.AnswerRow) -> dict[str, Any]:
    """What was answered, without the note: that is shown at the desk alone."""
    return {
        "kind": a.kind,
        "reply": a.reply,
        "at": instant_or_none(a.at),
        "until": instant_or_none(a.until),
        "days": a.days,
        "reason": a.reason,
        "by": a.by,
        "_at": a.at,
        "_until": a.until,
    }


def _eligible(case: Case, opted_out: bool, when: Instant) -> list[dict[str, Any]]:
    """To whom and in which class something about this client may be sent, and why."""
    state = State(case.died, opted_out, not case.died and case.away_until > when, case.status == ENDED)
    wanted = [
        (Audience.therapist, Urgency.ordinary),
        (Audience.therapist, Urgency.duty),
        (Audience.therapist, Urgency.weekly),
        (Audience.client, Urgency.ordinary),
        (Audience.client, Urgency.cancellation),
        (Audience.client, Urgency.outreach),
    ]
    return [
        {"audience": audience.value, "class": urgency.value, **eligible(urgency, audience, state)._asdict()}
        for audience, urgency in wanted
    ]


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
                ("booked" if a["booked"] else "planned in a series")
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
