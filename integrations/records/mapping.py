"""How one practice's exports are read: which column of theirs is which of ours, in which words and which order."""

import difflib
from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import time
from typing import Any, NoReturn

from integrations.records.columns import Form, key
from integrations.records.forms import FORMS
from integrations.records.look_alikes import LOOK_ALIKES
from integrations.records.vocabularies import Status, appointment_words, client_words
from models.entries import ClientStatus
from models.errors import SettingsError
from models.settings_source import SourcePart

AUTO = "auto"
_HARMLESS = frozenset(" _-./()#&,:'")


@dataclass(frozen=True, slots=True)
class Mapping:
    """What practice.toml says about one set of exports. Raises SettingsError for a value that does not fit.

    `files`: form -> file name; empty: clients.csv and so on, those that are there. `columns`: form -> our column ->
    their column; what is not named is looked for under our own name and its synonyms, and an empty text means "do not
    read". `statuses`: a vocabulary's name, or word -> meaning in our words; `status_words` adds to it.
    `trust_attendance_after_days`: for how long a word that the system writes by itself (SimplePractice's Show) is not
    yet believed. `time_of_day`: `HH:MM` for files that hold days only.
    """

    files: Table[str, str] = field(default_factory=dict)
    columns: Table[str, Table[str, str]] = field(default_factory=dict)
    date_order: str = AUTO
    delimiter: str = AUTO
    encoding: str = AUTO
    zone: str = ""
    statuses: str | Table[str, str] = "own"
    status_words: Table[str, str] = field(default_factory=dict)
    client_status_words: Table[str, str] = field(default_factory=dict)
    trust_attendance_after_days: float = 3
    time_of_day: str = ""
    default_minutes: int = 50

    def __post_init__(self) -> None:
        for place in (self.files, self.columns):
            for name in place:
                if name not in FORMS:
                    raise SettingsError(f"There is no form called {name}; the forms are: {', '.join(FORMS)}.")
        for name, columns in self.columns.items():
            known = [column.name for column in FORMS[name].columns]
            for ours in columns:
                if ours not in known:
                    raise SettingsError(
                        f"The form {name} has no column called {ours}; its columns are: {', '.join(known)}."
                    )
        for ours in ("start", "date"):
            theirs = self.columns.get("appointments", {}).get(ours, "")
            if key(theirs) in LOOK_ALIKES:
                refuse_look_alike("The mapping of appointments", theirs)
        if self.date_order not in (AUTO, "dmy", "mdy", "ymd"):
            raise SettingsError("The setting date_order is not known; write auto, dmy, mdy or ymd.")
        if self.delimiter != AUTO and (len(self.delimiter) != 1 or self.delimiter in '"\r\n '):
            raise SettingsError('The setting delimiter has to be auto or one character such as , or ; or "\\t".')
        if not 0 <= self.trust_attendance_after_days <= 366:
            raise SettingsError("The setting trust_attendance_after_days has to be a number of days from 0 to 366.")
        if not 1 <= self.default_minutes <= 1440:
            raise SettingsError("The setting default_minutes has to be a whole number from 1 to 1440.")
        try:
            self.usual_time()
        except ValueError:
            raise SettingsError("The setting time_of_day has to be a time such as 12:00, or empty.") from None
        self.words_for_appointments()
        self.words_for_clients()

    def usual_time(self) -> time | None:
        """The time of day assumed where a file holds days only, if any."""
        return time.fromisoformat(self.time_of_day) if self.time_of_day else None

    def words_for_appointments(self) -> dict[str, Status]:
        """Status word, plain -> what it says."""
        if isinstance(self.statuses, str):
            return appointment_words(self.statuses, self.status_words)
        return appointment_words("own", {**self.statuses, **self.status_words})

    def words_for_clients(self) -> dict[str, ClientStatus]:
        """Client status word, plain -> where care stands."""
        return client_words(self.client_status_words)


def mapping_of(source: SourcePart) -> Mapping:
    """The mapping that a [[source]] of practice.toml describes. Raises SettingsError."""
    names = {each.name for each in fields(Mapping)} & set(type(source).model_fields)
    return Mapping(**{name: getattr(source, name) for name in names})


