"""Scores that nobody sees unless a person is told: rows that could not be read, and results that ask for safety about nobody known."""

from sqlalchemy import Connection, func, select

from integrations.store.tables import insert_new, table
from models.eligibility import Urgency
from models.instants import DAY, Instant
from models.notices import Notice
from models.noticing import ADMIN, NoticeKey, notice_row
from models.observations import Observation, Subject
from models.quarantine import Quarantine, QuarantineState


def tell_of_scores(connection: Connection, source: str, now: Instant) -> int:
    """Notices to the administrator, at once, in the transaction of a reading: about scores of this source that lie in quarantine, once for
    each that is new there, and about each result that asks for safety and is about nobody known. Answers how many."""
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
    return made


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
