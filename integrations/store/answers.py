"""What people answer to findings: observations of a source of our own, kept with who and when, and taken back within a minute."""

import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, select, update

from integrations.store import acts, audit
from integrations.store.cases import digests, shared
from integrations.store.derive import derive
from integrations.store.tables import insert_rows, table
from integrations.store.turns import take_turn
from models.answers import LONGEST_NOTE, UNDO_SECONDS, Answer, check_rhythm
from models.errors import UsageError
from models.findings import Finding
from models.instants import Instant
from models.observations import Observation, Subject
from models.people import Client
from models.settings import OWN_SOURCE

if TYPE_CHECKING:
    from integrations.practice import Practice

SOURCE = OWN_SOURCE
KIND = "answer"


class Seen(NamedTuple):
    """How a finding stood when somebody was shown it: its generation, and when it was last answered (0: not yet)."""

    generation: int
    answered_at: Instant


class AnswerRow(NamedTuple):
    """One answer as it stands. `note` is opened only where it is asked for; `by` is who gave it."""

    id: str
    kind: str
    reply: str
    at: Instant
    until: Instant
    days: int
    reason: str
    by: str
    note: str


def give(
    practice: "Practice",
    connection: Connection,
    client_id: int,
    answer: Answer,
    by: str,
    now: Instant,
    *,
    note: str = "",
    answer_id: str = "",
    seen: Seen | None = None,
) -> str:
    """Take an answer in, in the caller's transaction, and derive what follows; answers its id, under which it can be taken back.

    With an `answer_id` that was given before to the same client nothing happens a second time. `seen` is how the finding stood for
    whoever answers: if somebody has answered meanwhile, they are told so. Raises UsageError then, where that client has no open
    finding of the kind, where the note is too long, or where an agreed rhythm would keep silent for too long.
    """
    if len(note) > LONGEST_NOTE:
        raise UsageError(f"A note has at most {LONGEST_NOTE} characters; what belongs to the record belongs there.")
    take_turn(connection)
    if answer_id and (before := find(connection, answer_id)) is not None:
        if before.client_id != client_id or before.gone:
            raise UsageError("This was said before and taken back; nothing was changed. Open the page anew to answer.")
        return answer_id
    findings = table(Finding)
    same = (findings.c.client_id == client_id) & (findings.c.kind == answer.kind)
    columns = findings.c.generation, findings.c.cleared_at, findings.c.answered_at
    stands = connection.execute(select(*columns).where(same)).first()
    if stands is None or stands.cleared_at is not None:
        raise UsageError("There is nothing open of that kind any more; nothing was changed.")
    if seen is not None and seen != (stands.generation, stands.answered_at or 0):
        raise UsageError("This was answered meanwhile, or something new has come; nothing was changed.")
    if answer.days:
        (row,) = digests(connection, [client_id])
        check_rhythm(answer.days, shared(practice, connection, now).policy(row).policy.quiet_factor)
    answer_id = answer_id or uuid.uuid4().hex
    facts = {
        "kind": answer.kind,
        "generation": stands.generation,
        "reply": answer.reply.value,
        "at": answer.at,
        "until": answer.until,
        "days": answer.days,
        "reason": answer.reason,
        "by": by,
    }
    secret = {"note": note} if note else None
    acts.record(practice, connection, client_id, KIND, facts, now, act_id=answer_id, secret=secret)
    audit.record(
        connection, now, by, "answered", _code(connection, client_id), {"kind": answer.kind, "reply": facts["reply"]}
    )
    return answer_id


def take_back(practice: "Practice", connection: Connection, answer_id: str, by: str, now: Instant) -> str:
    """Take an answer back, within a minute of giving it; answers the client's code. Raises UsageError otherwise, changing nothing."""
    take_turn(connection)
    rows, subjects = table(Observation), table(Subject)
    mine = (rows.c.source == SOURCE) & (rows.c.kind == KIND) & (rows.c.entry_id == answer_id) & rows.c.current
    found = connection.execute(select(rows).where(mine)).first()
    if found is None or found.gone:
        raise UsageError("There is no such answer, or it was taken back already.")
    if now - found.facts["at"] > UNDO_SECONDS:
        raise UsageError("An answer can be taken back for a minute; now answer again instead.")
    whose = (subjects.c.source == SOURCE) & (subjects.c.entry_id == answer_id)
    client_id = int(connection.execute(select(subjects.c.client_id).where(whose)).scalar_one())
    connection.execute(update(rows).where(mine).values(current=False))
    insert_rows(connection, Observation, [_taken_back(answer_id, max(now, found.known_at + 1))])
    derive(connection, [client_id], practice.book.of().policy, now, practice.zone)
    code = _code(connection, client_id)
    audit.record(connection, now, by, "answer taken back", code, {"kind": found.facts["kind"]})
    return code


class Found(NamedTuple):
    """One answer by its id, with whom it is about; `gone` where it was taken back."""

    client_id: int
    gone: bool
    kind: str
    reply: str
    at: Instant
    until: Instant
    days: int
    reason: str
    by: str


def find(connection: Connection, answer_id: str) -> Found | None:
    """The answer of that id, as it was given; None where there never was one."""
    rows, subjects = table(Observation), table(Subject)
    same = (subjects.c.source == rows.c.source) & (subjects.c.entry_id == rows.c.entry_id)
    query = (
        select(subjects.c.client_id, rows.c.facts, rows.c.gone)
        .select_from(rows.join(subjects, same))
        .where(rows.c.source == SOURCE, rows.c.kind == KIND, rows.c.entry_id == answer_id)
        .order_by(rows.c.id)
    )
    versions = connection.execute(query).all()
    if not versions:
        return None
    f = versions[0].facts
    said = (f["kind"], f["reply"], f["at"], f["until"], f["days"], f["reason"], f["by"])
    return Found(versions[0].client_id, bool(versions[-1].gone), *said)


def answers_to(practice: "Practice", connection: Connection, client_id: int, *, notes: bool = False) -> list[AnswerRow]:
    """What was answered about a client, newest first, taken-back ones left out; with `notes` their texts, which the caller audits."""
    found = []
    for row in reversed(acts.of_client(connection, client_id, KIND)):
        note = practice.vault.open(row.sealed)["note"] if notes and row.sealed else ""
        f = row.facts
        found.append(
            AnswerRow(row.id, f["kind"], f["reply"], f["at"], f["until"], f["days"], f["reason"], f["by"], note)
        )
    return found


def _taken_back(answer_id: str, known_at: Instant) -> dict[str, Any]:
    return {
        "source": SOURCE,
        "kind": KIND,
        "entry_id": answer_id,
        "content_hash": "",
        "said_at": None,
        "known_at": known_at,
        "gone": True,
        "current": True,
        "facts": {},
        "hints": {},
        "sealed": None,
    }


def _code(connection: Connection, client_id: int) -> str:
    clients = table(Client)
    return str(connection.execute(select(clients.c.code).where(clients.c.id == client_id)).scalar_one())
