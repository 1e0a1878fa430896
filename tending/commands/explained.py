"""The facts of `why`: what every rule says about one client at an instant, and what became of it, for people and machines."""

from typing import Any

from sqlalchemy import Connection

from integrations.practice import Practice
from integrations.store import answers, cases, finding_rows, lookups, policies
from models.appointments import Mark
from models.case import ENDED, Case, unpack
from models.clock import Clock
from models.digest import BOOKED, STATUS
from models.eligibility import Audience, State, Urgency, eligible
from models.errors import UsageError
from models.instants import Instant
from models.looking import DIGEST_COLUMNS, DigestRow
from models.notices import NoticeState
from models.rules import all_rules, rules_version
from tending.commands.common import instant_or_none, voice_of

SHOWN_BEFORE, SHOWN_AHEAD = 8, 4  # appointments listed before the instant and after it
STATUS_WORDS = {number: status.value for status, number in STATUS.items()}


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
        "appointments": _appointments(case, row),
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


def _appointments(case: Case, row: DigestRow) -> list[dict[str, Any]]:
    """The appointments around the instant: as they were booked, though no rule relies on those in question."""
    told: bytes = row[DIGEST_COLUMNS.index("line")]
    entries = unpack[len(told) >> 3](told)
    shown = slice(max(0, case.past - SHOWN_BEFORE), case.past + SHOWN_AHEAD)
    return [
        {
            "start": instant_or_none(entry >> 3),
            "_at": entry >> 3,
            "mark": Mark(entry & 3).name,
            "booked": bool(entry & BOOKED),
            "in_question": entry != relied_on,
        }
        for entry, relied_on in zip(entries[shown], case.line[shown], strict=True)
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
