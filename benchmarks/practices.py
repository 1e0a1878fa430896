"""A practice of synthetic clients on a throw-away database, opened as the product opens any."""

from pathlib import Path
from typing import Any

import psycopg

from benchmarks.clients import THERAPISTS, ZONE, fill
from benchmarks.databases import Database
from integrations.practice import Practice, open_practice
from integrations.store import facts, sources
from integrations.store.cases import basis
from integrations.store.tables import chunks, insert_rows
from models.findings import Look
from models.instants import DAY, Instant
from models.looking import APPOINTMENTS
from models.people import Therapist

NOW: Instant = 1_795_426_200  # a Monday morning inside working hours, 2026-11-23 09:30 UTC

SETTINGS = """
[practice]
name = "Measured"
zone = "{zone}"
holidays = "DE-BE"
{more}
[store]
url = "{url}"
[mail]
host = "127.0.0.1"
port = {port}
sender = "tending@example.org"
[admin]
email = "admin@example.org"
[policy]
speak = "at_once"
notices_per_day = 50
[[source]]
name = "calendar"
kind = "calendar"
path = "calendar.ics"
therapist = "T1"
fresh_for_hours = 1000
"""


def practice_on(database: Database, name: str, *, more: str = "", port: int = 25) -> Practice:
    """A new practice without clients, whose source was read just now."""
    folder = Path(database.folder / f"{database.name}-{name}")
    folder.mkdir(parents=True)
    url = database.fresh(name)
    (folder / "practice.toml").write_text(SETTINGS.format(zone=ZONE, url=url, port=port, more=more), encoding="utf-8")
    practice = open_practice(folder / "practice.toml", create=True)
    with practice.store.write() as connection:
        insert_rows(connection, Therapist, [{"id": f"T{n}", "sealed": None} for n in range(THERAPISTS)])
        facts.note_told(connection, {f"{APPOINTMENTS}calendar"}, NOW - DAY)
        sources.was_read(practice, connection, practice.settings.source[0], NOW - DAY, "seen", "")
    return practice


def filled(database: Database, count: int, name: str) -> Practice:
    """A practice of so many clients with their digests, each looked at before and due at another time, none now."""
    practice = practice_on(database, f"{name}-{count}")
    with practice.store.write() as connection:
        basis_now = basis(practice, connection)
        fill(connection, count, NOW)
        for part in chunks(range(1, count + 1), 1000):
            looks = [
                {
                    "client_id": number,
                    "next_look": NOW + DAY + number * 7919 % (60 * DAY),
                    "looked_at": NOW - DAY,
                    "basis": basis_now,
                    "blind": False,
                }
                for number in part
            ]
            insert_rows(connection, Look, looks)
    tidy(practice)
    return practice


def tidy(practice: Practice) -> None:
    """What a database does by itself in the night after a large import."""
    raw = driver_connection(practice)
    if practice.store.dialect == "sqlite":
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.execute("ANALYZE")
    else:
        raw.autocommit = True
        raw.execute("VACUUM ANALYZE")
    raw.close()


def driver_connection(practice: Practice) -> Any:
    """A connection by the database's own driver, set up as ours are."""
    if practice.store.dialect == "sqlite":
        import sqlite3

        raw = sqlite3.connect(str(practice.store.url.database), isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY"):
            raw.execute(f"PRAGMA {pragma}")
        return raw
    return psycopg.connect(practice.store.url.set(drivername="postgresql").render_as_string(hide_password=False))
