"""What the story meets outside: a mailbox, a web server with a calendar, a warm process; and the story, prepared on a database."""

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from integrations.messages.mailbox import Mailbox
from tests.faults.kills import Forge
from tests.faults.telling import Telling


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing about it."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of T1's calendar, on a real web server."""
    serve = partial(Quiet, directory=str(tmp_path / "practice"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/t1.ics"
        server.shutdown()
        thread.join()


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with Mailbox(tmp_path / "mails") as box:
        yield box


@pytest.fixture
def telling(tmp_path: Path, mailbox: Mailbox, web: str) -> Iterator[Telling]:
    """The story on SQLite."""
    told = Telling(tmp_path, mailbox, web)
    yield told
    told.close()


@pytest.fixture
def telling_on_postgres(tmp_path: Path, mailbox: Mailbox, web: str, postgres_url: str) -> Iterator[Telling]:
    """The story on PostgreSQL."""
    told = Telling(tmp_path, mailbox, web, postgres_url)
    yield told
    told.close()


@pytest.fixture
def forge() -> Iterator[Forge]:
    made = Forge("tests.faults.story")
    yield made
    made.close()
