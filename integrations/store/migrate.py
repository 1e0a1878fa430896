"""Bringing a database to the tables that this version needs, from the first table on."""

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel

import models
from integrations.store.engine import SQLITE, Store
from models.errors import StoreError

FOLDER = Path(__file__).parent / "migrations"
VERSION_TABLE = "schema_version"
_NUMBER = re.compile(r"(\d{4})_\w+\.py")


def head() -> str:
    """The newest step that this program knows, such as `0001`."""
    return max(found.group(1) for file in (FOLDER / "versions").iterdir() if (found := _NUMBER.fullmatch(file.name)))


def current(store: Store) -> str | None:
    """The step that the database stands at; None for a database without our tables."""
    with store.read() as connection:
        return _current(connection)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    number: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - our own name
    return number


def require_current(store: Store) -> None:
    """Raise StoreError with the remedy unless the database has exactly the tables that this program was written for."""
    there = current(store)
    if there is None:
        raise StoreError(
            f"The database {store.place} has no tables yet; run `tending upgrade`, or correct [store] url."
        )
    if there < head():
        raise StoreError(f"The database {store.place} is of an older version; back it up and run `tending upgrade`.")
    if there > head():
        raise StoreError(
            f"The database {store.place} was written by a newer Tending; install that version or put back a backup."
        )


def upgrade(store: Store) -> bool:
    """Take all missing steps in one transaction: a kill leaves the old tables or the new. True if there were any.

    Several processes may try at once: one does it, the others wait and find it done.
    """
    if current(store) == head():
        return False
    # Only here: loading Alembic takes longer than most commands do.
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    metadata = whole_metadata()
    with store.write() as connection:
        if store.dialect != SQLITE:
            # SQLite's write transaction is exclusive by itself.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('tending upgrade'))"))
        before = _current(connection)
        if before == head():
            return False
        if before is not None and before > head():
            raise StoreError(
                f"The database {store.place} was written by a newer Tending; install that version instead."
            )
        script = ScriptDirectory(str(FOLDER))

        def steps(at: Any, _: MigrationContext) -> Any:
            return script._upgrade_revs(head(), at)

        context = MigrationContext.configure(
            connection,
            opts={"fn": steps, "target_metadata": metadata, "version_table": VERSION_TABLE, "render_as_batch": True},
        )
        with Operations.context(context):
            context.run_migrations()
    return True


def whole_metadata() -> Any:
    """The tables of all models, every module of which is imported so that none is missing."""
    for module in pkgutil.iter_modules(models.__path__, "models."):
        importlib.import_module(module.name)
    return SQLModel.metadata
