"""The whole demonstration as a reader sees it: a process of its own, a real Prefect server, a real mailbox."""

import csv
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from icalendar import Calendar

from integrations.messages.mailbox import read_mails
from models.instants import instant_of
from tending.demo.telling import ALERT
from tending.demo.told_endings import is_invitation

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]
LIMIT = 180
STOP_LIMIT = 20
MAILED = {
    "Goal review": 1,
    "Session rating": 1,
    "Safety: PHQ-9, item 9": 1,
    "Quiet": 6,
    "Referral: how is it going?": 1,
}
TOLD = 16  # the findings, each once, and that the ending is confirmed
TENDING = Path(sys.executable).with_name("tending")
MADE = {"practice.toml", "keys", "exports", "calendars", "mails", "data", "prefect", "demo.json", ".lock"}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which the story has been told once, and what was printed."""
    base = tmp_path_factory.mktemp("demonstration")
    # The usual ports are taken, as they may be on anybody's machine.
    with socket.socket() as mail, socket.socket() as pages:
        for taken, port in ((mail, 2525), (pages, 4200)):
            try:
                taken.bind(("127.0.0.1", port))
                taken.listen()
            except OSError:
                continue  # by somebody else then
        done = run(base, "demo", "--once")
    assert done.returncode == 0, done.stderr
    return base, done.stdout


def run(base: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(TENDING), *words], cwd=base, capture_output=True, text=True, timeout=LIMIT, env=environment(base)
    )


def environment(base: Path) -> dict[str, str]:
    home = base / "home"
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "TENDING_"))}
    return {**kept, "HOME": str(home)}


def children_of(folder: Path) -> list[int]:
    """Processes that have anything to do with a folder: their command line or working directory names it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            where, words = os.readlink(process / "cwd"), (process / "cmdline").read_bytes()
        except OSError:
            continue
        if where.startswith(str(folder)) or str(folder).encode() in words:
            found.append(int(process.name))
    return found


def test_everything_lies_in_the_one_folder_that_it_names(told: tuple[Path, str]) -> None:
    base, text = told
    folder = base / "demo-practice"
    assert f"All its files are in {folder}" in text
    assert {path.name for path in folder.iterdir()} == MADE
    assert {path.name for path in base.iterdir()} == {"demo-practice", "home"}
    assert not [path for path in (base / "home").rglob("*") if path.is_file()]
    assert len(list((folder / "calendars").glob("*.ics"))) == 6
    assert children_of(folder) == []


def test_it_says_what_was_read_found_and_sent(told: tuple[Path, str]) -> None:
    base, text = told
    assert re.search(r"read +7 sources: 6 calendars", text)
    assert re.search(r"clients +120 ", text)
    assert re.search(r"set aside +3 entries", text)
    assert "What the week brought: 15 findings" in text
    mails = read_mails(base / "demo-practice" / "mails")
    assert 6 <= len(mails) <= 10
    assert f"{len(mails)} mails through Apprise to the mailbox" in text
    alerts = {mail.to: mail for mail in mails if ALERT.search(mail.text)}
    assert len(alerts) >= 5
    for label, mailed in MAILED.items():
        assert len(re.findall(rf"(?m)^  T\d  {re.escape(label)}  ", text)) == mailed
        assert sum(len(re.findall(rf"(?m)^{re.escape(label)}:? \(?C-", mail.text)) for mail in mails) == mailed
    assert "| This week: Emre Yıldızhan (T5)" in text
    assert all(mail.subject.startswith("Northside: ") for mail in mails)
    for mail in mails:
        assert mail.path.name in text
    assert re.search(r"Prefect +it ended with this story; \S+ demo --folder demo-practice shows it again", text)
    assert "the demonstration's clock stands at" in text


