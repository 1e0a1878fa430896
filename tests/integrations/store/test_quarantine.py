"""The quarantine: the same input is held once and shown without content; opening is audited; and moving to a new key."""

import pytest
from sqlalchemy import LargeBinary, select

from integrations.store import facts, quarantine
from integrations.store.engine import SQLITE
from integrations.store.migrate import whole_metadata
from integrations.store.reseal import AT_ONCE, SEALED, reseal
from integrations.store.tables import insert_rows, table
from integrations.vault import Vault
from models.audit import Audit
from models.errors import SettingsError, UsageError
from models.observations import Observation, Reject
from models.people import Client
from models.quarantine import Quarantine, QuarantineState

NOW = 1_790_000_000
CANARY = "Żaneta Öztürk-Łabędź"


def rejected(row, *, place=None, client="", reason="bad-date"):
    sentence = f"appointments.csv, row {row}: the date cannot be read; write it as 2026-11-03."
    return Reject(place or f"appointments.csv:{row}", reason, sentence, f"{CANARY},{row}".encode(), client_id=client)


@pytest.fixture
def client(store):
    with store.write() as connection:
        insert_rows(connection, Client, [{"code": "C-7F3K9QX", "ref_hash": "r"}])
        return facts.ids_of_codes(connection, ["C-7F3K9QX"])["C-7F3K9QX"]


@pytest.fixture
def hold(store, vault):
    def held(*rejects, at=NOW, source="records", clients=None):
        with store.write() as connection:
            return quarantine.hold(connection, vault, source, rejects, at, clients)

    return held


def stored(store, *names):
    with store.read() as connection:
        rows = table(Quarantine)
        return [tuple(row) for row in connection.execute(select(*(rows.c[n] for n in names)).order_by(rows.c.id))]


def test_what_is_held_is_listed_without_its_content(store, hold, client):
    came = hold(rejected(2, client="17"), rejected(3), clients={"17": client})
    assert (came.new, came.again, came.discarded) == (2, 0, 0)
    first, second = quarantine.listed(store)
    assert (first.source, first.place, first.reason) == ("records", "appointments.csv:2", "bad-date")
    assert (first.client_code, first.seen_at, first.state) == ("C-7F3K9QX", NOW, QuarantineState.held)
    assert second.client_code == ""
    assert CANARY not in repr((first, second))
    assert quarantine.listed(store, "calendar") == []
    with store.read() as connection:
        assert quarantine.counts(connection) == {"records": 2}


def test_the_same_input_is_held_once_and_brought_up_to_date(store, hold, client):
    hold(rejected(2), rejected(3))
    before = stored(store, "id", "seen_at", "raw")
    came = hold(rejected(2, place="appointments.csv:9", client="17"), rejected(3), at=NOW + 60, clients={"17": client})
    assert (came.new, came.again) == (0, 2)
    assert stored(store, "id", "seen_at", "raw") == before
    assert stored(store, "place", "client_id") == [("appointments.csv:9", client), ("appointments.csv:3", None)]


def test_rejects_that_are_equal_in_one_reading_are_one_row(store, hold):
    assert hold(rejected(2), rejected(2)).new == 1
    assert hold(rejected(2), source="other").new == 1
    assert len(quarantine.listed(store)) == 2


def test_the_same_bad_rows_again_write_nothing(store, hold):
    hold(rejected(2), rejected(3))
    if store.dialect == SQLITE:
        with store.write() as connection:
            before = connection.exec_driver_sql("SELECT total_changes()").scalar()
        hold(rejected(2), rejected(3), at=NOW + 60)
        with store.write() as connection:
            assert connection.exec_driver_sql("SELECT total_changes()").scalar() == before
    else:
        before = stored_versions(store)
        hold(rejected(2), rejected(3), at=NOW + 60)
        assert stored_versions(store) == before


def stored_versions(store):
    with store.read() as connection:
        return connection.exec_driver_sql("SELECT xmin::text FROM quarantine ORDER BY id").scalars().all()


def test_a_large_rejection_is_held_whole(store, hold):
    many = [rejected(n) for n in range(1203)]
    assert hold(*many).new == 1203
    assert hold(*many).again == 1203


@pytest.mark.parametrize("state", [QuarantineState.gone, QuarantineState.retried])
def test_what_is_rejected_no_longer_is_let_go(store, hold, state):
    hold(rejected(2), rejected(3))
    hold(rejected(4), source="other")
    came = hold(rejected(3), at=NOW + 60)
    with store.write() as connection:
        assert quarantine.let_go(connection, "records", came.hashes, NOW + 60, state) == 1
    assert [item.place for item in quarantine.listed(store)] == ["appointments.csv:3", "appointments.csv:4"]
    (gone,) = [item for item in quarantine.listed(store, all_states=True) if item.state is state]
    assert (gone.place, gone.decided_at) == ("appointments.csv:2", NOW + 60)


def test_what_had_gone_and_comes_back_is_held_again(store, hold):
    hold(rejected(2))
    with store.write() as connection:
        quarantine.let_go(connection, "records", frozenset(), NOW + 60)
    assert quarantine.listed(store) == []
    assert hold(rejected(2), at=NOW + 120).again == 1
    (item,) = quarantine.listed(store)
    assert (item.state, item.decided_at) == (QuarantineState.held, None)


