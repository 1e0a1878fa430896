"""Looks become findings and notices, in one transaction with what they were made from."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, select, update

from integrations.store.cases import basis_under, digests, shared
from integrations.store.day_one import DayOne
from integrations.store.recipients import Recipients
from integrations.store.recording import Recorder
from integrations.store.tables import Prepared, among, chunks, insert_rows, table
from models.findings import Finding, Look, Standing
from models.instants import FAR, HOUR, Instant
from models.looking import Shared

if TYPE_CHECKING:
    from integrations.practice import Practice

_FINDINGS, _LOOKS = table(Finding), table(Look)
_STANDING = Prepared(
    select(*(_FINDINGS.c[name] for name in ("client_id", *Standing._fields, "reason", "evidence"))).where(
        among(_FINDINGS.c.client_id, "ids")
    )
)
_TAKE_LOOKS = Prepared(
    select(_LOOKS).where(among(_LOOKS.c.client_id, "ids")).order_by(_LOOKS.c.client_id).with_for_update()
)
_LOOK_AGAIN = Prepared(update(_LOOKS).where(_LOOKS.c.client_id == bindparam("of_client")))


NOTHING_YET: frozenset[str] = frozenset()


@dataclass(slots=True)
class Decided:
    """What looking at some clients came to, in counts: nothing here says who."""

    looked: int = 0
    opened: int = 0
    day_one: int = 0
    cleared: int = 0
    notices: int = 0
    blind: int = 0
    kinds: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Decided") -> None:
        """Add another batch's counts."""
        for name in ("looked", "opened", "day_one", "cleared", "notices", "blind"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for kind, count in other.kinds.items():
            self.kinds[kind] = self.kinds.get(kind, 0) + count


def decide(practice: "Practice", connection: Connection, clients: Iterable[int], now: Instant) -> Decided:
    """Look at these clients and record what follows: findings opened, cleared or renewed, notices, the next looks."""
    before: dict[int, Any] = {}
    for part in chunks(sorted(set(clients))):
        # Taken first, in the order of ids: another worker, or news about one of them, waits, or is all there to be read below.
        before |= {row.client_id: row for row in _TAKE_LOOKS.rows(connection, {"ids": part})}
    together = shared(practice, connection, now)
    basis_now = basis_under(practice, together.words)
    recipients = Recipients(practice, connection, now)
    day_one = DayOne(practice, connection, together, basis_now, now)
    result = Decided()
    for part in chunks(sorted(set(clients))):
        result.add(_decide_some(connection, part, before, together, basis_now, day_one, recipients, now))
    day_one.write()
    return result


def _decide_some(
    connection: Connection,
    clients: list[int],
    before: dict[int, Any],
    together: Shared,
    basis_now: str,
    day_one: DayOne,
    recipients: Recipients,
    now: Instant,
) -> Decided:
    standing: dict[int, dict[str, Standing]] = {}
    recorder = Recorder(connection, together, recipients, now)
    for found in _STANDING.rows(connection, {"ids": clients}):
        standing.setdefault(found.client_id, {})[found.kind] = Standing(*found[1:-2])
        recorder.said[found.client_id, found.kind] = (found.reason, found.evidence)
    result = Decided()
    fresh: list[dict[str, Any]] = []
    again: list[dict[str, Any]] = []
    for row in digests(connection, clients):
        looked = together.look(row)
        last = before.get(looked.client_id)
        result.looked += 1
        result.blind += looked.blind
        known = last is not None and last.basis == basis_now
        already = NOTHING_YET if known else day_one.kinds(row, last, looked)
        speaks = recorder.record(row, looked, standing.get(looked.client_id, {}), already)
        # While something could not be said, a first look is not over, and no news was noticed.
        basis_then = (last.basis if last else "") if looked.blind else basis_now
        looked_at = last.looked_at if looked.blind and last is not None and last.basis else now
        # What waits for a source or a quarantined row is tried again within the hour, whatever it waits for.
        next_look = min(looked.next_look, speaks, now + HOUR if looked.blind else FAR)
        values = {"next_look": next_look, "looked_at": looked_at, "basis": basis_then, "blind": looked.blind}
        if last is None:
            fresh.append({"client_id": looked.client_id, **values})
        else:
            again.append({"of_client": looked.client_id, **values})
    recorder.write()
    for name in ("opened", "day_one", "cleared", "notices", "kinds"):
        setattr(result, name, getattr(recorder.changes, name))
    insert_rows(connection, Look, fresh)
    if again:
        _LOOK_AGAIN.run(connection, again)
    return result
