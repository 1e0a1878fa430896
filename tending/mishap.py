"""An error that nobody foresaw: where it happened is written down, what it was about is not."""

import os
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

FILE = "errors.log"


def written_down(error: BaseException, data: Path | None) -> str:
    """Append kinds and places of an error to data/logs/errors.log, without any message, since messages may quote a cell.

    Answers where it was written, or an empty text where nothing could be written.
    """
    text = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n{_places(error)}\n"
    folders = [data / "logs"] if data is not None and data.is_dir() else []
    for folder in [*folders, Path(tempfile.gettempdir()) / f"tending-{os.getuid()}"]:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            continue
        return str(folder / FILE)
    return ""


def _places(error: BaseException) -> str:
    """Every error of the chain: its kind, and the frames it went through with their lines of source."""
    parts = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        frames = traceback.StackSummary.extract(traceback.walk_tb(link.__traceback__), lookup_lines=True)
        parts.append("".join(frames.format()) + f"{type(link).__module__}.{type(link).__qualname__}\n")
        link = link.__cause__ or link.__context__
    return "because of:\n".join(parts)
