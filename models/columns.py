"""Column shapes shared by all tables: counting ids, instants, JSON facts."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Integer
from sqlmodel import Field

# SQLite counts only INTEGER primary keys by itself; PostgreSQL needs 64 bits.
BigId = BigInteger().with_variant(Integer, "sqlite")


def row_id() -> Any:
    """A primary key that the database counts."""
    return Field(default=None, primary_key=True, sa_type=BigId)


def instant(default: int | None = None, *, nullable: bool = False, index: bool = False) -> Any:
    """An instant column, seconds since 1970 UTC."""
    if nullable:
        return Field(default=default, sa_type=BigInteger, nullable=True, index=index)
    if default is None:
        return Field(sa_type=BigInteger, nullable=False, index=index)
    return Field(default=default, sa_type=BigInteger, nullable=False, index=index)


def instant_key() -> Any:
    """An instant column that is part of the primary key."""
    return Field(primary_key=True, sa_type=BigInteger)


def json_facts() -> Any:
    """A column of allow-listed facts, never identity."""
    return Field(default_factory=dict, sa_type=JSON)
