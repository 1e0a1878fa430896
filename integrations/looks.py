"""Looking after clients: what has changed or fallen due is decided and, where it is due at once, handed over; with or without Prefect."""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from integrations.delivery import Delivered, deliver
from integrations.store import cases, changes, due, facts, leases
from integrations.store.decisions import Decided, decide
from integrations.store.tables import chunks
from integrations.store.turns import take_turn
from models.errors import NotArmedError, TendingError
from models.instants import HOUR, Instant

if TYPE_CHECKING:
    from integrations.practice import Practice

LEASE = "client_looks"
LEASE_SECONDS = 300  # renewed after every batch; on this machine a process that is gone frees it at once
AT_ONCE = 200  # clients in one short transaction
MOST_DUE = 1_000_000

Progress = Callable[[int], None]


class Batch(NamedTuple):
    """Clients to look at, and the changes (number, client) whose consequences that records."""

    clients: tuple[int, ...]
    changes: tuple[tuple[int, int | None], ...] = ()


@dataclass(slots=True)
class LookedAfter:
    """What looking came to. `put_off` are errors of ours, one for each client whose look failed and is tried again in an hour."""

    decided: Decided = field(default_factory=Decided)
    changes: int = 0
    put_off: list[Exception] = field(default_factory=list)
    delivered: Delivered = field(default_factory=Delivered)
    unsent_because: str = ""

    @property
    def said(self) -> str:
        """The counts as words."""
        d = self.decided
        parts = [f"{d.looked} looked at", f"{d.opened} opened", f"{d.cleared} cleared", f"{self.delivered.sent} sent"]
        parts += [f"{d.day_one} of them to sort"] * bool(d.day_one)
        parts += [f"{d.blind} that cannot be told"] * bool(d.blind)
        parts += [f"{len(self.put_off)} failed and put off"] * bool(self.put_off)
        parts += [f"nothing sent: {self.unsent_because}"] * bool(self.unsent_because)
        return ", ".join(parts)


def look_after(
    practice: "Practice",
    now: Instant,
    holder: str,
    *,
    codes: Collection[str] | None = None,
    progress: Progress | None = None,
) -> LookedAfter:
    """Look at clients with these codes, or at everybody who changed or is due, and hand over what is due then; blocking.

    Changes are marked as drained in the transaction that records their consequences. Raises LeaseHeld where another run
    is at it; then nothing was done.
    """
    result = LookedAfter()
    with leases.lease(practice.store, LEASE, holder, real_time(), LEASE_SECONDS) as held:
        for batch in _named(practice, codes) if codes is not None else _all(practice, now):
            _look(practice, batch, now, result)
            held.renew(real_time())
            if progress:
                progress(result.decided.looked)
    result.delivered, result.unsent_because = hand_over_due(practice, now, holder)
    return result


def hand_over_due(practice: "Practice", now: Instant, holder: str) -> tuple[Delivered, str]:
    """Hand over what is due, if anything is. Answers what came of it, and why nothing was sent if nothing may be."""
    with practice.store.read() as connection:
        unsent = due.unsent(connection, now)
    if not (unsent.notices or unsent.underway or unsent.invitations):
        return Delivered(), ""
    try:
        return deliver(practice, now, holder), ""
    except NotArmedError:
        return Delivered(), "not armed"
    except leases.LeaseHeld:
        return Delivered(), "another run is sending"


def real_time() -> Instant:
    """The real time: leases are about processes, whatever day the practice is looked at."""
    return int(time.time())


def _named(practice: "Practice", codes: Collection[str]) -> Iterator[Batch]:
    with practice.store.read() as connection:
        ids = sorted(facts.ids_of_codes(connection, codes).values())
        waiting = due.waiting_of(connection, ids)
    for part in chunks(ids, AT_ONCE):
        mine = set(part)
        yield Batch(tuple(part), tuple((c.id, c.client_id) for c in waiting if c.client_id in mine))


def _all(practice: "Practice", now: Instant) -> Iterator[Batch]:
    while True:
        with practice.store.read() as connection:
            waiting = changes.waiting(connection)
        if not waiting:
            break
        clients = sorted({c.client_id for c in waiting if c.client_id is not None})
        yield Batch(tuple(clients), tuple((c.id, c.client_id) for c in waiting))
    with practice.store.read() as connection:
        ready = cases.due(connection, now, cases.basis(practice, connection), MOST_DUE)
    for part in chunks(ready, AT_ONCE):
        yield Batch(tuple(part))


def _look(practice: "Practice", batch: Batch, now: Instant, result: LookedAfter) -> None:
    """Decide a batch in one transaction. One that fails is halved, until the one client is alone whose look fails."""
    try:
        with practice.store.write() as connection:
            take_turn(connection)
            decided = decide(practice, connection, batch.clients, now)
            changes.drained(connection, [number for number, _ in batch.changes], now)
    except TendingError:
        raise  # the database's trouble, which halving does not mend
    except Exception as error:
        if not batch.clients:
            raise
        if len(batch.clients) > 1:
            for half in _halves(batch):
                _look(practice, half, now, result)
            return
        with practice.store.write() as connection:
            due.put_off(connection, batch.clients[0], now + HOUR)
            changes.drained(connection, [number for number, _ in batch.changes], now)
        result.put_off.append(error)
        return
    result.decided.add(decided)
    result.changes += len(batch.changes)


def _halves(batch: Batch) -> tuple[Batch, Batch]:
    middle = len(batch.clients) // 2
    first = set(batch.clients[:middle])
    return (
        Batch(batch.clients[:middle], tuple(c for c in batch.changes if c[1] in first)),
        Batch(batch.clients[middle:], tuple(c for c in batch.changes if c[1] not in first)),
    )
