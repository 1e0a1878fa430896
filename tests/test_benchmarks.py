"""The benchmarks run, all of them one after the other; what they claim is measured by `make bench`, on an idle machine."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import ALONE, ON_DATABASES

ROOT = Path(__file__).parents[1]
BEGINS = {
    "everybody": "Everybody",
    "changing": "One changed client",
    "syncing": "A calendar of",
    "reacting": "From a changed calendar file",
    "reading": "Reading a calendar",
    "starting": "Commands that run no flow",
}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_every_benchmark_comes_to_its_claims():
    command = [sys.executable, "-m", "benchmarks", "--clients", "600", "--database", "sqlite"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=540)
    assert run.returncode in (0, 1), run.stderr
    assert "Traceback" not in run.stderr
    assert BEGINS.keys() == ON_DATABASES.keys() | ALONE.keys()
    told = run.stdout.splitlines()
    for name, begins in BEGINS.items():
        assert any(line.startswith(begins) for line in told), (name, run.stdout)
    claims = [line for line in told if line.startswith(("  holds", "  FAILS"))]
    assert len(claims) >= 10, run.stdout
