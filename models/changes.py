"""The outbox of facts: what the reactor drains, written in the transaction that derived it."""

from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.columns import instant, row_id


class ChangeKind(StrEnum):
    """What happened, as other systems may listen for it: `tending.<kind>`."""

    appointment_booked = "appointment.booked"
    appointment_moved = "appointment.moved"
    appointment_cancelled = "appointment.cancelled"
    appointment_attended = "appointment.attended"
    appointment_missed = "appointment.missed"
    appointment_changed = "appointment.changed"
    client_changed = "client.changed"
    source_held = "source.held"
    source_recovered = "source.recovered"


class Change(SQLModel, table=True):
    """One fact that changed. `subject` is a client code, therapist reference or source name: nothing that means anything outside."""

    __tablename__ = "change"
    __table_args__ = (Index("ix_change_untold", "event_sent", "id"),)

    id: int | None = row_id()
    kind: str
    subject: str
    client_id: int | None = None
    at: int = instant()
    drained_at: int | None = instant(nullable=True, index=True)
    event_sent: bool = Field(default=False)
