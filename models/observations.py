"""What sources said, as it is kept: the append-only row that each entry becomes, and whom it concerns."""

from typing import Any

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from models.columns import instant, instant_key, json_facts, row_id

TOLD = ("goal", "score", "answer", "ending", "referral")
"""Kinds of entry that tell of a client besides appointments."""
ABOUT_CLIENTS = ("appointment", *TOLD)


class Observation(SQLModel, table=True):
    """One thing one source said, once. Append-only: a correction is a new row, an absence a row with `gone`.

    `entry_id` is the source's own id as a keyed hash (therapists and their leave: as it is), since ids may hold names.
    `facts` holds the allow-listed, identity-free part of the entry; `hints` keyed hashes under which its client may be found, by sort
    (`id`, `code`, `name`); `sealed` the identity part, encrypted; `content_hash` a keyed hash of the whole entry. `current` marks the
    newest version of (source, kind, entry_id): derived, kept for set-based reading.
    """

    __tablename__ = "observation"
    __table_args__ = (
        Index("ix_observation_entry", "source", "kind", "entry_id"),
        Index("ix_observation_current", "source", "kind", "current"),
    )

    id: int | None = row_id()
    source: str
    kind: str
    entry_id: str
    content_hash: str
    said_at: int | None = instant(nullable=True)
    known_at: int = instant(index=True)
    gone: bool = False
    current: bool = True
    facts: dict[str, Any] = json_facts()
    hints: dict[str, Any] = json_facts()
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)


class Subject(SQLModel, table=True):
    """Whom an entry of a kind in ABOUT_CLIENTS concerns: derived from its hints and the roster, one row per client found.

    `how` is `id`, `code`, `name`, or `some` where not all ids and codes are known; `since` is when it was first found so. An entry
    without a row here is unmatched and listed, never guessed.
    """

    __tablename__ = "subject"

    source: str = Field(primary_key=True)
    entry_id: str = Field(primary_key=True)
    client_id: int = Field(primary_key=True, foreign_key="client.id", index=True)
    kind: str = "appointment"
    how: str
    since: int = instant()


class SubjectWas(SQLModel, table=True):
    """Whom an entry was taken to concern from an instant until another, before it was found to concern somebody else: kept, so that
    `why` can tell a past day as it was known then."""

    __tablename__ = "subject_was"

    source: str = Field(primary_key=True)
    entry_id: str = Field(primary_key=True)
    client_id: int = Field(primary_key=True, foreign_key="client.id", index=True)
    kind: str = "appointment"
    from_at: int = instant_key()
    until_at: int = instant()
