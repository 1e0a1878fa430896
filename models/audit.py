"""The audit: who saw whom and who did what, append-only, sealed in order so that a cut tail or a rewritten past is found."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from sqlmodel import Field, SQLModel

from models.columns import instant, json_facts, row_id

START = "0" * 64


class Audit(SQLModel, table=True):
    """One act. `who` is a login or process name, `subject` a code or reference; `place` and `seal` are given later, by one sealer."""

    __tablename__ = "audit"

    id: int | None = row_id()
    at: int = instant()
    who: str
    act: str
    subject: str = ""
    details: dict[str, Any] = json_facts()
    place: int | None = Field(default=None, unique=True)
    seal: str = ""


def next_seal(before: str, place: int, row: Audit) -> str:
    """The seal of a row, which binds it to all rows before it."""
    text = json.dumps(
        [before, place, row.at, row.who, row.act, row.subject, row.details], sort_keys=True, ensure_ascii=True
    )
    return hashlib.sha256(text.encode()).hexdigest()


def first_break(rows: Iterable[Audit]) -> int | None:
    """The place of the first sealed row that does not fit the rows before it (rows in order of place), or None."""
    before = START
    for expected, row in enumerate(rows, start=1):
        if row.place != expected or next_seal(before, expected, row) != row.seal:
            return expected
        before = row.seal
    return None