def settings_of(mapping: Mapping) -> dict[str, Any]:
    """What practice.toml has to say for this mapping: only what differs from the defaults, in the mapping's order."""
    usual = Mapping()
    pairs = ((each.name, getattr(mapping, each.name)) for each in fields(Mapping))
    return {name: value for name, value in pairs if value != getattr(usual, name)}


def refuse_look_alike(place: str, theirs: str) -> NoReturn:
    """Say why that column is not the date of the appointment."""
    raise SettingsError(
        f'{place} has no date of the appointment: "{theirs}" is {LOOK_ALIKES[key(theirs)]}, not the day of the '
        "appointment; export a report with that day, and name its column under columns.appointments as date or start."
    )


def harmless(header: str) -> bool:
    """Whether a header may be repeated in a message: short, words and a few signs, no long number and no address."""
    text = header.strip()
    digits = sum(c.isdigit() for c in text)
    return 0 < len(text) <= 40 and digits <= 2 and all(c.isalnum() or c in _HARMLESS for c in text)


def resolve(form: Form, header: Sequence[str], mapping: Mapping, file: str) -> dict[str, int]:
    """Our column -> its place in the header. Raises SettingsError naming the file, the column and the nearest header.

    First what the mapping names, then our own names, then synonyms; no column is read twice.
    """
    names = [name.strip() for name in header]
    keys = [key(name) for name in names]
    named = mapping.columns.get(form.name, {})
    found: dict[str, int] = {}
    for ours, theirs in named.items():
        if theirs:
            found[ours] = _named(form, ours, theirs, names, keys, file)
    open_columns = [column for column in form.columns if column.name not in named]
    for with_synonyms in (False, True):
        for column in open_columns:
            for name in column.synonyms if with_synonyms else (column.name,):
                if column.name in found:
                    break
                places = [i for i, one in enumerate(keys) if one == key(name)]
                if len(places) > 1 and not set(places) & set(found.values()):
                    raise SettingsError(f'{file}: two columns are called "{name}"; rename one of them before reading.')
                if places and places[0] not in found.values():
                    found[column.name] = places[0]
    _complain_of_missing(form, found, names, file)
    return found


def _named(form: Form, ours: str, theirs: str, names: Sequence[str], keys: Sequence[str], file: str) -> int:
    places = [i for i, name in enumerate(names) if name == theirs.strip()]
    places = places or [i for i, one in enumerate(keys) if one and one == key(theirs)]
    if len(places) > 1:
        raise SettingsError(f'{file}: two columns are called "{theirs}"; rename one of them before reading.')
    if not places:
        raise SettingsError(
            f'{file}: there is no column "{theirs}" to be read as {ours}; {_nearest(form, theirs, names)}'
        )
    return places[0]


def _complain_of_missing(form: Form, found: dict[str, int], names: Sequence[str], file: str) -> None:
    if form.name == "appointments" and not {"start", "date", "time"} & found.keys():
        for name in names:
            if key(name) in LOOK_ALIKES:
                refuse_look_alike(file, name)
        raise SettingsError(
            f"{file}: there is no column with the date of the appointment; {_nearest(form, 'start', names)}"
        )
    for group in [(column.name,) for column in form.columns if column.required] + list(form.one_of):
        if not found.keys() & set(group):
            wanted = " or ".join(f'"{name}"' for name in group)
            without = " Where your system gives no ids, docs/forms.md says what to do." if group == ("id",) else ""
            raise SettingsError(f"{file}: there is no column {wanted}; {_nearest(form, group[0], names)}{without}")


def _nearest(form: Form, wanted: str, names: Sequence[str]) -> str:
    """The remedy. A first row in which nothing is known may be a client's row: then none of it is repeated."""
    known = {key(name) for column in form.columns for name in (column.name, *column.synonyms)}
    if not any(key(name) in known or key(name) in LOOK_ALIKES for name in names):
        return f"its first row has no known column name: check that it is the header, or set columns.{form.name}."
    near = difflib.get_close_matches(key(wanted), [key(name) for name in names if harmless(name)], n=1, cutoff=0.6)
    if near:
        theirs = next(name for name in names if key(name) == near[0])
        return f'the nearest is "{theirs}"; correct the name under columns.{form.name}.'
    return f"name your column for it under columns.{form.name}."
