"""What a client's history comes to, one row per client: independent of now and of policy, recomputed whole at every touch."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from sqlalchemy import LargeBinary, SmallInteger
from sqlmodel import Field, SQLModel

from models.appointments import Mark
from models.clock import Spans, merged
from models.columns import instant
from models.entries import ClientStatus
from models.instants import FAR, Instant, end_of, start_of
from models.people import OPEN_ENDED
from models.told import NOTHING, Told, packed

FORMAT = 5  # rises when the meaning of a stored digest changes; a row of another format is rebuilt
KEPT = 13  # attended starts kept: twelve gaps, so that the length of the rhythm window stays a matter of policy
MOST = 60  # of a client whose appointments nobody marks, so many are enough
STATUS = {ClientStatus.intake: 0, ClientStatus.active: 1, ClientStatus.ended: 2}
BOOKED = 4  # bits of a line entry: start * 8 + BOOKED + mark
NO_DAY = -1


class Digest(SQLModel, table=True):
    """One client's digest. `line` packs appointments that were not cancelled, `breaks` planned breaks, both as 64-bit integers.

    `intake_at`, `paused_until` and the like are instants, -1 where unknown; `away_until` is FAR for a client who died. `told` packs goals,
    scores and the like (see models.told).
    """

    __tablename__ = "digest"

    client_id: int = Field(primary_key=True, foreign_key="client.id")
    format: int = Field(sa_type=SmallInteger)
    therapist_id: str = ""
    site: str = ""
    status: int = Field(sa_type=SmallInteger)
    intake_at: int = instant()
    away_until: int = instant()
    died: int = Field(default=0, sa_type=SmallInteger)
    line: bytes = Field(sa_type=LargeBinary)
    breaks: bytes = Field(sa_type=LargeBinary)
    told: bytes = Field(sa_type=LargeBinary)


class Held(NamedTuple):
    """One appointment as a client's history holds it."""

    start: Instant
    mark: Mark
    booked: bool


class History(NamedTuple):
    """Everything a digest is made from: one client's people facts and derived appointments, cancelled ones left out."""

    client_id: int
    therapist_id: str
    site: str
    status: ClientStatus
    intake_on: date | None
    died: bool
    paused_until: date | None
    appointments: tuple[Held, ...]
    breaks: tuple[tuple[date, date], ...]
    known_at: Instant
    told: Told = NOTHING


def packed_line(appointments: Iterable[Held], known_at: Instant) -> bytes:
    """Appointments by start as integers: all that lie after `known_at`, and of those before it the last, back to the KEPT-th that took
    place (or is presumed to have), but not more than MOST that were not missed."""
    entries = sorted((a.start << 3) | (BOOKED if a.booked else 0) | a.mark for a in appointments)
    first = bisect_right(entries, (known_at << 3) | 7)
    kept = most = 0
    while first > 0 and kept < KEPT and most < MOST:
        first -= 1
        mark = entries[first] & 3
        kept += mark in (Mark.attended, Mark.presumed)
        most += mark != Mark.no_show
    return array("q", entries[first:]).tobytes()


def packed_spans(spans: Spans) -> bytes:
    return array("q", [edge for span in spans for edge in span]).tobytes()


def spans_of(packed: bytes) -> Spans:
    edges = array("q", packed)
    return tuple(zip(edges[::2], edges[1::2], strict=True))


class Digested(NamedTuple):
    """The columns of one Digest row, in their order: a plain tuple, since making a row of a table costs many times as much."""

    client_id: int
    format: int
    therapist_id: str
    site: str
    status: int
    intake_at: Instant
    away_until: Instant
    died: int
    line: bytes
    breaks: bytes
    told: bytes


def digest_of(history: History, zone: str) -> Digested:
    """The digest of a history; days are read in the practice's zone. Equal histories give equal digests. A client has died if the
    records say so, or if it was said of their newest ending: everything that asks whether they have reads it from here."""
    died = history.died or any(ending.died for ending in history.told.endings)
    away = NO_DAY
    if died:
        away = FAR
    elif history.paused_until is not None:
        away = FAR if history.paused_until == OPEN_ENDED else start_of(history.paused_until, zone)
    breaks = merged((start_of(a, zone), FAR if b == OPEN_ENDED else end_of(b, zone)) for a, b in history.breaks)
    return Digested(
        client_id=history.client_id,
        format=FORMAT,
        therapist_id=history.therapist_id,
        site=history.site,
        status=STATUS[history.status],
        intake_at=NO_DAY if history.intake_on is None else start_of(history.intake_on, zone),
        away_until=away,
        died=int(died),
        line=packed_line(history.appointments, history.known_at),
        breaks=packed_spans(breaks),
        told=packed(history.told),
    )
