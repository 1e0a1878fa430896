"""From the bytes of a CSV file to its header and rows, however it was encoded, delimited or damaged."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import SettingsError, SourceError

AUTO = "auto"
DELIMITERS = (",", ";", "\t", "|")
LONGEST_ROW = 200  # lines; a cell that spans more has lost its closing quote
_BINARY = {
    b"PK\x03\x04": "is a spreadsheet workbook or an archive",
    b"\xd0\xcf\x11\xe0": "is an old spreadsheet workbook",
    b"%PDF": "is a PDF",
    b"\x1f\x8b": "is a compressed file",
}
_PAGE = re.compile(r"\s*<(?:!doctype|html|head|body|\?xml|script|!--)", re.IGNORECASE)
_DAMAGED = re.compile("[\0\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `number` is what a spreadsheet shows, the header being row 1; `line` what a text editor shows.

    `fault` (`broken-quotes`) says that the row could not be taken apart: its one cell is then the whole line.
    """

    number: int
    line: int
    cells: Sequence[str]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class TableOfRows:
    """A file as read. `header` is empty for a file without a word in it; `cut`: its last line has no line break."""

    file: str
    header: tuple[str, ...]
    rows: list[Row]
    delimiter: str
    encoding: str
    cut: bool
    content: bytes


def read_table(path: Path, *, delimiter: str, encoding: str, score: Callable[[Sequence[str]], int]) -> TableOfRows:
    """Read a file whole. `score` tells how many cells of a header are known: it chooses the delimiter.

    Raises SourceError if the file is missing, unreadable or no CSV, SettingsError for an encoding nobody knows.
    """
    name = path.name
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise SourceError(
            f"{name}: there is no such file; export it again or correct the path in practice.toml."
        ) from None
    except OSError as error:
        raise SourceError(
            f"{name}: it cannot be read ({error.strerror or 'unknown reason'}); check its permissions."
        ) from None
    text, used = _decode(content, encoding, name)
    lines = list(io.StringIO(text, newline=""))
    hidden = 0
    if lines and (match := re.match(r"sep=([^\w\s\"]|\t)\s*\Z", lines[0], re.IGNORECASE)):
        hidden, delimiter = 1, match[1] if delimiter == AUTO else delimiter
    if delimiter == AUTO:
        delimiter = _best_delimiter(lines, score)
    header: tuple[str, ...] = ()
    rows = []
    for row in _rows(lines, delimiter, hidden):
        if header:
            rows.append(row)
        elif row.fault and any(lines[row.line - 1].split()):
            raise SourceError(
                f"{name}, line {row.line}: a quotation mark in the header does not close; save it as CSV again."
            )
        elif any(cell.strip() for cell in row.cells):
            header = tuple(row.cells)
    return TableOfRows(name, header, rows, delimiter, used, bool(lines) and lines[-1][-1:] not in ("\n", "\r"), content)


def damaged(cells: Sequence[str]) -> bool:
    """Whether a cell holds bytes that are no text in the encoding of the file."""
    return any(_DAMAGED.search(cell) for cell in cells)


def _decode(content: bytes, encoding: str, name: str) -> tuple[str, str]:
    for magic, what in _BINARY.items():
        if content.startswith(magic):
            raise SourceError(f"{name}: this {what}, not a CSV file; open it and save it as CSV.")
    if encoding == AUTO:
        text, used = _guess(content, name)
    else:
        try:
            text, used = content.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding), encoding
        except LookupError:
            raise SettingsError("The setting encoding is not known; write auto, utf-8, utf-16 or cp1252.") from None
        except ValueError:
            raise SourceError(
                f"{name}: it is not text in {encoding}; set encoding to auto, or save the file as CSV UTF-8."
            ) from None
    if _binary(text):
        raise SourceError(f"{name}: it holds binary data, not text; open it and save it as CSV UTF-8.")
    if _PAGE.match(text):
        raise SourceError(f"{name}: this is a web page, often a login page, not a CSV file; sign in and export again.")
    return text, used


def _binary(text: str) -> bool:
    """Whether it is no text at all; one that a program has damaged in some cell has its header and most of its signs."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return "\0" in header or text.count("\0") * 20 > len(text)


def _guess(content: bytes, name: str) -> tuple[str, str]:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return content.decode("utf-16"), "utf-16"
        except UnicodeDecodeError:
            raise SourceError(
                f"{name}: its text is cut off or damaged; export it again, as CSV UTF-8 if there is a choice."
            ) from None
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        pass
    # A few damaged bytes in a UTF-8 file must not turn every other name in it into nonsense: the lines have a vote.
    good = bad = 0
    for line in content.splitlines():
        if not line.isascii():
            try:
                line.decode()
                good += 1
            except UnicodeDecodeError:
                bad += 1
    encoding = "utf-8" if good > bad else "cp1252"
    return content.removeprefix(codecs.BOM_UTF8).decode(encoding, errors="surrogateescape"), encoding


def _best_delimiter(lines: Sequence[str], score: Callable[[Sequence[str]], int]) -> str:
    first = next((line for line in lines if line.strip()), "")
    best, best_rank = DELIMITERS[0], (-1, -1)
    for delimiter in DELIMITERS:
        try:
            cells = next(csv.reader([first], delimiter=delimiter), [])
        except csv.Error:
            continue
        rank = (score(cells), len(cells))
        if rank > best_rank:
            best, best_rank = delimiter, rank
    return best


def _swallowed(cells: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether a cell of several lines holds other rows, because two quotation marks out of place met far apart.

    Prose has spaces behind its commas; rows have none behind their separators.
    """
    separators = re.compile(re.escape(delimiter) + r"(?! )")
    several = (cell.splitlines()[1:] for cell in cells if "\n" in cell or "\r" in cell)
    return any(len(separators.findall(line)) >= max(2, width // 2) for lines in several for line in lines)


class _Lines:
    """The lines from one place on, for a csv.reader; it refuses to feed a row that has grown out of all proportion."""

    def __init__(self, lines: Sequence[str], at: int) -> None:
        self.lines, self.at, self.row_start = lines, at, at

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.at >= len(self.lines):
            raise StopIteration
        if self.at - self.row_start >= LONGEST_ROW:
            raise csv.Error("row too long")
        self.at += 1
        return self.lines[self.at - 1]


def _rows(lines: Sequence[str], delimiter: str, hidden: int) -> Iterator[Row]:
    """Rows with their numbers. A quotation mark out of place costs its one line: reading goes on with the next."""
    at, number, width = hidden, 0, 0
    while at < len(lines):
        feed = _Lines(lines, at)
        reader = csv.reader(feed, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                if width and feed.at - feed.row_start > 1 and _swallowed(cells, delimiter, width):
                    raise csv.Error("rows inside a cell")
                width = width or (len(cells) if any(map(str.strip, cells)) else 0)
                number += 1
                yield Row(number, feed.row_start + 1, cells)
                feed.row_start = feed.at
            return
        except csv.Error:
            number += 1
            broken = feed.row_start
            yield Row(number, broken + 1, [lines[broken]], fault="broken-quotes")
            at = broken + 1
