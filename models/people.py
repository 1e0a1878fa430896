"""Therapists, clients, and the dated relations between them; identity is sealed, everything else is facts."""

from datetime import date
from enum import StrEnum

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from models.columns import row_id

OPEN_ENDED = date.max  # paused until further notice


def as_day(text: str | None) -> date | None:
    """A day as facts hold it, ISO text or None."""
    return date.fromisoformat(text) if text else None


class RelationKind(StrEnum):
    main = "main"
    co = "co"
    cover = "cover"


class Therapist(SQLModel, table=True):
    """A therapist, by the clinic's own reference (`T1`). `sealed` holds name and mail address, encrypted."""

    __tablename__ = "therapist"

    id: str = Field(primary_key=True)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    zone: str = ""
    site: str = ""
    supervisor_id: str | None = None
    started_on: date | None = None


class Client(SQLModel, table=True):
    """A client under an opaque code. All columns follow from observations but `code`, which is drawn once and kept.

    `ref_hash` is the keyed hash of (source, the clinic's own id); `name_hash` of the normalised name, `mail_hash` of
    the first mail address of the contact. `sealed` holds name and contact, encrypted.
    Days are calendar days of the practice; `paused_until` is the first day no longer paused, 9999-12-31 if open.
    """

    __tablename__ = "client"

    id: int | None = row_id()
    code: str = Field(unique=True, index=True)
    ref_hash: str = Field(unique=True, index=True)
    name_hash: str = Field(default="", index=True)
    mail_hash: str = Field(default="", index=True)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    status: str = "active"
    intake_on: date | None = None
    ended_on: date | None = None
    died: bool = False
    died_on: date | None = None
    paused_until: date | None = None
    opted_out: bool = False
    site: str = ""


class Relation(SQLModel, table=True):
    """Who looks after whom, from a day to a day (both included, open if None)."""

    __tablename__ = "relation"
    __table_args__ = (Index("ix_relation_client", "client_id"), Index("ix_relation_therapist", "therapist_id"))

    id: int | None = row_id()
    client_id: int = Field(foreign_key="client.id")
    therapist_id: str
    kind: str = RelationKind.main
    from_on: date | None = None
    to_on: date | None = None


class Break(SQLModel, table=True):
    """A planned break of one client, or time on a waiting list (9999-12-31 if open), both days included."""

    __tablename__ = "break"

    source: str = Field(primary_key=True)
    entry_id: str = Field(primary_key=True)
    client_id: int = Field(foreign_key="client.id", index=True)
    from_on: date
    to_on: date


class Leave(SQLModel, table=True):
    """A therapist's leave, both days included; `cover_id` receives what the therapist would have."""

    __tablename__ = "leave"

    source: str = Field(primary_key=True)
    entry_id: str = Field(primary_key=True)
    therapist_id: str = Field(index=True)
    from_on: date
    to_on: date
    cover_id: str | None = None
