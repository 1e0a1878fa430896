"""The quarantine: the same input is held once and shown without content; opening is audited; and moving to a new key."""

import pytest
from sqlalchemy import LargeBinary, select

from integrations.store import facts, quarantine, rejected
from integrations.store.engine import SQLITE
from integrations.store.migrate import whole_metadata
from integrations.store.people import ref_hash
from integrations.store.reseal import AT_ONCE, SEALED, reseal
from integrations.store.tables import insert_rows, table
from integrations.vault import Vault
from models.audit import Audit
from models.entries import Reject
from models.errors import SettingsError, UsageError
from models.observations import Observation
from models.people import Client
from models.quarantine import Quarantine, QuarantineState
from models.settings_source import SourcePart

NOW = 1_790_000_000
CANARY = "Żaneta Öztürk-Łabędź"


def a_reject(row, *, place=None, client="", reason="bad-date"):
    sentence = f"appointments.csv, row {row}: the date cannot be read; write it as 2026-11-03."
    return Reject(
        place or f"appointments.csv:{row}",
        reason,
        sentence,
        f"{CANARY},{row}".encode(),
        client_ids=(client,) if client else (),
    )


@pytest.fixture
def client(store, vault):
    with store.write() as connection:
        insert_rows(connection, Client, [{"code": "C-7F3K9QX", "ref_hash": ref_hash(vault, "17")}])
        return facts.ids_of_codes(connection, ["C-7F3K9QX"])["C-7F3K9QX"]


@pytest.fixture
def hold(store, vault):
    def held(*rejects, at=NOW, source="records"):
        part = SourcePart(name=source, kind="records", path="exports")
        with store.write() as connection:
            came = quarantine.hold(connection, vault, part, rejects, at)
            ids = [text for reject in rejects for text in reject.client_ids]
            rejected.find(connection, vault, source, came.hashes, ids)
        return came

    return held


def stored(store, *names):
    with store.read() as connection:
        rows = table(Quarantine)
        return [tuple(row) for row in connection.execute(select(*(rows.c[n] for n in names)).order_by(rows.c.id))]


def test_what_is_held_is_listed_without_its_content(store, hold, client):
    came = hold(a_reject(2, client="17"), a_reject(3))
    assert (came.new, came.again, came.discarded) == (2, 0, 0)
    first, second = quarantine.listed(store)
    assert (first.source, first.place, first.reason) == ("records", "appointments.csv:2", "bad-date")
    assert (first.codes, first.seen_at, first.state) == (("C-7F3K9QX",), NOW, QuarantineState.held)
    assert second.codes == ()
    assert CANARY not in repr((first, second))
    assert quarantine.listed(store, "calendar") == []
    with store.read() as connection:
        assert quarantine.counts(connection) == {"records": 2}


def test_the_same_input_is_held_once_and_brought_up_to_date(store, hold, client):
    hold(a_reject(2), a_reject(3))
    before = stored(store, "id", "seen_at", "raw")
    came = hold(a_reject(2, place="appointments.csv:9", client="17"), a_reject(3), at=NOW + 60)
    assert (came.new, came.again) == (0, 2)
    assert stored(store, "id", "seen_at", "raw") == before
    assert stored(store, "place") == [("appointments.csv:9",), ("appointments.csv:3",)]
    assert [item.codes for item in quarantine.listed(store)] == [("C-7F3K9QX",), ()]


def test_rejects_that_are_equal_in_one_reading_are_one_row(store, hold):
    assert hold(a_reject(2), a_reject(2)).new == 1
    assert hold(a_reject(2), source="other").new == 1
    assert len(quarantine.listed(store)) == 2


