"""Notices and the ledger of their delivery: one notice per reason, and states that only move forward."""

from enum import StrEnum
from typing import Any

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.columns import instant, json_facts, row_id


class NoticeState(StrEnum):
    waiting = "waiting"  # for its time
    taken = "taken"  # part of a message
    cancelled = "cancelled"  # a precondition failed at the last look; `outcome` says which
    expired = "expired"  # too old to be worth sending


class MessageState(StrEnum):
    """Where a message stands."""

    claimed = "claimed"  # rendered and stored, nothing handed over yet
    handing = "handing"  # being given to the channel right now
    unsure = "unsure"  # "handed over?": the process ended between the channel's acceptance and our record of it
    sent = "sent"  # the channel accepted it
    released = "released"  # refused for now or never begun: its notices wait again, for a new message
    failed = "failed"  # the channel refused it for good; reported through another channel
    dropped = "dropped"  # a person decided not to send it, or another message took its place


MEANING = {
    MessageState.claimed: "ready, not handed over yet",
    MessageState.handing: "being handed over",
    MessageState.unsure: "nobody knows whether it arrived",
    MessageState.failed: "refused for good",
    MessageState.sent: "sent",
    MessageState.released: "refused for now, waits again",
    MessageState.dropped: "dropped",
}
"""What becomes of a message, for people."""


FORWARD: dict[MessageState, frozenset[MessageState]] = {
    MessageState.claimed: frozenset({MessageState.handing, MessageState.released, MessageState.failed}),
    MessageState.handing: frozenset(
        {MessageState.sent, MessageState.failed, MessageState.released, MessageState.unsure}
    ),
    MessageState.unsure: frozenset({MessageState.sent, MessageState.dropped}),
    MessageState.failed: frozenset({MessageState.dropped}),
    MessageState.sent: frozenset(),
    MessageState.released: frozenset(),
    MessageState.dropped: frozenset(),
}


class Notice(SQLModel, table=True):
    """One message-worthy reason for one recipient.

    The unique key is subject, purpose, generation, step and recipient, none of them nullable: a retry, a replay or a second worker
    meets the row that is there. `subject` is `client:<id>`, `therapist:<id>` or `source:<name>`; `recipient` `therapist:<id>` or `admin`;
    `requires` the preconditions looked at again right before sending (`finding`, `generation`, ...).
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("subject", "purpose", "generation", "step", "recipient"),
        Index("ix_notice_due", "state", "not_before"),
    )

    id: int | None = row_id()
    subject: str
    client_id: int | None = Field(default=None, index=True)
    purpose: str
    generation: int
    step: int = 0
    recipient: str
    audience: str
    urgency: str
    level: int
    requires: dict[str, Any] = json_facts()
    facts: dict[str, Any] = json_facts()
    made_at: int = instant()
    not_before: int = instant()
    expires_at: int = instant()
    state: str = NoticeState.waiting
    tries: int = 0
    outcome: str = ""
    decided_at: int | None = instant(nullable=True)
    message_id: int | None = Field(default=None, index=True)


class Message(SQLModel, table=True):
    """The ledger: one mail (or other message) to one recipient over one channel, rendered and kept so that a retry cannot change it.

    `sealed` holds the rendered message and its address, encrypted, and is emptied some time after it was settled;
    `message_id_header` is stable over retries.
    """

    __tablename__ = "message"
    __table_args__ = (Index("ix_message_state", "state"),)

    id: int | None = row_id()
    recipient: str
    channel: str
    message_id_header: str = Field(unique=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    urgency: str
    state: str = MessageState.claimed
    claimed_at: int = instant()
    claimed_by: str = ""
    handed_at: int | None = instant(nullable=True)
    settled_at: int | None = instant(nullable=True)
    problem: str = ""
