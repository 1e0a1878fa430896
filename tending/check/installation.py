"""Whether practice.toml, the keys and this machine are in order."""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from integrations.public_holidays import public_holidays
from integrations.store import lookups
from integrations.store.facts import ids_of_codes
from integrations.vault import ENVIRONMENT, Vault
from models.errors import TendingError
from models.settings import Settings
from models.words import counted
from tending.check.lines import Level, Line, Place

LEAST_FREE = 500 * 2**20  # bytes on the disk of the data folder
LOW_FREE = 2 * 2**30
LOCK = Path(__file__).resolve().parent.parent.parent / "requirements.lock"


def settings_file(path: Path, settings: Settings) -> Iterator[Line]:
    """What practice.toml says, and what it leaves out."""
    count = counted(len(settings.source), "source")
    yield Line(
        Level.good, "settings", f"{path} is understood: {settings.practice.name}, {settings.practice.zone}, {count}."
    )
    if re.search(r"://[^/@\s]*:[^/@\s]+@", path.read_text(encoding="utf-8-sig")) and path.stat().st_mode & 0o077:
        yield Line(
            Level.mend, "settings", f"{path} holds a password and others may read it; close it with: chmod 600 {path}"
        )
    if not settings.source:
        yield Line(Level.mend, "settings", "There is no [[source]], so nothing is read; see docs/settings.md.")
    if settings.practice.holidays:
        try:
            public_holidays(settings.practice.holidays, 2026, 2026)
        except TendingError as error:
            yield Line(Level.mend, "settings", str(error))
    if settings.mail is None and not settings.channel:
        yield Line(Level.mend, "settings", "Neither [mail] nor a [[channel]] is set, so nobody can be told anything.")
    if settings.admin is None:
        yield Line(Level.mend, "settings", "[admin] is not set, so nobody hears when something fails.")
    lists = {"crisis": settings.endings.crisis, "referrals": settings.endings.referrals}
    if empty := [name for name, entries in lists.items() if not entries]:
        yield Line(
            Level.note,
            "settings",
            f"[endings] {' and '.join(empty)}: nothing is listed, so closing letters have brackets there; docs/settings.md.",
        )
    zones = {settings.practice.zone, *(s.zone for s in settings.source)}
    if zones & {"UTC", "Etc/UTC"}:
        yield Line(
            Level.mend,
            "settings",
            "The zone is UTC, which no practice lives in: times without a zone are read wrongly, and notices go out at the wrong hour; "
            "set [practice] zone.",
        )


def keys(settings: Settings) -> Iterator[Line]:
    """Whether the keys can be read."""
    try:
        Vault.load(Path(settings.store.key_file), os.environ)
    except TendingError as error:
        yield Line(Level.mend, "keys", str(error))
        return
    where = f"the environment's {ENVIRONMENT}" if os.environ.get(ENVIRONMENT, "").strip() else settings.store.key_file
    yield Line(Level.good, "keys", f"The keys are read from {where}; keep a copy apart from the backups.")


def machine(data: Path) -> Iterator[Line]:
    """The disk where the data lie, zone data and packages."""
    if data.is_dir():
        free = shutil.disk_usage(data).free
        said = f"{free / 2**30:.1f} GiB are free where the data lie"
        if free < LEAST_FREE:
            yield Line(Level.mend, "disk", f"Only {said}; make room before the disk is full.")
        else:
            yield Line(Level.note if free < LOW_FREE else Level.good, "disk", f"{said}.")
        if stat.S_IMODE(data.stat().st_mode) & 0o077:
            yield Line(Level.mend, "disk", f"Others may look into {data}; close it with: chmod 700 {data}")
    yield Line(Level.good, "time zones", f"Zone data are those of tzdata {version('tzdata')}.")
    wanted, there = _locked("prefect"), _installed("prefect")
    if wanted and there != wanted:
        yield Line(
            Level.mend,
            "packages",
            f"Prefect {there or 'is missing'} is not the {wanted} of requirements.lock; run: make venv",
        )
    else:
        yield Line(Level.good, "packages", f"Prefect {there}{' as locked' if wanted else ''}.")


def _locked(name: str) -> str:
    try:
        found = re.search(rf"^{name}==([^\s;\\]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return ""
    return found.group(1) if found else ""


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def names_in_policy(place: Place) -> Iterator[Line]:
    """Clients, therapists and sites to which practice.toml gives a policy of their own, but nobody knows."""
    practice = place.practice
    named = practice.settings.policy
    with practice.store.read() as connection:
        codes, known = tuple(named.get("client", {})), lookups.therapists(connection)
        unknown, sites = sorted(set(codes) - ids_of_codes(connection, codes).keys()), lookups.sites(connection)
    for code in unknown:
        yield Line(Level.mend, "policy", f"[policy.client.{code}]: no client has this code; correct it or take it out.")
    for therapist in sorted(set(named.get("therapist", {})) - set(known)) if known else ():
        yield Line(
            Level.mend,
            "policy",
            f"[policy.therapist.{therapist}]: no therapist has this id; correct it or take it out.",
        )
    for site in sorted(set(named.get("site", {})) - sites) if known else ():
        yield Line(
            Level.mend, "policy", f"[policy.site.{site}]: nobody is at a site of this name; correct it or take it out."
        )
