"""Practices over databases that are kept between tests and emptied before each: opening one costs little, so many tests can."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from sqlalchemy.engine import make_url

from integrations.store import migrate
from integrations.store.engine import open_store
from integrations.vault import Vault
from tests.builders import Clinic, a_practice


class Kept(NamedTuple):
    """A database with today's tables, and the keys that belong to it."""

    url: str
    keys: str


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def kept_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """One database of each sort for the whole session: a test that asks for it runs on both."""
    folder = tmp_path_factory.mktemp("kept")
    Vault.create(folder / "keys")
    keys = (folder / "keys").read_text()
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'tending.db'}"
        _upgrade(url)
        yield Kept(url, keys)
        return
    server = make_url(request.getfixturevalue("postgres_url"))
    name = f"kept_{uuid.uuid4().hex}"
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    url = server.set(database=name).render_as_string(hide_password=False)
    _upgrade(url)
    yield Kept(url, keys)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _upgrade(url: str) -> None:
    store = open_store(url)
    migrate.upgrade(store)
    store.close()


@pytest.fixture
def a_clinic(kept_database: Kept, tmp_path: Path) -> Iterator[Callable[..., Clinic]]:
    """Opens a practice with an empty database; options as for builders.a_practice. Called again, the same with other settings."""
    opened: list[Clinic] = []

    def make(**options: Any) -> Clinic:
        folder = tmp_path / "clinic"
        again = folder.exists()
        folder.mkdir(exist_ok=True)
        with os.fdopen(os.open(folder / "keys", os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(kept_database.keys)
        clinic = a_practice(folder, kept_database.url, **options)
        opened.append(clinic)
        if not again:
            clinic.empty()
        return clinic

    yield make
    for clinic in opened:
        clinic.practice.close()


@pytest.fixture
def clinic(a_clinic: Callable[..., Clinic]) -> Clinic:
    """A practice with one client, Anna Müller, known to the clinic as 1001, and one therapist with a calendar, T1."""
    clinic = a_clinic()
    clinic.client("1001", "Anna Müller")
    return clinic
