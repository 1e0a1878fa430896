"""Rows of a practice's store, for tests of the demonstration."""

from typing import Any

from sqlalchemy import select
from sqlmodel import SQLModel

from integrations.practice import Practice
from integrations.store.tables import table


def rows_of(practice: Practice, model: type[SQLModel]) -> list[Any]:
    """All rows of a table in the order of their keys."""
    rows = table(model)
    with practice.store.read() as connection:
        return list(connection.execute(select(rows).order_by(*rows.primary_key.columns)))
