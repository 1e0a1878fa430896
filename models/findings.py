"""Findings: what a rule saw of a client, open until its condition ends; and when the next look is due."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.columns import instant, json_facts, row_id
from models.instants import Instant
from models.rule import Kind, Verdict


class Opened(StrEnum):
    """How a finding came to be. `day_one`: it was already true when first looked at, so it is listed to sort and never notified."""

    noticed = "noticed"
    day_one = "day_one"


class Finding(SQLModel, table=True):
    """One kind of finding about one client; one row per (client, kind), whose `generation` rises when it reopens after the grace time,
    or stays open for so long after coming back within it. One that was on the list to sort and is told after all is `noticed` from then on.

    `speaks_at` is when a finding that came back without a word, or was put off, speaks, if it is still open then; `told_to` is the
    recipient of its newest notice, empty where none was made. `heard` are the facts that were told or answered last; `step` how far up it
    has been told (see models.noticing), `climbs_at` when it goes one up. `answered_at` is the last answer that was taken into account,
    `answered` whether it still stands.
    """

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
    speaks_at: int | None = instant(nullable=True)
    told_to: str = ""
    heard: list[Any] = Field(default_factory=list, sa_type=JSON)
    step: int = 0
    climbs_at: int | None = instant(nullable=True)
    answered: bool = False
    answered_at: int | None = instant(nullable=True)


class Became(StrEnum):
    """What a row of a finding's history tells: it opened, told other facts, rose to speak again, was answered, or the
    answer was taken back, or it cleared."""

    opened = "opened"
    said = "said"
    raised = "raised"
    answered = "answered"
    unanswered = "unanswered"
    cleared = "cleared"


class FindingHistory(SQLModel, table=True):
    """What became of a client's findings, one row each time, as they stood from then on, and who had the client then (empty: nobody). Rows
    are only ever added."""

    __tablename__ = "finding_history"
    __table_args__ = (Index("ix_finding_history_asked", "rule", "therapist_id"),)

    id: int | None = row_id()
    client_id: int = Field(foreign_key="client.id", index=True)
    therapist_id: str = ""
    at: int = instant()
    what: str
    rule: str
    kind: str
    rule_version: int
    generation: int
    opened: str
    reason: str
    evidence: dict[str, Any] = json_facts()


class Look(SQLModel, table=True):
    """When a client needs a look next, and under which rules and policy the last one was made.

    `basis` joins rules' version and policy's hash; it stays as it was while any rule of absence was blind. `looked_at` is up to when
    news would have been noticed under that basis: what was true by then and shows only under another basis is sorted as day one.
    `blind` marks a client whose rules wait for a source.
    """

    __tablename__ = "look"

    client_id: int = Field(primary_key=True, foreign_key="client.id")
    next_look: int = instant(index=True)
    looked_at: int = instant()
    basis: str = Field(default="", index=True)
    blind: bool = False


class PolicyVersion(SQLModel, table=True):
    """From when looks were made under a basis, and what it stands for: the policy in its layers, and under `settings` the practice's
    zone, holidays and sources with their freshness. Rows are only ever added."""

    __tablename__ = "policy_version"

    id: int | None = row_id()
    from_at: int = instant(index=True)
    basis: str = Field(index=True)
    layers: dict[str, Any] = json_facts()


class Standing(NamedTuple):
    """An existing finding row, as far as settling it needs to know."""

    kind: str
    generation: int
    opened_at: Instant
    cleared_at: Instant | None
    speaks_at: Instant | None = None
    told_to: str = ""
    opened: str = Opened.noticed
    heard: Sequence[Any] = ()
    step: int = 0
    climbs_at: Instant | None = None
    answered: bool = False
    answered_at: Instant | None = None


class Settled(NamedTuple):
    """What is to be written: findings to open (with generation), to keep (evidence renewed), kinds to clear, and those that are
    to be told again (with the risen generation): they came back within their grace time and have stayed for as long, were put off until
    now, or have become something else to speak of."""

    opened: tuple[tuple[Verdict, int], ...]
    kept: tuple[Verdict, ...]
    cleared: tuple[str, ...]
    raised: tuple[tuple[Verdict, int], ...] = ()


NOTHING = Settled((), (), ())


def settle(
    verdicts: Iterable[Verdict], standing: Mapping[str, Standing], now: Instant, grace: int, kinds: Mapping[str, Kind]
) -> Settled:
    """What a look changes. A verdict that cannot say (None) neither opens nor clears. `grace` in seconds."""
    opened: list[tuple[Verdict, int]] = []
    kept: list[Verdict] = []
    cleared: list[str] = []
    raised: list[tuple[Verdict, int]] = []
    for verdict in verdicts:
        before = standing.get(verdict.kind)
        is_open = before is not None and before.cleared_at is None
        if verdict.fired:
            if before is not None and before.cleared_at is None:
                if _speaks_again(verdict, before, kinds[verdict.kind], now):
                    raised.append((verdict, before.generation + 1))
                else:
                    kept.append(verdict)
            elif before is None:
                opened.append((verdict, 1))
            else:
                assert before.cleared_at is not None
                anew = now - before.cleared_at >= grace or _is_news(verdict, before, kinds[verdict.kind])
                opened.append((verdict, before.generation + (1 if anew else 0)))
        elif verdict.fired is False and is_open:
            cleared.append(verdict.kind)
    if not (opened or kept or cleared or raised):
        return NOTHING
    return Settled(tuple(opened), tuple(kept), tuple(cleared), tuple(raised))


def _speaks_again(verdict: Verdict, before: Standing, kind: Kind, now: Instant) -> bool:
    if before.speaks_at is not None and before.speaks_at <= now:
        return True
    return kind.again is not None and kind.again(before.heard, verdict.facts, before.answered)


def _is_news(verdict: Verdict, before: Standing, kind: Kind) -> bool:
    """Whether what has come back tells of more than was told: no grace time keeps that back."""
    if kind.again is None:
        return False
    if not before.heard and (kind.speaks == "safety" or kind.duty):
        return True
    return kind.again(before.heard, verdict.facts, False)
