"""Serving the desk: alone (`tending desk`), or beside `tending up` as a process of its own that goes with it."""

import contextlib
import errno
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

from integrations.practice import Practice, open_practice
from models.errors import StoreError, TendingError
from models.settings import DeskPart
from tending.desk.app import App, desk
from tending.log_files import log_to, stop_logging

HOST = "127.0.0.1"
PORTS_TRIED = 20
STOP_SECONDS = 5.0
AGAIN_SECONDS = 5.0
LOG_FILE = "desk.log"
ROOT = Path(__file__).resolve().parents[2]

Say = Callable[[str], None]


class DeskError(TendingError):
    """The desk cannot be served. Exit code 8."""

    exit_code = 8


def serve(practice_path: Path, *, say: Say = print, port: int | None = None) -> None:
    """Serve the desk until it is told to stop; blocking. Raises SettingsError, StoreError and DeskError with their remedies."""
    with open_practice(practice_path) as practice:
        part = practice.settings.desk or DeskPart()
        with listening(port or part.port) as listener:
            say(f"The desk: http://{HOST}:{listener.getsockname()[1]}  (this machine only). Ctrl-C stops.")
            if not part.public_url:
                say("No links are mailed until [desk] public_url is set; `tending users link ID` prints one.")
            run(practice, listener)


def run(practice: Practice, listener: socket.socket) -> None:
    """Answer whoever connects, until a signal."""
    handler = log_to(practice.data, LOG_FILE)
    try:
        uvicorn.Server(config(desk(practice))).run(sockets=[listener])
    finally:
        stop_logging(handler)


def config(app: App) -> uvicorn.Config:
    """How the desk is served: no log of addresses, no trust in what a request says about where it came from."""
    # Whole addresses would stand there, and a link's token is part of its address. Not even a handler of somebody else's gets them.
    logging.getLogger("uvicorn.access").disabled = True
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=3,
        timeout_keep_alive=5,
    )


@contextlib.contextmanager
def listening(first: int) -> Iterator[socket.socket]:
    """A socket that listens on the first free port from `first` on, on this machine only."""
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((HOST, port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise DeskError(f"No port can be opened on this machine ({error.strerror}).") from None
            continue
        with listener:
            yield listener
        return
    raise DeskError(f"No port from {first} on is free for the desk; name another in [desk] port.")


@contextlib.contextmanager
def beside(practice: Practice, practice_path: Path, say: Say, *, again: float = AGAIN_SECONDS) -> Iterator[None]:
    """The desk in a process of its own for as long as the block lasts, where practice.toml has [desk]; begun again, `again` seconds
    later, if it ends."""
    if practice.settings.desk is None:
        yield
        return
    with listening(practice.settings.desk.port) as listener:
        say(f"The desk: {practice.settings.desk.public_url or f'http://{HOST}:{listener.getsockname()[1]}'}")
        stop = threading.Event()
        keeper = threading.Thread(
            target=_keep, args=(practice_path, listener, stop, again), name="the desk", daemon=True
        )
        keeper.start()
        try:
            yield
        finally:
            stop.set()
            keeper.join(2 * STOP_SECONDS)


def _keep(practice_path: Path, listener: socket.socket, stop: threading.Event, again: float) -> None:
    while not stop.is_set():
        process = _start(practice_path, listener)
        try:
            while process.poll() is None and not stop.wait(0.2):
                pass
        finally:
            _end(process)
        stop.wait(again)


def _start(practice_path: Path, listener: socket.socket) -> "subprocess.Popen[bytes]":
    number = listener.fileno()
    return subprocess.Popen(
        [sys.executable, "-m", "tending.desk.serve", str(practice_path.resolve()), str(number)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", "PYTHONTZPATH": ""},
        stdin=subprocess.PIPE,  # the lifeline: its end means that we are gone
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(number,),
        start_new_session=True,
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _end_with_the_starter() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1):
            pass
    os._exit(1)


def main(practice_path: str, descriptor: str) -> int:
    """The process beside `up`: the practice's path, and the number of the socket that it listens on."""
    threading.Thread(target=_end_with_the_starter, name="end with the starter", daemon=True).start()
    try:
        with open_practice(Path(practice_path)) as practice, socket.socket(fileno=int(descriptor)) as listener:
            run(practice, listener)
    except StoreError:
        return StoreError.exit_code  # `up` says the same, and begins this again
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
