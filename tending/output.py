"""How facts are printed: one line each, aligned, no boxes; colour on a terminal only and never alone; progress on stderr."""

import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from models import words
from models.instants import DAY, HOUR, Instant, local
from models.voice import Voice

QUIET_SECONDS = 1.0  # what is done sooner shows no progress
_COLOURS = {"good": "green", "mend": "yellow", "note": "blue"}

NAMES_SHOWN = 5


def say(text: str = "") -> None:
    """One line on stdout."""
    typer.echo(text)


def tell(text: str) -> None:
    """One line on stderr: what is no fact asked for."""
    typer.echo(text, err=True)


def show_json(value: Any) -> None:
    """The facts for machines, as one JSON document on stdout; keys that begin with `_` are for the other form."""
    say(json.dumps(_public(value), indent=2, ensure_ascii=False))


def _public(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _public(v) for k, v in value.items() if not str(k).startswith("_")}
    return [_public(one) for one in value] if isinstance(value, list | tuple) else value


def columns(rows: Iterable[Sequence[str]], indent: int = 0) -> None:
    """Rows as aligned columns, two spaces apart; the last column runs on."""
    table = [tuple(map(str, row)) for row in rows]
    if not table:
        return
    widths = [max(len(row[i]) if i < len(row) else 0 for row in table) for i in range(max(map(len, table)))]
    for row in table:
        padded = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        say((" " * indent + "  ".join([*padded, row[-1]])).rstrip())


def some(names: list[str]) -> str:
    """The first few of these names, and how many more there are."""
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def toned(text: str, tone: str) -> str:
    """The text in the colour of `good`, `mend` or `note` where stdout is a terminal; the words say it as well."""
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return text
    return typer.style(text, fg=_COLOURS[tone])


def clean(text: str) -> str:
    """Text from outside without the control characters that could steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def moment(voice: Voice, when: Instant) -> str:
    """`Tue 3 Nov, 20 days ago, 09:00`; of today `today, 09:00`."""
    day = voice.day_and_distance(when)
    day = "today" if day.endswith(", today") else day
    return f"{day}, {words.time_of_day(local(when, voice.zone), locale=voice.locale)}"


def since(voice: Voice, when: Instant) -> str:
    """How long ago: `a moment ago`, `12 minutes ago`, `5 hours ago`, later the day."""
    gone = voice.now - when
    if gone < 90:
        return "a moment ago"
    if gone < 2 * HOUR:
        return f"{words.counted(gone // 60, 'minute')} ago"
    if gone < DAY:
        return f"{gone // HOUR} hours ago"
    return voice.day_and_distance(when)


@contextmanager
def working(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show on stderr that work goes on, if it takes longer than a second and somebody watches. Yields `step(done, of)`."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    # Only here: what is quick needs no progress bar, and its import takes as long as a quick command.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    look = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    progress = Progress(*look, console=Console(stderr=True), transient=True)
    task = progress.add_task(title, total=None)

    def step(done: int, of: int) -> None:
        progress.update(task, completed=done, total=of)

    later = threading.Timer(QUIET_SECONDS, progress.start)
    later.daemon = True
    later.start()
    try:
        yield step
    finally:
        later.cancel()
        later.join()
        progress.stop()
