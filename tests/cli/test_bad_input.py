"""Bad input at the command line: one plain sentence, its exit code, never a traceback, never what a cell holds."""

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from models.entries import ClientStatus
from tests.cli.clinic import NAMES, ZONE

SMALL = '[practice]\nname = "Northside"\nzone = "Europe/Berlin"\n'

FILES = {
    "no file": (None, 3, ["There is no", "`tending init` writes one"]),
    "no TOML": (SMALL + "[store\n", 3, ["practice.toml: line 4", "text stands in quotes"]),
    "no UTF-8": (SMALL.encode().replace(b"Northside", b"N\xf6rd"), 3, ["line 2", "save the file as UTF-8"]),
    "an unknown word": (SMALL + "zones = 3\n", 3, ["practice.zones: is not a setting"]),
    "an unknown zone": (SMALL.replace("Berlin", "Berlim"), 3, ["practice.zone", "time zone is not known"]),
    "a policy out of range": (
        SMALL + "[policy]\nquiet_after_days = 1\n",
        3,
        ["quiet_after_days has to lie between 3 and 365"],
    ),
    "no such policy": (SMALL + "[policy]\nquiet_days = 1\n", 3, ["there is no field quiet_days"]),
    "a database of another kind": (
        SMALL + '[store]\nurl = "mysql://x/y"\n',
        5,
        ["This kind of database is not supported"],
    ),
    "no database address": (SMALL + '[store]\nurl = "nonsense"\n', 5, ["The database address cannot be read"]),
    "a server that is not there": (
        SMALL + '[store]\nurl = "postgresql://nobody:secret@127.0.0.1:1/x"\n',
        5,
        ["cannot be reached"],
    ),
    "an administrator without an address": (
        f'{SMALL}[admin]\nemail = "notanaddress"\n',
        3,
        ["admin.email", "office@example.org"],
    ),
    "an address that is not read": (
        f'{SMALL}[[source]]\nname = "a"\nkind = "calendar"\nurl = "ftp://h/secret"\n',
        3,
        ["source.1.url", "only http(s) and webcal addresses are read"],
    ),
    "no database yet": (SMALL, 5, ["has no database yet", "`tending init` makes it"]),
}


@pytest.mark.parametrize("case", FILES, ids=str)
def test_a_practice_toml_that_does_not_fit(tmp_path, tending, case):
    content, code, words = FILES[case]
    path = tmp_path / "practice.toml"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = tending("status", "--practice", str(path))
    assert (done.code, done.out) == (code, "")
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err
    assert "secret" not in done.err


def test_a_folder_in_place_of_the_file(tmp_path, tending):
    done = tending("--practice", str(tmp_path), "status")
    assert (done.code, "name the practice.toml in it" in done.err) == (3, True)


WORDS = {
    "a code of nobody": (["why", "C-7777777"], "No client has the code C-7777777"),
    "no code at all": (["why", "Müllenbröck"], "A client code looks like C-7F3K9QX"),
    "who of nobody": (["who", "C-7777777"], "No client has the code"),
    "who of a name": (["who", "Anna-Sofía Müllenbröck"], "A client code looks like"),
    "code of nobody": (["code", "Niemand Namenlos"], "No client has this id or name"),
    "a day that is none": (["why", "{code}", "--at", "2026-02-30"], "There is no such day in the calendar"),
    "a day in words": (["why", "{code}", "--at", "yesterday"], "A day is written like"),
    "a day ahead": (["why", "{code}", "--at", "2999-01-01"], "That lies ahead"),
    "an unknown source": (["sync", "nowhere"], "There is no source of that name"),
    "an unknown therapist": (["findings", "--therapist", "T9"], "No therapist has that id; there are: T1, T2."),
    "a command that does not exist": (["finding"], "Did you mean 'findings'"),
    "an option that does not exist": (["findings", "--day-on"], "--day-one"),
    "a word too few": (["why"], "Missing argument"),
    "a number that is none": (["outbox", "drop", "one"], "NUMBER takes a whole number"),
    "no word of a group": (
        ["quarantine", "frob"],
        "`tending quarantine` takes one of the words list, show, retry and discard.",
    ),
    "a number where a source is named": (["quarantine", "retry", "1"], "Here a source is named, not a row's number"),
    "the same of a list": (["quarantine", "list", "1"], "`tending quarantine show 1` opens that row"),
    "a row of a source that is none": (["quarantine", "retry", "nowhere"], "There is no source of that name"),
    "no reason": (["quarantine", "discard", "1"], "Missing argument"),
    "a head that is none": (["audit", "verify", "--head", "abc"], "A head of the audit looks like"),
}


