"""The tables behind the models, and the statements that all parts of the store share."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Dialect,
    String,
    Table,
    TypeDecorator,
    bindparam,
    or_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeEngine
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


class Prepared:
    """A statement that is built once and compiled once for each kind of database: building it anew takes longer than running it.

    What it asks for at each run are bound parameters; for "one of these ids" write `among(column, "name")`.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._writes = statement.is_dml
        # By the dialect's name: stores of one kind are all opened alike, and what is compiled for one serves the next.
        self._compiled: dict[tuple[str, ...], Any] = {}

    def run(
        self, connection: Connection, values: dict[str, Any] | list[dict[str, Any]] | None = None, **options: Any
    ) -> Any:
        """The result. `values` are the parameters, for a statement that writes several rows a list of them; `options` are
        SQLAlchemy's execution options."""
        dialect = connection.dialect
        columns: tuple[str, ...] = ()
        if self._writes:
            columns = tuple((values[0] if isinstance(values, list) else values) or ())
        compiled = self._compiled.get((dialect.name, *columns))
        if compiled is None:
            compiled = self._compiled[dialect.name, *columns] = self._statement.compile(
                dialect=dialect, column_keys=list(columns) or None, for_executemany=self._writes
            )
        return connection.execute(compiled, values or {}, execution_options=options or None)

    def rows(self, connection: Connection, values: dict[str, Any] | None = None) -> Sequence[Any]:
        """The rows of a query, fetched at once: one by one each costs as much again."""
        found: Sequence[Any] = self.run(connection, values).all()
        return found


class among(ColumnElement[bool]):  # it reads as a condition
    """Whether a column of ids is one of those that are given at each run, under `name`, as a list.

    One parameter for all of them: the statement's text is the same however many there are, so nobody writes or reads it anew.
    """

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012  # SQLAlchemy declares it as of instances
        ("ids", InternalTraversal.dp_clauseelement),
        ("given", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, ids: ColumnElement[Any], name: str) -> None:
        self.ids = ids
        self.given: BindParameter[Any] = bindparam(name, type_=_Ids())


def is_one_of(column: ColumnElement[Any], words: Iterable[str]) -> ColumnElement[bool]:
    """Whether a column is one of these few words, which are the same at each run: SQLAlchemy writes an IN (...) anew for every one."""
    return or_(*(column == word for word in words))


class _Ids(TypeDecorator[list[int]]):
    """A list of ids as one parameter: an array where the database has them, else a list in JSON."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind: TypeEngine[Any] = postgresql.ARRAY(BigInteger()) if dialect.name == "postgresql" else String()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else str(list(value))  # whole numbers are written alike in JSON


@compiles(among, "sqlite")
def _in_json(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    ids, given = compiler.process(element.ids, **kw), compiler.process(element.given, **kw)
    return f"{ids} IN (SELECT value FROM json_each({given}))"  # noqa: S608  # both are SQLAlchemy's own text


@compiles(among, "postgresql")
def _in_array(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(element.ids, **kw)} = ANY({compiler.process(element.given, **kw)})"


# SQLAlchemy keeps no compiled form of an INSERT ... ON CONFLICT, and compiling one takes longer than the database does: we keep it.
@cache
def _on_conflict(model: type[SQLModel], dialect: str, replaced: tuple[str, ...]) -> Prepared:
    """An INSERT that replaces some of the row that is there, or leaves it."""
    statement: Any = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table(model))
    if replaced:
        keys = [column.name for column in table(model).primary_key]
        changed = {name: statement.excluded[name] for name in replaced if name not in keys}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
    else:
        statement = statement.on_conflict_do_nothing()
    return Prepared(statement)


def upsert(
    connection: Connection, model: type[SQLModel], rows: Sequence[dict[str, Any]], only: tuple[str, ...] = ()
) -> None:
    """Insert rows; of those whose primary key is there replace the columns that are given, or `only` some of them."""
    if rows:
        _on_conflict(model, connection.dialect.name, only or tuple(rows[0])).run(connection, list(rows))


def insert_new(connection: Connection, model: type[SQLModel], row: dict[str, Any]) -> bool:
    """Insert a row unless a unique key says that it is there; whether it was new."""
    # Without this option the count of an insert is -1 on PostgreSQL, which would pass for new.
    result = _on_conflict(model, connection.dialect.name, ()).run(connection, row, preserve_rowcount=True)
    return bool(result.rowcount == 1)


def insert_rows(connection: Connection, model: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    """Insert many rows at once."""
    if rows:
        _insert(model).run(connection, list(rows))


@cache
def _insert(model: type[SQLModel]) -> Prepared:
    return Prepared(table(model).insert())
