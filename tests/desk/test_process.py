"""The desk as a process: served alone until it is told to stop, and beside `up`, with which it goes."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from integrations.practice import open_practice
from tending.desk.serve import beside, listening
from tests.builders import a_practice

STARTER = """
import sys, time
from pathlib import Path
from integrations.practice import open_practice
from tending.desk.serve import beside
path = Path(sys.argv[1])
with open_practice(path) as practice, beside(practice, path, lambda line: print(line, flush=True)):
    time.sleep(60)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The practice.toml of a practice with a desk."""
    a_practice(tmp_path / "clinic", more='[desk]\npublic_url = ""\nport = 21000\n').practice.close()
    return tmp_path / "clinic" / "practice.toml"


def answers(base: str, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            return httpx.get(f"{base}/sign-in", trust_env=False, timeout=5).status_code == 200
        except httpx.TransportError:
            time.sleep(0.05)
    return False


def gone(base: str, seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            httpx.get(f"{base}/sign-in", trust_env=False, timeout=1)
        except httpx.TransportError:
            return True
        time.sleep(0.05)
    return False


def start(root: Path, folder: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_is_served_alone_on_this_machine_until_it_is_told_to_stop(place, root, number):
    with listening(21000) as taken, start(root, place.parent, "-m", "tending.cli", "desk") as process:
        base = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline()).group()
        assert not base.endswith(f":{taken.getsockname()[1]}")  # a taken port is stepped around
        assert answers(base)
        process.send_signal(number)
        out, _ = process.communicate(timeout=20)
        assert process.returncode in (130, -signal.SIGTERM), out
        assert "Traceback" not in out
    log = place.parent / "data" / "logs" / "desk.log"
    assert "GET /sign-in 200" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


def test_beside_up_it_is_begun_again_when_it_ends_and_goes_when_up_goes(place):
    said = []
    with open_practice(place) as practice:
        with beside(practice, place, said.append, again=0.1):
            base = re.search(r"http://127\.0\.0\.1:\d+", said[0]).group()
            assert answers(base)
            children = subprocess.run(
                ["ps", "-o", "pid=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=True
            ).stdout.split()
            desks = [int(p) for p in children if b"tending.desk.serve" in _words(p)]
            assert len(desks) == 1
            os.kill(desks[0], signal.SIGKILL)
            assert answers(base)
        assert gone(base)


def _words(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_it_goes_when_up_is_killed(place, root):
    with start(root, place.parent, "-c", STARTER, str(place)) as process:
        base = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline()).group()
        assert answers(base)
        process.kill()
        process.wait(10)
        assert gone(base)


def test_without_the_table_nothing_is_served(tmp_path):
    clinic = a_practice(tmp_path / "clinic")
    said = []
    with clinic.practice, beside(clinic.practice, tmp_path / "clinic" / "practice.toml", said.append):
        assert said == []
