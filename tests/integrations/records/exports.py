"""Small exports for tests: rows as written in a test, read as a practice would read them."""

from pathlib import Path
from typing import Any

from integrations.records.mapping import Mapping
from integrations.records.reading import RecordReading, read_records
from models.entries import Reject
from models.instants import at_wall

ZONE = "Europe/Berlin"
NOW = at_wall("2026-11-03T09:00:00", ZONE)
SECRET = "Żółtobrodzka-Ångström"  # what no sentence may ever hold


def put(folder: Path, form: str, content: str | bytes) -> Path:
    """Write a form's file; text becomes UTF-8."""
    path = folder / f"{form}.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(
    folder: Path, form: str, content: str | bytes, *, zone: str = ZONE, now: int = NOW, **mapping: Any
) -> RecordReading:
    """The reading of one form's file."""
    path = put(folder, form, content)
    return read_records({form: path}, Mapping(**mapping), name="records", zone=zone, read_at=now)


def accounted(reading: RecordReading) -> bool:
    """Whether every row became an entry, a reject, a repetition or a blank."""
    return all(c.rows == c.entries + c.rejects + c.repeated + c.blank for c in reading.counts.values()) and (
        sum(c.entries for c in reading.counts.values()),
        sum(c.rejects for c in reading.counts.values()),
    ) == (len(reading.entries), len(reading.rejects))


def only_reject(reading: RecordReading) -> Reject:
    """The one row that was put aside, after looking that no sentence repeats what a cell holds."""
    (reject,) = reading.rejects
    assert SECRET not in reject.sentence + reject.place + reject.reason
    assert accounted(reading)
    return reject