def test_nobody_is_named_anywhere_but_in_the_clinics_own_files(told: tuple[Path, str]) -> None:
    base, text = told
    folder = base / "demo-practice"
    stored = "".join(path.read_text() for path in folder.glob("exports/clients.csv"))
    names = [line.split(",")[1] for line in stored.splitlines()[1:]]
    assert len(names) == 121
    unsaid = [name.split()[-1] for name in names]
    with (folder / "exports" / "goals.csv").open(encoding="utf-8", newline="") as file:
        titles = {row["goal"] for row in csv.DictReader(file)}
    assert len(titles) > 10
    unsaid += titles
    sinks = {"terminal": text.encode()}
    for part in ("mails", "data", "prefect"):
        sinks |= {str(path): path.read_bytes() for path in (folder / part).rglob("*") if path.is_file()}
    sinks |= {f"{mail.path} decoded": (mail.text + mail.html).encode() for mail in read_mails(folder / "mails")}
    assert len(sinks) > 10
    for where, content in sinks.items():
        said = [words for words in unsaid if words.encode() in content]
        assert not said, where


def test_the_three_things_to_try_work(told: tuple[Path, str]) -> None:
    base, text = told
    _, _, rest = text.partition("Three things to try next")
    commands = [line.strip() for line in rest.splitlines() if re.match(r" +\S*tending .*--practice", line)]
    assert len(commands) == 3
    answers = []
    for command in commands:
        done = subprocess.run(
            shlex.split(command), cwd=base, capture_output=True, text=True, timeout=60, env=environment(base)
        )
        assert done.returncode == 0, (command, done.stderr)
        answers.append(done.stdout)
    assert "Goal review: yes" in answers[0]
    assert "(new therapist)" in answers[0]
    assert "closes      proposed to the therapist, not accepted yet" in answers[1]
    assert "Timeline of care" in answers[2]
    assert "The client arranges it" in answers[2]


def test_the_last_appointment_of_an_ending_is_invited_to(told: tuple[Path, str]) -> None:
    base, text = told
    folder = base / "demo-practice"
    found = re.search(r"(?m)^  (C-\w+): Dr Ruth Adlerová began an ending .*;$", text)
    assert found
    assert re.search(r"(?m)^    .*  explains +stands$", text)
    assert re.search(r"(?m)^    .*  gives room +stands$", text)
    (name,) = re.findall(r"(?m)^    .*  closes +invited in (\d+\.eml)$", text)
    (mail,) = [mail for mail in read_mails(folder / "mails") if is_invitation(mail)]
    assert mail.path.name == name
    assert mail.to == "adlerova@northside.example"
    assert f"For {found[1]}: 50 minutes." in mail.text
    (part,) = [part for part in mail.parsed.walk() if part.get_content_type() == "text/calendar"]
    (event,) = Calendar.from_ical(part.get_content()).walk("VEVENT")
    assert event["summary"] == f"Appointment {found[1]}"
    assert str(event["attendee"]) == "mailto:adlerova@northside.example"  # the client is not among them
    assert f"{event.start:%-d %b}" in text


def test_what_check_asks_to_be_mended_is_what_the_story_says(told: tuple[Path, str]) -> None:
    base, out = told
    toml = str(base / "demo-practice" / "practice.toml")
    lines = json.loads(run(base, "check", "--json", "--practice", toml).stdout)
    mend = [line["what"] for line in lines if line["level"] == "MEND"]
    assert sorted(mend) == ["messages", "source calendar-t4", "source records"]
    said = out.partition("finds to mend here, and why")[2]
    assert "3 rows in quarantine" in said
    assert "The mail server" in said


def test_the_second_question_about_a_referral_is_asked(told: tuple[Path, str]) -> None:
    base, text = told
    (name,) = re.findall(r"the second question, is asked of Dr Siobhán Ní Fhlaithrí in (\d+\.eml)\.", text)
    (mail,) = [mail for mail in read_mails(base / "demo-practice" / "mails") if mail.path.name == name]
    assert "whether a first visit is booked is not known yet" in " ".join(mail.text.split())
    assert "1 open, 1 looked at" in text


