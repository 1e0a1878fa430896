"""Serving the desk: alone (`tending desk`), or beside `tending up` as a process of its own that goes with it."""

import contextlib
import errno
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

from integrations.practice import Practice, open_practice
from integrations.store import arming, leases
from models.errors import TendingError
from models.settings import DeskPart
from tending.desk.app import App, desk
from tending.log_files import log_to, stop_logging

LOG = logging.getLogger("tending.desk")
HOST = "127.0.0.1"
PORTS_TRIED = 20
FREED_SECONDS = 2.0  # a desk that was left behind has gone by then
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
            if why := _no_links(practice, part):
                say(f"No links are mailed {why}; `tending users link ID` prints one.")
            run(practice, listener)


def _no_links(practice: Practice, part: DeskPart) -> str:
    """Until when nothing is mailed, for whoever starts the desk; empty where it is."""
    if not part.public_url:
        return "until [desk] public_url is set"
    with practice.store.read() as connection:
        if arming.state_in(connection, practice.data) is not arming.Arming.armed:
            return "until `tending arm` allows it"
        return "" if leases.held(connection, leases.UP, int(time.time())) else "while `tending up` does not run"


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
def listening(port: int) -> Iterator[socket.socket]:
    """A socket that listens on that port, on this machine only. Raises DeskError where it is taken: the web server in front looks for
    the desk there, and would show something else."""
    given_up = time.monotonic() + FREED_SECONDS
    while (listener := _listener(port)) is None:
        if time.monotonic() > given_up:
            raise DeskError(
                f"Port {port} of this machine is taken, or may not be used, and the desk is looked for there. End what uses it, or name "
                "another in [desk] port, and where the web server in front looks for it."
            )
        time.sleep(0.1)
    with listener:
        yield listener


def free_port(first: int) -> int:
    """The first free port from `first` on, for whoever may choose one. Raises DeskError where there is none."""
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        if (listener := _listener(port)) is not None:
            listener.close()
            return port
    raise DeskError(f"No port from {first} on is free for the desk; name another in [desk] port.")


def _listener(port: int) -> socket.socket | None:
    """A socket that listens on that port; None where it is taken or may not be used."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise DeskError(f"No port can be opened on this machine ({error.strerror}).") from None
        return None
    return listener


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
            if process.poll() is not None:
                LOG.warning("the desk ended with exit code %s and is begun again", process.returncode)
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
    except TendingError as error:
        return error.exit_code  # `up` writes it down, and begins this again
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
