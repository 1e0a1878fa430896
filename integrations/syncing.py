"""Reading sources one at a time each, whoever asks: one that fails is written down and never stops the others."""

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from integrations.reading import read_source
from integrations.store import leases, sources
from integrations.store.intake import Taken
from models.errors import StoreError, TendingError
from models.instants import Instant
from models.settings_source import SourcePart

if TYPE_CHECKING:
    from integrations.practice import Practice

LEASE_SECONDS = 900  # more than a large first import takes


@dataclass(slots=True)
class Synced:
    """What reading several sources came to; `failed` are names with the kind of trouble."""

    read: int = 0
    unchanged: int = 0
    new: int = 0
    changed: int = 0
    vanished: int = 0
    held: int = 0
    rejected: int = 0
    unmatched: int = 0
    busy: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, taken: Taken) -> None:
        """Count one reading."""
        self.read += 1
        self.unchanged += taken.unchanged
        for name in ("new", "changed", "vanished", "held", "rejected", "unmatched"):
            setattr(self, name, getattr(self, name) + getattr(taken, name))

    @property
    def counts(self) -> dict[str, Any]:
        """The counts as plain data."""
        return asdict(self)

    @property
    def said(self) -> str:
        """The counts as words."""
        parts = [
            f"{self.read} read",
            f"{self.unchanged} unchanged",
            f"{self.new} entries new",
            f"{self.changed} changed",
        ]
        for word in ("vanished", "held", "rejected", "unmatched"):
            count = getattr(self, word)
            parts += [f"{count} {word}"] * bool(count)
        parts += [f"{self.busy} being read by another run"] * bool(self.busy)
        parts += [f"could not be read: {', '.join(sorted(self.failed))}"] * bool(self.failed)
        return ", ".join(parts)


def sync_source(practice: "Practice", source: SourcePart, now: Instant, holder: str) -> Taken:
    """Read one source while nobody else does: of two readings at once, the older could be written last.

    Raises LeaseHeld where it is being read already, and what `read_source` raises. A fault of ours is written down at
    the source as well, so that its growing old is told of.
    """
    with leases.lease(practice.store, f"source {source.name}", holder, int(time.time()), LEASE_SECONDS):
        try:
            return read_source(practice, source, now)
        except TendingError:
            raise
        except Exception as error:
            told = f"Source {source.name}: reading it failed at a fault of this program; its log says where."
            with practice.store.write() as connection:
                sources.could_not_be_read(connection, source, now, type(error).__name__, told)
            raise


def sync_sources(
    practice: "Practice",
    wanted: Iterable[SourcePart],
    now: Instant,
    holder: str,
    *,
    progress: Callable[[int], None] | None = None,
) -> tuple[Synced, list[Exception]]:
    """Read sources one after another; blocking. Answers the counts, and the faults of ours that were met.

    Raises StoreError: without the database nothing can be read.
    """
    result, faults = Synced(), []
    for number, source in enumerate(wanted, start=1):
        try:
            result.add(sync_source(practice, source, now, holder))
        except leases.LeaseHeld:
            result.busy += 1
        except StoreError:
            raise
        except TendingError as error:
            result.failed[source.name] = type(error).__name__
        except Exception as error:
            result.failed[source.name] = type(error).__name__
            faults.append(error)
        if progress:
            progress(number)
    return result, faults


def sync_alone(
    practice: "Practice",
    workflow: str,
    wanted: Iterable[SourcePart],
    now: Instant,
    holder: str,
    *,
    progress: Callable[[int], None] | None = None,
) -> tuple[Synced, list[Exception]]:
    """The same as the one run of a workflow. Raises LeaseHeld where another run of it is at work."""
    with leases.lease(practice.store, workflow, holder, int(time.time()), LEASE_SECONDS) as held:

        def report(number: int) -> None:
            held.renew(int(time.time()))
            if progress:
                progress(number)

        return sync_sources(practice, wanted, now, holder, progress=report)
