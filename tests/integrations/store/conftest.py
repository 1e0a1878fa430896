"""A store with all tables, on both databases, and keys."""

import pytest

from integrations.store.engine import open_store
from integrations.store.migrate import upgrade
from integrations.vault import Vault


@pytest.fixture
def empty_store(database_url):
    """A store without tables."""
    store = open_store(database_url)
    yield store
    store.close()


@pytest.fixture
def store(empty_store):
    """A store with today's tables."""
    upgrade(empty_store)
    return empty_store


@pytest.fixture
def vault(tmp_path):
    return Vault.create(tmp_path / "keys")
