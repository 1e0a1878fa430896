"""Sources: what each one delivers, how fresh it has to be, and what a person is asked when much of it vanishes at once."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlmodel import Field, SQLModel

from models.columns import instant, instant_key, json_facts
from models.instants import Instant

ASKED = ("break", "goal", "hold")
"""Kinds besides appointments of which a person is asked when many vanish at once."""


THINGS = {
    "appointment": ("appointment ahead", "appointments ahead"),
    "break": ("break", "breaks"),
    "goal": ("goal", "goals"),
    "hold": ("time on a waiting list", "times on a waiting list"),
}
"""What these are called, one and several."""


class Delivers(StrEnum):
    """What the absence of an entry means."""

    snapshot = "snapshot"  # everything there is: what is missing is gone
    window = "window"  # everything inside a span of time
    changes = "changes"  # only news: absence means nothing


class PastBooking(StrEnum):
    """What a past booking without a mark of attendance means in this source."""

    unknown = "unknown"
    attended = "attended"  # presumed, never known


class Source(SQLModel, table=True):
    """A calendar or record system that is read, and how the last reading went.

    `read_at` is the last complete reading, `renewed_at` when the newest file it read had been written (None for an address), `tried_at`
    the last attempt; `problem` the reason code of a failed attempt, `told` the
    sentence a person sees. `held` lists entry ids that vanished together and wait for a person's word (`entries`, asked about `since`),
    and those about which one was given: `allowed` to go at the next reading, or `kept` for as long as the source lacks them. These are
    appointments; under the name of a kind of ASKED it holds the same of that kind.
    """

    __tablename__ = "source"

    name: str = Field(primary_key=True)
    kind: str
    delivers: str = Delivers.snapshot
    past_booking: str = PastBooking.unknown
    fingerprint: str = ""
    first_read_at: int | None = instant(nullable=True)
    read_at: int | None = instant(nullable=True)
    renewed_at: int | None = instant(nullable=True)
    tried_at: int | None = instant(nullable=True)
    problem: str = ""
    told: str = ""
    held: dict[str, Any] = json_facts()
    etag: str = ""
    forgotten_at: int | None = instant(
        nullable=True
    )  # taken out of practice.toml, and a person let go what it said of the future


def questions(held: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What a person is asked about, by kind, of Source.held: `entries`, `count`, how many were known (`ahead`), and `since`."""
    parts = {"appointment": held, **{kind: held.get(kind, {}) for kind in ASKED}}
    return {kind: part for kind, part in parts.items() if part.get("entries")}


def asked_about(held: Mapping[str, Any]) -> int:
    """How many entries of all kinds a person is asked about."""
    return sum(part["count"] for part in questions(held).values())


def fresh_until(
    read_at: Instant | None, fresh_for: int, renewed_at: Instant | None = None, renewed_within: int | None = None
) -> Instant | None:
    """Until when a source can refute an absence: `fresh_for` seconds from its last reading, and not longer than `renewed_within` seconds
    from when the newest file of it was written. None for a source that was never read."""
    if read_at is None:
        return None
    until = read_at + fresh_for
    return until if renewed_at is None or renewed_within is None else min(until, renewed_at + renewed_within)


def too_many_vanished(vanished: int, known: int, floor: int, share: float, *, emptied: bool) -> bool:
    """Whether so many future appointments, or entries of another kind, are missing at once that a person is asked: more than max(floor,
    share of all known), or all of them where there were several and the source now holds none of them at all."""
    return vanished > max(floor, share * known) or (emptied and 1 < vanished == known)


class SourceGap(SQLModel, table=True):
    """A span in which a source was too old to refute an absence: kept, so that `why` can say what could not be said back then."""

    __tablename__ = "source_gap"

    source: str = Field(primary_key=True)
    from_at: int = instant_key()
    to_at: int = instant()


class QuestionWas(SQLModel, table=True):
    """A span in which nobody knew whether an entry that its source lacked was gone: kept, so that `why` can say what could not be
    said back then."""

    __tablename__ = "question_was"

    source: str = Field(primary_key=True)
    entry_id: str = Field(primary_key=True)
    from_at: int = instant_key()
    until_at: int = instant()
