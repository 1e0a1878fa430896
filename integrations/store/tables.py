"""The tables behind the models, and the statements that all parts of the store share."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

T = TypeVar("T")
MANY = 500  # values in one IN (...), well under every database's limit


def table(model: type[SQLModel]) -> Table:
    """The table of a model."""
    return cast(Table, model.__table__)  # type: ignore[attr-defined]  # SQLModel does not declare it


def chunks(values: Iterable[T], size: int = MANY) -> Iterator[list[T]]:
    """Values in lists of at most `size`."""
    chunk: list[T] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _insert(connection: Connection, model: type[SQLModel]) -> Any:
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table(model))


def upsert(connection: Connection, model: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or replace those whose primary key is there."""
    if not rows:
        return
    keys = [column.name for column in table(model).primary_key]
    statement = _insert(connection, model)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), list(rows))


def insert_new(connection: Connection, model: type[SQLModel], row: dict[str, Any]) -> bool:
    """Insert a row unless a unique key says that it is there; whether it was new."""
    statement = _insert(connection, model).values(**row).on_conflict_do_nothing()
    # Without this option the count of an insert is -1 on PostgreSQL, which would pass for new.
    result = connection.execute(statement, execution_options={"preserve_rowcount": True})
    return result.rowcount == 1


def insert_rows(connection: Connection, model: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    """Insert many rows at once."""
    if rows:
        connection.execute(table(model).insert(), list(rows))
