"""Back up a practice on SQLite while it runs: consistent copies of its databases and practice.toml, and nothing else.

What is taken is a list, so what must never be in a backup (the installation token, the keys) cannot slip into one.
Needs nothing but Python itself. `python deploy/backup.py practice.toml /var/backups/tending [--keep 14]`
"""

import argparse
import os
import shutil
import sqlite3
import sys
import tomllib
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

DONE = "backup-"
UNFINISHED = "unfinished-"


class BackupError(Exception):
    """One sentence with its remedy."""


def databases(practice: Path) -> list[Path]:
    """The database files of this practice, at least one. Raises BackupError if there is none or it is not on SQLite."""
    try:
        settings = tomllib.loads(practice.read_text(encoding="utf-8"))
    except OSError as error:
        raise BackupError(f"{practice} cannot be read ({error.strerror}): give the path of practice.toml.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise BackupError(f"{practice} is not a settings file: run 'tending check' to see why.") from None
    url = str(settings.get("store", {}).get("url", ""))
    if url and not url.startswith("sqlite"):
        raise BackupError("This practice is on PostgreSQL: back it up with pg_dump, as deploy/README.md says.")
    folder = practice.parent / str(settings.get("practice", {}).get("data", "data"))
    found = [practice.parent / url.partition(":///")[2]] if url else sorted(folder.glob("*.db"))
    if not found or not all(path.is_file() for path in found):
        raise BackupError(
            f"There is no database in {found[0] if found else folder}: has this practice been started yet?"
        )
    return found


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy, write-ahead log included, checked after it is made. The original stays usable meanwhile."""
    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new, pages=2000, sleep=0.01)
        # One file that needs no second one beside it.
        new.execute("PRAGMA journal_mode=DELETE")
        if new.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise BackupError(f"The copy of {source.name} is damaged: check the disk, and run 'tending check'.")


def back_up(practice: Path, target: Path, keep: int) -> Path:
    """Make one backup below `target` and remove all but the newest `keep`. Returns its folder. Raises BackupError."""
    sources = databases(practice)
    name = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    work = target / (UNFINISHED + name)
    try:
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in target.glob(UNFINISHED + "*"):
            shutil.rmtree(left)
        work.mkdir(mode=0o700)
        for source in sources:
            copy_database(source, work / source.name)
        shutil.copyfile(practice, work / "practice.toml")
        done = work.rename(target / (DONE + name))
        for old in sorted(target.glob(DONE + "*"))[:-keep]:
            shutil.rmtree(old)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"The backup to {target} failed ({error}): look for room and rights there.") from None
    return done


def main() -> int:
    """Exit code 0 when a backup was made, 1 with one sentence when not."""
    parser = argparse.ArgumentParser(description="Back up a practice on SQLite while it runs.")
    parser.add_argument("practice", type=Path, help="path of practice.toml")
    parser.add_argument("target", type=Path, help="folder that holds the backups")
    parser.add_argument("--keep", type=int, default=14, help="how many backups to keep (14)")
    given = parser.parse_args()
    if given.keep < 1:
        parser.error("--keep is at least 1")
    os.umask(0o077)
    try:
        print(back_up(given.practice, given.target, given.keep))
    except BackupError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
