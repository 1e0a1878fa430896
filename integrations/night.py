"""The night's work in its order: a sweep, so that nobody is due; the comparison of everybody; the sealing of the audit; forgetting
what is kept for a time only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from integrations.looks import LEASE_SECONDS, hand_over_due, look_after, real_time
from integrations.store import audit, changes, facts, leases, outbox
from integrations.store.nightly import Night, check_night
from models.instants import DAY, Instant

if TYPE_CHECKING:
    from integrations.practice import Practice

LEASE = "nightly_check"
_HEAD = "audit-head"  # as of the night before: a chain that no longer goes through it was cut or made anew


@dataclass(frozen=True, slots=True)
class Checked:
    """What a night came to."""

    night: Night
    sealed: int
    audit_whole: bool
    put_off: list[Exception]


def night(practice: "Practice", now: Instant, holder: str, progress: Callable[[int], None] | None = None) -> Checked:
    """Do it all; blocking. Raises LeaseHeld where another run is at it, or at the sweep."""
    with leases.lease(practice.store, LEASE, holder, real_time(), LEASE_SECONDS) as held:

        def report(looked: int) -> None:
            held.renew(real_time())
            if progress:
                progress(looked)

        swept = look_after(practice, now, holder, progress=report)
        checked = check_night(practice, now, report)
        sealed = audit.seal_all(practice.store)
        whole = _audit_whole(practice)
        _forget(practice, now, held)
    hand_over_due(practice, now, holder)
    return Checked(checked, sealed, whole, swept.put_off)


def _forget(practice: "Practice", now: Instant, held: leases.Held) -> None:
    """Changes and texts of messages that are older than the policy keeps them, in short transactions."""
    policy = practice.book.of().policy
    for forget, days in (
        (changes.prune, policy.keep_changes_days),
        (outbox.forget_texts, policy.keep_messages_days),
    ):
        forgotten = 1
        while forgotten:
            with practice.store.write() as connection:
                forgotten = forget(connection, now - days * DAY)
            held.renew(real_time())


def _audit_whole(practice: "Practice") -> bool:
    with practice.store.read() as connection:
        before = facts.get(connection, _HEAD)
    state = audit.verify(practice.store, before)
    if state.whole and state.head:
        with practice.store.write() as connection:
            facts.put(connection, _HEAD, state.head)
    return state.whole
