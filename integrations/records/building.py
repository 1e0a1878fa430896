"""What all builders of entries share: rows whose cells do not fit together, instants, ids of rows that have none."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from integrations.records.cells import Grammar
from integrations.records.dates import Moment
from models.entries import Entry
from models.instants import Instant, NoSuchTimeError, at_wall, wall_of


class BadRowError(Exception):
    """Cells that do not fit together; `column` is ours, the rest as in BadCellError."""

    def __init__(self, column: str, reason: str, fault: str, remedy: str) -> None:
        super().__init__(reason)
        self.column, self.reason, self.fault, self.remedy = column, reason, fault, remedy


@dataclass(slots=True)
class Doubts:
    """How many cells of a reading are believed, or not, because of the time at which it was read."""

    believed: int = 0
    ahead: int = 0


Values = Mapping[str, Any]
Build = Callable[[Values, Grammar, Doubts], Entry]


def instant_at(day: date, clock: time, instant: Instant | None, zone: str, column: str) -> tuple[Instant, str]:
    """The instant and the wall time to the second. Raises BadRowError for a local time that does not exist."""
    if instant is not None:
        return instant, wall_of(instant, zone)
    wall = datetime.combine(day, clock.replace(microsecond=0))
    try:
        return at_wall(wall, zone, strict=True), wall.isoformat()
    except NoSuchTimeError:
        raise BadRowError(
            column,
            "no-such-time",
            f"does not exist in {zone}, where clocks went forward over it",
            "correct the time or the zone",
        ) from None


def said_at(values: Values, grammar: Grammar) -> Instant | None:
    """When the system last changed the row, if it says so."""
    updated: Moment | None = values.get("updated")
    if updated is None or updated.day is None:
        return None
    if updated.instant is not None:
        return updated.instant
    return at_wall(datetime.combine(updated.day, updated.clock or time()), grammar.zone)


def span(values: Values) -> tuple[date, date]:
    """The first and the last day. Raises BadRowError if the last comes first."""
    first, last = values["from"], values["to"]
    if last < first:
        raise BadRowError("to", "end-before-start", "lies before the first day", "correct one of the two days")
    return first, last


def derived(*parts: str) -> str:
    """An id for a row that has none, from what it is about; never from a name, which a hash would not hide."""
    return "row-" + hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:20]
