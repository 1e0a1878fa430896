"""Leases: one run of a workflow at a time, over all processes and machines that share the database."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, delete, select, update

from integrations.store.engine import Store
from integrations.store.tables import insert_new, table
from models.errors import TendingError
from models.instants import Instant
from models.quarantine import Lease

LEASE = table(Lease)
UP = "up"  # of the one process that watches and delivers


class LeaseHeld(TendingError):
    """Somebody else runs this now, or took over what ran too long. Nothing was done; there is nothing to mend."""


class Held:
    """A lease that is ours. `holder` is what the database says, unique to this run."""

    def __init__(self, store: Store, name: str, holder: str, seconds: int) -> None:
        self._store = store
        self.name = name
        self.holder = holder
        self._seconds = seconds

    def renew(self, now: Instant) -> None:
        """Hold it for another `seconds` from now. Raises LeaseHeld if it had run out and somebody else took it."""
        with self._store.write() as connection:
            ours = (LEASE.c.name == self.name) & (LEASE.c.holder == self.holder)
            if not connection.execute(update(LEASE).where(ours).values(until=now + self._seconds)).rowcount:
                raise LeaseHeld(f"{self.name} took longer than its lease, and another run took over.")


@contextmanager
def lease(store: Store, name: str, holder: str, now: Instant, seconds: int) -> Iterator[Held]:
    """Hold the lease of that name for the length of the block.

    `holder` is a name for people, such as `up` or `cli`. Raises LeaseHeld ("... is already running") if another run
    holds it. After a kill it is free when it runs out, or at once if the process that held it ran on this machine and
    is gone.
    """
    ours = f"{holder} {_here()}/{os.getpid()}/{_started(os.getpid())}/{secrets.token_hex(4)}"
    with store.write() as connection:
        _take(connection, name, ours, now, now + seconds)
    try:
        yield Held(store, name, ours, seconds)
    finally:
        with store.write() as connection:
            connection.execute(delete(LEASE).where((LEASE.c.name == name) & (LEASE.c.holder == ours)))


def alive(connection: Connection, now: Instant) -> set[str]:
    """The holders of all leases that have not run out and whose process is not known to be gone."""
    holders = connection.execute(select(LEASE.c.holder).where(LEASE.c.until > now)).scalars()
    return {holder for holder in holders if not _gone(holder)}


def held(connection: Connection, name: str, now: Instant) -> bool:
    """Whether somebody who is not known to be gone holds the lease of that name."""
    holder = connection.execute(select(LEASE.c.holder).where(LEASE.c.name == name, LEASE.c.until > now)).scalar()
    return holder is not None and not _gone(holder)


def _take(connection: Connection, name: str, ours: str, now: Instant, until: Instant) -> None:
    if insert_new(connection, Lease, {"name": name, "holder": ours, "until": until}):
        return
    row = connection.execute(select(LEASE.c.holder, LEASE.c.until).where(LEASE.c.name == name)).first()
    free = row is None or row.until <= now or _gone(row.holder)
    if row is not None and free:
        # The holder is compared again: of two that see it free, one gets it.
        same = (LEASE.c.name == name) & (LEASE.c.holder == row.holder) & (LEASE.c.until == row.until)
        if connection.execute(update(LEASE).where(same).values(holder=ours, until=until)).rowcount:
            return
    who = row.holder.partition(" ")[0] if row is not None else "another run"
    raise LeaseHeld(f"{name} is already running ({who}).")


# A process is told apart by the machine's boot, its process namespace (containers), its number and its start: only if
# all of them speak of here, and no such process exists, is it certain that it is gone. Where there is no /proc,
# leases run out by time alone.


def _here() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process of this machine started, in the kernel's ticks; empty if there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def _gone(holder: str) -> bool:
    try:
        here, pid, started, _ = holder.rpartition(" ")[2].split("/")
    except ValueError:
        return False
    return bool(here and started) and here == _here() and _started(int(pid)) != started
