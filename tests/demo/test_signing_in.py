"""What the demonstration says of the desk can be followed as it stands there, up to *Today*."""

import re
import shlex
import subprocess
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from integrations.messages.mailbox import Mail
from integrations.store import accounts
from tending.demo.names import THERAPISTS
from tending.demo.telling import Teller
from tests.builders import NOW, a_practice

LINK = "http://127.0.0.1:4280/card/abc"
MAIL = Mail(Path("0001.eml"), "to@a.example", "from@a.example", "1 item", "<1@a>", f"See\n{LINK}\n", "", EmailMessage())


def commands(capsys: Any, teller: Teller) -> list[str]:
    teller.desk([MAIL], live=False)
    return [line.strip() for line in capsys.readouterr().out.splitlines() if " users " in line]


def test_the_steps_that_it_prints_let_a_therapist_in(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    clinic = a_practice(tmp_path / "clinic")
    who, _, mail, *_ = THERAPISTS[0]
    assert clinic.therapists[0]["id"] == who
    clinic.client("1001", "Anna Müller")
    clinic.sync(NOW)
    monkeypatch.chdir(tmp_path)
    with clinic.practice as practice:
        teller = Teller(practice, None, tmp_path / "clinic")  # type: ignore[arg-type]  # its people are not asked for here
        said = commands(capsys, teller)
        assert len(said) == 2
        for command, wanted in zip(said, (r"Account 1 may use .*", r"http://127\.0\.0\.1:\d+/in/\S+"), strict=True):
            done = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=60, check=False)
            assert re.fullmatch(f"{wanted}\n", done.stdout), done.stderr
        with practice.store.read() as connection:
            (person,) = accounts.listed(connection, practice.vault)
        assert (person.id, person.therapist_id, person.address) == (1, who, f"{mail}@northside.example")
        assert commands(capsys, teller) == [said[1]]  # there is an account by now
