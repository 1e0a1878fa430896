"""Quarantine: input not understood, kept whole and encrypted, with its place and reason; and small facts of the installation."""

from enum import StrEnum

from sqlalchemy import JSON, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.columns import instant, row_id


class QuarantineState(StrEnum):
    held = "held"
    retried = "retried"  # read well at a later try
    gone = "gone"  # the source no longer says it
    discarded = "discarded"  # a person decided, with a reason


class Quarantine(SQLModel, table=True):
    """One rejected row or calendar entry. `sentence` is for people and holds no cell's content; `raw` is the input, encrypted, and so
    is `why`, a person's own words.

    `kind` is what it would have been, empty where nobody can tell. Each of `hints` holds keyed hashes by which the clients that it
    concerns are found, as those of an entry are. `risk_at` is
    of a score in which an answer that asks for safety could be read, though the row could not: when it was taken (FAR: nobody knows).
    One row per (source, hash of the raw input).
    """

    __tablename__ = "quarantine"
    __table_args__ = (UniqueConstraint("source", "raw_hash"),)

    id: int | None = row_id()
    source: str
    place: str
    reason: str
    sentence: str
    raw: bytes = Field(sa_type=LargeBinary)
    raw_hash: str
    kind: str = ""
    hints: list[dict[str, list[str]]] = Field(default_factory=list, sa_type=JSON)
    therapist_id: str | None = None
    risk_at: int | None = instant(nullable=True)
    seen_at: int = instant()
    state: str = Field(default=QuarantineState.held, index=True)
    decided_at: int | None = instant(nullable=True)
    decided_by: str = ""
    why: bytes | None = Field(default=None, sa_type=LargeBinary)


class QuarantineSubject(SQLModel, table=True):
    """A client whom a rejected row concerns. While it is held, rules that rest on the absence of such a thing cannot say about them."""

    __tablename__ = "quarantine_subject"

    row_id: int = Field(primary_key=True)
    client_id: int = Field(primary_key=True)


class Fact(SQLModel, table=True):
    """A small fact of this installation: its token, when it was armed, the last good runs. Never about a client."""

    __tablename__ = "fact"

    name: str = Field(primary_key=True)
    value: str


class Lease(SQLModel, table=True):
    """Who runs a workflow right now; a lease that ran out may be taken by anybody."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    holder: str
    until: int = instant()
