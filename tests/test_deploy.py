"""What deploy/ gives one machine: units that systemd accepts, and a backup that leaves token and keys out."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.needs import need


def test_systemd_accepts_the_units(root, tmp_path):
    if shutil.which("systemd-analyze") is None:
        need("systemd-analyze", "the units of deploy/ are verified", "apt-get install systemd")
    # The checkout that is tried stands in for the place that the documentation gives it.
    checkout = tmp_path / "tending"
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / "deploy").symlink_to(root / "deploy")
    for program in ("tending", "python"):
        (checkout / ".venv" / "bin" / program).write_text("#!/bin/sh\n")
        (checkout / ".venv" / "bin" / program).chmod(0o755)
    units = []
    for unit in (root / "deploy" / "systemd").iterdir():
        if unit.suffix in {".service", ".timer"}:
            (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/tending", str(checkout)))
            units.append(str(tmp_path / unit.name))
    assert len(units) == 3
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_runs_what_make_installs(root):
    service = (root / "deploy" / "systemd" / "tending.service").read_text()
    assert "ExecStart=/opt/tending/.venv/bin/tending up\n" in service
    assert "EnvironmentFile=/etc/tending/tending.env\n" in service


def test_the_environment_file_sets_nothing_by_itself(root):
    lines = (root / "deploy" / "systemd" / "tending.env").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []


@pytest.fixture
def practice(tmp_path):
    """practice.toml beside a data folder with a database in use, whose newest row is in the write-ahead log only."""
    data = tmp_path / "practice" / "data"
    data.mkdir(parents=True)
    (tmp_path / "practice" / "practice.toml").write_text('[practice]\nname = "Test"\n')
    (data / "installation-token").write_text("never in a backup")
    (tmp_path / "practice" / "keys").write_text("never in a backup")
    with closing(sqlite3.connect(data / "tending.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE row (n)")
        database.execute("INSERT INTO row VALUES (42)")
        assert (data / "tending.db-wal").stat().st_size > 0
        yield tmp_path / "practice" / "practice.toml"


def back_up(root, practice, target, *more):
    command = [sys.executable, root / "deploy" / "backup.py", practice, target, *more]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_backup_is_whole_and_holds_no_token_and_no_key(root, practice, tmp_path):
    done = back_up(root, practice, tmp_path / "kept")
    assert done.returncode == 0, done.stderr
    (made,) = (tmp_path / "kept").iterdir()
    assert str(made) == done.stdout.strip()
    assert sorted(path.name for path in made.iterdir()) == ["practice.toml", "tending.db"]
    assert {path.stat().st_mode & 0o077 for path in made.iterdir()} == {0}
    with closing(sqlite3.connect(made / "tending.db")) as copy:
        assert copy.execute("SELECT n FROM row").fetchall() == [(42,)]


def test_a_database_named_by_its_url_is_taken_whatever_its_name(root, practice, tmp_path):
    (practice.parent / "data" / "tending.db").rename(practice.parent / "mine.sqlite")
    (practice.parent / "data" / "tending.db-wal").rename(practice.parent / "mine.sqlite-wal")
    practice.write_text('[store]\nurl = "sqlite:///mine.sqlite"\n')
    done = back_up(root, practice, tmp_path / "kept")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in Path(done.stdout.strip()).iterdir()) == ["mine.sqlite", "practice.toml"]


def test_only_the_newest_are_kept_and_unfinished_ones_go(root, practice, tmp_path):
    kept = tmp_path / "kept"
    for old in ("backup-2020-01-01T000000Z", "backup-2020-01-02T000000Z", "unfinished-2020-01-03T000000Z"):
        (kept / old).mkdir(parents=True)
    (kept / "somebody-elses").mkdir()
    done = back_up(root, practice, kept, "--keep", "2")
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in kept.iterdir())
    assert names[0] == "backup-2020-01-02T000000Z"
    assert names[2:] == ["somebody-elses"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[store]\nurl = "postgresql://localhost/t"\n', "This practice is on PostgreSQL: back it up with pg_dump"),
        ("not toml", "is not a settings file"),
        ('[practice]\ndata = "elsewhere"\n', "There is no database in"),
    ],
)
def test_what_cannot_be_backed_up_is_one_sentence(root, practice, tmp_path, text, said):
    practice.write_text(text)
    done = back_up(root, practice, tmp_path / "kept")
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "kept").exists()
