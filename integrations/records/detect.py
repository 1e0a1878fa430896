"""Looking at a folder of exports and calendars: which file is what, how to read it, and what only a person can say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from integrations.records.calendar_files import CalendarFile, head_of, owner
from integrations.records.cells import looks_like_person
from integrations.records.columns import Form, key
from integrations.records.dates import ORDER_WORDS, OrderEvidence
from integrations.records.forms import APPOINTMENTS, FORMS, THERAPISTS
from integrations.records.mapping import AUTO, Mapping, resolve
from integrations.records.opening import Opened, date_texts, grammar_of, open_file
from integrations.records.reading import RecordReading, read_records
from integrations.records.tables import TableOfRows, read_table
from integrations.records.unknown_words import harmless_words, vocabulary_of
from models.entries import TherapistEntry
from models.errors import SettingsError, TendingError
from models.instants import Instant
from models.words import counted

TABLES = frozenset({".csv", ".tsv", ".txt"})
WORKBOOKS = frozenset({".xlsx", ".xls", ".ods", ".numbers"})
MOST_FILES = 2000
NOON = "12:00"
_REASONS = 3  # rows that were not understood are shown, with where they stand and why
_SAMPLE = 200  # rows that are looked at for names in place of ids
_HINTS = {
    "clients": ("client", "patient", "contact"),
    "therapists": ("therapist", "clinician", "staff", "practitioner"),
    "appointments": ("appointment", "session", "booking", "calendar", "visit"),
    "breaks": ("break", "pause"),
    "leave": ("leave", "absence", "vacation"),
    "goals": ("goal", "objective"),
    "scores": ("score", "measure", "rating", "questionnaire", "assessment"),
    "holds": ("hold", "waitlist", "waiting"),
    "providers": ("directory",),
    "referral_news": ("referral_news", "referral news"),
}


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file taken for a form: `file` relative to the folder, `columns` ours -> theirs, counts of a trial reading, names of the columns
    that are left out, and of the first rows that were not understood where they stand and why."""

    file: str
    form: str
    columns: dict[str, str]
    delimiter: str
    encoding: str
    rows: int
    rejects: int
    left: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unclear:
    """A file that is not read, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Detection:
    """What a folder holds. `mapping` reads `forms`; `notes` are its grounds, `questions` for a person to answer."""

    forms: tuple[FormFile, ...]
    calendars: tuple[CalendarFile, ...]
    unclear: tuple[Unclear, ...]
    mapping: Mapping
    notes: tuple[str, ...]
    questions: tuple[str, ...]


class _Candidate(NamedTuple):
    """One way to read a table: the rank says how much speaks for it."""

    rank: int
    opened: Opened
    columns: dict[str, str]


def detect(folder: Path, *, zone: str, read_at: Instant) -> Detection:
    """Look at a folder and two levels below it; nothing is written. Raises SettingsError if there is no such folder."""
    if folder.is_file():
        raise SettingsError(f"{folder.name} is a file; name the folder that it lies in.")
    if not folder.is_dir():
        raise SettingsError(f"There is no folder {folder.name}; name the folder that holds the exports and calendars.")
    found: dict[str, list[tuple[str, _Candidate]]] = {}
    calendars, unclear = [], []
    for path in _files(folder):
        file, kind = path.relative_to(folder).as_posix(), path.suffix.lower()
        try:
            if kind == ".ics":
                calendars.append((file, head_of(path)))
            elif kind in TABLES:
                candidate = _form_of(path)
                found.setdefault(candidate.opened.form.name, []).append((file, candidate))
            elif kind in WORKBOOKS:
                raise SettingsError(f"{path.name}: this is a spreadsheet workbook; open it and save it as CSV.")
            else:
                raise SettingsError(f"{path.name}: neither a CSV file nor a calendar (.ics).")
        except TendingError as error:
            unclear.append(Unclear(file, str(error)))
    chosen: dict[str, tuple[str, _Candidate]] = {}
    for form in FORMS:
        many = found.get(form, [])
        if len(many) == 1:
            chosen[form] = many[0]
        for file, _ in many if len(many) > 1 else []:
            others = ", ".join(other for other, _ in many if other != file)
            unclear.append(
                Unclear(
                    file,
                    f"{file}: it holds {form}, and so does {others}; keep one of them, join them, or put each into a folder and a"
                    " [[source]] of its own.",
                )
            )
    mapping, notes, questions = _mapping(chosen)
    mapping, forms, therapists = _try(folder, chosen, mapping, questions, unclear, zone, read_at)
    owners = tuple(owner(file, head, therapists) for file, head in calendars)
    return Detection(tuple(forms), owners, tuple(unclear), mapping, tuple(notes), tuple(questions))


def _files(folder: Path) -> Iterator[Path]:
    """Files to look at, in order of name; hidden ones and settings are passed over."""
    paths = sorted(path for depth in ("*", "*/*", "*/*/*") for path in folder.glob(depth) if path.is_file())
    for path in paths[:MOST_FILES]:
        parts = path.relative_to(folder).parts
        if not any(part.startswith((".", "~$")) for part in parts) and path.suffix.lower() != ".toml":
            yield path


def _known(form: Form, header: Sequence[str]) -> int:
    names = {key(name) for column in form.columns for name in (column.name, *column.synonyms)}
    return sum(key(name) in names for name in header)


def _form_of(path: Path) -> _Candidate:
    """The form that header and file name speak for. Raises TendingError saying why there is none."""
    table = read_table(
        path, delimiter=AUTO, encoding=AUTO, score=lambda cells: max(_known(form, cells) for form in FORMS.values())
    )
    if not table.header:
        raise SettingsError(f"{table.file}: the file is empty.")
    candidates: list[_Candidate] = []
    faults: list[tuple[int, bool, str]] = []
    for form in FORMS.values():
        hinted = any(hint in path.stem.casefold() for hint in _HINTS[form.name])
        if form.signs and not hinted:
            hinted = bool({key(name) for name in form.signs} & {key(name) for name in table.header})
            if not hinted and (form is not THERAPISTS or _known_by_name(table.header)):
                continue  # a client and a day are in nearly any table, and so is a name
        try:
            candidate = _candidate(form, table, path)
            candidates.append(candidate._replace(rank=2 * candidate.rank + 3 * hinted))
        except SettingsError as error:
            faults.append((2 * _known(form, table.header) + 3 * hinted, hinted, str(error)))
    candidates.sort(key=lambda one: -one.rank)
    if not candidates:
        known, _, fault = max(faults)
        raise SettingsError(fault if known >= 4 else f"{table.file}: its columns are those of none of our forms.")
    rank, hinted, fault = max(faults, default=(0, False, ""))
    if hinted and rank >= candidates[0].rank:
        raise SettingsError(fault)  # what its name says that it is it cannot be: it is nothing else for that
    if len(candidates) > 1 and candidates[0].rank == candidates[1].rank:
        first, second = candidates[0].opened.form.name, candidates[1].opened.form.name
        raise SettingsError(f"{table.file}: it could be {first} or {second}; name it {first}.csv or {second}.csv.")
    return candidates[0]


def _known_by_name(header: Sequence[str]) -> bool:
    """Whether therapists in such a table would be known by their names, for want of an id."""
    column = THERAPISTS.column("id")
    return not {key(name) for name in (column.name, *column.synonyms)} & {key(name) for name in header}


def _candidate(form: Form, table: TableOfRows, path: Path) -> _Candidate:
    places = resolve(form, table.header, Mapping(), table.file)
    theirs = {ours: table.header[place].strip() for ours, place in places.items()}
    columns = {ours: name for ours, name in theirs.items() if key(ours) != key(name)}
    if form is APPOINTMENTS and "client" in places and _holds_names(table, places["client"]):
        columns = {"client name": theirs["client"], **columns, "client": ""}
    opened = open_file(form, path, Mapping(columns={form.name: columns}))
    grammar_of([opened], Mapping(date_order="dmy", time_of_day=NOON), "UTC", 0)  # refuses appointments without a date
    return _Candidate(len(opened.places), opened, columns)


def _holds_names(table: TableOfRows, place: int) -> bool:
    cells = [row.cells[place].strip() for row in table.rows[:_SAMPLE] if not row.fault and place < len(row.cells)]
    filled = [cell for cell in cells if cell]
    return bool(filled) and 2 * sum(map(looks_like_person, filled)) > len(filled)


def _mapping(chosen: dict[str, tuple[str, _Candidate]]) -> tuple[Mapping, list[str], list[str]]:
    notes: list[str] = []
    questions: list[str] = []
    evidence = OrderEvidence()
    for _, candidate in chosen.values():
        evidence.add(date_texts(candidate.opened))
    order = evidence.order()
    dated = evidence != OrderEvidence()
    if dated and (evidence.day_first or evidence.month_first or evidence.either):
        notes.append(
            f"{evidence.day_first} dates can only be day/month, {evidence.month_first} only month/day, "
            f"{evidence.either} either."
        )
    if order is None:
        questions.append(
            "The dates can be read as day/month or as month/day: which is it? Set date_order to dmy or mdy."
        )
    elif chosen and dated:
        notes.append(f"Dates are read as {ORDER_WORDS[order]}.")
    statuses = "own"
    if "appointments" in chosen:
        statuses, unknown = vocabulary_of(chosen["appointments"][1].opened)
        notes.append(f"Status words are read as those of {statuses}.")
        if "status" not in chosen["appointments"][1].opened.places:
            questions.append(f"{chosen['appointments'][0]}: no column says who came; name it under columns as status.")
        if unknown:
            shown = harmless_words(unknown)
            questions.append(
                f"{chosen['appointments'][0]}: {counted(len(unknown), 'status word is', 'status words are')} not known"
                + (f" ({', '.join(shown)})" if shown else "")
                + "; explain them under status_words."
            )
    mapping = Mapping(
        files={form: file for form, (file, _) in chosen.items()},
        columns={form: one.columns for form, (_, one) in chosen.items() if one.columns},
        date_order=order.value if order and chosen else AUTO,
        statuses=statuses,
    )
    return mapping, notes, questions


def _try(
    folder: Path,
    chosen: dict[str, tuple[str, _Candidate]],
    mapping: Mapping,
    questions: list[str],
    unclear: list[Unclear],
    zone: str,
    read_at: Instant,
) -> tuple[Mapping, list[FormFile], list[TherapistEntry]]:
    """Read each file once as it would be read; one that cannot be is unclear after all."""
    forms: list[FormFile] = []
    therapists: list[TherapistEntry] = []
    for form, (file, candidate) in chosen.items():
        trial = replace(mapping, date_order="dmy") if mapping.date_order == AUTO else mapping
        try:
            try:
                reading = _read(form, folder / file, trial, zone, read_at)
            except SettingsError:
                reading = _read(form, folder / file, replace(trial, time_of_day=NOON), zone, read_at)
                mapping = replace(mapping, time_of_day=NOON)
                questions.append(
                    f"{file}: it has days but no times, so noon is assumed. Can the times be exported too?"
                )
        except TendingError as error:
            unclear.append(Unclear(file, str(error)))
            left = {name: theirs for name, theirs in mapping.files.items() if name != form}
            columns = {name: theirs for name, theirs in mapping.columns.items() if name != form}
            mapping = replace(mapping, files=left, columns=columns)
            continue
        table, count = candidate.opened.table, reading.counts[form]
        columns_found = {ours: table.header[place].strip() for ours, place in candidate.opened.places.items()}
        kept_out = tuple(name for name in reading.dropped if name not in columns_found.values())
        reasons = tuple(reject.sentence for reject in reading.rejects[:_REASONS])
        forms.append(
            FormFile(
                file, form, columns_found, table.delimiter, table.encoding, count.rows, count.rejects, kept_out, reasons
            )
        )
        if count.rows and count.rejects == count.rows - count.blank:
            questions.append(f"{file}: taken for {form}, and none of its rows is understood; is it {form} at all?")
        therapists += [entry for entry in reading.entries if isinstance(entry, TherapistEntry)]
    return mapping, forms, therapists


def _read(form: str, path: Path, mapping: Mapping, zone: str, read_at: Instant) -> RecordReading:
    return read_records({form: path}, mapping, name="trial", zone=zone, read_at=read_at)
