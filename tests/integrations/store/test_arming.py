"""Arming: a new installation, a restored backup and a copied folder stay silent until a person arms them; and leases."""

import multiprocessing
import os
import shutil
import signal
import stat
from contextlib import ExitStack

import pytest
from sqlalchemy import select

from integrations.store import arming, facts
from integrations.store.arming import Arming
from integrations.store.engine import open_store
from integrations.store.leases import LeaseHeld, alive, lease
from integrations.store.tables import table
from models.audit import Audit
from models.quarantine import Lease

NOW = 1_790_000_000


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def acts(store):
    with store.read() as connection:
        return list(connection.execute(select(table(Audit).c.act).order_by(table(Audit).c.id)).scalars())


def test_a_new_installation_is_silent_until_a_person_arms_it(store, data):
    assert arming.state(store, data) is Arming.never
    assert not arming.armed(store, data)
    arming.arm(store, data, "ann", NOW)
    assert arming.armed(store, data)
    assert stat.S_IMODE((data / arming.FILE).stat().st_mode) == 0o600
    assert acts(store) == ["armed"]


def test_a_database_without_its_file_is_a_copy(store, data, tmp_path):
    arming.arm(store, data, "ann", NOW)
    restored = tmp_path / "restored"
    restored.mkdir()
    assert arming.state(store, restored) is Arming.copy
    (data / arming.FILE).unlink()
    assert arming.state(store, data) is Arming.copy
    arming.arm(store, data, "ann", NOW)
    assert arming.armed(store, data)


def test_a_copied_folder_is_a_copy_though_the_token_came_along(store, data, tmp_path):
    arming.arm(store, data, "ann", NOW)
    copied = tmp_path / "copied"
    shutil.copytree(data, copied)
    assert arming.state(store, copied) is Arming.copy
    moved = data.rename(tmp_path / "moved")
    assert arming.armed(store, moved)


@pytest.mark.parametrize("content", ["", "\n", "0" * 32, "0" * 32 + " 1", "Zoë"])
def test_a_strange_file_is_no_permission(store, data, content):
    arming.arm(store, data, "ann", NOW)
    (data / arming.FILE).write_text(content)
    assert arming.state(store, data) is Arming.copy


def test_an_empty_token_in_the_database_is_no_permission(store, data):
    with store.write() as connection:
        facts.put(connection, arming.FACT, "x")
    (data / arming.FILE).write_text("")
    assert not arming.armed(store, data)


def test_arming_a_second_place_silences_the_first(store, data, tmp_path):
    arming.arm(store, data, "ann", NOW)
    second = tmp_path / "second"
    second.mkdir()
    arming.arm(store, second, "ann", NOW)
    assert arming.armed(store, second)
    assert arming.state(store, data) is Arming.copy


def test_disarming_is_silence(store, data):
    arming.arm(store, data, "ann", NOW)
    arming.disarm(store, data, "ann", NOW)
    assert arming.state(store, data) is Arming.never
    assert not (data / arming.FILE).exists()
    arming.disarm(store, data, "ann", NOW)
    assert acts(store) == ["armed", "disarmed", "disarmed"]


def test_the_last_look_asks_inside_its_own_transaction(store, data):
    arming.arm(store, data, "ann", NOW)
    with store.write() as connection:
        assert arming.state_in(connection, data) is Arming.armed


# ---------------------------------------------------------------- leases


def test_one_run_at_a_time_and_the_loser_is_told(store):
    with lease(store, "calendar-sync", "up", NOW, 60):
        with (
            pytest.raises(LeaseHeld, match=r"calendar-sync is already running \(up\)"),
            lease(store, "calendar-sync", "cli", NOW + 59, 60),
        ):
            pass
        with lease(store, "record-sync", "cli", NOW, 60):
            pass
    with lease(store, "calendar-sync", "cli", NOW, 60):
        pass


def test_a_lease_that_ran_out_is_taken_and_the_late_one_hears_of_it(store):
    with lease(store, "nightly", "slow", NOW, 60) as slow:
        following = ExitStack()
        held = following.enter_context(lease(store, "nightly", "next", NOW + 60, 60))
        with pytest.raises(LeaseHeld, match="took over"):
            slow.renew(NOW + 61)
        held.renew(NOW + 90)
    with pytest.raises(LeaseHeld), lease(store, "nightly", "third", NOW + 149, 60):
        pass  # the end of the slow one did not free what was no longer its own
    following.close()
    with lease(store, "nightly", "third", NOW, 60):
        pass


def test_a_failing_run_gives_its_lease_back(store):
    with pytest.raises(ValueError, match="on purpose"), lease(store, "nightly", "up", NOW, 60):
        raise ValueError("on purpose")
    with lease(store, "nightly", "up", NOW, 60):
        pass


def test_what_holds_a_lease_is_alive(store):
    with lease(store, "nightly", "up", NOW, 60) as held, store.read() as connection:
        assert alive(connection, NOW) == {held.holder}
        assert alive(connection, NOW + 60) == set()


def _run_and_die(url):
    store = open_store(url)
    with lease(store, "nightly", "up", NOW, 3600):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_lease_of_a_killed_process_of_this_machine_is_free_at_once(store, database_url):
    other = multiprocessing.get_context("spawn").Process(target=_run_and_die, args=(database_url,))
    other.start()
    other.join(60)
    assert other.exitcode == -signal.SIGKILL
    with store.read() as connection:
        assert alive(connection, NOW) == set() if os.path.exists("/proc/self/ns/pid") else True
    with lease(store, "nightly", "up", NOW if os.path.exists("/proc/self/ns/pid") else NOW + 3600, 60):
        pass


@pytest.mark.parametrize("holder", ["up elsewhere:pid:[1]/1/2/aa", "up /1//aa", "an older shape", "up a/b"])
def test_a_lease_of_another_machine_waits_for_its_time(store, holder):
    with store.write() as connection:
        connection.execute(table(Lease).insert(), {"name": "nightly", "holder": holder, "until": NOW + 60})
    with pytest.raises(LeaseHeld), lease(store, "nightly", "cli", NOW + 59, 60):
        pass
    with lease(store, "nightly", "cli", NOW + 60, 60):
        pass


def _race(url, start, wins):
    store = open_store(url)
    start.wait(60)
    for i in range(40):
        try:
            with lease(store, f"race-{i}", "racer", NOW, 3600):
                with store.write() as connection:
                    inside = facts.put_once(connection, f"inside-{i}", str(os.getpid()))
                assert inside == str(os.getpid()), "two inside at once"
                with store.write() as connection:
                    facts.forget(connection, f"inside-{i}")
                wins.put(i)
        except LeaseHeld:
            pass
    store.close()


def test_two_processes_are_never_inside_at_once(store, database_url):
    spawn = multiprocessing.get_context("spawn")
    start, wins = spawn.Event(), spawn.Queue()
    racers = [spawn.Process(target=_race, args=(database_url, start, wins)) for _ in range(2)]
    for racer in racers:
        racer.start()
    start.set()
    won = set()
    for racer in racers:
        racer.join(60)
    while not wins.empty():
        won.add(wins.get())
    assert [racer.exitcode for racer in racers] == [0, 0]
    assert won == set(range(40))
