"""Scores that nobody sees unless a person is told: rows that could not be read, and results that ask for safety about nobody known."""

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from integrations.store.recipients import Recipients
from integrations.store.tables import insert_new, table
from integrations.store.telling import next_to_hear
from models.digest import Digest
from models.eligibility import Urgency
from models.instants import DAY, Instant
from models.notices import Notice
from models.noticing import ADMIN, NoticeKey, next_step, notice_row, therapist_recipient
from models.observations import Observation, Subject
from models.people import Client
from models.policy import Policy
from models.quarantine import Quarantine, QuarantineState, QuarantineSubject
from models.rules.safety import OLD_NEWS

RISK = "risk_set_aside"


def tell_of_scores(connection: Connection, source: str, now: Instant) -> int:
    """Notices to the administrator, at once, in the transaction of a reading: about scores of this source that lie in quarantine, once for
    each that is new there, and about each result that asks for safety and is about nobody known. To a client's therapist, where a row that
    could not be read may ask for safety. Answers how many."""
    made = 0
    newest, count = set_aside(connection, source)
    if count:
        key = NoticeKey(f"source:{source}", "scores_set_aside", newest, 0, ADMIN)
        facts = {"source": source, "count": count}
        row = notice_row(key, Urgency.system, now, 14 * DAY, now, facts=facts, requires={"set_aside": source})
        made += insert_new(connection, Notice, row)
    for number in risks_of_nobody(connection, source):
        key = NoticeKey(f"source:{source}", "risk_unmatched", number, 0, ADMIN)
        requires = {"unmatched": source, "row": number}
        row = notice_row(key, Urgency.safety, now, 30 * DAY, now, facts={"source": source}, requires=requires)
        made += insert_new(connection, Notice, row)
    for client_id, found in risks_set_aside(connection).items():
        made += _tell(connection, client_id, found, therapist_recipient(found.therapist), now)
    return made


def climb(connection: Connection, recipients: Recipients, policy: Policy, now: Instant) -> int:
    """Notices to the next person about rows that may ask for safety and still lie in quarantine so long after the therapist was told:
    the same people as of a risk that nobody answers. Answers how many."""
    waiting = {client_id: row for client_id, row in risks_set_aside(connection).items() if row.therapist}
    if not waiting:
        return 0
    rows, made = table(Notice), 0
    subjects = {f"client:{client_id}": client_id for client_id in waiting}
    mine = rows.c.subject.in_(subjects) & (rows.c.purpose == RISK)
    for last in connection.execute(select(rows).where(mine).order_by(rows.c.step.desc())).all():
        client_id = subjects[last.subject]
        row = waiting.get(client_id)
        if row is None or last.generation != row.newest:
            continue
        del waiting[client_id]  # what comes after it is a lower step
        supervisor = recipients.supervisor(row.therapist)
        after = next_step(last.step, policy, supervised=bool(supervisor), safety=True)
        if after is not None and last.not_before + after.seconds <= now:
            cover = recipients.cover(row.therapist)
            number, people = next_to_hear(connection, last._asdict(), after, supervisor, cover)
            made += sum(_tell(connection, client_id, row, recipient, now, number) for recipient in people)
    return made


def _tell(connection: Connection, client_id: int, row: "SetAside", recipient: str, now: Instant, step: int = 0) -> int:
    key = NoticeKey(f"client:{client_id}", RISK, row.newest, step, recipient)
    facts, requires = {"code": row.code, "source": row.source}, {RISK: client_id}
    notice = notice_row(key, Urgency.safety, now, 30 * DAY, now, client_id=client_id, facts=facts, requires=requires)
    return insert_new(connection, Notice, notice)


class SetAside(NamedTuple):
    """The newest row about a client in quarantine that may ask for safety: its number and source, the client's code and therapist."""

    newest: int
    source: str
    code: str
    therapist: str


def risks_set_aside(connection: Connection) -> dict[int, SetAside]:
    """Clients of whom a row lies in quarantine in which an answer that asks for safety could be read; not what was old already when it was
    first seen: that is to sort, and the administrator knows of it."""
    rows, subjects, clients, people = table(Quarantine), table(QuarantineSubject), table(Client), table(Digest)
    query = (
        select(subjects.c.client_id, rows.c.id, rows.c.source, clients.c.code, people.c.therapist_id)
        .select_from(
            rows.join(subjects, subjects.c.row_id == rows.c.id)
            .join(clients, clients.c.id == subjects.c.client_id)
            .outerjoin(people, people.c.client_id == clients.c.id)
        )
        .where(rows.c.state == QuarantineState.held, rows.c.risk_at >= rows.c.seen_at - OLD_NEWS)
        .order_by(rows.c.id)
    )
    return {row[0]: SetAside(row[1], row[2], row[3], row[4] or "") for row in connection.execute(query)}


def set_aside(connection: Connection, source: str) -> tuple[int, int]:
    """Of the scores of a source that lie in quarantine: the number of the newest row (0: none), and how many there are."""
    rows = table(Quarantine)
    mine = (rows.c.source == source) & (rows.c.kind == "score") & (rows.c.state == QuarantineState.held)
    newest, count = connection.execute(select(func.max(rows.c.id), func.count()).where(mine)).one()
    return int(newest or 0), int(count)


def risks_of_nobody(connection: Connection, source: str) -> list[int]:
    """The numbers of the observations of a source that tell of a result that asks for safety, about nobody known."""
    rows, subjects = table(Observation), table(Subject)
    same = (subjects.c.source == rows.c.source) & (subjects.c.entry_id == rows.c.entry_id)
    query = (
        select(rows.c.id, rows.c.facts)
        .select_from(rows.outerjoin(subjects, same))
        .where(
            rows.c.source == source,
            rows.c.kind == "score",
            rows.c.current,
            ~rows.c.gone,
            subjects.c.client_id.is_(None),
        )
        .order_by(rows.c.id)
    )
    return [row.id for row in connection.execute(query) if (row.facts["risk"] or 0) > 0]
