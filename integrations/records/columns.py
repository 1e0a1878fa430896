"""What a column and a form are, how headers are compared, and the columns that several forms share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations.records import cells
from integrations.records.cells import Grammar


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `identity`: it may name a client and is sealed. `synonyms` are headers of other systems.

    `only_whether`: that a cell is filled in is all that is kept of it; its text is left at the border and counted.
    """

    name: str
    meaning: str
    example: str
    parse: Callable[[str, Grammar], Any]
    synonyms: tuple[str, ...] = ()
    required: bool = False
    identity: bool = False
    only_whether: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """One file, yielding entries of one `kind`. Of each group in `one_of` a column has to be there and filled.

    `signs`: headers that speak for this form by themselves, where others are those of nearly any table.
    `without_id`: the column and the fault of two different rows that have no id and would get the same one.
    """

    name: str
    kind: str
    meaning: str
    columns: tuple[Column, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    signs: tuple[str, ...] = ()
    without_id: tuple[str, str] = ("from", "two different rows tell of the same days")

    def column(self, name: str) -> Column:
        """The column of that name; KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def client_column(self) -> str:
        """The column that says whose a row is; empty where no client is concerned."""
        names = {column.name for column in self.columns}
        return "id" if self.kind == "client" else "client" if "client" in names else ""

    @property
    def names_it(self) -> frozenset[str]:
        """The columns that say which entry a row is, and whose."""
        whose = {"client name", "therapist"} if self.kind == "appointment" else set()
        return frozenset({"id", self.client_column, *whose} - {""})

    @property
    def file(self) -> str:
        """The file name that is looked for when none is configured."""
        return f"{self.name}.csv"


def key(header: str) -> str:
    """A header as compared: letters and digits without case, so that `Client ID` and `client_id` are one."""
    return "".join(c for c in header.casefold() if c.isalnum())


UPDATED = Column(
    "updated",
    "when the system last changed this row, with date and time",
    "",
    cells.when,
    ("updated at", "last updated", "last modified"),
)
FROM = ("from date", "start", "start date", "first day", "begins")
TO = ("until", "to date", "end", "end date", "last day", "ends")
CLIENT_ID = (
    "client id",
    "patient id",
    "client number",
    "patient number",
    "patient ref",
    "client code",
    "chart number",
    "mrn",
)
THERAPIST_ID = (
    "therapist id",
    "clinician id",
    "practitioner id",
    "clinician",
    "primary clinician",
    "clinician name",
    "practitioner",
    "provider",
    "staff member",
)
THERAPIST_NAME = ("therapist name", "clinician name", "staff name", "staff member")
NAME = ("client name", "patient name", "full name")
