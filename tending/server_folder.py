"""What a Prefect server takes before it starts: a free port, the folder, its log, and whatever an earlier one left over."""

import contextlib
import errno
import fcntl
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from models.errors import TendingError

PORTS_TRIED = 200
STOP_SECONDS = 10.0
LEFT_OVER_SECONDS = 5.0
POLL_SECONDS = 0.1


class ServerError(TendingError):
    """The Prefect server cannot be started or reached. Exit code 8."""

    exit_code = 8


@contextlib.contextmanager
def listening(first: int) -> Iterator[socket.socket]:
    """A socket listening on the first free port from `first` on: nobody can take it before the server does."""
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen(512)
        except OSError as error:
            listener.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise ServerError(f"No port can be opened on this machine ({error.strerror}).") from None
            continue
        with listener:
            yield listener
        return
    raise ServerError(f"No port from {first} on is free for the Prefect server; name another with --port.")


@contextlib.contextmanager
def private_log(log: Path) -> Iterator[IO[bytes]]:
    """A log that only its owner may read, open at its end."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:
        out.seek(0, os.SEEK_END)
        yield out


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def own(folder: Path) -> IO[str]:
    """Hold the folder for this process: a lock that the system lets go when the process ends, however it does."""
    owner = (folder / "owner.lock").open("a+")
    if _try_lock(owner):
        owner.truncate(0)
        owner.write(str(os.getpid()))
        owner.flush()
        return owner
    owner.seek(0)
    who = owner.read().strip()
    owner.close()
    raise ServerError(
        f"A Prefect server already runs in {folder} for process {who or 'unknown'}; stop that one first (Ctrl-C there)."
    )


@contextlib.contextmanager
def locked_for_the_server(folder: Path) -> Iterator[IO[str]]:
    """A lock that the server's process inherits and holds to its end, taken after a server left over has been stopped.

    Whoever holds this lock is the process that server.json names: a process id used again by a stranger holds no lock
    of ours.
    """
    with (folder / "server.lock").open("a+") as running:
        if not _try_lock(running):
            left_over = _pid_on_file(folder)
            for sign, seconds in ((signal.SIGTERM, LEFT_OVER_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
                if left_over:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(left_over, sign)
                end = time.monotonic() + seconds
                while not (free := _try_lock(running)) and time.monotonic() < end:
                    time.sleep(POLL_SECONDS)
                if free:
                    break
            else:
                who = left_over or "unknown"
                raise ServerError(f"A server left over in {folder} (process {who}) does not end; end it by hand.")
        yield running


def _pid_on_file(folder: Path) -> int | None:
    try:
        return int(json.loads((folder / "server.json").read_text())["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
