"""Findings: what a rule saw of a client, open until its condition ends; and when the next look is due."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from models.columns import instant, json_facts, row_id
from models.instants import Instant
from models.rule import Verdict


class Opened(StrEnum):
    """How a finding came to be. `day_one`: it was already true when first looked at, so it is listed to sort and never notified."""

    noticed = "noticed"
    day_one = "day_one"


class Finding(SQLModel, table=True):
    """One kind of finding about one client; one row per (client, kind), whose `generation` rises when it reopens after the grace time."""

    __tablename__ = "finding"
    __table_args__ = (UniqueConstraint("client_id", "kind"),)

    id: int | None = row_id()
    client_id: int = Field(foreign_key="client.id", index=True)
    rule: str
    kind: str
    rule_version: int
    generation: int = 1
    opened: str = Opened.noticed
    opened_at: int = instant()
    cleared_at: int | None = instant(nullable=True, index=True)
    reason: str
    evidence: dict[str, Any] = json_facts()


class Look(SQLModel, table=True):
    """When a client needs a look next, and under which rules and policy the last one was made.

    `basis` joins rules' version and policy's hash; it stays empty while any rule of absence was blind, so that what turns out to be
    already true is sorted as day one. `blind` marks a client whose rules wait for a source.
    """

    __tablename__ = "look"

    client_id: int = Field(primary_key=True, foreign_key="client.id")
    next_look: int = instant(index=True)
    looked_at: int = instant()
    basis: str = Field(default="", index=True)
    blind: bool = False


class Standing(NamedTuple):
    """An existing finding row, as far as settling it needs to know."""

    kind: str
    generation: int
    opened_at: Instant
    cleared_at: Instant | None


class Settled(NamedTuple):
    """What is to be written: findings to open (with generation), to keep (evidence renewed) and kinds to clear."""

    opened: tuple[tuple[Verdict, int], ...]
    kept: tuple[Verdict, ...]
    cleared: tuple[str, ...]


NOTHING = Settled((), (), ())


def settle(verdicts: Iterable[Verdict], standing: Mapping[str, Standing], now: Instant, grace: int) -> Settled:
    """What a look changes. A verdict that cannot say (None) neither opens nor clears. `grace` in seconds."""
    opened: list[tuple[Verdict, int]] = []
    kept: list[Verdict] = []
    cleared: list[str] = []
    for verdict in verdicts:
        before = standing.get(verdict.kind)
        is_open = before is not None and before.cleared_at is None
        if verdict.fired:
            if is_open:
                kept.append(verdict)
            elif before is None:
                opened.append((verdict, 1))
            else:
                assert before.cleared_at is not None
                long_clear = now - before.cleared_at >= grace
                opened.append((verdict, before.generation + (1 if long_clear else 0)))
        elif verdict.fired is False and is_open:
            cleared.append(verdict.kind)
    if not (opened or kept or cleared):
        return NOTHING
    return Settled(tuple(opened), tuple(kept), tuple(cleared))
