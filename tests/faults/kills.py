"""Points at which a process may die: recorded by watching a run from outside of our code, and SIGKILL at any one of them.

A point is a commit (before and after it) or a call outward (a connection, a line to the mail server, a part of a web
request, a file that is written). They are seen through SQLAlchemy's events and the interpreter's audit hook, never
through our own functions.
"""

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import Pool

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = tuple(f"{ROOT / part}{os.sep}" for part in ("tending", "flows", "integrations", "models"))
NOT_A_PLACE = f"{ROOT / 'integrations' / 'store' / 'engine.py'}"  # every transaction goes through it
SMTP_WORDS = ("ehlo", "helo", "mail", "rcpt", "data", "quit", "rset", "noop")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
FILE_CALLS = {"os.rename", "os.link", "os.mkdir", "os.remove", "os.truncate", "os.chmod", "os.symlink"}

Kill = int | list[str] | None  # where to die: a point's number, or its kind and place


@dataclass(frozen=True)
class Point:
    """One place in a run where it may die: its number, the step of the story, what is about to happen, where in our code."""

    number: int
    step: str
    kind: str
    place: str

    @property
    def label(self) -> str:
        return f"{self.step}: {self.kind} at {self.place}"


class Tracer:
    """Writes each point of this process to a file; kills the process at the one numbered `kill_at`, or the first of that kind and place."""

    def __init__(self, trace: Path, folder: Path, kill_at: Kill, *, deaf_to: int | None = None) -> None:
        self.step = ""
        self._deaf_to = deaf_to  # a port, connections to which are no points
        self._numbers = itertools.count()
        self._kill_at = kill_at
        self._folder = f"{folder}{os.sep}"
        self._file = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def install(self) -> None:
        """Watch from now on, for good: an audit hook cannot be taken away."""
        event.listen(Engine, "commit", self._committing)
        event.listen(Pool, "checkin", self._returned)
        sys.addaudithook(self._audit)

    def _point(self, kind: str) -> None:
        number = next(self._numbers)
        place = _place(sys._getframe(1))
        line = json.dumps([number, self.step, kind, place])
        os.write(self._file, line.encode() + b"\n")
        if self._kill_at in (number, [kind, place]):
            os.kill(os.getpid(), signal.SIGKILL)

    def _committing(self, connection: Connection) -> None:
        raw: Any = connection.connection.driver_connection
        if connection.dialect.name == "sqlite":
            reads_only = raw.execute("PRAGMA query_only").fetchone()[0]
        else:
            reads_only = raw.read_only
        if not reads_only:
            connection.info["just committed"] = True
            self._point("before commit")

    def _returned(self, _: Any, record: Any) -> None:
        # The commit is over and nothing of ours has run since.
        if record.info.pop("just committed", False):
            self._point("after commit")

    def _audit(self, name: str, args: tuple[Any, ...]) -> None:
        if name == "open":
            path, _, flags = args
            if isinstance(path, str | Path) and f"{path}".startswith(self._folder) and flags & WRITING:
                self._point("file open")
        elif name in FILE_CALLS:
            if any(f"{arg}".startswith(self._folder) for arg in args if isinstance(arg, str | Path)):
                self._point(f"file {name.removeprefix('os.')}")
        elif name == "socket.connect":
            if self._deaf_to is None or args[1][1] != self._deaf_to:
                self._point("outward connect")
        elif name == "sqlite3.connect":
            self._point("file sqlite3.connect")
        elif name == "http.client.send":
            self._point("outward http send")
        elif name == "smtplib.send":
            said = args[1] if isinstance(args[1], str) else bytes(args[1][:10]).decode("ascii", "replace")
            word = said.split(maxsplit=1)[0].lower() if said.strip() else ""
            self._point(f"outward smtp {word if word in SMTP_WORDS else 'content'}")


def _place(frame: FrameType | None) -> str:
    """The innermost function of ours."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(OURS) and name != NOT_A_PLACE:
            return f"{Path(name).relative_to(ROOT)}:{frame.f_code.co_qualname}"
        frame = frame.f_back
    return "the story"


def read_trace(trace: Path) -> list[Point]:
    """The points that a run came by, in order."""
    return [Point(*json.loads(line)) for line in trace.read_text().splitlines()]


# ---------------------------------------------------------------- a process that forks


class Forge:
    """A warm process without threads and connections that runs each piece of work in a fork of its own."""

    def __init__(self, module: str, **environment: str) -> None:
        """`environment` is added to this process's own."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | environment,
        )

    def run(self, **work: Any) -> int:
        """Do it and wait for its end: 0, or minus the signal that killed it, or another exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(work, default=str) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the forge is gone"
        return int(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def forge(work: Callable[..., None]) -> None:
    """The forge's own side: a fork for each line of standard input, whose end is told on standard output."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                work(**json.loads(line))
                code = 0
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
