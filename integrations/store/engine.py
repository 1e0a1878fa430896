"""Opening a database, and two ways into it: `write`, one short transaction, and `read`, one snapshot."""

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, StatementError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql import Executable

from integrations.store.trouble import explained, without_values
from models.errors import StoreError

SQLITE, POSTGRESQL = "sqlite", "postgresql"
SQLITE_FILE = "sqlite:///"  # and the path
BUSY_SECONDS = 30  # how long a writer waits for its turn before it gives up
CONNECT_SECONDS = 10
CHUNK = 2000  # rows fetched at once while streaming: flat memory, few round trips
_HOW = "write sqlite:///path/to/file or postgresql://user@host/name in [store] url"


class Store:
    """One database. Threads may share it; each `write` and `read` takes its own connection from a pool.

    Operational trouble (unreachable, full, locked, no permission) is raised as StoreError; a broken constraint stays
    SQLAlchemy's IntegrityError, since callers decide what it means. No error shows parameters or a password.
    """

    def __init__(self, url: URL, busy_seconds: float) -> None:
        self.url = url
        self.dialect = url.get_backend_name()
        self.place = _place(url)
        self.engine = _engine(url, busy_seconds, reading=False)
        self._reader = _engine(url, busy_seconds, reading=True)
        self._turn = _Turn(busy_seconds) if self.dialect == SQLITE else None
        self._watch: Any = None  # a connection kept for `pulse`, and what keeps it from being collected
        self._watch_holder: object = None
        self._watching = threading.Lock()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write: committed at the end of the block, rolled back by any exception.

        SQLite: BEGIN IMMEDIATE. PostgreSQL: READ COMMITTED. Keep it short, with no I/O inside; not to be nested.
        """
        with self._plain_errors():
            if self._turn is None:
                with self.engine.begin() as connection:
                    yield connection
            else:
                with self._turn, self.engine.begin() as connection:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                    yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that cannot write and sees one state of the database from its first statement to its end."""
        with self._plain_errors(), self._reading() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._reader.begin() as connection:
            if self.dialect == SQLITE:
                connection.exec_driver_sql("BEGIN")
            yield connection

    def stream(
        self, statement: Executable | str, parameters: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """Rows of a bulk read as the driver gives them, in flat memory; a server-side cursor on PostgreSQL.

        `statement` is a Core select or SQL with `:name`. Nothing is converted, so select numbers, text and bytes: dates
        and JSON come in the driver's own shape. The snapshot is held until the iterator ends or is closed.
        """
        clause = text(statement) if isinstance(statement, str) else statement
        compiled = clause.compile(dialect=self.engine.dialect, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
        given = compiled.construct_params(dict(parameters or {}))
        values = [given[name] for name in compiled.positiontup] if compiled.positional else given
        with self._plain_errors(), self._reading() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            # Binary, since PostgreSQL otherwise sends a bytea column as hexadecimal digits.
            cursor = raw.cursor() if self.dialect == SQLITE else raw.cursor(name="stream", binary=True)
            with closing(cursor):
                cursor.execute(str(compiled), values)
                while rows := cursor.fetchmany(CHUNK):
                    yield from rows

    def pulse(self) -> int:
        """A number that differs after any commit by anybody, and now and then without one. Cheap: ask often."""
        with self._watching, self._plain_errors():
            if self._watch is not None:
                try:
                    return self._pulse(self._watch)
                except (sqlite3.Error, psycopg.Error):
                    self._forget_watch()  # the server was restarted: ask again over a new connection
            self._watch = self._kept_connection()
            return self._pulse(self._watch)

    def _kept_connection(self) -> Any:
        pooled = self._reader.raw_connection()
        raw: Any = pooled.driver_connection
        self._watch_holder = pooled
        pooled.detach()
        if self.dialect == POSTGRESQL:
            raw.autocommit = True
        return raw

    def _pulse(self, raw: Any) -> int:
        if self.dialect == SQLITE:
            # Counts commits of all connections but this one, which never writes.
            return int(raw.execute("PRAGMA data_version").fetchone()[0])
        # Which transactions are finished: unlike the highest id of a table it misses none that commits out of order.
        snapshot: str = raw.execute("SELECT pg_current_snapshot()::text").fetchone()[0]
        return int.from_bytes(hashlib.blake2b(snapshot.encode(), digest_size=7).digest(), "big")

    def _forget_watch(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = self._watch_holder = None

    def close(self) -> None:
        """Let go of all connections. The store may be used again; it would open new ones."""
        with self._watching:
            self._forget_watch()
        self.engine.dispose()
        self._reader.dispose()

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except (StatementError, sqlite3.Error, psycopg.Error) as error:
            sentence = explained(error, self.place)
            raise (StoreError(sentence) if sentence else without_values(error)) from None


class _Turn:
    """SQLite has one writer at a time: threads of one process queue here instead of polling for the file lock."""

    def __init__(self, seconds: float) -> None:
        self._lock = threading.Lock()
        self._seconds = seconds
        self._owner = 0

    def __enter__(self) -> None:
        me = threading.get_ident()
        if self._owner == me:
            raise RuntimeError("a write inside a write: hand the open connection on instead")
        if not self._lock.acquire(timeout=self._seconds):
            raise StoreError(
                "The database was busy for too long with another task of this program; try again in a minute."
            )
        self._owner = me

    def __exit__(self, *_: object) -> None:
        self._owner = 0
        self._lock.release()


def open_store(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Store:
    """Open the database at `url`: `sqlite:///path` (an empty file is made if there is none) or `postgresql://user@host/name`.

    Raises StoreError with the remedy: an address that cannot be read, a missing folder, a server that does not answer,
    a file that is no database.
    """
    store = Store(_understood(url), busy_seconds)
    try:
        with store.read() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master" if store.dialect == SQLITE else "SELECT 1")
    except BaseException:
        store.close()
        raise
    return store


def _understood(url: str) -> URL:
    if url.startswith(SQLITE_FILE):
        return _sqlite_file(url.removeprefix(SQLITE_FILE))
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError):
        raise StoreError(f"The database address cannot be read; {_HOW}.") from None
    if backend == SQLITE:
        raise StoreError(f"The database address names no file; {_HOW}.")
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        if not parsed.database:
            raise StoreError(f"The database address names no database; {_HOW}.")
        return parsed.set(drivername="postgresql+psycopg")
    if backend == POSTGRESQL:
        raise StoreError(
            "The database address names a driver that is not installed; write postgresql:// without a driver."
        )
    raise StoreError(f"This kind of database is not supported; {_HOW}.")


def _sqlite_file(name: str) -> URL:
    """All that follows sqlite:/// is the path, whatever signs a folder's name may hold."""
    if not name or name == ":memory:":
        raise StoreError(f"The database address names no file; {_HOW}.")
    path = Path(name).absolute()
    if path.is_dir():
        raise StoreError(f"The database address names the folder {path}; name a file in it.")
    if not path.parent.is_dir():
        raise StoreError(f"The folder {path.parent} for the database is not there; create it, or correct [store] url.")
    try:
        # Made here and not by SQLite, so that nobody else may read it; its -wal and -shm files get the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(
            f"The database {path} cannot be opened ({error.strerror}); check who owns it and its folder."
        ) from None
    return URL.create("sqlite", database=str(path))


def _place(url: URL) -> str:
    """Where the database is, without user and password."""
    if url.get_backend_name() == SQLITE:
        return str(url.database)
    host = url.host or url.query.get("host") or "the local socket"
    return f"{url.database} at {host}{f':{url.port}' if url.port else ''}"


def _engine(url: URL, busy_seconds: float, *, reading: bool) -> Engine:
    if url.get_backend_name() == SQLITE:
        # hide_parameters: what a statement was given must never stand in an error or a log.
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": busy_seconds})

        @event.listens_for(engine, "connect")
        def prepare(raw: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
            # Transactions begin where we say, not where the driver guesses. They do so in `write` and `read`, not at SQLAlchemy's event:
            # an engine that has one listener pays for listeners at every statement.
            raw.isolation_level = None
            for pragma in _pragmas(reading):
                raw.execute(f"PRAGMA {pragma}")

        return engine
    connect = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_SECONDS}
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,  # a server that was restarted costs nobody a transaction
        isolation_level="REPEATABLE READ" if reading else "READ COMMITTED",
        connect_args=connect,
    )
    if reading:

        @event.listens_for(engine, "connect")
        def protect(raw: "psycopg.Connection[Any]", _: ConnectionPoolEntry) -> None:
            raw.read_only = True

    return engine


def _pragmas(reading: bool) -> tuple[str, ...]:
    if reading:
        return ("query_only = ON", "temp_store = MEMORY")
    return (
        "journal_mode = WAL",
        "synchronous = FULL",  # a row that says "sent" must outlive a power cut; cost: decisions/0014-store.md
        "foreign_keys = ON",
        "temp_store = MEMORY",
        "journal_size_limit = 67108864",  # after a large import the -wal file shrinks again
    )
