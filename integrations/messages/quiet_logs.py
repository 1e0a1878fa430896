"""Keeps the secrets of a channel's URL out of the logs that libraries write while we speak through that channel."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_speaking_through: ContextVar[str] = ContextVar("speaking_through", default="")
# Apprise names URLs, and urllib3 paths, in which services carry their tokens.
_TALKATIVE = ("apprise", "urllib3.connectionpool", "urllib3.util.retry")


class _Withhold(logging.Filter):
    """While a channel is in use: drops what is below a warning and replaces the rest by the channel's name."""

    def filter(self, record: logging.LogRecord) -> bool:
        name = _speaking_through.get()
        if not name:
            return True
        if record.levelno < logging.WARNING:
            return False
        record.msg = "Channel %s: the service reported a problem; its words are withheld, since they may hold secrets."
        record.args = (name,)
        record.exc_info = record.exc_text = record.stack_info = None
        return True


_WITHHOLD = _Withhold()


@contextmanager
def speaking_through(name: str) -> Iterator[None]:
    """Inside it, this thread's library logs about the channel of that name say that something happened and not what."""
    for logger in _TALKATIVE:
        logging.getLogger(logger).addFilter(_WITHHOLD)
    token = _speaking_through.set(name)
    try:
        yield
    finally:
        _speaking_through.reset(token)