def test_words_that_a_command_does_not_take(codes, tending):
    for case, (words, sentence) in WORDS.items():
        done = tending(*(word.format(code=codes["1001"]) for word in words))
        assert (done.code, done.out) == (2, ""), case
        assert sentence in done.err, case
        assert done.err.count("\n") == 1, case
        assert not any(name in done.err for name in (*NAMES, "Namenlos")), case


def test_a_code_is_taken_as_people_type_it(codes, tending):
    plain = codes["1001"].removeprefix("C-")
    for typed in (
        plain.lower(),
        f"c-{plain.lower()}",
        f" C-{plain} ",
        f"c {plain}",
        plain.replace("0", "o").replace("1", "l"),
    ):
        assert tending("why", typed).code == 0, typed


def test_a_key_file_of_somebody_else(read, tending):
    keys = read.parent / "keys"
    keys.chmod(0o640)
    done = tending("status")
    assert (done.code, done.err) == (3, f"Others may read the key file {keys}; close it with: chmod 600 {keys}\n")
    lines = tending("check", "--json").json
    assert any(line["what"] == "keys" and "chmod 600" in line["sentence"] for line in lines)
    keys.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(keys, 65534, 65534)
        assert "belongs to another user" in tending("status").err
        os.chown(keys, 0, 0)
    keys.write_text(keys.read_text().replace("index ", "index A", 1))
    assert (tending("status").code, "not a whole key" in tending("status").err) == (3, True)
    keys.unlink()
    assert "put it back from the copy you keep" in tending("status").err


def test_keys_of_another_practice(read, clinic, database_url, tending):
    other = clinic / "other.toml"
    other.write_text(SMALL + f'[store]\nurl = "{database_url}"\nkey_file = "other-keys"\n')
    done = tending("init", "--practice", str(other))
    assert (done.code, "put it back from the copy you keep" in done.err) == (3, True)
    assert not (clinic / "other-keys").exists()  # keys that are lost are not papered over
    assert tending("init", "--practice", str(clinic / "third.toml")).code == 0
    (clinic / "keys").rename(clinic / "other-keys")
    assert tending("status", "--practice", str(other)).code == 0


def test_a_database_of_a_newer_version(read, tables, tending):
    with tables.begin() as connection:
        connection.execute(text("UPDATE schema_version SET version_num = '9999'"))
    for words in (["status"], ["upgrade"], ["findings"]):
        done = tending(*words)
        assert (done.code, done.out) == (5, "")
        assert "was written by a newer Tending" in done.err
    checked = tending("check")
    assert checked.code == 1
    assert "was written by a newer Tending" in checked.out


def test_a_file_that_is_no_database(tmp_path, tending):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tending.db").write_text("Dear diary, " * 1000)
    (tmp_path / "practice.toml").write_text(SMALL)
    done = tending("status", "--practice", str(tmp_path / "practice.toml"))
    assert (done.code, "is not a database of Tending" in done.err) == (5, True)


def test_an_error_nobody_foresaw_names_its_place_and_nothing_of_what_it_was_about(read, codes, tables, tending):
    with tables.begin() as connection:  # the message of the error that follows quotes the cell
        connection.execute(text("UPDATE client SET status = :name"), {"name": NAMES[0]})
    done = tending("rebuild")
    assert (done.code, done.out) == (70, "")
    assert done.err.count("\n") == 1
    log = read.parent / "data" / "logs" / "errors.log"
    assert str(log) in done.err
    assert log.stat().st_mode & 0o077 == 0
    written = log.read_text()
    assert "ValueError" in written
    assert "rebuild.py" in written
    assert not any(name in written + done.err for name in NAMES)
    with pytest.raises(ValueError, match=NAMES[0]):  # the error whose message was not written
        ClientStatus(NAMES[0])


# ---------------------------------------------------------------- in a process of its own


def start(folder: Path, *words: str, **more: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "COLUMNS": "120"}
    command = [sys.executable, "-m", "tending.cli", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, **{**pipes, **more})


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err
    return process.returncode, out, err


@pytest.fixture
def on_sqlite(clinic, tending):
    """The practice on SQLite, where files have sizes."""
    assert tending("init", "--from", ".", "--zone", ZONE).code == 0
    return clinic


