"""The store: whole transactions, one writer at a time, steady snapshots, flat streaming, and trouble said in a sentence."""

import multiprocessing
import os
import pickle
import signal
import sqlite3
import stat
import threading
import traceback
import tracemalloc

import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError

from integrations.store import facts
from integrations.store.engine import SQLITE, open_store
from integrations.store.migrate import upgrade
from integrations.store.tables import insert_rows, table
from models.errors import StoreError
from models.people import Break
from models.quarantine import Fact


def names(store):
    with store.read() as connection:
        return set(connection.execute(select(table(Fact).c.name)).scalars())


def test_a_write_is_whole_or_not_at_all(store):
    with store.write() as connection:
        facts.put(connection, "one", "1")

    def fail():
        with store.write() as connection:
            facts.put(connection, "two", "2")
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()
    assert names(store) == {"one"}


def test_a_read_cannot_write(store):
    with pytest.raises((StoreError, DBAPIError)), store.read() as connection:
        facts.put(connection, "one", "1")
    assert names(store) == set()


def test_a_read_sees_one_state_while_others_write(store):
    with store.read() as connection:
        assert facts.get(connection, "one") is None
        with store.write() as other:
            facts.put(other, "one", "1")
        assert facts.get(connection, "one") is None
    with store.read() as connection:
        assert facts.get(connection, "one") == "1"


def test_a_broken_constraint_stays_an_integrity_error_and_shows_no_values(store):
    with store.write() as connection:
        insert_rows(connection, Fact, [{"name": "one", "value": "Ann Example"}])
    with pytest.raises(IntegrityError) as broken, store.write() as connection:
        insert_rows(connection, Fact, [{"name": "one", "value": "Ann Example"}])
    assert "Ann" not in str(broken.value)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO fact (name) VALUES (:who)",
        "INSERT INTO client (code, status) VALUES (:who, :who)",
        "INSERT INTO look (client_id, next_look, looked_at, basis, blind) VALUES (CAST(:who AS INTEGER), 0, 0, :who, false)",
        "SELECT 1 FROM fact WHERE CAST(:who AS INTEGER) = 1",
        "SELECT nonsense FROM fact WHERE name = :who",
    ],
)
def test_errors_name_the_schema_and_never_a_value(store, statement):
    canary = "Żaneta Öztürk"
    with store.write() as connection:
        insert_rows(connection, Fact, [{"name": "one", "value": canary}])
    errors = [error for use in (_write_it, _stream_it) if (error := _error_of(use, store, statement, canary))]
    assert errors or store.dialect == SQLITE  # which takes any text for a number
    for error in errors:
        assert canary not in "".join(traceback.format_exception(error)) + repr(error.__dict__)
        assert canary.encode() not in pickle.dumps(error)
        if isinstance(error, IntegrityError):
            assert any(name in str(error) for name in ("fact", "client", "look", "FOREIGN KEY"))


def _error_of(use, *arguments):
    try:
        use(*arguments)
    except Exception as error:  # whatever it is, no value may show in it
        return error
    return None


def _write_it(store, statement, value):
    with store.write() as connection:
        connection.execute(text(statement), {"who": value})


def _stream_it(store, statement, value):
    list(store.stream(statement, {"who": value}))


def test_references_are_kept(store):
    from datetime import date

    row = {"source": "s", "entry_id": "b", "client_id": 7, "from_on": date(2026, 1, 1), "to_on": date(2026, 1, 2)}
    with pytest.raises(IntegrityError), store.write() as connection:
        insert_rows(connection, Break, [row])


def test_a_write_inside_a_write_is_refused_at_once(store):
    if store.dialect != SQLITE:
        return
    with pytest.raises(RuntimeError, match="inside a write"), store.write(), store.write():
        pass
    with store.write() as connection:  # and the turn was given back
        facts.put(connection, "one", "1")


