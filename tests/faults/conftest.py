"""What the story meets outside: a mailbox, a web server, a warm process; and the story, prepared on a database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.messages.mailbox import Mailbox
from tests.faults.kills import Forge
from tests.faults.telling import Telling
from tests.faults.web import Web, serving


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with serving(tmp_path) as served:
        yield served


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with Mailbox(tmp_path / "mails") as box:
        yield box


@pytest.fixture
def telling(tmp_path: Path, mailbox: Mailbox, web: Web) -> Iterator[Telling]:
    """The story on SQLite."""
    told = Telling(tmp_path, mailbox, web)
    yield told
    told.close()


@pytest.fixture
def telling_on_postgres(tmp_path: Path, mailbox: Mailbox, web: Web, postgres_url: str) -> Iterator[Telling]:
    """The story on PostgreSQL."""
    told = Telling(tmp_path, mailbox, web, postgres_url)
    yield told
    told.close()


@pytest.fixture
def forge() -> Iterator[Forge]:
    made = Forge("tests.faults.story")
    yield made
    made.close()
