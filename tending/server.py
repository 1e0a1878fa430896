"""The embedded Prefect server: started in one folder, on loopback, for as long as the process that started it lives.

Nothing here imports Prefect, so asking for the server costs a command nothing before it needs one. Why it is built
this way is in docs/decisions/0013-prefect.md.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO

from tending.prefect_settings import server_environment
from tending.server_folder import (
    POLL_SECONDS,
    STOP_SECONDS,
    ServerError,
    listening,
    locked_for_the_server,
    own,
    private_log,
)

FIRST_PORT = 4200
START_SECONDS = 180.0
LOG_BYTES = 5_000_000
LINES_SHOWN = 3

OnWait = Callable[[float], None]


@dataclass
class Server:
    """A Prefect server that answers, or will once `wait` has returned. As a context manager it is stopped at the end.

    `pid` is None for a server that somebody else runs; stopping that one does nothing.
    """

    folder: Path
    api_url: str
    ui_url: str
    log: Path | None = None
    auth: str | None = None
    database_url: str | None = None
    _process: subprocess.Popen[bytes] | None = None
    _owner: IO[str] | None = None
    _log_from: int = 0
    _began: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int | None:
        """The process id of the server when it is ours."""
        return self._process.pid if self._process else None

    @property
    def ours(self) -> bool:
        """Whether this process started it."""
        return self._process is not None

    def alive(self) -> bool:
        """Whether its process still runs (of a server that is not ours: whether it answers)."""
        return self._process.poll() is None if self._process else self._answers()

    def wait(self, on_wait: OnWait | None = None, *, seconds: float = START_SECONDS) -> "Server":
        """Block until it answers; `on_wait` is told the seconds waited, several times a second.

        Raises ServerError, after stopping it, when it ends by itself or takes too long.
        """
        while not self._answers():
            waited = time.monotonic() - self._began
            if self._process is None:
                raise ServerError(
                    f"The Prefect server at {self.api_url} does not answer; start it, or unset PREFECT_API_URL."
                )
            code = self._process.poll()
            if code is not None or waited > seconds:
                self.stop()
                how = f"ended with code {code}" if code is not None else f"did not answer within {seconds:.0f} s"
                raise ServerError(f"The Prefect server {how}; the whole log is {self.log}.{self._last_lines()}")
            if on_wait:
                on_wait(waited)
            time.sleep(POLL_SECONDS)
        return self

    def stop(self) -> None:
        """Stop it if it is ours: asked first, made to after ten seconds. Safe to call twice."""
        process = self._process
        if process is None or self._owner is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdin:
            process.stdin.close()
        (self.folder / "server.json").unlink(missing_ok=True)
        self._owner.close()
        self._owner = None

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answers(self) -> bool:
        # A proxy of the clinic's knows no way to this machine's loopback.
        here = urllib.parse.urlsplit(self.api_url).hostname in ("127.0.0.1", "localhost", "::1")
        opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if here else []))
        try:
            with opener.open(f"{self.api_url}/health", timeout=1.0 if self.ours else 10.0) as answer:
                return bool(answer.status == 200)
        except (OSError, ValueError, http.client.HTTPException):
            return False

    def _last_lines(self) -> str:
        if self.log is None:
            return ""
        with self.log.open("rb") as log:
            log.seek(self._log_from)
            text = log.read().decode(errors="replace")
        # The frames of a traceback are indented; what they end in is not.
        lines = [line.rstrip() for line in text.splitlines() if line[:1].strip() and not line.startswith("Traceback")][
            -LINES_SHOWN:
        ]
        shown = "\n".join(lines)
        password = re.match(r"[^:]+://[^:/@]*:([^@]+)@", self.database_url or "")
        if password:
            shown = shown.replace(password.group(1), "***")
        return f" It last said:\n{shown}" if lines else " It said nothing."


def start_server(
    folder: Path,
    *,
    port: int | None = None,
    log: Path | None = None,
    database_url: str | None = None,
    auth: str | None = None,
    wait: bool = True,
    on_wait: OnWait | None = None,
    environ: Mapping[str, str] | None = None,
) -> Server:
    """Start the server whose files all lie in `folder`, or find the one that PREFECT_API_URL names.

    `port` is where to begin looking for a free one (default 4200). `log` takes what it prints (default
    `folder/server.log`). `database_url` is Prefect's (`postgresql+asyncpg://…`; default: SQLite in the folder).
    `auth` is `user:password` for its API. With `wait=False` it returns at once, so that other work can go on beside
    the start; call `Server.wait` before using it. Raises ServerError: it does not start, or another process already
    runs it in this folder.
    """
    environ = os.environ if environ is None else environ
    folder = folder.resolve()
    given = environ.get("PREFECT_API_URL", "").rstrip("/")
    if given:
        elsewhere = Server(folder, given, given.removesuffix("/api"))
        return elsewhere.wait(on_wait) if wait else elsewhere

    log = log or folder / "server.log"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        owner = own(folder)
        try:
            server = _launch(folder, owner, port or FIRST_PORT, log, database_url, auth, environ)
        except BaseException:
            owner.close()
            raise
    except OSError as error:
        where = error.filename or folder
        raise ServerError(
            f"The Prefect server cannot be started: {where}: {error.strerror}; mend that first."
        ) from None
    if not wait:
        return server
    try:
        return server.wait(on_wait)
    except BaseException:  # Ctrl-C while waiting must not leave it behind
        server.stop()
        raise


def _launch(
    folder: Path,
    owner: IO[str],
    first: int,
    log: Path,
    database_url: str | None,
    auth: str | None,
    environ: Mapping[str, str],
) -> Server:
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_name(log.name + ".1"))
    with listening(first) as listener, locked_for_the_server(folder) as running, private_log(log) as out:
        port = listener.getsockname()[1]
        descriptor = listener.fileno()
        process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("server_process.py")), str(descriptor), str(port)],
            cwd=folder,  # Prefect reads .env, prefect.toml and pyproject.toml from where it runs
            env=server_environment(folder, port, database_url=database_url, auth=auth, environ=environ),
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            pass_fds=(descriptor, running.fileno()),
            start_new_session=True,  # Ctrl-C is for us; we stop the server when the work that needs it has stopped
        )
        (folder / "server.json").write_text(json.dumps({"pid": process.pid, "port": port}))
        base = f"http://127.0.0.1:{port}"
        return Server(folder, f"{base}/api", base, log, auth, database_url, process, owner, out.tell())
