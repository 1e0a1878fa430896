"""A small practice with a real mailbox, on the database that a test asks for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.messages.mailbox import Mailbox
from tests.flows.clinic import Clinic, make_clinic


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with Mailbox(tmp_path / "mails") as box:
        yield box


@pytest.fixture
def clinic(tmp_path: Path, mailbox: Mailbox) -> Iterator[Clinic]:
    """On SQLite; read once, nothing decided, not armed."""
    made = make_clinic(tmp_path / "clinic", mailbox)
    made.read()
    yield made
    made.practice.close()


@pytest.fixture
def clinic_anywhere(tmp_path: Path, mailbox: Mailbox, database_url: str) -> Iterator[Clinic]:
    """The same on SQLite and on PostgreSQL."""
    made = make_clinic(tmp_path / "clinic", mailbox, url=database_url)
    made.read()
    yield made
    made.practice.close()
