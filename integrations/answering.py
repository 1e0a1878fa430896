"""Giving an answer and taking it back, with what follows from it decided in the same transaction: whoever looks next sees it done."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from integrations.store import answers, links
from integrations.store.answers import Seen
from integrations.store.decisions import decide
from models.answers import Answer
from models.instants import Instant

if TYPE_CHECKING:
    from integrations.practice import Practice


def say(
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
    """Give an answer, as `answers.give` does, and look at the client anew. Answers its id."""
    before = answers.find(connection, answer_id) if answer_id else None
    given = answers.give(practice, connection, client_id, answer, by, now, note=note, answer_id=answer_id, seen=seen)
    if before is None:
        decide(practice, connection, [client_id], now)
    return given


def unsay(practice: "Practice", connection: Connection, answer_id: str, by: str, now: Instant) -> str:
    """Take an answer back, as `answers.take_back` does, give back the link by which it was given, and look at the client anew. Answers
    the client's code."""
    found = answers.find(connection, answer_id)
    code = answers.take_back(practice, connection, answer_id, by, now)
    links.give_back(connection, answer_id)
    if found is not None:
        decide(practice, connection, [found.client_id], now)
    return code