def test_a_second_time_nothing_is_sent_and_ctrl_c_stops_everything(told: tuple[Path, str]) -> None:
    base, _ = told
    folder = base / "demo-practice"
    before = [path.name for path in sorted((folder / "mails").glob("*.eml"))]
    again = run(base, "demo", "--once")
    assert again.returncode == 0, again.stderr
    assert "is continued: the same week, nothing is sent twice" in again.stdout
    assert "No mail was sent" in again.stdout
    assert [path.name for path in sorted((folder / "mails").glob("*.eml"))] == before

    lasting = subprocess.Popen(
        [str(TENDING), "demo"], cwd=base, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(base),
    )  # fmt: skip
    try:
        text = wait_for(lasting, "Ctrl-C stops.")
        assert len(list((folder / "mails").glob("*.eml"))) == len(before)
        assert children_of(folder) != []
        try_it(folder, text)
        wait_for(lasting, "A mail arrived: ")
    finally:
        began = time.monotonic()
        lasting.send_signal(signal.SIGINT)
        rest, errors = lasting.communicate(timeout=STOP_LIMIT)
    assert lasting.returncode == 0, errors
    assert "Traceback" not in errors
    assert time.monotonic() - began < STOP_LIMIT
    assert children_of(folder) == []
    assert "Stopping" in rest


def wait_for(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError(f"it ended before it said {words!r}: {''.join(lines[-5:])}")


def try_it(folder: Path, text: str) -> None:
    """Do what the text tells the reader to do."""
    if "STATUS:CONFIRMED" in text:
        calendar = folder / "calendars" / "t2.ics"
        changed = calendar.read_bytes().replace(b"STATUS:CONFIRMED", b"STATUS:CANCELLED")
        calendar.write_bytes(changed)
    else:
        (folder / "calendars" / "t3.ics").write_bytes((folder / "calendars" / "t6.ics").read_bytes())


@pytest.mark.parametrize("stage", ["Nine months", "The flows"])
def test_ctrl_c_in_the_middle_stops_everything_and_the_next_run_comes_to_the_same(tmp_path: Path, stage: str) -> None:
    folder = tmp_path / "demo-practice"
    began = subprocess.Popen(
        [str(TENDING), "demo", "--once"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**environment(tmp_path), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    # The week is announced before its flows run.
    wait_for(began, "One more week" if stage == "The flows" else stage)
    began.send_signal(signal.SIGINT)
    _, errors = began.communicate(timeout=STOP_LIMIT)
    assert began.returncode == 130
    assert "Traceback" not in errors
    assert children_of(folder) == []
    done = run(tmp_path, "demo", "--once")
    assert done.returncode == 0, done.stderr
    assert "What the week brought: 15 findings" in done.stdout
    mails = read_mails(folder / "mails")
    assert len({mail.message_id for mail in mails}) == len(mails)
    told_of = [code for mail in mails for code in ALERT.findall(mail.text)]
    assert len(told_of) == len(set(told_of)) == TOLD


def test_the_story_holds_on_a_sunday_after_holidays(tmp_path: Path) -> None:
    now = instant_of(datetime(2026, 12, 27, 10, 0, tzinfo=UTC))
    code = f"from pathlib import Path; from tending.demo.run import demo; demo(Path('d'), True, now={now})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env={**environment(tmp_path), "PYTHONTZPATH": "", "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    assert "What the week brought: 15 findings" in done.stdout
    # Monday is a holiday in lieu: even who wants to hear at once hears on Tuesday.
    assert "the demonstration's clock stands at Tue 29 Dec, 08:00" in done.stdout
    told_of = [code for mail in read_mails(tmp_path / "d" / "mails") for code in ALERT.findall(mail.text)]
    assert len(told_of) == len(set(told_of)) == TOLD


def test_beginning_anew_tells_it_once_more(told: tuple[Path, str]) -> None:
    base, _ = told
    done = run(base, "demo", "--once", "--fresh")
    assert done.returncode == 0, done.stderr
    assert "is continued" not in done.stdout
    assert "What the week brought: 15 findings" in done.stdout
    assert 6 <= len(read_mails(base / "demo-practice" / "mails")) <= 10
