"""The local mailbox: as a command, and over a restart."""

import subprocess
import sys
from pathlib import Path

import pytest

from integrations.messages.channels import hand_over, open_channel
from integrations.messages.mailbox import Mailbox, main, read_mails
from tests.integrations.messages.samples import AT, a_message

SENDER = "desk@northside.example"


def post(url: str, key: str) -> None:
    hand_over(open_channel("mail", url), a_message(), lambda: None, key=key, at=AT, to="kim@northside.example")


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    for key in ("1", "2"):
        with Mailbox(tmp_path) as mailbox:
            post(mailbox.url(SENDER), key)
    assert [mail.path.name for mail in read_mails(tmp_path)] == ["0001.eml", "0002.eml"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0001.eml", "0002.eml"]


def test_a_taken_port_is_an_error_and_leaves_nothing_running(tmp_path: Path) -> None:
    with Mailbox(tmp_path) as first, pytest.raises(OSError, match="in use"):
        Mailbox(tmp_path, port=first.port).start()


def test_it_runs_as_a_command(tmp_path: Path, root: Path) -> None:
    command = [sys.executable, "-m", "integrations.messages.mailbox", str(tmp_path)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().split()[2].rpartition(":")[2])
        post(f"tendingsmtp://127.0.0.1:{port}/?from={SENDER}&tls=none", "1")
        process.terminate()
    assert process.returncode == 0
    assert len(read_mails(tmp_path)) == 1


def test_wrong_words_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["folder", "port"]) == 2
    assert "Usage" in capsys.readouterr().err
