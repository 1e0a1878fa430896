"""`timeline`: one client's care on a page, plain or redacted, as text or as a PDF."""

import os
from pathlib import Path
from typing import Annotated

import typer

from integrations.store import timeline as kept
from models.errors import UsageError
from models.instants import Instant
from models.timeline import Sheet
from tending.commands.common import code_from, day_from, instant_or_none, login, now, opened
from tending.commands.options import JsonOption, PracticeOption
from tending.output import clean, columns, say, show_json


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(timeline)


def timeline(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="The client's code, such as C-7F3K9QX.")],
    redacted: Annotated[
        bool, typer.Option("--redacted", help="No names: the client by code, everybody else by role.")
    ] = False,
    pdf: Annotated[
        Path | None,
        typer.Option("--pdf", metavar="FILE", help="Write it as a PDF that only you may read.", show_default=False),
    ] = None,
    since: Annotated[
        str, typer.Option("--from", metavar="DATE", help="Leave out what lies before a day.", show_default=False)
    ] = "",
    reads: Annotated[bool, typer.Option("--reads", help="Also who looked at the client, and when.")] = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """One client's care on a page, in order. Each look is recorded.

    Appointments, therapists, goals without their words, scores, what was noticed and told to whom, what was answered,
    endings and referrals, and the acts of the record. At the foot stands the head of the sealed record: whoever holds
    the page can compare it later.
    """
    at, code = now(), code_from(client)
    first = day_from(since) if since else None
    if pdf is not None and pdf.exists():
        raise UsageError("There is a file of that name already; name another one.")
    with opened(practice) as here:
        sheet = kept.page(here, code, login(), at, redacted=redacted, since=first, reads=reads)
        zone = here.zone
    if pdf is not None:
        # Only here: what makes a PDF takes as long to import as a quick command.
        from integrations.pdf import as_pdf

        _write(pdf, as_pdf(sheet, code, at, zone))
    if as_json:
        show_json(_facts(sheet, code, at, redacted=redacted))
    elif pdf is None:
        _print(sheet)
    else:
        say(f"{code}: {len(sheet.lines)} lines, written as PDF.")


def _write(path: Path, content: bytes) -> None:
    """A file that is new and that only its owner may read. Raises UsageError where that cannot be."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    except OSError as error:
        raise UsageError(f"The PDF cannot be written ({error.strerror}); name a file in a folder of yours.") from None


def _print(sheet: Sheet) -> None:
    say(clean(sheet.title))
    columns([(label, clean(said)) for label, said in sheet.head], indent=2)
    say()
    columns([(line.when, line.part, clean(line.text)) for line in sheet.lines])
    say()
    for sentence in sheet.foot:
        say(sentence)
    say(f"Printed {sheet.printed}.")


def _facts(sheet: Sheet, code: str, at: Instant, *, redacted: bool) -> dict[str, object]:
    return {
        "code": code,
        "redacted": redacted,
        "printed_at": instant_or_none(at),
        "title": sheet.title,
        "head": dict(sheet.head),
        "lines": [{"at": instant_or_none(line.at), "part": line.part, "text": line.text} for line in sheet.lines],
        "foot": list(sheet.foot),
    }