def test_threads_that_count_lose_no_count(store):
    def count():
        for _ in range(25):
            with store.write() as connection:
                if store.dialect != SQLITE:
                    connection.execute(text("SELECT pg_advisory_xact_lock(1)"))
                facts.put(connection, "count", str(int(facts.get(connection, "count") or 0) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as connection:
        assert facts.get(connection, "count") == "100"


def _count_in_another_process(url, times):
    store = open_store(url)
    for _ in range(times):
        with store.write() as connection:
            if store.dialect != SQLITE:
                connection.execute(text("SELECT pg_advisory_xact_lock(1)"))
            facts.put(connection, "count", str(int(facts.get(connection, "count") or 0) + 1))
    store.close()


def test_processes_that_count_lose_no_count(store, database_url):
    spawn = multiprocessing.get_context("spawn")
    others = [spawn.Process(target=_count_in_another_process, args=(database_url, 30)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
    assert [other.exitcode for other in others] == [0, 0]
    with store.read() as connection:
        assert facts.get(connection, "count") == "60"


def _die_inside_a_write(url):
    store = open_store(url)
    with store.write() as connection:
        facts.put(connection, "committed", "1")
    with store.write() as connection:
        facts.put(connection, "open", "1")
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_kill_loses_the_open_write_and_nothing_else(store, database_url):
    other = multiprocessing.get_context("spawn").Process(target=_die_inside_a_write, args=(database_url,))
    other.start()
    other.join(60)
    assert other.exitcode == -signal.SIGKILL
    assert names(store) == {"committed"}
    with store.write() as connection:  # and nobody waits for the dead
        facts.put(connection, "after", "1")


def test_the_pulse_tells_of_commits_and_only_now_and_then_of_nothing(store, database_url):
    before = store.pulse()
    assert store.pulse() == before
    names(store)
    assert store.pulse() == before
    with store.write() as connection:
        facts.put(connection, "one", "1")
    mine = store.pulse()
    assert mine != before
    other = open_store(database_url)
    with other.write() as connection:
        facts.put(connection, "two", "1")
    other.close()
    assert store.pulse() != mine


def test_a_commit_out_of_order_is_not_missed(store):
    """Two writers of PostgreSQL: the one that began first commits last."""
    if store.dialect == SQLITE:
        return
    with store.write() as early:
        facts.put(early, "early", "1")
        with store.write() as late:
            facts.put(late, "late", "1")
        between = store.pulse()
    assert store.pulse() != between


def test_streaming_gives_all_rows_in_flat_memory(store):
    with store.write() as connection:
        insert_rows(connection, Fact, [{"name": f"{i:06d}", "value": "x" * 200} for i in range(20_000)])
    facts_table = table(Fact)
    for query, parameters in (
        (select(facts_table.c.name, facts_table.c.value).order_by(facts_table.c.name), None),
        ("SELECT name, value FROM fact WHERE name >= :first ORDER BY name", {"first": "000000"}),
    ):
        tracemalloc.start()
        count = 0
        for number, (name, value) in enumerate(store.stream(query, parameters)):
            assert (name, len(value)) == (f"{number:06d}", 200)
            count += 1
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count == 20_000
        assert most < 4_000_000  # all rows at once would be more than 5 MB


def test_streaming_takes_lists_bytes_and_an_early_end(store):
    with store.write() as connection:
        insert_rows(connection, Fact, [{"name": str(i), "value": str(i)} for i in range(10)])
    facts_table = table(Fact)
    some = select(facts_table.c.name).where(facts_table.c.name.in_(["1", "2", "77"])).order_by(facts_table.c.name)
    assert list(store.stream(some)) == [("1",), ("2",)]
    rows = store.stream(select(facts_table.c.name))
    next(rows)
    rows.close()
    with store.write() as connection:
        facts.put(connection, "after", "1")


# ---------------------------------------------------------------- addresses and trouble


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "cannot be read"),
        ("not an address", "cannot be read"),
        ("postgresql://u:geheim@h:port/x", "cannot be read"),
        ("mysql://u:geheim@h/x", "not supported"),
        ("nonsense://u:geheim@h/x", "not supported"),
        ("postgresql+asyncpg://u:geheim@h/x", "without a driver"),
        ("postgresql://u:geheim@h", "names no database"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:////nowhere/at/all/x.db", "folder /nowhere/at/all"),
        ("sqlite:////tmp", "names the folder"),
        ("postgresql://u:geheim@127.0.0.1:1/x", "cannot be reached"),
        ("postgresql://u:geheim@no-such-host.invalid/x", "host of the database"),
        ("postgresql://u:geheim@127.0.0.1/x?nonsense=1", "not understood"),
    ],
)
def test_an_address_that_does_not_work_gets_a_sentence_without_the_password(url, says):
    with pytest.raises(StoreError, match=says) as refused:
        open_store(url)
    assert "geheim" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_both_spellings_of_postgresql_work(postgres_database_url):
    for scheme in ("postgresql", "postgresql+psycopg"):
        url = make_url(postgres_database_url).set(drivername=scheme).render_as_string(hide_password=False)
        open_store(url).close()


def test_a_database_or_role_that_is_not_there_is_said(postgres_database_url):
    url = make_url(postgres_database_url)
    with pytest.raises(StoreError, match=r"does not exist; create it"):
        open_store(url.set(database="nowhere").render_as_string(hide_password=False))
    with pytest.raises(StoreError, match="user or password"):
        open_store(url.set(username="nobody_here").render_as_string(hide_password=False))


def test_a_server_that_was_restarted_costs_nobody_a_transaction(postgres_database_url):
    store = open_store(postgres_database_url)
    pulse = store.pulse()
    other = open_store(postgres_database_url)
    with other.write() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"))
    other.close()
    with store.read() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    assert isinstance(store.pulse(), int)
    assert isinstance(pulse, int)
    store.close()


def test_a_connection_cut_in_the_middle_is_said(postgres_database_url):
    store = open_store(postgres_database_url)
    with pytest.raises(StoreError, match=r"stopped or interrupted|cannot be reached"), store.write() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    store.close()


def test_a_file_that_is_no_database_is_said(tmp_path):
    file = tmp_path / "practice.csv"
    file.write_text("name,date\n" * 500)
    with pytest.raises(StoreError, match="is not a database"):
        open_store(f"sqlite:///{file}")
    assert file.read_text().startswith("name,date")


def test_a_damaged_file_is_said(sqlite_database_url, tmp_path):
    store = open_store(sqlite_database_url)
    upgrade(store)
    store.close()
    file = tmp_path / "tending.db"
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(bytes(content))
    with pytest.raises(StoreError, match=r"damaged|is not a database"):
        names(open_store(sqlite_database_url))


def test_a_full_disk_is_said_and_nothing_is_half_written(sqlite_database_url):
    store = open_store(sqlite_database_url)
    upgrade(store)
    with store.write() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages + 2}"))  # SQLite's own full disk
    many = [{"name": str(i), "value": "x" * 500} for i in range(500)]
    with pytest.raises(StoreError, match="no room left"), store.write() as connection:
        insert_rows(connection, Fact, many)
    assert names(store) == set()
    store.close()


def test_a_locked_file_is_said(sqlite_database_url, tmp_path):
    store = open_store(sqlite_database_url, busy_seconds=0.1)
    holder = sqlite3.connect(tmp_path / "tending.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="busy for too long"), store.write() as connection:
        facts.put(connection, "one", "1")
    holder.close()
    store.close()


def test_a_new_file_is_for_its_owner_alone(sqlite_database_url, tmp_path):
    store = open_store(sqlite_database_url)
    with store.write() as connection:
        connection.execute(text("CREATE TABLE made (id INTEGER PRIMARY KEY)"))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    store.close()
    assert modes == dict.fromkeys(("tending.db", "tending.db-wal", "tending.db-shm"), 0o600)


def test_sent_rows_outlive_a_power_cut(sqlite_database_url):
    """SQLite promises it for WAL with synchronous FULL; we promise that every writing connection has both."""
    store = open_store(sqlite_database_url)
    with store.write() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    store.close()
