"""Short looks, many a second, in threads of their own: has anybody committed anything, have files of a source changed."""

import logging
import os
import stat
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from flows.workflow import where
from integrations.store.engine import Store
from models.settings_source import SourcePart

LOG = logging.getLogger("tending.glances")
GLANCE_SECONDS = 0.02
SHARE = 20  # a look that takes long is taken less often: at most a twentieth of the time
LONGEST_WAIT = 60.0

Mark = tuple[tuple[str, int, int, int], ...]


def glance(
    what: str, look: Callable[[], None], stop: threading.Event, seconds: float = GLANCE_SECONDS
) -> threading.Thread:
    """Start a thread that looks again and again until `stop` is set; after trouble later each time. Answers the thread."""

    def work() -> None:
        trouble = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                look()
                trouble = 0
                wait = max(seconds, SHARE * (time.monotonic() - began))
            except Exception as error:
                trouble += 1
                wait = min(LONGEST_WAIT, 2.0**trouble)
                LOG.error("watching %s: %s", what, where(error))
            stop.wait(wait)

    thread = threading.Thread(target=work, name=f"watching {what}", daemon=True)
    thread.start()
    return thread


class PulseWatch:
    """Calls `changed` when anybody has committed to the store."""

    def __init__(self, store: Store, changed: Callable[[], None]) -> None:
        self._store = store
        self._changed = changed
        self._last: int | None = None

    def __call__(self) -> None:
        pulse = self._store.pulse()
        if pulse != self._last:
            self._last = pulse
            self._changed()


class FileWatch:
    """Calls `changed` with a source's name when its files differ from what they were and stand still."""

    def __init__(self, sources: Sequence[SourcePart], changed: Callable[[str], None]) -> None:
        self._sources = [source for source in sources if source.path]
        self._changed = changed
        self._seen = {source.name: mark_of(source) for source in self._sources}
        self._moving: dict[str, tuple[Mark, float]] = {}

    def __call__(self) -> None:
        for source in self._sources:
            mark = mark_of(source)
            if mark == self._seen[source.name]:
                self._moving.pop(source.name, None)
                continue
            before, since = self._moving.get(source.name, ((), 0.0))
            if mark != before:
                since = time.monotonic()
                self._moving[source.name] = mark, since
            if time.monotonic() - since >= quiet_seconds(source):
                self._seen[source.name] = mark
                self._changed(source.name)


def mark_of(source: SourcePart) -> Mark:
    """Name, number, size and time of each file that a source is read from; empty where there is none."""
    path = Path(source.path)
    try:
        whole = path.stat()
        if not stat.S_ISDIR(whole.st_mode):
            return ((path.name, whole.st_ino, whole.st_size, whole.st_mtime_ns),)
        found = []
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name.startswith(".") or (
                    source.kind == "calendar" and not entry.name.lower().endswith(".ics")
                ):
                    continue
                if entry.is_file():
                    each = entry.stat()
                    found.append((entry.name, each.st_ino, each.st_size, each.st_mtime_ns))
        return tuple(sorted(found))
    except OSError:
        return ()  # reading it says what is wrong


def quiet_seconds(source: SourcePart) -> float:
    """For how long the files have to stand still before they are read.

    A calendar that is half written is seen to be, since its end is missing; half a table of records looks like a whole
    one from which appointments have vanished.
    """
    return 0.0 if source.kind == "calendar" else 1.0
