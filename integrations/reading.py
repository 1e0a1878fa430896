"""Reading one source into the store: fetch, understand, take in. One way for every caller: flow, reactor and command line."""

import hashlib
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from integrations.calendars.fetch import fetch
from integrations.calendars.reading import fingerprint, read_calendars, window
from integrations.records.mapping import mapping_of
from integrations.records.opening import files_of, not_read
from integrations.records.reading import read_records
from integrations.store import sources
from integrations.store.derive import derive
from integrations.store.intake import Taken, take_in
from integrations.store.scores import tell_of_scores
from integrations.store.turns import take_turn
from models.entries import Reading
from models.errors import SettingsError, StoreError, TendingError
from models.instants import Instant
from models.settings_source import SourcePart

if TYPE_CHECKING:
    from integrations.practice import Practice


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a source gave: a reading, or None where nothing changed, and what to show its server next time."""

    reading: Reading | None
    fingerprint: str
    etag: str = ""


def read_source(practice: "Practice", source: SourcePart, now: Instant) -> Taken:
    """Read one source and record what it says. An unchanged one costs a hash; a failed one leaves everything as it was.

    Raises SourceError or SettingsError with the remedy, after recording the failed attempt.
    """
    with practice.store.read() as connection:
        row = sources.all_rows(connection).get(source.name)
    renewed_at = written_at(source)
    try:
        looked = _look(practice, source, row.fingerprint if row else "", row.etag if row else "", now)
    except StoreError:
        raise
    except TendingError as error:
        with practice.store.write() as connection:
            sources.could_not_be_read(connection, source, now, type(error).__name__, str(error))
        raise
    with practice.store.write() as connection:
        take_turn(connection)
        stands = sources.ensure(connection, source)
        if stands.read_at != (row.read_at if row else None):
            # Somebody else has read it since we looked: what we hold may be older than what they wrote.
            return Taken(source.name, unchanged=True)
        policy = practice.book.of().policy
        if looked.reading is None:
            taken = Taken(source.name, unchanged=True)
        else:
            taken = take_in(connection, practice.vault, source, looked.reading, policy, now, practice.zone)
        if looked.reading is not None:
            tell_of_scores(connection, source.name, now)
        if row and row.fingerprint and not row.fingerprint.startswith(_meaning(source)):
            # Words that mean something else now: what follows from them is derived again though nobody said anything new.
            taken.clients |= (again := sources.clients_in(connection, source.name))
            derive(connection, again, policy, now, practice.zone)
        # What is held back is looked at again at every reading, until a person has spoken or it is back.
        seen = "" if taken.held else looked.fingerprint
        etag = "" if taken.held else looked.etag
        sources.was_read(practice, connection, source, now, seen, etag, renewed_at)
    return taken


class _Undone(Exception):
    """Ends a transaction that was only meant to be looked at."""


def preview_source(practice: "Practice", source: SourcePart, now: Instant) -> Taken:
    """What reading one source would come to: taken in and undone again, nothing is recorded. Raises as `read_source` does."""
    reading = read_only(practice, source, now)
    taken = Taken(source.name)
    try:
        with practice.store.write() as connection:
            sources.ensure(connection, source)
            policy = practice.book.of().policy
            taken = take_in(connection, practice.vault, source, reading, policy, now, practice.zone)
            raise _Undone
    except _Undone:
        return taken


def read_only(practice: "Practice", source: SourcePart, now: Instant) -> Reading:
    """What a source says now, taken in by nobody. Raises SourceError or SettingsError with the remedy."""
    looked = _look(practice, source, "", "", now)
    assert looked.reading is not None, "a source that was never seen cannot be unchanged"
    return looked.reading


def _look(practice: "Practice", source: SourcePart, seen: str, etag: str, now: Instant) -> _Looked:
    zone = source.zone or practice.zone
    meaning = _meaning(source)
    if source.kind == "records":
        reading = read_records(Path(source.path), mapping_of(source), name=source.name, zone=zone, read_at=now)
        mark = f"{meaning}{reading.fingerprint}"
        return _Looked(None if mark == seen else reading, mark)
    window_from, window_to = window(now)
    terms: dict[str, Any] = {
        "zone": zone,
        "therapist_id": source.therapist or None,
        "window_from": window_from,
        "window_to": window_to,
    }
    known_tag, _, known_window = etag.rpartition(" ")
    same_terms = seen.startswith(meaning) and known_window == str(window_to)
    fetched = fetch(place_of(source), etag=known_tag if same_terms else "")
    tag = f"{fetched.etag or known_tag} {window_to}"
    if fetched.unchanged:
        return _Looked(None, seen, tag)
    mark = f"{meaning}{fingerprint(*(data for _, data in fetched.files), **terms)}"
    if mark == seen:
        return _Looked(None, mark, tag)
    return _Looked(read_calendars(fetched.files, **terms, people=source.ask_about_former), mark, tag)


def _meaning(source: SourcePart) -> str:
    """How a source is understood, as a short hash: its settings, and the time zone data, by which what lies ahead has its instant."""
    text = f"{version('tzdata')} {source.model_dump_json()}"
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest() + "-"


def written_at(source: SourcePart) -> Instant | None:
    """When the newest file of a path was written, of records the newest that is read; None for an address, and where nothing is there."""
    path = Path(source.path).expanduser()
    if not source.path:
        return None
    try:
        if source.kind == "records":
            files = list(files_of(Path(source.path), mapping_of(source), source.name).values())
            return max((int(file.stat().st_mtime) for file in files), default=None)
        files = [f for f in path.iterdir() if f.is_file() and not f.name.startswith(".")] if path.is_dir() else [path]
        return max((int(file.stat().st_mtime) for file in files), default=None)
    except (OSError, TendingError):
        return None  # reading it says why


def place_of(source: SourcePart) -> str:
    """Where a calendar is: its path or address, the latter perhaps from the environment. Raises SettingsError."""
    if not source.url_env:
        return source.path or source.url
    place = os.environ.get(source.url_env, "")
    if not place:
        raise SettingsError(
            f"Source {source.name}: the environment variable {source.url_env} is not set; put the address into it."
        )
    return place


def unread_files(source: SourcePart) -> list[str]:
    """CSV files that lie beside those of a records source and that nothing reads, by name. Raises SourceError or SettingsError."""
    folder = Path(source.path)
    return not_read(folder, mapping_of(source), source.name) if source.kind == "records" and folder.is_dir() else []
