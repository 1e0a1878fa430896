"""What goes wrong with databases, in one plain sentence with its remedy; never a password or a parameter."""

import sqlite3
from collections.abc import Callable

import psycopg
from sqlalchemy.exc import StatementError

_DISK = "There is no room left on the disk of the database {place}; make room and try again, nothing was half written."

# Words of SQLite's messages, in the order tried; its extended codes do not tell these apart on every version.
_SQLITE: tuple[tuple[str, str], ...] = (
    ("disk is full", _DISK),
    ("readonly", "The database {place} may not be written by this user; check who owns it and its folder."),
    (
        "unable to open",
        "The database {place} cannot be opened; check that its folder is there and that this user may write in it.",
    ),
    ("locked", "The database {place} was busy for too long with another program's work; try again in a minute."),
    ("not a database", "{place} is not a database of Tending; correct [store] url, or put the right file back."),
    ("malformed", "The database {place} is damaged; stop Tending and put back the last backup."),
    ("disk i/o error", "The disk of the database {place} reports an error or is full; check it before going on."),
)

# SQLSTATE, or its class, to sentence; the longest that fits counts.
_STATES: dict[str, str] = {
    "53100": _DISK,
    "53300": "The database server of {place} has no free connection; close other programs or raise max_connections.",
    "53": "The database server of {place} has run out of memory or another resource; ask whoever runs it.",
    "57": "The database server of {place} was stopped or interrupted; try again when it runs.",
    "58": "The database server of {place} reports a disk error; ask whoever runs it.",
    "55P03": "The database {place} was busy for too long with another program's work; try again in a minute.",
    "40": "The database {place} was busy with a conflicting change; try again.",
    "25006": "The database {place} may not be written at the moment (read only); check that it is not a standby.",
    "42501": "The user of the database {place} lacks a right; let it own the database.",
    "28": "The database {place} refuses the user or password; check [store] url, PGPASSWORD or ~/.pgpass.",
    "3D": "The database {place} does not exist; create it with createdb, or correct [store] url.",
    "08": "The database {place} cannot be reached; check that the server runs and that the address is right.",
}

# libpq gives no SQLSTATE when a connection fails: its words tell why.
_CONNECTING: tuple[tuple[str, str], ...] = (
    ("password", _STATES["28"]),
    ("authentication", _STATES["28"]),
    ("pg_hba", _STATES["28"]),
    ("role", _STATES["28"]),
    ("does not exist", _STATES["3D"]),
    ("too many clients", _STATES["53300"]),
    ("resolve", "The host of the database {place} is not known; correct the name in [store] url."),
    ("translate host", "The host of the database {place} is not known; correct the name in [store] url."),
    ("starting up", _STATES["57"]),
    ("shutting down", _STATES["57"]),
    ("invalid", "The database address has a part that is not understood; correct [store] url."),
)


def explained(error: Exception, place: str) -> str | None:
    """The sentence for an operational error; None for what is the program's or its data's fault."""
    original = error.orig if isinstance(error, StatementError) else error
    if isinstance(original, sqlite3.IntegrityError | psycopg.IntegrityError):
        return None
    explain: Callable[[Exception], str | None] = _of_postgresql if isinstance(original, psycopg.Error) else _of_sqlite
    sentence = explain(original) if isinstance(original, Exception) else None
    return sentence.format(place=place) if sentence else None


def without_values(error: Exception) -> Exception:
    """The same error without what it quotes: parameters, and on PostgreSQL the failing row, the key, the misfit value.

    What is left are names of the schema. The driver's own error is made anew too, since it is what gets pickled.
    """
    original = error.orig if isinstance(error, StatementError) else error
    if isinstance(original, psycopg.Error):
        about = original.diag
        names = (about.table_name, about.column_name, about.constraint_name)
        said = " ".join((f"SQLSTATE {original.sqlstate}", *filter(None, names)))
        bare = type(original)(said)
        if not isinstance(error, StatementError):
            return bare
        error.orig = bare
        error.args = (f"({type(original).__name__}) {said}",)
    if isinstance(error, StatementError):
        error.params = None
    return error


def _of_sqlite(error: Exception) -> str | None:
    words = str(error).lower()
    return next((sentence for part, sentence in _SQLITE if part in words), None)


def _of_postgresql(error: Exception) -> str | None:
    assert isinstance(error, psycopg.Error)
    state = error.sqlstate
    if state is not None:
        return _STATES.get(state) or _STATES.get(state[:2])
    words = str(error).lower()
    found = next((sentence for part, sentence in _CONNECTING if part in words), _STATES["08"])
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) or "connection option" in words:
        return found
    return None
