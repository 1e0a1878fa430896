"""Opening a set of exports: which file is which form, which of its columns are ours, and how its dates are written."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrations.records.building import BadRowError
from integrations.records.cells import BadCellError, Grammar
from integrations.records.columns import Form, key
from integrations.records.dates import Order, OrderEvidence
from integrations.records.entries import starting, trusted_from
from integrations.records.forms import FORMS
from integrations.records.look_alikes import LOOK_ALIKES
from integrations.records.mapping import AUTO, harmless, refuse_look_alike, resolve
from integrations.records.mapping import Mapping as RecordMapping
from integrations.records.tables import TableOfRows, read_table
from models.errors import SettingsError, SourceError
from models.instants import Instant, zone

_SAMPLE = 50  # rows that are looked at to tell whether a column can be what it is mapped to
DATE_COLUMNS = frozenset(
    {
        "start",
        "date",
        "time",
        "end",
        "from",
        "to",
        "intake date",
        "ended date",
        "died",
        "paused until",
        "started",
        "set",
        "target date",
        "achievement date",
        "reviewed",
        "taken",
        "told",
        "verified",
        "visit",
        "updated",
    }
)


@dataclass(slots=True)
class Opened:
    """A form's file with its columns found: `places` is our column -> index in a row."""

    form: Form
    table: TableOfRows
    places: dict[str, int]

    def theirs(self, ours: str) -> str:
        """Their name of our column, if it may be repeated, else ours."""
        name = self.table.header[self.places[ours]].strip() if ours in self.places else ""
        return name if harmless(name) else ours


def files_of(where: Path | Mapping[str, Path], mapping: RecordMapping, name: str) -> dict[str, Path]:
    """Form -> file. Raises SourceError if the folder is missing, may not be read, or holds none."""
    if not isinstance(where, Path):
        return {form: where[form] for form in FORMS if form in where}
    with _readable(where, name):
        return _files_in(where, mapping, name)


