"""Throw-away databases to measure on: SQLite files, and a PostgreSQL cluster with the settings that it comes with."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
START_SECONDS = 60
NO_POSTGRES = "PostgreSQL is not installed here, so nothing was measured on it; to enable: apt-get install postgresql"


@dataclass(slots=True)
class Database:
    """One kind of database: its name for people, and `fresh`, which gives the address of a new and empty one."""

    name: str
    folder: Path
    server: str = ""
    made: list[str] = field(default_factory=list)

    def fresh(self, name: str) -> str:
        """The address of a new database."""
        if not self.server:
            return f"sqlite:///{self.folder / name}.db"
        name = f"tending_bench_{os.getpid()}_{name}_{len(self.made)}"
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
        self.made.append(name)
        return make_url(self.server).set(database=name).render_as_string(hide_password=False)

    def drop(self) -> None:
        """Remove what was made on the server."""
        for name in self.made:
            with psycopg.connect(self.server, autocommit=True) as connection:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


@contextmanager
def databases(address: str, say: Callable[[str], None]) -> Iterator[list[Database]]:
    """SQLite and PostgreSQL, or the one kind that `address` names: `sqlite`, or a PostgreSQL server where databases may be made."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tending-bench-")))
        found = []
        if not address or address.startswith("sqlite"):
            found.append(Database("SQLite", folder))
        if not address.startswith("sqlite"):
            server = address or stack.enter_context(_cluster())
            if server:
                found.append(Database("PostgreSQL", folder, server))
                stack.callback(found[-1].drop)
            else:
                say(NO_POSTGRES)
        yield found


def _binaries() -> Path | None:
    folders = sorted(f for place in PLACES for f in Path("/").glob(place.lstrip("/")) if (f / "initdb").exists())
    if folders:
        return folders[-1]
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def _cluster() -> Iterator[str]:
    """The address of a PostgreSQL cluster of our own; empty where PostgreSQL is absent."""
    binaries = _binaries()
    if binaries is None:
        yield ""
        return
    folder = Path(tempfile.mkdtemp(prefix="tending-pg-"))
    user = _unprivileged()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    server = f"postgresql://tending@127.0.0.1:{port}/postgres"
    process: subprocess.Popen[bytes] | None = None
    try:
        init: list[str | Path] = [
            binaries / "initdb",
            "-D",
            folder / "data",
            "-U",
            "tending",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
        ]
        subprocess.run(init, check=True, capture_output=True, cwd=folder, **_as(user))
        start: list[str | Path] = [binaries / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder]
        start += ["-c", "listen_addresses=127.0.0.1"]
        with (folder / "log").open("wb") as out:
            process = subprocess.Popen(start, stdout=out, stderr=out, cwd=folder, **_as(user))
        _wait(server, process)
        yield server
    finally:
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: who it runs as instead."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names.get("nobody")


def _as(user: pwd.struct_passwd | None) -> dict[str, Any]:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _wait(server: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            psycopg.connect(server).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not start")
