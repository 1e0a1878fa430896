"""`boundary`: may I contact a client? With the reason and what the code of ethics says, and no day after which it would be otherwise."""

from typing import Annotated

import typer

from integrations.store import audit, lookups
from models.boundary import Standing, boundary
from models.errors import UsageError
from models.ethics import code_of
from tending.commands.common import client_of, login, now, opened
from tending.commands.options import JsonOption, PracticeOption
from tending.output import columns, say, show_json, toned


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("boundary")(may_i_contact)


def may_i_contact(
    client: Annotated[
        str, typer.Argument(metavar="CLIENT", help="The client's code, such as C-7F3K9QX.", show_default=False)
    ] = "",
    restricted: Annotated[
        bool,
        typer.Option(
            "--restricted",
            help="The codes of all current and former clients, for the suppression lists of other systems.",
        ),
    ] = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """May I contact a client? Each question is recorded.

    Nothing personal and no advertisement, during therapy and after it, whatever time has passed; what belongs to care
    stays open. The code of ethics that practice.toml names is quoted ([practice] ethics, ethics_text).
    """
    if bool(client) == restricted:
        raise UsageError(
            "Name a client, `tending boundary C-7F3K9QX`, or ask for the list: `tending boundary --restricted`."
        )
    if restricted:
        _list(as_json, practice)
        return
    with opened(practice) as here, here.store.write() as connection:
        who = client_of(connection, client)
        audit.record(connection, now(), login(), "boundary asked", who.code)
        mine = here.settings.practice
    answer = boundary(code_of(mine.ethics, mine.ethics_text), died=who.died)
    if as_json:
        show_json({"code": who.code, **answer.facts()})
        return
    say(f"{who.code}: may I contact this client?")
    columns(
        [
            (
                w.contact.value,
                toned(w.standing.value, "good" if w.standing is Standing.open else "mend"),
                w.reason,
            )
            for w in answer.words
        ],
        indent=2,
    )
    say(f"{answer.code.name}")
    columns(
        [
            *[("after therapy", text.quoted()) for text in answer.code.former],
            ("during therapy", answer.code.current.quoted()),
            ("endings", answer.code.not_to_begin.quoted()),
        ],
        indent=2,
    )


def _list(as_json: bool, practice: PracticeOption) -> None:
    """Codes alone, in their own order: a list that told since when or by whom would tell what nobody may work out."""
    with opened(practice) as here, here.store.write() as connection:
        codes = lookups.codes(connection)
        audit.record(connection, now(), login(), "boundary list read", details={"clients": len(codes)})
    if as_json:
        show_json(codes)
        return
    for code in codes:
        say(code)
