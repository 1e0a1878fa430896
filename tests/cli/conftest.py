"""A small practice on either database, made and read by the commands themselves, and a way to call them."""

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from tending.cli import run
from tests.cli.clinic import ZONE, write_clinic


class Done(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def tending(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Call a command in this process; every traceback is a failure."""

    def call(*words: str) -> Done:
        capsys.readouterr()
        code = run(list(words))
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Done(code, out, err)

    return call


@pytest.fixture
def today() -> Any:
    return datetime.now(ZoneInfo(ZONE)).date()


@pytest.fixture
def clinic(tmp_path: Path, today: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a clinic's own files, in which commands are run."""
    folder = write_clinic(tmp_path / "clinic", today)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def practice(clinic: Path, database_url: str, tending: Callable[..., Done]) -> Path:
    """Its practice.toml, on the database under test; nothing is read yet."""
    written = tending("init", "--from", ".", "--dry-run", "--json", "--zone", ZONE, "--name", "Northside").json["text"]
    text = written.replace('# url = ""', f'url = "{database_url}"').replace("# [policy]", '[policy]\nspeak = "at_once"')
    path = clinic / "practice.toml"
    path.write_text(text, encoding="utf-8")
    assert tending("init").code == 0
    return path


@pytest.fixture
def read(practice: Path, tending: Callable[..., Done]) -> Path:
    """The practice after its sources were read."""
    done = tending("sync")
    assert (done.code, done.err) == (0, "")
    return practice


@pytest.fixture
def codes(read: Path, tending: Callable[..., Done]) -> dict[str, str]:
    """Client codes by the clinic's own ids."""
    return {str(n): tending("code", str(n), "--json").json[0]["code"] for n in range(1001, 1007)}


@pytest.fixture
def tables(database_url: str, codes: dict[str, str]) -> Any:
    """A plain connection to the practice's database, to arrange what no command does."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(os.fspath(database_url))
    yield engine
    engine.dispose()
