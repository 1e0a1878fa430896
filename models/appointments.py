"""Appointments and their participants: derived from the observations, rebuildable, never edited."""

from enum import IntEnum

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.columns import instant
from models.entries import Attendance, Plan


class Mark(IntEnum):
    """What is known of one appointment of one client, as the digest stores it. `presumed`: the source says past bookings took place."""

    unknown = 0
    presumed = 1
    attended = 2
    no_show = 3


class Appointment(SQLModel, table=True):
    """One appointment. `id` comes from the entry by which it was first known and never changes; `wall` and `zone` are as meant."""

    __tablename__ = "appointment"
    __table_args__ = (Index("ix_appointment_start", "start_at"),)

    id: str = Field(primary_key=True)
    wall: str
    zone: str
    start_at: int = instant()
    end_at: int = instant()
    therapist_id: str | None = None
    known_since: int = instant()


class Participant(SQLModel, table=True):
    """One client in one appointment: for a couple one may be cancelled and the other attend. `cancelled_said_at` is when it was called
    off by the source's own time stamp, if it has one."""

    __tablename__ = "participant"

    appointment_id: str = Field(primary_key=True, foreign_key="appointment.id")
    client_id: int = Field(primary_key=True, foreign_key="client.id", index=True)
    plan: str = Plan.booked
    attendance: str = Attendance.unknown
    mark: int = Mark.unknown
    cancelled_by: str | None = None
    cancelled_known_at: int | None = instant(nullable=True)
    cancelled_said_at: int | None = instant(nullable=True)
