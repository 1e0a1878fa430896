"""The progress bar, on a real terminal: what takes longer than a second shows it there, and nothing of it goes anywhere else."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

TITLE = "Reading sources"
WORK = f"""
import sys, time
from tending.output import say, working
seconds = float(sys.argv[1])
with working("{TITLE}") as step:
    for number in range(1, 6):
        time.sleep(seconds / 5)
        step(number, 5)
say("Everything was read.")
"""
LONG, SHORT = 2.5, 0.0  # seconds, on either side of tending.output.QUIET_SECONDS


def environment(root: Path) -> Mapping[str, str]:
    """A user's, at a terminal of an ordinary kind."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(root), "TERM": "xterm-256color", "COLUMNS": "100"}


def at_a_terminal(seconds: float, root: Path) -> tuple[str, str]:
    """What work that takes so long writes on stdout, a pipe, and on stderr, a terminal."""
    ours, its = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", WORK, str(seconds)], stdout=subprocess.PIPE, stderr=its, env=environment(root), text=True
    ) as process:
        os.close(its)
        shown = b""
        while part := _read(ours):
            shown += part
        os.close(ours)
        assert process.stdout
        out = process.stdout.read()
        assert process.wait(30) == 0, shown
    return out, shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux says that nobody has the other end any more
        return b""


def test_at_a_terminal_what_takes_long_shows_how_far_it_is_and_wipes_it_away(root: Path) -> None:
    out, shown = at_a_terminal(LONG, root)
    assert out == "Everything was read.\n"
    assert TITLE in shown
    assert "3/5" in shown
    assert shown.rindex("\x1b[2K") > shown.rindex(TITLE)  # its line is emptied when the work is done


def test_at_a_terminal_what_is_quick_shows_nothing(root: Path) -> None:
    assert at_a_terminal(SHORT, root) == ("Everything was read.\n", "")


def test_without_a_terminal_nothing_of_it_is_written(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORK, str(LONG)], env=environment(root), capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("Everything was read.\n", "")
