"""The one log file of the long-lived process: our own lines by code, of everybody else's lines only where they came from."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

OURS = "tending"
FILE = "tending.log"
BYTES = 5_000_000
KEPT = 5


class CodesOnly(logging.Formatter):
    """Lines of ours as they are; of a library's warning its logger and place, since its words may hold anything."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        ours = record.name == OURS or record.name.startswith(f"{OURS}.")
        shown = logging.makeLogRecord(record.__dict__)
        # A traceback ends in the words of an exception.
        shown.exc_info = shown.exc_text = shown.stack_info = None
        if not ours:
            kind = f" {record.exc_info[0].__name__}" if record.exc_info and record.exc_info[0] else ""
            shown.msg, shown.args = f"reported something at {record.module}:{record.lineno}{kind}", ()
        return super().format(shown)


def log_to(data: Path, name: str = FILE) -> logging.Handler:
    """Write all logs of this process into `data`/logs/`name` from now on (mode 0600, rotating); each process has its own file, since
    two cannot rotate one. Give the handler to `stop_logging`."""
    folder = data / "logs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    path.touch(mode=0o600, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=BYTES, backupCount=KEPT, encoding="utf-8")
    handler.setFormatter(CodesOnly())
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or record.name.startswith(OURS))
    logging.getLogger().addHandler(handler)
    logging.getLogger(OURS).setLevel(logging.INFO)
    return handler


def stop_logging(handler: logging.Handler) -> None:
    """Close the log file."""
    logging.getLogger().removeHandler(handler)
    handler.close()
