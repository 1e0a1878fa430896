"""The README's commands, run one after another as they stand there, by somebody with a folder of exports."""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ENDLESS = "tending up"
ELSEWHERE = ("make test", "make check")  # run by whoever runs this test
CODE = re.compile(r"C-7F3K9QX")


def blocks(root: Path) -> list[list[str]]:
    text = (root / "README.md").read_text(encoding="utf-8")
    return [found.strip().splitlines() for found in re.findall(r"```sh\n(.*?)```", text, re.S)]


@pytest.fixture
def here(tmp_path: Path, root: Path) -> Path:
    """A folder with what the commands expect beside them: the environment."""
    (tmp_path / ".venv").symlink_to(root / ".venv")
    return tmp_path


def test_every_target_of_make_is_there(root: Path) -> None:
    lines = [line for block in blocks(root) for line in block if line.startswith("make ")]
    assert lines
    for line in lines:
        subprocess.run([*line.split(), "--dry-run"], cwd=root, check=True, capture_output=True)


@pytest.mark.long
@pytest.mark.timeout(400)
def test_the_commands_do_what_the_readme_says(here: Path, root: Path) -> None:
    code = "C-0000000"
    for line in [line for block in blocks(root) for line in block]:
        if line in ELSEWHERE:
            continue
        if line == "make demo ONCE=1":
            made = f"{line} ARGS='--folder {here / 'demo'}'"
            done = run(made, root)
            assert "mails through Apprise" in done.stdout
            (here / "exports").mkdir()
            for kind in ("exports/*.csv", "calendars/*.ics"):
                for file in (here / "demo").glob(kind):
                    shutil.copy(file, here / "exports")
            continue
        if line.endswith(ENDLESS):
            up_and_down(line, here)
            continue
        # 1 is: done, and something needs a person; the demonstration's files hold rows that nobody can understand.
        wanted = (0, 1) if line.endswith(("check", "sync")) else (0,)
        done = run(CODE.sub(code, line), here, at_terminal=line.endswith(" arm"), wanted=wanted)
        assert done.stdout.strip(), f"{line} says nothing"
        if line.endswith("findings"):
            listed = json.loads(run(f"{line} --day-one --json", here).stdout)
            code = re.findall(r"C-[0-9A-Z]{7,}", json.dumps(listed))[0]


def run(
    line: str, folder: Path, *, at_terminal: bool = False, wanted: tuple[int, ...] = (0,)
) -> subprocess.CompletedProcess[str]:
    inside, answers = subprocess.PIPE, None
    master = -1
    if at_terminal:
        master, inside = os.openpty()
        os.write(master, b"y\n")
    else:
        answers = ""
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=folder,
        text=True,
        stdin=inside if at_terminal else None,
        input=answers,
        capture_output=True,
        timeout=180,
        check=False,
    )
    assert done.returncode in wanted, f"{line}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def up_and_down(line: str, folder: Path) -> None:
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {line}"], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said = ""
    assert process.stdout is not None
    end = time.monotonic() + 120
    while "Prefect's pages" not in said and time.monotonic() < end and process.poll() is None:
        ready, _, _ = select.select([process.stdout], [], [], 1)
        if ready:
            said += process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert "Prefect's pages" in said, said + rest
    assert process.returncode in (0, 130), said + rest
