"""Migrations: they make exactly the tables of the models, once, however often and by however many asked, kill or no kill."""

import multiprocessing
import os
import signal

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, inspect, text

from integrations.store import migrate
from integrations.store.engine import open_store
from models.errors import StoreError


def tables(store):
    with store.read() as connection:
        return set(inspect(connection).get_table_names())


def test_the_tables_are_those_of_the_models(store):
    metadata = migrate.whole_metadata()
    with store.read() as connection:
        options = {"version_table": migrate.VERSION_TABLE, "compare_type": True, "target_metadata": metadata}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    assert tables(store) == {t.name for t in metadata.sorted_tables} | {migrate.VERSION_TABLE}


def test_nothing_but_a_default_of_the_program_fills_a_column(store):
    """Keys and constraints are named by the database; the comparison above does not look at references, so we do."""
    metadata = migrate.whole_metadata()
    with store.read() as connection:
        seen = inspect(connection)
        for each in metadata.sorted_tables:
            wanted = {(tuple(k.column_keys), k.referred_table.name) for k in each.foreign_key_constraints}
            found = {(tuple(k["constrained_columns"]), k["referred_table"]) for k in seen.get_foreign_keys(each.name)}
            assert found == wanted, each.name
            key = [column.name for column in each.primary_key]
            assert sorted(seen.get_pk_constraint(each.name)["constrained_columns"]) == sorted(key), each.name
            wanted_nulls = {c.name: c.nullable for c in each.c}
            assert {c["name"]: c["nullable"] for c in seen.get_columns(each.name)} == wanted_nulls


def test_an_upgrade_is_done_once(empty_store):
    assert migrate.current(empty_store) is None
    assert migrate.upgrade(empty_store) is True
    assert migrate.current(empty_store) == migrate.head()
    before = tables(empty_store)
    assert migrate.upgrade(empty_store) is False
    assert tables(empty_store) == before
    migrate.require_current(empty_store)


def test_the_newest_step_is_the_end_of_one_line_of_steps():
    script = ScriptDirectory(str(migrate.FOLDER))
    assert script.get_heads() == [migrate.head()]
    for revision in script.walk_revisions():
        assert os.path.basename(revision.path).startswith(f"{revision.revision}_")


def test_another_version_is_refused_with_what_mends_it(store, empty_store):
    def stands_at(number):
        with store.write() as connection:
            connection.execute(text(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '{number}'"))

    stands_at("0000")
    with pytest.raises(StoreError, match="older version; back it up and run `tending upgrade`"):
        migrate.require_current(store)
    stands_at("9999")
    with pytest.raises(StoreError, match="newer Tending"):
        migrate.require_current(store)
    with pytest.raises(StoreError, match="newer Tending"):
        migrate.upgrade(store)


def test_a_database_without_tables_is_refused(empty_store):
    with pytest.raises(StoreError, match="has no tables yet"):
        migrate.require_current(empty_store)


def _upgrade(url, start):
    store = open_store(url)
    start.wait(60)
    migrate.upgrade(store)
    store.close()


def test_two_who_upgrade_at_once_are_no_trouble(empty_store, database_url):
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Event()
    both = [spawn.Process(target=_upgrade, args=(database_url, start)) for _ in range(2)]
    for one in both:
        one.start()
    start.set()
    for one in both:
        one.join(60)
    assert [one.exitcode for one in both] == [0, 0]
    migrate.require_current(empty_store)


def _die_at(url, number):
    store = open_store(url)
    seen = 0

    @event.listens_for(store.engine, "before_cursor_execute")
    def count(*_):
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    migrate.upgrade(store)
    os._exit(7)


def _die_at_each(url, answers):
    """Runs in a process of its own, so that each fork is of a program with one thread and no connection."""
    number = 1
    while True:
        child = os.fork()
        if child == 0:
            _die_at(url, number)
        _, status = os.waitpid(child, 0)
        store = open_store(url)
        answers.put((migrate.current(store), sorted(tables(store))))
        store.close()
        if os.WIFEXITED(status):
            answers.put(os.WEXITSTATUS(status))
            return
        number += 9


@pytest.mark.long
def test_a_kill_leaves_no_tables_or_all(empty_store, database_url):
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    process = spawn.Process(target=_die_at_each, args=(database_url, answers))
    process.start()
    states = []
    while not isinstance(answer := answers.get(timeout=60), int):
        states.append(answer)
    process.join(60)
    assert answer == 7, "the last run went through"
    *killed, last = states
    assert len(killed) > 4
    assert all(state == (None, []) for state in killed)
    assert last[0] == migrate.head()