def test_the_same_bad_rows_again_write_nothing(store, hold):
    hold(a_reject(2), a_reject(3))
    if store.dialect == SQLITE:
        with store.write() as connection:
            before = connection.exec_driver_sql("SELECT total_changes()").scalar()
        hold(a_reject(2), a_reject(3), at=NOW + 60)
        with store.write() as connection:
            assert connection.exec_driver_sql("SELECT total_changes()").scalar() == before
    else:
        before = stored_versions(store)
        hold(a_reject(2), a_reject(3), at=NOW + 60)
        assert stored_versions(store) == before


def stored_versions(store):
    with store.read() as connection:
        return connection.exec_driver_sql("SELECT xmin::text FROM quarantine ORDER BY id").scalars().all()


def test_a_large_rejection_is_held_whole(store, hold):
    many = [a_reject(n) for n in range(1203)]
    assert hold(*many).new == 1203
    assert hold(*many).again == 1203


@pytest.mark.parametrize("state", [QuarantineState.gone, QuarantineState.retried])
def test_what_is_rejected_no_longer_is_let_go(store, hold, state):
    hold(a_reject(2), a_reject(3))
    hold(a_reject(4), source="other")
    came = hold(a_reject(3), at=NOW + 60)
    with store.write() as connection:
        assert quarantine.let_go(connection, "records", came.hashes, NOW + 60, state) == 1
    assert [item.place for item in quarantine.listed(store)] == ["appointments.csv:3", "appointments.csv:4"]
    (gone,) = [item for item in quarantine.listed(store, all_states=True) if item.state is state]
    assert (gone.place, gone.decided_at) == ("appointments.csv:2", NOW + 60)


def test_what_had_gone_and_comes_back_is_held_again(store, hold):
    hold(a_reject(2))
    with store.write() as connection:
        quarantine.let_go(connection, "records", frozenset(), NOW + 60)
    assert quarantine.listed(store) == []
    assert hold(a_reject(2), at=NOW + 120).again == 1
    (item,) = quarantine.listed(store)
    assert (item.state, item.decided_at) == (QuarantineState.held, None)


def test_opening_shows_the_content_and_is_audited(store, hold, vault, client):
    hold(a_reject(2, client="17"))
    (item,) = quarantine.listed(store)
    seen = quarantine.opened(store, vault, item.id, "ann", NOW + 5)
    assert seen.raw.decode() == f"{CANARY},2"
    with store.read() as connection:
        acts = table(Audit)
        (act,) = connection.execute(select(acts.c.who, acts.c.act, acts.c.subject, acts.c.details, acts.c.at))
    assert tuple(act) == ("ann", "quarantine opened", "C-7F3K9QX", {"id": item.id, "source": "records"}, NOW + 5)


def test_opening_with_other_keys_shows_nothing_but_is_audited_all_the_same(store, hold, tmp_path):
    hold(a_reject(2))
    with pytest.raises(SettingsError):
        quarantine.opened(store, Vault.create(tmp_path / "others"), quarantine.listed(store)[0].id, "eve", NOW)
    with store.read() as connection:
        assert connection.execute(select(table(Audit).c.who)).scalar_one() == "eve"


def test_a_discarded_row_is_not_asked_about_again(store, hold, vault):
    hold(a_reject(2))
    (item,) = quarantine.listed(store)
    done = quarantine.discard(store, vault, item.id, "ann", f" {CANARY} moved away ", NOW + 5)
    assert (done.state, done.decided_by, done.decided_at) == (QuarantineState.discarded, "ann", NOW + 5)
    assert quarantine.listed(store) == []
    came = hold(a_reject(2, place="elsewhere"), at=NOW + 60)
    assert (came.new, came.again, came.discarded) == (0, 0, 1)
    assert quarantine.listed(store) == []
    assert quarantine.opened(store, vault, item.id, "ann", NOW + 70).why == f"{CANARY} moved away"
    with store.write() as connection:
        assert quarantine.let_go(connection, "records", frozenset(), NOW + 80) == 0


def test_discarding_needs_a_reason_and_a_row_that_is_held(store, hold, vault):
    hold(a_reject(2))
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
    hold(a_reject(2))
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
    hold(a_reject(2))
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
