"""Starting a practice: a commented practice.toml, from nothing or from what a folder of exports and calendars holds, and all it needs."""

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrations.practice import open_practice
from integrations.records.detect import Detection, detect
from integrations.records.mapping import settings_of
from integrations.settings import read_settings
from models.errors import SettingsError, SourceError, TendingError
from models.instants import Instant, zone
from models.settings import Settings

FALLBACK_ZONE = "UTC"
_LONGEST_NAME = 40
_LINKS = ("/etc/localtime", "/var/db/timezone/localtime")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new practice.toml is to say."""

    name: str = "Practice"
    zone: str = FALLBACK_ZONE
    locale: str = "en_GB"
    holidays: str = ""
    admin: str = ""
    data: str = ""


def zone_here() -> str:
    """The time zone that this machine is set to, as an IANA name; UTC where that cannot be told."""
    for link in _LINKS:
        found = re.search(r"/zoneinfo/(?:posix/|right/)?(.+)$", os.path.realpath(link))
        if found and _known(found.group(1)):
            return found.group(1)
    try:
        name = Path("/etc/timezone").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return FALLBACK_ZONE
    return name if _known(name) else FALLBACK_ZONE


def _known(name: str) -> bool:
    try:
        zone(name)
    except TendingError:
        return False
    return True


def look_at(folder: Path, zone_name: str, now: Instant) -> Detection:
    """What a folder holds. Raises SourceError where nothing in it can be read, saying why for each file."""
    found = detect(folder, zone=zone_name, read_at=now)
    if not found.forms and not found.calendars:
        why = [unclear.reason for unclear in found.unclear] or ["it holds no file that could be one."]
        raise SourceError("\n".join([f"Nothing in {folder} can be read; no file was written.", *why]))
    return found


def write_practice(path: Path, text: str) -> None:
    """Write a new practice.toml and make what it needs: data folder, key file, database. A failure leaves no practice.toml.

    Raises SettingsError where the file is there already or cannot be written, or the database is there, which then is another
    practice's; and what opening a practice raises.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise SettingsError(
            f"{path} is there already and is not overwritten; edit it, or name another with --practice."
        ) from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be written ({error.strerror}); check the folder and who owns it.") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        if (database := _database_of(read_settings(path))).exists():
            raise SettingsError(
                f"{path} is not written: {database} is there already. If it is this practice's, put its practice.toml back; "
                "if another's, name a folder of its own for this one's data with --data."
            )
        open_practice(path, create=True).close()
    except OSError as error:
        path.unlink(missing_ok=True)
        raise SettingsError(f"{path} cannot be written ({error.strerror}); check the room on the disk.") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def complete(path: Path) -> bool:
    """Make what an existing practice.toml still lacks: data folder, keys, database. Whether its database was missing."""
    settings = read_settings(path)
    missing = settings.store.url.startswith("sqlite:") and not _database_of(settings).exists()
    open_practice(path, create=True).close()
    return missing


def _database_of(settings: Settings) -> Path:
    return Path(settings.store.url.removeprefix("sqlite:///"))


def practice_toml(wanted: Wanted, found: Detection | None = None, folder: str = "") -> str:
    """The text of a practice.toml. `found` is what `folder` (as written into it) holds; without it the sources are examples."""
    lines = [
        "# A practice, as Tending reads it. Every setting is explained in docs/settings.md, every threshold in docs/policy.md.",
        "# Lines that begin with # are not read; take the # away to use them. `tending check` says whether all is well.",
        "",
        "[practice]",
        "# A neutral name: it stands in the subject lines of mails.",
        f"name = {quoted(wanted.name)}",
        "# An IANA time zone, such as Europe/Berlin.",
        f"zone = {quoted(wanted.zone)}",
        "# en_GB or en_US: how dates are written.",
        f"locale = {quoted(wanted.locale)}",
        "# Public holidays do not count as silence: a country such as DE, or a part of it such as DE-BE.",
        _maybe("holidays", wanted.holidays, "DE-BE"),
        "# Databases, logs and the installation token lie here; relative paths are meant from this file's folder.",
        _maybe("data", wanted.data, "data"),
        "",
        "[store]",
        "# Empty: SQLite in the data folder. PostgreSQL: postgresql://user@host/name, the password in ~/.pgpass.",
        '# url = ""',
        "# Without this file nobody can read a name. Keep a copy of it apart from the backups.",
        _maybe("key_file", f"{wanted.data.rstrip('/')}-keys" if wanted.data else "", "keys"),
        "",
        "# Who hears that the practice runs, or does not.",
        *(
            ["[admin]", f"email = {quoted(wanted.admin)}"]
            if wanted.admin
            else ["# [admin]", '# email = "office@example.org"']
        ),
        "",
        "# How alerts leave. The password is kept in the environment, under the name given here.",
        "# [mail]",
        '# host = "mail.example.org"',
        "# port = 587",
        '# security = "starttls"',
        '# user = "tending@example.org"',
        '# password_env = "TENDING_MAIL_PASSWORD"',
        '# sender = "tending@example.org"',
        "",
        *(_sources(found, folder) if found else _EXAMPLES),
        "",
        *_PARTS,
        "# Thresholds. What is not set here has the default that docs/policy.md explains.",
        "# [policy]",
        "# quiet_after_days = 14",
        "# quiet_factor = 2",
        "# missed_in_a_row = 2",
        '# speak = "next_morning"',
        "",
        "# Layers for some: a therapist by id, or what was agreed with one client, by code.",
        "# [policy.therapist.T1]",
        "# quiet_after_days = 21",
        "",
    ]
    return "\n".join(lines)


