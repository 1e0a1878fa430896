"""From raw bytes to the lines of a whole calendar; what is no whole calendar is refused."""

import codecs
import re
from collections.abc import Iterator

from models.errors import SourceError

# A UTF-32 mark begins with the UTF-16 one, so the longer marks come first.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EDGES = re.compile(r"^(BEGIN|END):VCALENDAR[ \t]*$", re.MULTILINE | re.IGNORECASE)


def decoded(data: bytes, name: str) -> str:
    """The text of a calendar file written in UTF-8, UTF-16 or UTF-32, or in Windows-1252 for the lines that need it.

    Raises SourceError for bytes that are no text at all.
    """
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    if encoding is None and data[:2] in (b"B\0", b"\0B"):
        encoding = "utf-16-le" if data[:2] == b"B\0" else "utf-16-be"
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        if encoding not in (None, "utf-8-sig"):
            raise _refused(
                f"{name} is cut off or damaged: its text cannot be decoded", "Export the calendar again."
            ) from None
        # Some programs write single lines in the code page of their machine: those lines alone are read that way.
        text = "\n".join(_one_line(line) for line in data.removeprefix(codecs.BOM_UTF8).split(b"\n"))
    text = text.rstrip("\0")
    if "\0" in text:
        raise _refused(
            f"{name} is not a calendar: it holds bytes that are no text", "Export the calendar again as .ics."
        )
    return text


def _one_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


def whole_lines(data: bytes, name: str) -> list[str]:
    """The lines of a calendar that is there from its first to its last, still folded; `name` stands in the messages.

    Raises SourceError for an empty answer, a web page, something else than a calendar, and a calendar that was cut off.
    """
    text = decoded(data, name).replace("\r\n", "\n").replace("\r", "\n")
    body = text.strip()
    if not body:
        raise _refused(f"{name} is empty", "Export the calendar again, or check the address.")
    if body.startswith("<"):
        raise _refused(
            f"{name} is a web page, not a calendar: probably a login page",
            "Copy the calendar's private iCal address anew from its settings.",
        )
    if not body[:15].upper().startswith("BEGIN:VCALENDAR"):
        raise _refused(f"{name} is not a calendar: it does not begin with BEGIN:VCALENDAR", "Export it as .ics.")
    open_ = 0
    last_edge = ""
    for edge in _EDGES.finditer(body):
        last_edge = edge.group(1).upper()
        open_ += 1 if last_edge == "BEGIN" else -1
        if open_ not in (0, 1):
            break
    else:
        if open_ == 0 and last_edge == "END":
            return text.split("\n")
    raise _refused(f"{name} is cut off: it does not end with END:VCALENDAR", "Export or download the calendar again.")


def _refused(what: str, remedy: str) -> SourceError:
    return SourceError(f"{what}. {remedy} Nothing was taken from it.")


def logical_lines(lines: list[str], first: int = 0, end: int | None = None) -> Iterator[tuple[int, str]]:
    """Pairs of (index of its first line, content line unfolded) for lines[first:end]; blank lines are passed over."""
    held = ""
    held_at = first
    for index in range(first, len(lines) if end is None else end):
        line = lines[index]
        if not line:
            continue
        if line[0] in " \t":
            held += line[1:]
            continue
        if held:
            yield held_at, held
        held, held_at = line, index
    if held:
        yield held_at, held
