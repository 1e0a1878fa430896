"""`up` as a process: what it says, that it is there once, and that it takes along all it started and nothing else."""

import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import workflows
from integrations.messages.mailbox import Mailbox
from models.settings import PrefectPart
from tending.log_files import log_to, stop_logging
from tending.up import CRONS, scheduled
from tests.flows.clinic import SECRETS, Clinic, make_clinic

UP = """
import sys
from pathlib import Path
from models.errors import TendingError
from tending.up import up
try:
    sys.exit(up(Path(sys.argv[1]), say=lambda line: print(line, flush=True)))
except TendingError as error:
    print(error, flush=True)
    sys.exit(error.exit_code)
"""


def start(clinic: Clinic, root: Path, out: Path) -> "subprocess.Popen[bytes]":
    with out.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-c", UP, str(clinic.toml)],
            cwd=clinic.folder,
            stdout=file,
            stderr=file,
            env={**os.environ, "PYTHONPATH": str(root)},
        )


def within(seconds: float, true: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


def gone(pid: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return not state or state.startswith("Z")


@pytest.mark.timeout(240)
def test_up_reads_serves_and_stops_all_it_started(
    migrated_prefect: Path, tmp_path: Path, mailbox: Mailbox, root: Path
) -> None:
    clinic = make_clinic(tmp_path / "clinic", mailbox)
    clinic.practice.close()
    shutil.copytree(migrated_prefect, clinic.folder / "data" / "prefect")
    out, second = tmp_path / "out", tmp_path / "second"
    process = start(clinic, root, out)
    try:
        assert within(90, lambda: "Prefect's pages" in out.read_text() and "Ctrl-C stops" in out.read_text()), (
            out.read_text()
        )
        said = out.read_text()
        assert "Northside: 2 sources, 2 of them not read lately." in said
        assert "NOT ARMED: nothing is sent until `tending arm` allows it." in said
        found = re.search(r"pages: (http://127\.0\.0\.1:\d+)", said)
        assert found
        with urllib.request.urlopen(f"{found[1]}/api/health", timeout=10) as answer:
            assert answer.status == 200
        assert clinic.rows("SELECT count(*) FROM change WHERE drained_at IS NULL") == [(0,)]
        clinic.practice.close()
        another = start(clinic, root, second)
        assert another.wait(60) == 2
        assert second.read_text() == "`tending up` already runs for this practice.\n"
        assert process.poll() is None
        below = children_of(process.pid)
        assert below
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0, out.read_text()
        assert within(5, lambda: all(map(gone, below)))
        assert out.read_text().rstrip().endswith("Stopping ...")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    log = clinic.folder / "data" / "logs" / "tending.log"
    assert log.stat().st_mode & 0o777 == 0o600
    assert "tending.up: up" in log.read_text()
    for secret in SECRETS:
        assert secret not in log.read_text() + out.read_text()


def test_schedules_are_those_of_the_settings(tmp_path: Path, mailbox: Mailbox) -> None:
    clinic = make_clinic(tmp_path / "clinic", mailbox)
    part = PrefectPart(sweep_cron="7 * * * *", weekly_cron="0 9 * * 5")
    settings = clinic.practice.settings.model_copy(update={"prefect": part})
    crons = {each.name: each.cron for each in scheduled(workflows(), settings)}
    assert set(crons) == set(CRONS)
    assert crons["client_looks"] == "7 * * * *"
    assert crons["weekly_letters"] == "0 9 * * 5"
    assert crons["nightly_check"] == PrefectPart().nightly_cron
    clinic.practice.close()


def test_the_log_keeps_our_lines_and_of_others_only_the_place(tmp_path: Path) -> None:
    handler = log_to(tmp_path)
    try:
        logging.getLogger("tending.reactor").info("source %s: %d new", "cal-t1", 2)
        logging.getLogger("somebody.else").warning("about %s", "Zoë Ångström")
        logging.getLogger("somebody.else").info("nothing")
        try:
            raise ValueError("Zoë")
        except ValueError:
            logging.getLogger("tending.up").exception("it failed")
    finally:
        stop_logging(handler)
    lines = (tmp_path / "logs" / "tending.log").read_text(encoding="utf-8").splitlines()
    assert [line.split(" ", 3)[2] for line in lines] == ["INFO", "WARNING", "ERROR"]
    assert lines[0].endswith("INFO tending.reactor: source cal-t1: 2 new")
    assert re.search(r"somebody.else: reported something at test_up:\d+$", lines[1])
    assert lines[2].endswith("tending.up: it failed")