_RENEWED = [
    "# Where the export runs by itself: a file that nobody renews for so long is taken for no news at all.",
    "# renewed_within_hours = 48",
]
_EXAMPLES = [
    "# What is read. `tending init --from FOLDER`, in a folder without practice.toml, writes this part by itself.",
    "# Exports of the record system as CSV files in one folder; docs/forms.md says which columns are read.",
    "# [[source]]",
    '# name = "records"',
    '# kind = "records"',
    '# path = "exports"',
    *_RENEWED,
    "",
    "# One calendar: a file, a folder of .ics files, or an address.",
    "# [[source]]",
    '# name = "calendar-t1"',
    '# kind = "calendar"',
    '# path = "calendars/t1.ics"',
    "# Whose calendar it is: the id in the therapists file.",
    '# therapist = "T1"',
    "# An address that is a secret stands in the environment: url_env instead of path.",
    '# url_env = "TENDING_CALENDAR_T1"',
]


_PARTS = [
    "# Your own protocol in a sentence or two, or where it lies: it stands in every notice about a result that asks for safety.",
    "# [safety]",
    '# protocol = "Call today, ask, write it down; the plan lies in the safety folder."',
    "",
    "# The pages on which therapists say what happened; links are mailed once their address is known.",
    "# [desk]",
    '# public_url = "https://desk.example.org"',
    "",
    "# What stands in drafts of closing letters: whom to call in need, and three places or more to go.",
    "# [endings]",
    '# crisis = ["Crisis line, 000 0000, day and night"]',
    '# referrals = ["Practice by the lake, 000 0001"]',
    "",
    "# What an appointment that is put into a calendar is called there: nothing that tells of therapy.",
    "# [invitations]",
    '# title = "Appointment"',
    "",
]


def _maybe(name: str, value: str, example: str) -> str:
    return f"{name} = {quoted(value)}" if value else f"# {name} = {quoted(example)}"


def _sources(found: Detection, folder: str) -> list[str]:
    """The [[source]]s that read what was found, with what a person has to settle as comments beside them."""
    lines: list[str] = []
    if found.forms:
        lines += [
            *_commented(found.notes, "#"),
            *_commented(found.questions, "# TO SETTLE:"),
            "[[source]]",
            'name = "records"',
            'kind = "records"',
            f"path = {quoted(folder)}",
            *_RENEWED,
            *(f"{name} = {_value(value)}" for name, value in settings_of(found.mapping).items()),
            "",
        ]
    taken = {"records"}
    for calendar in found.calendars:
        lines += [
            *_commented([calendar.note] if calendar.note else [], "# TO SETTLE:"),
            "[[source]]",
            f"name = {quoted(_name_of(calendar.therapist_id, taken))}",
            'kind = "calendar"',
            f"path = {quoted(f'{folder}/{calendar.file}')}",
            _maybe("therapist", calendar.therapist_id or "", "T1"),
            "",
        ]
    lines += _commented([f"not read: {unclear.reason}" for unclear in found.unclear], "#")
    return lines[:-1] if lines and not lines[-1] else lines


def _commented(texts: Iterable[str], mark: str) -> list[str]:
    return [f"{mark} {' '.join(text.split())}" for text in texts]


def _name_of(therapist_id: str | None, taken: set[str]) -> str:
    """A calendar's name as a source: its owner's id in small letters, digits and hyphens, unlike those before it. Not the file's name:
    what a file is called may be a person's name, and sources are named in logs."""
    plain = re.sub(r"[^a-z0-9]+", "-", f"calendar {therapist_id or ''}".casefold()).strip("-")
    name, number = plain[:_LONGEST_NAME].strip("-"), 2
    while name in taken:
        name, number = f"{plain[: _LONGEST_NAME - 4]}-{number}", number + 1
    taken.add(name)
    return name


def quoted(text: str) -> str:
    """A TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    """A TOML value: text, number, or a table written in one line."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return "{ " + ", ".join(f"{quoted(str(k))} = {_value(v)}" for k, v in value.items()) + " }"


def folder_as_written(folder: Path, practice: Path) -> str:
    """The folder as practice.toml names it: relative to that file where it lies beside or below it."""
    try:
        return folder.resolve().relative_to(practice.resolve().parent).as_posix()
    except ValueError:
        return folder.resolve().as_posix()
