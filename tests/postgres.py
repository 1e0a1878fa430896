"""Databases for tests: a fresh SQLite file, or a fresh database in a PostgreSQL cluster made for this session."""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import URL, make_url

from tests.needs import need

PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
START_SECONDS = 60


def _binaries() -> Path | None:
    """The folder that holds initdb and postgres, of the newest version found."""
    found = (folder for place in PLACES for folder in Path("/").glob(place.lstrip("/")))
    folders = [f for f in found if (f / "initdb").exists() and (f / "postgres").exists()]
    if folders:
        return max(folders, key=lambda f: [int(n) for n in re.findall(r"\d+", str(f))])
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: the user it runs as instead, None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    need("an unprivileged user", "PostgreSQL does not run as root", "useradd --system postgres")


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def _connect(url: URL) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True)


def _wait(url: URL, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            _connect(url).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """SQLAlchemy URL of a cluster's first database: TENDING_TEST_POSTGRES, or a cluster started for this session."""
    given = os.environ.get("TENDING_TEST_POSTGRES")
    if given:
        yield make_url(given).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        return
    binaries = _binaries()
    if binaries is None:
        need("PostgreSQL", "everything is tried on both databases", "apt-get install postgresql")
    user = _unprivileged()
    # Not below pytest's own folder: that is closed to other users, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="tending-pg-"))
    as_user: dict[str, object] = {"cwd": folder}
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data, log, port = folder / "data", folder / "log", _free_port()
    url = URL.create("postgresql+psycopg", username="tending", host="127.0.0.1", port=port, database="postgres")
    process: subprocess.Popen[bytes] | None = None
    try:
        made = subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "tending", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            capture_output=True,
            **as_user,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr.decode(errors='replace')[-2000:]}")
        place = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder}
        hasty = {"max_connections": 200, "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings = place | hasty
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with log.open("wb") as out:
            process = subprocess.Popen([binaries / "postgres", "-D", data, *options], stdout=out, stderr=out, **as_user)
        _wait(url, process, log)
        yield url.render_as_string(hide_password=False)
    finally:
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)  # fast shutdown: open connections are cut
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_database_url(postgres_url: str) -> Iterator[str]:
    """SQLAlchemy URL of a new, empty PostgreSQL database, dropped when the test ends."""
    admin, name = make_url(postgres_url), f"t_{uuid.uuid4().hex}"
    with _connect(admin) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield admin.set(database=name).render_as_string(hide_password=False)
    with _connect(admin) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def sqlite_database_url(tmp_path: Path) -> str:
    """SQLAlchemy URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'tending.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLAlchemy URL of a new, empty database: a test that asks for it runs on SQLite and again on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_database_url")
    return url