def test_opening_shows_the_content_and_is_audited(store, hold, vault, client):
    hold(rejected(2, client="17"), clients={"17": client})
    (item,) = quarantine.listed(store)
    seen = quarantine.opened(store, vault, item.id, "ann", NOW + 5)
    assert seen.raw.decode() == f"{CANARY},2"
    with store.read() as connection:
        acts = table(Audit)
        (act,) = connection.execute(select(acts.c.who, acts.c.act, acts.c.subject, acts.c.details, acts.c.at))
    assert tuple(act) == ("ann", "quarantine opened", "C-7F3K9QX", {"id": item.id, "source": "records"}, NOW + 5)


def test_opening_with_other_keys_shows_nothing_but_is_audited_all_the_same(store, hold, tmp_path):
    hold(rejected(2))
    with pytest.raises(SettingsError):
        quarantine.opened(store, Vault.create(tmp_path / "others"), quarantine.listed(store)[0].id, "eve", NOW)
    with store.read() as connection:
        assert connection.execute(select(table(Audit).c.who)).scalar_one() == "eve"


def test_a_discarded_row_is_not_asked_about_again(store, hold, vault):
    hold(rejected(2))
    (item,) = quarantine.listed(store)
    done = quarantine.discard(store, vault, item.id, "ann", f" {CANARY} moved away ", NOW + 5)
    assert (done.state, done.decided_by, done.decided_at) == (QuarantineState.discarded, "ann", NOW + 5)
    assert quarantine.listed(store) == []
    came = hold(rejected(2, place="elsewhere"), at=NOW + 60)
    assert (came.new, came.again, came.discarded) == (0, 0, 1)
    assert quarantine.listed(store) == []
    assert quarantine.opened(store, vault, item.id, "ann", NOW + 70).why == f"{CANARY} moved away"
    with store.write() as connection:
        assert quarantine.let_go(connection, "records", frozenset(), NOW + 80) == 0


def test_discarding_needs_a_reason_and_a_row_that_is_held(store, hold, vault):
    hold(rejected(2))
    (item,) = quarantine.listed(store)
    with pytest.raises(UsageError, match="needs a reason"):
        quarantine.discard(store, vault, item.id, "ann", "  ", NOW)
    with pytest.raises(UsageError, match=r"no row 999"):
        quarantine.discard(store, vault, 999, "ann", "gone", NOW)
    with pytest.raises(UsageError, match=r"no row 999"):
        quarantine.opened(store, vault, 999, "ann", NOW)
    quarantine.discard(store, vault, item.id, "ann", "not ours", NOW)
    with pytest.raises(UsageError, match="not held any more"):
        quarantine.discard(store, vault, item.id, "ann", "not ours", NOW)


def test_no_content_lies_open_in_the_database(store, hold, vault, tmp_path):
    if store.dialect != SQLITE:
        return
    hold(rejected(2))
    quarantine.discard(store, vault, quarantine.listed(store)[0].id, "ann", CANARY, NOW)
    files = [file.read_bytes() for file in tmp_path.iterdir() if file.name.startswith("tending.db")]
    assert any(b"appointments.csv:2" in content for content in files)  # the search can find
    for shape in (CANARY.encode(), CANARY.encode("utf-16-le"), ascii(CANARY)[1:-1].encode()):
        assert not any(shape in content for content in files)


# ---------------------------------------------------------------- moving to a new key


def test_every_sealed_column_is_moved():
    plain = {("digest", "line"), ("digest", "breaks"), ("digest", "told")}  # packed numbers
    binary = {(t.name, c.name) for t in whole_metadata().sorted_tables for c in t.c if isinstance(c.type, LargeBinary)}
    assert {(table(model).name, column) for model, column in SEALED} == binary - plain


def test_after_moving_the_old_key_can_go(store, hold, vault, tmp_path):
    key_file = tmp_path / "keys"
    count = AT_ONCE + 3
    facts_of = {"source": "s", "kind": "client", "content_hash": "h", "known_at": NOW, "facts": {}}
    rows = [facts_of | {"entry_id": str(i), "sealed": vault.seal({"name": f"{CANARY} {i}"})} for i in range(count)]
    rows.append(facts_of | {"entry_id": "none", "sealed": None})
    with store.write() as connection:
        insert_rows(connection, Observation, rows)
    hold(rejected(2))
    rotated = Vault.rotate(key_file)
    assert reseal(store, rotated) == count + 1
    assert reseal(store, rotated) == 0
    lines = key_file.read_text().splitlines()
    seals = [line for line in lines if line.startswith("seal")]
    key_file.write_text("\n".join(line for line in lines if line != seals[1]))
    only_new = Vault.load(key_file, {})
    with store.read() as connection:
        observations = table(Observation)
        opened = [
            only_new.open(sealed)["name"]
            for sealed in connection.execute(
                select(observations.c.sealed).where(observations.c.sealed.is_not(None)).order_by(observations.c.id)
            ).scalars()
        ]
    assert opened == [f"{CANARY} {i}" for i in range(count)]
    assert quarantine.opened(store, only_new, quarantine.listed(store)[0].id, "ann", NOW).raw.endswith(b",2")