@contextmanager
def _readable(where: Path, name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(
            f"Source {name}: {where.name} cannot be read ({error.strerror}); check who may enter it and read its files."
        ) from None


def _files_in(where: Path, mapping: RecordMapping, name: str) -> dict[str, Path]:
    if where.is_file():
        return {_form_of_file(where, mapping): where}
    if not where.is_dir():
        raise SourceError(
            f"Source {name}: there is no folder {where.name}; create it or correct the path in practice.toml."
        )
    found: dict[str, Path] = {}
    for form in FORMS.values():
        if form.name in mapping.files:
            found |= {form.name: where / mapping.files[form.name]} if mapping.files[form.name] else {}
        else:  # under the name that the page of forms gives it, beside the others: a file that came later is read too
            there = [folder / form.file for folder in folders_of(where, mapping) if (folder / form.file).exists()]
            if there and there[0] not in _named(where, mapping):
                found[form.name] = there[0]
    if not found:
        wanted = ", ".join(form.file for form in FORMS.values())
        raise SourceError(f"Source {name}: {where.name} holds none of {wanted}; put them there or set files.")
    return found


def folders_of(where: Path, mapping: RecordMapping) -> list[Path]:
    """The folders that files of a source lie in: its own first, then those that `files` names."""
    return list(dict.fromkeys([where, *(path.parent for path in _named(where, mapping))]))


def _named(where: Path, mapping: RecordMapping) -> list[Path]:
    return [where / file for file in mapping.files.values() if file]


def not_read(where: Path, mapping: RecordMapping, name: str) -> list[str]:
    """CSV files that lie beside those of a source and that nothing reads, as paths below its folder. Raises as `files_of` does."""
    read = set(files_of(where, mapping, name).values())
    with _readable(where, name):
        beside = {path for folder in folders_of(where, mapping) for path in folder.glob("*") if path.is_file()}
    csv = (path for path in beside - read if path.suffix.lower() == ".csv" and not path.name.startswith("."))
    return sorted(path.relative_to(where).as_posix() for path in csv)


def _form_of_file(path: Path, mapping: RecordMapping) -> str:
    """The form of a source that is one file: the one it is named after, or the only one that the mapping tells of."""
    told = {form for form, file in mapping.files.items() if Path(file).name == path.name} or set(mapping.columns)
    if key(path.stem) in FORMS:
        return key(path.stem)
    if len(told) == 1:
        return told.pop()
    raise SettingsError(f'{path.name}: say which form it is, for example files = {{appointments = "{path.name}"}}.')


def open_file(form: Form, path: Path, mapping: RecordMapping) -> Opened:
    """Read a file and find its columns. Raises SourceError and SettingsError."""
    known = {key(each) for column in form.columns for each in (column.name, *column.synonyms)}
    known |= {key(theirs) for theirs in mapping.columns.get(form.name, {}).values()} - {""}
    table = read_table(
        path,
        delimiter=mapping.delimiter,
        encoding=mapping.encoding,
        score=lambda cells: sum(key(c) in known for c in cells),
    )
    return Opened(form, table, resolve(form, table.header, mapping, table.file) if table.header else {})


def grammar_of(opened: Sequence[Opened], mapping: RecordMapping, zone_name: str, read_at: Instant) -> Grammar:
    """How all cells are read. Raises SettingsError if the dates can be read both ways or appointments have none."""
    zone(zone_name)  # an unknown one is a fault of the settings, not of each row
    order: Order | None
    if mapping.date_order == AUTO:
        evidence = OrderEvidence()
        for one in opened:
            evidence.add(date_texts(one))
        order = evidence.order()
        if order is None:
            files = ", ".join(one.table.file for one in opened if DATE_COLUMNS & one.places.keys())
            raise SettingsError(
                f"{files}: the dates can be read as day/month or as month/day; set date_order to dmy or mdy."
            )
    else:
        order = Order(mapping.date_order)
    grammar = Grammar(
        order=order,
        zone=zone_name,
        read_at=read_at,
        appointment_words=mapping.words_for_appointments(),
        client_words=mapping.words_for_clients(),
        trust_after=trusted_from(read_at, mapping.trust_attendance_after_days),
        time_of_day=mapping.usual_time(),
        minutes=mapping.default_minutes,
    )
    for one in opened:
        if one.form.name == "appointments" and one.table.header:
            _require_dates(one, grammar)
    return grammar


def date_texts(one: Opened) -> Iterator[str]:
    """What stands in the columns that hold dates."""
    places = [place for ours, place in one.places.items() if ours in DATE_COLUMNS]
    for row in one.table.rows:
        if not row.fault:
            for place in places:
                if place < len(row.cells) and row.cells[place]:
                    yield row.cells[place]


def _require_dates(one: Opened, grammar: Grammar) -> None:
    """Refuse a file whose rows say at what time but not on which day, or the reverse: no row of it could be used."""
    reasons: Counter[str] = Counter()
    for row in one.table.rows[:_SAMPLE]:
        if row.fault or not any(cell.strip() for cell in row.cells):
            continue
        values: dict[str, Any] = {}
        for ours in ("start", "date", "time"):
            place = one.places.get(ours, len(row.cells))
            if place < len(row.cells) and row.cells[place].strip():
                try:
                    values[ours] = one.form.column(ours).parse(row.cells[place].strip(), grammar)
                except BadCellError:
                    reasons["bad"] += 1
        try:
            starting(values, grammar)
            return
        except BadRowError as error:
            reasons[error.reason] += 1
    where = one.theirs(next(ours for ours in ("start", "time", "date") if ours in one.places))
    if not {"start", "date"} & one.places.keys() or (reasons["no-date"] and reasons.total() == reasons["no-date"]):
        for header in one.table.header:
            if key(header) in LOOK_ALIKES:
                refuse_look_alike(one.table.file, header.strip())
        raise SettingsError(
            f'{one.table.file}: the column "{where}" holds times but no dates; '
            "name the column with the date of the appointment under columns.appointments as date."
        )
    if reasons["no-time"] and reasons.total() == reasons["no-time"]:
        raise SettingsError(
            f"{one.table.file}: the appointments have a date but no time of day; name the column with the time under "
            'columns.appointments as time, or set time_of_day = "12:00" if the export has days only.'
        )
