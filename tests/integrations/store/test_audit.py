"""The audit: append-only by the database's own hand, sealed in order, and a cut tail or a rewritten past is found."""

import threading

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from integrations.store import audit
from integrations.store.engine import SQLITE, open_store
from integrations.store.tables import table
from models.audit import Audit, next_seal
from models.errors import UsageError


def acts(store, count, start=0):
    with store.write() as connection:
        for i in range(start, start + count):
            audit.record(
                connection, 1_790_000_000 + i, "ann@desk", "seen", f"C-{i:07d}", {"n": i, "how": ["käse", 1.5]}
            )


def head_of(store):
    with store.read() as connection:
        return audit.head(connection)


def unguarded(store):
    """Whoever owns the database can drop the triggers: then only the seals tell."""
    with store.write() as connection:
        if store.dialect == SQLITE:
            for name in ("audit_stays", "audit_is_sealed_once", "audit_is_new"):
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("DROP FUNCTION audit_guard CASCADE"))


def run(store, statement):
    with store.write() as connection:
        connection.execute(text(statement))


def test_a_sealed_audit_is_whole_and_its_head_moves_on(store):
    assert audit.verify(store) == (0, 0, "", None, None)
    acts(store, 5)
    assert audit.verify(store).waiting == 5
    assert audit.seal_all(store) == 5
    first = audit.verify(store)
    assert (first.length, first.waiting, first.broken_at, first.whole) == (5, 0, None, True)
    assert first.head == head_of(store)
    acts(store, 3, start=5)
    assert audit.seal_all(store) == 3
    assert audit.seal_all(store) == 0
    later = audit.verify(store, first.head)
    assert (later.length, later.head_fits, later.whole) == (8, True, True)
    assert later.head != first.head


def test_more_than_one_round_of_sealing(store):
    acts(store, audit.AT_ONCE + 7)
    assert audit.seal_all(store) == audit.AT_ONCE + 7
    assert audit.verify(store).whole
    with store.read() as connection:
        rows = connection.execute(select(audit.AUDIT.c.place).order_by(audit.AUDIT.c.id)).scalars().all()
    assert rows == list(range(1, audit.AT_ONCE + 8))


def test_an_act_is_gone_when_its_transaction_is(store):
    def fail():
        with store.write() as connection:
            audit.record(connection, 1, "ann@desk", "seen")
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()
    assert audit.verify(store).waiting == 0


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)",
        "UPDATE audit SET who = 'nobody'",
        "UPDATE audit SET details = '{}'",
        "UPDATE audit SET at = at + 1",
        "UPDATE audit SET place = place + 100",
        "UPDATE audit SET seal = 'x'",
        "UPDATE audit SET place = NULL, seal = ''",
        "INSERT INTO audit (at, who, act, subject, details, place, seal) VALUES (1, 'x', 'y', '', '{}', 99, 'z')",
    ],
)
@pytest.mark.parametrize("sealed", [True, False])
def test_the_database_itself_refuses_changes(store, statement, sealed):
    acts(store, 3)
    if sealed:
        audit.seal_all(store)
    with pytest.raises(DBAPIError, match=r"append.only"):
        run(store, statement)
    audit.seal_all(store)
    assert audit.verify(store).length == 3
    assert audit.verify(store).whole


def test_replacing_and_truncating_are_refused_too(store):
    acts(store, 3)
    if store.dialect == SQLITE:
        statement = "INSERT OR REPLACE INTO audit (id, at, who, act, subject, details, seal) VALUES (2, 1, 'x', 'y', '', '{}', '')"
    else:
        statement = "TRUNCATE audit"
    with pytest.raises(DBAPIError, match=r"append.only"):
        run(store, statement)


@pytest.mark.parametrize(
    ("damage", "broken_at"),
    [
        ("UPDATE audit SET who = 'nobody' WHERE place = 3", 3),
        ("UPDATE audit SET at = at + 1 WHERE place = 1", 1),
        ("UPDATE audit SET subject = '' WHERE place = 6", 6),
        ("UPDATE audit SET details = '{}' WHERE place = 2", 2),
        ("DELETE FROM audit WHERE place = 4", 4),
        ("DELETE FROM audit WHERE place <= 2", 1),
        ("UPDATE audit SET seal = 'x' WHERE place = 5", 5),
    ],
)
def test_a_change_past_the_triggers_is_found_where_it_is(store, damage, broken_at):
    acts(store, 6)
    audit.seal_all(store)
    unguarded(store)
    run(store, damage)
    found = audit.verify(store)
    assert found.broken_at == broken_at
    assert not found.whole


def test_a_row_made_anew_with_its_own_seal_does_not_fit_those_after_it(store):
    """Each seal binds a row to the one before: whoever alters one would have to make all later ones anew."""
    acts(store, 6)
    audit.seal_all(store)
    unguarded(store)
    run(store, "UPDATE audit SET who = 'nobody' WHERE place = 3")
    rows = table(Audit)
    with store.write() as connection:
        before = connection.execute(select(rows.c.seal).where(rows.c.place == 2)).scalar_one()
        altered = connection.execute(select(rows).where(rows.c.place == 3)).one()
        seal = next_seal(before, 3, altered)
        assert seal != altered.seal
        connection.execute(update(rows).where(rows.c.place == 3).values(seal=seal))
    assert audit.verify(store).broken_at == 4


def test_a_cut_tail_is_found_by_an_earlier_head_alone(store):
    acts(store, 6)
    audit.seal_all(store)
    head = head_of(store)
    unguarded(store)
    run(store, "DELETE FROM audit WHERE place > 4")
    assert audit.verify(store).whole
    found = audit.verify(store, head)
    assert (found.head_fits, found.broken_at, found.length) == (False, None, 4)
    assert not found.whole


def test_a_past_made_anew_is_found_by_an_earlier_head_alone(store):
    acts(store, 6)
    audit.seal_all(store)
    head = head_of(store)
    unguarded(store)
    run(store, "UPDATE audit SET place = NULL, seal = '', who = 'nobody'")
    audit.seal_all(store)
    assert audit.verify(store).whole
    assert audit.verify(store, head).head_fits is False


@pytest.mark.parametrize("head", ["12", "x:abc", "3:abc", ":" + "0" * 32])
def test_a_head_that_is_none_is_refused_with_an_example(store, head):
    with pytest.raises(UsageError, match="copy it whole"):
        audit.verify(store, head)


def test_two_sealers_give_no_place_twice(store, database_url):
    acts(store, 400)
    other = open_store(database_url)
    counts = []
    threads = [threading.Thread(target=lambda s=s: counts.append(audit.seal_all(s))) for s in (store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert sum(counts) == 400
    assert audit.verify(store).whole
    assert audit.verify(store).length == 400
