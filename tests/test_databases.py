"""The databases that tests get: both kinds answer, start empty, and leave nothing behind."""

from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url


def test_a_fresh_database_is_empty_and_writable(database_url):
    engine = create_engine(database_url)
    assert inspect(engine).get_table_names() == []
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE made (id INTEGER PRIMARY KEY)"))
    assert inspect(engine).get_table_names() == ["made"]
    engine.dispose()


def test_two_postgres_databases_are_apart(postgres_database_url, postgres_url):
    assert make_url(postgres_database_url).database != make_url(postgres_url).database
    assert make_url(postgres_database_url).drivername == "postgresql+psycopg"
