"""How commands start: without Prefect where no flow runs, with the locked zone data, and `init` in all its ways."""

import json
import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from models.settings import settings_from
from tending.init import Wanted, practice_toml, quoted, zone_here
from tests.cli.clinic import ZONE

LOADED = """
import sys
from tending.cli import run
for line in sys.argv[1:]:
    run(line.split())
print("LOADED", *sorted({m.partition(".")[0] for m in sys.modules} & {"prefect", "apprise", "icalendar", "rich", "alembic"}))
"""


def loaded(folder: Path, *lines: str) -> set[str]:
    """The heavy libraries that some commands load together, in a process of their own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *lines], cwd=folder, env=environment, capture_output=True, text=True
    )
    line = done.stdout.splitlines()[-1].split()
    assert line[0] == "LOADED", done.stderr
    return set(line[1:])


def test_help_loads_nothing_heavy(tmp_path):
    assert loaded(tmp_path, "--help", "--version", "status --help", "up --help", "demo --help", "status") == set()


def test_commands_that_run_no_flow_load_no_prefect(clinic, tending):
    assert tending("init", "--from", ".", "--zone", ZONE).code == 0
    quick = (
        "status",
        "findings",
        "why C-7777777",
        "policy",
        "outbox",
        "quarantine",
        "arm --yes",
        "who C-7777777",
        "audit",
    )
    assert loaded(clinic, *quick) == set()
    assert not loaded(clinic, "sync", "unmatched", "rebuild") & {"prefect", "apprise"}
    assert "prefect" not in loaded(clinic, "check")


def test_zone_data_are_the_locked_ones_however_it_is_started(tmp_path):
    code = "import tending.cli, zoneinfo, os; print(zoneinfo.TZPATH, repr(os.environ['PYTHONTZPATH']))"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONTZPATH"}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout == "() ''\n"


def test_the_version_is_that_of_the_package(tending):
    from importlib.metadata import version

    assert tending("--version").out == f"tending {version('tending')}\n"


def test_init_writes_what_a_practice_needs_and_never_overwrites(tmp_path, monkeypatch, tending):
    monkeypatch.chdir(tmp_path)
    done = tending(
        "init", "--name", "Nord „Süd“", "--zone", ZONE, "--holidays", "DE-BE", "--admin", "office@example.org"
    )
    assert done.code == 0
    assert done.out.count("\n  ") == 3  # the next three steps
    path = tmp_path / "practice.toml"
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("practice.toml", "keys", "data")] == [
        0o600,
        0o600,
        0o700,
    ]
    settings = settings_from(tomllib.loads(path.read_text(encoding="utf-8")), "practice.toml")
    assert settings.practice.name == "Nord „Süd“"
    assert settings.admin is not None
    before = path.read_bytes(), (tmp_path / "keys").read_bytes()
    again = tending("init")
    assert (again.code, "nothing was done" in again.out) == (0, True)
    assert tending("init", "--from", str(tmp_path)).code != 0
    assert (path.read_bytes(), (tmp_path / "keys").read_bytes()) == before
    assert tending("status").code == 0


def test_init_makes_what_a_practice_toml_still_lacks(tmp_path, monkeypatch, tending):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "practice.toml").write_text('[practice]\nname = "N"\nzone = "Europe/Berlin"\n')
    done = tending("init")
    assert (done.code, "is left as it is" in done.out) == (0, True)
    assert tending("status").code == 0


def test_init_from_a_folder_reads_it_at_once(clinic, tending):
    done = tending("init", "--from", ".", "--zone", ZONE)
    assert done.code == 0
    for words in ("clients", "exports/clients.csv", "6 rows", "calendars/T1.ics  of T1"):
        assert " ".join(words.split()) in " ".join(done.out.split())
    refused = tending("init", "--from", ".", "--zone", ZONE)
    assert (refused.code, "is not overwritten" in refused.err) == (3, True)
    assert tending("sync").code == 0
    assert "[[source]]" in (clinic / "practice.toml").read_text(encoding="utf-8")


def test_init_from_says_what_it_is_unsure_of_and_marks_it_in_the_file(clinic, tending):
    (clinic / "calendars" / "T2.ics").rename(clinic / "calendars" / 'praxis "links".ics')
    (clinic / "exports" / "photo.jpg").write_bytes(b"\xff\xd8")
    done = tending("init", "--from", ".", "--zone", ZONE, "--dry-run")
    assert done.code == 0
    assert "Unsure; settle it in practice.toml" in done.out
    assert "# TO SETTLE: " in done.out
    assert "photo.jpg: neither a CSV file nor a calendar" in done.out
    assert not (clinic / "practice.toml").exists()
    assert tending("init", "--from", ".", "--zone", ZONE).code == 0
    assert {s["name"] for s in tending("status", "--json").json["sources"]} == {
        "records",
        "calendar-t1",
        "calendar",  # not what the file is called: that may be a person
    }


def test_init_from_a_folder_of_nothing_says_why_and_writes_nothing(tmp_path, monkeypatch, tending):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "list.xlsx").write_bytes(b"PK")
    done = tending("init", "--from", "exports")
    assert done.code == 4
    assert "save it as CSV" in done.err
    assert not (tmp_path / "practice.toml").exists()
    assert tending("init", "--from", "nowhere").code == 3
    assert tending("init", "--zone", "Nowhere/City").code == 3
    assert list(tmp_path.iterdir()) == [tmp_path / "exports"]


def test_every_example_in_the_written_file_is_a_setting(tmp_path):
    text = practice_toml(Wanted(zone=ZONE))
    used = "\n".join(line.removeprefix("# ") if _is_setting(line) else line for line in text.splitlines())
    used = used.replace('path = "calendars/t1.ics"\n', "")  # url_env stands in its place
    settings = settings_from(tomllib.loads(used), "practice.toml")
    assert [source.kind for source in settings.source] == ["records", "calendar"]
    assert settings.mail is not None
    assert settings.admin is not None
    assert settings.policy["therapist"] == {"T1": {"quiet_after_days": 21}}


def _is_setting(line: str) -> bool:
    body = line.removeprefix("# ")
    return body.startswith("[") or (body.partition(" = ")[0].isidentifier() and " = " in body)


@pytest.mark.parametrize("value", ['a "b" \\ c', "tab\there", "\x7f", "Ünïcode"])
def test_text_is_written_so_that_it_is_read_back(value):
    assert tomllib.loads(f"x = {quoted(value)}")["x"] == value


def test_the_machines_zone_is_a_zone():
    from models.instants import zone

    assert zone(zone_here())


def test_colour_is_for_terminals_and_json_is_json(clinic, tending):
    tending("init", "--from", ".", "--zone", ZONE)
    assert "\x1b" not in tending("check", "--offline").out
    assert json.loads(tending("check", "--offline", "--json").out)


def test_a_second_practice_in_a_folder_needs_its_own_data(clinic, tending):
    assert tending("init", "--from", "exports", "--practice", "a.toml", "--zone", "Europe/Berlin").code == 0
    refused = tending("init", "--from", "calendars", "--practice", "b.toml", "--zone", "Europe/Berlin")
    assert (refused.code, (clinic / "b.toml").exists()) == (3, False)
    assert "--data" in refused.err
    options = ("--practice", "b.toml", "--zone", "Europe/Berlin", "--data", "b")
    assert tending("init", "--from", "calendars", *options).code == 0
    assert (clinic / "b" / "tending.db").exists()
    assert (clinic / "b-keys").read_text() != (clinic / "keys").read_text()


@pytest.mark.parametrize(
    "more", ["Status\n1,Anna Bell,T1,2026-11-01,Show\n", "Type\n1,Anna Bell,T1,2026-11-01,Session\n"]
)
def test_appointments_without_their_date_are_no_client_list(tmp_path, monkeypatch, tending, more):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exports").mkdir()
    text = f"Client ID,Client Name,Clinician,Date added,{more}"
    (tmp_path / "exports" / "appointments.csv").write_text(text, encoding="utf-8")
    refused = tending("init", "--from", "exports")
    assert (refused.code, (tmp_path / "practice.toml").exists()) == (4, False)
    assert '"Date added"' in refused.err


def test_a_file_of_which_no_row_is_understood_is_asked_about(tmp_path, monkeypatch, tending):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exports").mkdir()
    text = "Client ID,Client Name,Clinician,Status\n1,Anna Bell,T1,Show\n2,Bo Cox,T1,No Show\n"
    (tmp_path / "exports" / "export.csv").write_text(text, encoding="utf-8")
    done = tending("init", "--from", "exports")
    assert done.code == 1
    assert "none of its rows is understood" in done.out
    assert "TO SETTLE: export.csv" in (tmp_path / "practice.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("option", "word"),
    [
        (("--zone", "Mars/Base"), "Europe/Berlin"),
        (("--holidays", "XX-YY"), "DE-BE"),
        (("--admin", "nobody"), "address"),
        (("--name", "North\nside"), "one line"),
        (("--locale", "fr"), "locale: it should be"),
        (("--from", "/etc/hosts"), "is a file"),
    ],
)
def test_init_refuses_what_it_could_not_use_and_writes_nothing(tmp_path, monkeypatch, tending, option, word):
    monkeypatch.chdir(tmp_path)
    refused = tending("init", *option)
    assert (refused.code, refused.out, list(tmp_path.iterdir())) == (3, "", [])
    assert word in refused.err


def test_what_holds_no_date_says_nothing_of_dates(tmp_path, monkeypatch, tending):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clients.csv").write_text("id,name,therapist\n1,Anna Bell,T1\n", encoding="utf-8")
    assert "ates" not in tending("init", "--from", ".").out.split("Next:")[0].replace("practice.toml", "")
