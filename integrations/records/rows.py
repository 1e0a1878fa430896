"""Reading the rows of one file, each of which becomes an entry, a reject, a repetition or nothing."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from integrations.records.building import BadRowError, Doubts
from integrations.records.cells import BadCellError, Grammar
from integrations.records.entries import BUILD
from integrations.records.mapping import harmless
from integrations.records.opening import Opened
from integrations.records.progress import risk_at
from integrations.records.referring import plain
from integrations.records.tables import Row, damaged
from models.entries import AppointmentEntry, ClientEntry, Entry, ProviderEntry, Reject, ScoreEntry
from models.instants import Instant

_OUT_OF_PLACE = frozenset({"broken-quotes", "too-many-cells", "too-few-cells"})  # any cell may be another column's


@dataclass(frozen=True, slots=True)
class FileCount:
    """What became of the rows under one file's header: rows = entries + rejects + repeated + blank."""

    rows: int = 0
    entries: int = 0
    rejects: int = 0
    repeated: int = 0
    blank: int = 0


@dataclass(slots=True)
class _First:
    """Where an id was first met: the row, the cells that were read, and its place among the outcomes."""

    row: Row
    used: tuple[str, ...]
    outcome: int


class _Whose(NamedTuple):
    """Whom a row concerns, in the words of an entry, as far as that could be told."""

    client_ids: tuple[str, ...] = ()
    title: str = ""
    therapist: str | None = None
    risk_at: Instant | None = None


