"""The desk as a process: served alone until it is told to stop, and beside `up`, with which it goes."""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from integrations.practice import open_practice
from integrations.store import leases
from tending.desk.serve import DeskError, beside, free_port, listening
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


def a_port() -> int:
    """A free one, that a desk of another test beside this one hardly chooses as well."""
    return free_port(random.randint(20_000, 30_000))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The practice.toml of a practice with a desk."""
    a_practice(tmp_path / "clinic", more=f'[desk]\npublic_url = ""\nport = {a_port()}\n').practice.close()
    return tmp_path / "clinic" / "practice.toml"


def port_of(place: Path) -> int:
    return int(re.search(r"\[desk\]\n.*\nport = (\d+)\n", place.read_text()).group(1))


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
    with start(root, place.parent, "-m", "tending.cli", "desk") as process:
        base = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline()).group()
        assert base.endswith(f":{port_of(place)}")
        assert "No links are mailed until [desk] public_url is set" in process.stdout.readline()
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


def test_a_port_that_is_taken_is_refused_since_the_web_server_looks_there(place, root):
    port = port_of(place)
    with listening(port), open_practice(place) as practice:
        with pytest.raises(DeskError, match=rf"Port {port} of this machine is taken"), beside(practice, place, print):
            pass
        with start(root, place.parent, "-m", "tending.cli", "desk") as process:
            out, _ = process.communicate(timeout=30)
        assert (process.returncode, f"Port {port}" in out) == (8, True), out
        assert free_port(port) != port


@pytest.mark.parametrize(
    ("armed", "running", "why"),
    [
        (False, True, "until `tending arm` allows it"),
        (True, False, "while `tending up` does not run"),
        (True, True, ""),
    ],
)
def test_whoever_starts_it_hears_why_no_links_are_mailed(tmp_path, root, armed, running, why):
    more = f'[desk]\npublic_url = "https://desk.example.org"\nport = {a_port()}\n'
    clinic = a_practice(tmp_path / "clinic", more=more)
    if armed:
        clinic.arm()
    with contextlib.ExitStack() as stack:
        stack.callback(clinic.practice.close)
        if running:
            stack.enter_context(leases.lease(clinic.practice.store, leases.UP, "up", int(time.time()), 180))
        process = stack.enter_context(start(root, tmp_path / "clinic", "-m", "tending.cli", "desk"))
        base = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline()).group()
        assert answers(base)
        process.send_signal(signal.SIGTERM)
        out = process.stdout.read()  # what readline has read ahead too
        process.wait(timeout=20)
    assert out.strip() == (f"No links are mailed {why}; `tending users link ID` prints one." if why else "")


def test_without_the_table_nothing_is_served(tmp_path):
    clinic = a_practice(tmp_path / "clinic")
    said = []
    with clinic.practice, beside(clinic.practice, tmp_path / "clinic" / "practice.toml", said.append):
        assert said == []