def test_a_full_disk(on_sqlite):
    room = (on_sqlite / "data" / "tending.db").stat().st_size + 4096

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    code, out, err = finished(start(on_sqlite, "sync", preexec_fn=little_room))
    assert (code, out) == (5, "")
    assert err.count("\n") == 1
    assert "room" in err or "full" in err
    assert finished(start(on_sqlite, "sync"))[0] == 0
    status = json.loads(finished(start(on_sqlite, "status", "--json"))[1])
    assert (status["clients"], status["day_one"]) == ({"active": 5, "intake": 1}, 6)


def test_a_full_disk_while_starting_a_practice(clinic):
    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    code, out, err = finished(start(clinic, "init", preexec_fn=no_room))
    assert (code in (3, 5), out) == (True, "")
    assert err.count("\n") == 1
    assert not (clinic / "practice.toml").exists()
    assert finished(start(clinic, "init"))[0] == 0


@pytest.fixture
def unwritable(tmp_path):
    """A folder in which nobody may write; root may everywhere but in /proc."""
    if os.geteuid() == 0:
        return Path("/proc/self")
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    return folder


def test_a_folder_that_may_not_be_written(unwritable, tmp_path, tending):
    if not unwritable.is_dir():
        from tests.needs import need

        need("/proc", "root may write everywhere else", "run the tests as another user")
    done = tending("init", "--practice", str(unwritable / "practice.toml"))
    assert (done.code, done.out) == (3, "")
    assert "cannot be written" in done.err
    path = tmp_path / "practice.toml"
    path.write_text(SMALL + f'data = "{unwritable}/data"\n')
    done = tending("init", "--practice", str(path))
    assert (done.code, "cannot be made" in done.err) == (3, True)


def test_a_reader_who_stops_reading(on_sqlite):
    reading, writing = os.pipe()
    os.close(reading)
    process = start(on_sqlite, "policy", stdout=writing)
    os.close(writing)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, "")


@pytest.mark.parametrize("words", [["policy"], ["findings", "--day-one"], ["status", "--json"]])
def test_no_room_for_the_output(on_sqlite, words):
    full = Path("/dev/full")
    if not full.exists():
        from tests.needs import need

        need("/dev/full", "it is a disk that is always full", "run the tests on Linux")
    with full.open("w") as device:
        process = start(on_sqlite, *words, stdout=device)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err.count("\n")) == (5, 1)
    assert err.startswith("There is no room left where the output goes")


def test_ctrl_c(on_sqlite):
    pipe = on_sqlite / "calendars" / "T1.ics"
    pipe.unlink()
    os.mkfifo(pipe)  # a source that never answers
    process = start(on_sqlite, "sync")
    with pipe.open("wb"):  # opens when the command has begun to read
        process.send_signal(signal.SIGINT)
        code, out, err = finished(process)
    assert (code, out, err) == (130, "", "")


def test_a_database_that_is_in_use_is_waited_for(on_sqlite):
    with sqlite3.connect(on_sqlite / "data" / "tending.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        process = start(on_sqlite, "sync", "records")
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=3)
        other.execute("ROLLBACK")
    assert finished(process)[0] == 0
    other.close()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["audit", "list", "--last", "x"], "--last takes a whole number. See `tending audit list --help`.\n"),
        (["audit", "list", "--last", "0"], "--last takes a number from 1 on. See `tending audit list --help`.\n"),
        (["desk", "--port", "70000"], "--port takes a number up to 65535. See `tending desk --help`.\n"),
        (["quarantine", "show", "1.5"], "NUMBER takes a whole number. See `tending quarantine show --help`.\n"),
    ],
)
def test_a_value_that_does_not_fit_is_said_in_plain_words(words, sentence, tending):
    done = tending(*words)
    assert (done.code, done.out, done.err) == (2, "", sentence)


DAYS = (
    ["slots", "T1", "--from", "DAY"],
    ["timeline", "CODE", "--from", "DAY"],
    ["why", "CODE", "--at", "DAY"],
    ["leave", "plan", "T1", "--from", "DAY"],
)


@pytest.mark.parametrize("words", DAYS, ids=" ".join)
def test_a_day_that_does_not_exist_is_told_from_one_that_is_written_otherwise(words, codes, tending):
    for day, sentence in (("2026-11-31", "There is no such day in the calendar"), ("3.11.2026", "is written like")):
        done = tending(*({"CODE": codes["1001"], "DAY": day}.get(word, word) for word in words))
        assert (done.code, done.out, sentence in done.err) == (2, "", True), done.err