class FileReader:
    """The rows of one file and what became of them; `complete` tells whether absence from it may mean anything: of a file without even
    a header, or with a quotation mark out of place, it may not. What a row that could not be understood may be is looked at where
    absence is concluded."""

    def __init__(self, opened: Opened, grammar: Grammar) -> None:
        self.opened, self.grammar, self.doubts = opened, grammar, Doubts()
        self.form, self.places, self.header = opened.form, opened.places, opened.table.header
        self.columns = [(c, self.places[c.name]) for c in self.form.columns if c.name in self.places]
        self.columns.sort(key=lambda pair: pair[0].name not in self.form.names_it)
        self.texts = frozenset(place for column, place in self.columns if column.only_whether)
        self.unread = [i for i in range(len(self.header)) if i in self.texts or i not in self.places.values()]
        self.last_read = max(self.places.values(), default=-1)
        self.outcomes: list[Entry | Reject] = []
        self.first: dict[str, _First] = {}
        self.codes: dict[str, _First] = {}
        self.left: list[int] = [0] * len(self.header)
        self.repeated = self.blank = 0
        self.complete = bool(self.header)  # a file without even a header has said nothing, not that there is nothing

    @property
    def dropped(self) -> Counter[str]:
        """Cells left at the border, by column name; a header that may be more than a name goes by its number."""
        names = ((harmless(self.header[i]) and self.header[i].strip()) or f"column {i + 1}" for i in self.unread)
        return +Counter({f"{name}": self.left[i] for name, i in zip(names, self.unread, strict=True)})

    def entries(self) -> list[Entry]:
        """The good rows."""
        return [one for one in self.outcomes if not isinstance(one, Reject)]

    def rejects(self) -> list[Reject]:
        """The bad rows."""
        return [one for one in self.outcomes if isinstance(one, Reject)]

    def count(self) -> FileCount:
        """What became of the rows."""
        bad = sum(isinstance(one, Reject) for one in self.outcomes)
        return FileCount(len(self.opened.table.rows), len(self.outcomes) - bad, bad, self.repeated, self.blank)

    def read(self) -> None:
        """Read all rows."""
        rows = self.opened.table.rows
        for row in rows:
            if not any(map(str.strip, row.cells)):
                self.blank += 1
            elif fault := row.fault or self._shape(row, last=row is rows[-1]):
                self._reject_row(row, fault)
            else:
                self._read(row)

    def _shape(self, row: Row, *, last: bool) -> str:
        """What is wrong with the number of cells: too many that are filled, or one missing that would be read."""
        if any(cell.strip() for cell in row.cells[len(self.header) :]):
            return "too-many-cells"
        short = len(row.cells) < len(self.header)
        if len(row.cells) <= self.last_read or (short and last and self.opened.table.cut):
            return "too-few-cells"
        if damaged([row.cells[place] for _, place in self.columns if place not in self.texts]):
            return "bad-encoding"
        return ""

    def _read(self, row: Row) -> None:
        cells = row.cells
        for i in self.unread:
            if i < len(cells) and cells[i].strip():
                self.left[i] += 1
        values: dict[str, Any] = {}
        outcome: Entry | Reject
        try:
            for column, place in self.columns:
                if text := cells[place].strip():
                    try:
                        values[column.name] = column.parse(text, self.grammar)
                    except BadCellError as error:
                        raise BadRowError(column.name, error.reason, error.fault, error.remedy) from None
                elif column.required:
                    raise BadRowError(column.name, "missing", "is empty", "fill it in")
            for group in self.form.one_of:
                if not any(name in values for name in group):
                    there, *others = (name for name in group if name in self.places)
                    remedy = (
                        f"fill it in, or {' or '.join(self.opened.theirs(name) for name in others)}"
                        if others
                        else "fill it in"
                    )
                    raise BadRowError(there, "missing", "is empty", remedy)
            entry = BUILD[self.form.name](values, self.grammar, self.doubts)
            known_as, outcome = entry.id, entry
        except BadRowError as error:
            self._salvage(row, values)
            known_as = values.get("id", "")
            where = f'{self._where(row)}, column "{self.opened.theirs(error.column)}"'
            sentence = f"{where}: it {error.fault}; {error.remedy}."
            outcome = self._reject(row, error.reason, sentence, known_as, self._whose(values))
        self._keep(row, known_as, outcome, given="id" in values)

    def _salvage(self, row: Row, values: dict[str, Any]) -> None:
        """Whose a bad row is, as far as it still can be told, so that what is said of that client's absence waits; of a score all of it:
        whether it asks for safety."""
        for column, place in self.columns:
            text = row.cells[place].strip()
            if text and column.name not in values and (column.name in self.form.names_it or self.form.kind == "score"):
                try:
                    values[column.name] = column.parse(text, self.grammar)
                except BadCellError:
                    pass  # it is this cell that is bad

    def _whose(self, values: Mapping[str, Any]) -> _Whose:
        found = values.get(self.form.client_column) or ()
        title = "" if found else values.get("client name", "")
        risk = risk_at(values, self.grammar) if self.form.kind == "score" else None
        return _Whose(found if isinstance(found, tuple) else (str(found),), title, values.get("therapist"), risk)

    def _keep(self, row: Row, known_as: str, outcome: Entry | Reject, *, given: bool) -> None:
        """Take the outcome, unless its id was met before: the same row is no news, another makes both doubtful."""
        kept = self._kept(row.cells)
        used = tuple(kept[place].strip() for _, place in self.columns)
        here = _First(row, used, len(self.outcomes))
        before = self.first.setdefault(known_as, here) if known_as else here
        if before is not here:
            if before.used == used:
                self.repeated += 1
                return
            if not given and isinstance(outcome, AppointmentEntry):
                self._keep(row, f"{known_as}+", replace(outcome, id=f"{known_as}+"), given=False)
                return
            column, fault = ("id", "two different rows have the same id") if given else self.form.without_id
            self._doubt(before, row, column, "duplicate-id", fault)
            outcome = self._twice(row, before.row, row, column, "duplicate-id", fault, outcome)
        if (also := _also_known(outcome)) is not None:
            mark, column, reason, fault = also
            other = self.codes.setdefault(mark, here)
            if other is not here:
                self._doubt(other, row, column, reason, fault)
                outcome = self._twice(row, other.row, row, column, reason, fault, outcome)
        self.outcomes.append(outcome)

    def _doubt(self, first: _First, second: Row, column: str, reason: str, fault: str) -> None:
        """The row met first is as doubtful as the second, unless it was rejected already."""
        outcome = self.outcomes[first.outcome]
        if not isinstance(outcome, Reject):
            self.outcomes[first.outcome] = self._twice(first.row, first.row, second, column, reason, fault, outcome)

    def _twice(
        self, row: Row, first: Row, second: Row, column: str, reason: str, fault: str, outcome: Entry | Reject
    ) -> Reject:
        if isinstance(outcome, Reject):
            return outcome
        where = (
            f'{self.opened.table.file}, rows {first.number} and {second.number}, column "{self.opened.theirs(column)}"'
        )
        sentence = f"{where}: {fault}; correct one of them, neither was read."
        return self._reject(row, reason, sentence, outcome.id, _whose(outcome))

    def _reject_row(self, row: Row, fault: str) -> None:
        """A row whose cells cannot be told apart: nothing in it is trusted, not even whose it is."""
        self.complete = self.complete and fault != "broken-quotes"  # it may have swallowed the rows after it
        where = f"{self.opened.table.file}, line {row.line}" if fault == "broken-quotes" else self._where(row)
        what = {
            "broken-quotes": "a quotation mark does not close or stands where none may; remove it or save as CSV again",
            "too-many-cells": "it has more cells than the header; put text that holds the separator in quotation marks",
            "too-few-cells": "it has fewer cells than the header, as if the file had been cut off; export it again",
            "bad-encoding": "it holds bytes that are no text; save the file as CSV UTF-8",
        }[fault]
        self.outcomes.append(self._reject(row, fault, f"{where}: {what}.", "", _Whose()))

    def _reject(self, row: Row, reason: str, sentence: str, entry_id: str, whose: _Whose) -> Reject:
        place = f"{self.opened.table.file}, {f'line {row.line}' if row.fault else f'row {row.number}'}"
        raw = self._raw(row, in_place=reason not in _OUT_OF_PLACE)
        titles = (whose.title,) if whose.title else ()
        return Reject(
            place,
            reason,
            sentence,
            raw,
            entry_id,
            whose.client_ids,
            self.form.kind,
            titles,
            whose.therapist,
            whose.risk_at,
        )

    def _where(self, row: Row) -> str:
        return f"{self.opened.table.file}, row {row.number}"

    def _raw(self, row: Row, *, in_place: bool) -> bytes:
        """The cells that are read, under our own names: columns dropped at the border stay out of quarantine too."""
        cells = row.cells[0].rstrip("\r\n").split(self.opened.table.delimiter) if row.fault else row.cells
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow([column.name for column, _ in self.columns])
        if self.texts and not in_place:
            # Any of its cells may be a text that is left at the border; a hash still tells this row from others.
            whole = "\x1f".join(row.cells).encode("utf-8", "surrogateescape")
            writer.writerow(["not kept: its cells cannot be told apart", hashlib.sha256(whole).hexdigest()])
        else:
            kept = self._kept(cells)
            writer.writerow([kept[place] if place < len(kept) else "" for _, place in self.columns])
        return out.getvalue().encode("utf-8", "surrogateescape")

    def _kept(self, cells: Sequence[str]) -> Sequence[str]:
        """The cells as they are kept: of a text that is left at the border, only that there is one."""
        if not self.texts:
            return cells
        return ["yes" if place in self.texts and cell.strip() else cell for place, cell in enumerate(cells)]


def _also_known(outcome: Entry | Reject) -> tuple[str, str, str, str] | None:
    """By what else than its id no two rows may be the same: a mark, and the column, reason and fault where two are."""
    if isinstance(outcome, ClientEntry) and outcome.code:
        return outcome.code, "code", "duplicate-code", "two clients have the same code"
    if isinstance(outcome, ProviderEntry):
        known_as = f"{plain(outcome.name)}\x1f{plain(outcome.place)}"
        return known_as, "name", "duplicate-provider", "two rows tell of the same provider in the same place"
    return None


def _whose(entry: Entry) -> _Whose:
    if isinstance(entry, AppointmentEntry):
        return _Whose(entry.client_ids, "" if entry.client_ids else entry.title, entry.therapist_id)
    client = entry.id if isinstance(entry, ClientEntry) else getattr(entry, "client_id", "")
    risk = entry.at if isinstance(entry, ScoreEntry) and entry.risk else None
    return _Whose((client,) if client else (), risk_at=risk)
