"""The one folder of a demonstration: what stage it is at, that only one runs in it, and that nothing else is ever deleted."""

import contextlib
import fcntl
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from models.errors import TendingError, UsageError
from models.instants import Instant
from tending.demo.practice import SEED

MARK = "demo.json"
LOCK = ".lock"
OURS = ("practice.toml", "keys", "exports", "calendars", "mails", "data", "prefect", MARK)
VERSION = 1


class DemoError(TendingError):
    """The demonstration cannot go on; the sentence says what to do. Exit code 2."""

    exit_code = 2


class Stage(StrEnum):
    """How far a demonstration has come."""

    begun = "begun"  # the history may be half written or half read
    week = "week"  # the history is read; the week may be half written
    told = "told"  # to the end


@dataclass(slots=True)
class Mark:
    """What is remembered of a demonstration in its folder. `now` is the instant that its story ends at."""

    now: Instant
    seed: int = SEED
    version: int = VERSION
    stage: str = Stage.begun


class Folder:
    """A demonstration's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.toml = path / "practice.toml"
        self.mails = path / "mails"
        self.prefect = path / "prefect"
        self.data = path / "data"

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder, which is made if need be. Raises DemoError where another demonstration runs in it, or it is not one."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            strangers = [one.name for one in self.path.iterdir() if one.name != LOCK]
            if strangers and MARK not in strangers:
                raise UsageError(
                    f"{self.path} holds other files than a demonstration's; name an empty or a new folder."
                )
            lock = (self.path / LOCK).open("a")
        except OSError as error:
            raise DemoError(f"{self.path} cannot be used ({error.strerror}); name another folder.") from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DemoError(
                    f"A demonstration runs in {self.path} already; stop it there with Ctrl-C, or name another folder."
                ) from None
            yield

    def mark(self) -> Mark | None:
        """What is remembered, if it can be understood."""
        try:
            said = Mark(**json.loads((self.path / MARK).read_text()))
            return said if said.version == VERSION else None
        except (OSError, ValueError, TypeError):
            return None

    def used(self) -> bool:
        """Whether a demonstration was begun here."""
        return (self.path / MARK).exists()

    def remember(self, mark: Mark) -> None:
        partial = self.path / f"{MARK}.part"
        partial.write_text(json.dumps(asdict(mark)))
        partial.replace(self.path / MARK)

    def clear(self) -> None:
        """Delete what a demonstration made here, and nothing else; the mark goes last, so that this can be begun again."""
        for name in OURS:
            path = self.path / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def set_ports(self, mail: int, desk: int) -> None:
        """Let practice.toml name the ports of this run, the mailbox's and the desk's; everything else in it stays."""
        text = self.toml.read_text(encoding="utf-8")
        new = text
        for part, port in (("mail", mail), ("desk", desk)):
            new = re.sub(rf"(?m)^(\[{part}\]\n(?:[^\[\n].*\n|\n)*?port = )\d+", rf"\g<1>{port}", new, count=1)
        new = re.sub(r'(?m)^(public_url = "http://127\.0\.0\.1:)\d+', rf"\g<1>{desk}", new, count=1)
        if new != text:
            self.toml.write_text(new, encoding="utf-8")
