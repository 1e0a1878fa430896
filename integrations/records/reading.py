"""Reading a set of exports: from CSV files to one Reading, with every row accounted for."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from integrations.records.cells import Grammar
from integrations.records.forms import FORMS
from integrations.records.mapping import Mapping as RecordMapping
from integrations.records.opening import Opened, files_of, grammar_of, open_file
from integrations.records.rows import FileCount, FileReader
from integrations.records.therapists import Named
from models.entries import Reading, TherapistEntry
from models.instants import DAY, Instant

WINDOW_DAYS = 400  # how far back and ahead an export is taken to be complete, unless the caller knows better


@dataclass(frozen=True, slots=True)
class RecordReading(Reading):
    """A Reading with a count for each form that was read."""

    counts: Mapping[str, FileCount] = field(default_factory=dict)


def read_records(
    where: Path | Mapping[str, Path],
    mapping: RecordMapping,
    *,
    name: str,
    zone: str,
    read_at: Instant,
    window_from: Instant | None = None,
    window_to: Instant | None = None,
) -> RecordReading:
    """Read a folder of exports, or form -> file, once and whole.

    `name` is the source's, for messages; `zone` that of times without one, unless the mapping has its own. Absence of
    an appointment means something inside [window_from, window_to), by default 400 days around `read_at`. Raises
    SourceError if a file is missing or no CSV, SettingsError if the mapping does not fit; then nothing was taken.
    """
    files = files_of(where, mapping, name)
    opened = [open_file(FORMS[form], path, mapping) for form, path in files.items()]
    grammar = grammar_of(opened, mapping, mapping.zone or zone, read_at)
    readers = [FileReader(one, grammar) for one in opened]
    for reader in readers:
        reader.read()
    therapists = Named(entry for reader in readers for entry in reader.entries() if isinstance(entry, TherapistEntry))
    doubts = [(r.doubts.believed, r.doubts.ahead) for r in readers]
    return RecordReading(
        entries=[therapists.in_entry(entry) for r in readers for entry in r.entries()],
        rejects=[therapists.in_row(reject) for r in readers for reject in r.rejects()],
        kinds=frozenset(r.opened.form.kind for r in readers if r.complete),
        window_from=read_at - WINDOW_DAYS * DAY if window_from is None else window_from,
        window_to=read_at + WINDOW_DAYS * DAY if window_to is None else window_to,
        dropped=dict(sum((r.dropped for r in readers), Counter())),
        fingerprint=_fingerprint(opened, mapping, grammar, doubts),
        counts={r.opened.form.name: r.count() for r in readers},
    )


def _fingerprint(
    opened: Sequence[Opened], mapping: RecordMapping, grammar: Grammar, doubts: Sequence[tuple[int, int]]
) -> str:
    """Equal only if the bytes, the mapping and all that depends on the time of reading are equal.

    With the same bytes, a later reading only believes more and has less ahead: two numbers tell it all.
    """
    digest = hashlib.sha256(repr((mapping, grammar.zone, doubts)).encode())
    for one in opened:
        digest.update(f"|{one.form.name}|{one.table.file}|{len(one.table.content)}|".encode())
        digest.update(one.table.content)
    return digest.hexdigest()
