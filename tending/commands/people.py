"""`who`, `code` and `audit`: from a code to a person and back, each look recorded, and the record itself."""

from typing import Annotated, Any

import typer

from integrations.store import audit, identity, lookups
from models.errors import UsageError
from models.words import counted as words_counted
from tending.commands.common import code_from, instant_or_none, login, now, opened, voice_of
from tending.commands.options import JsonOption, PracticeOption
from tending.output import clean, columns, moment, say, show_json, toned


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(who)
    app.command()(code)
    group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
    group.callback()(audit_group)
    group.command("list")(list_acts)
    group.command()(verify)
    app.add_typer(group, name="audit")


def who(
    client: Annotated[str, typer.Argument(metavar="CODE", help="The client's code, such as C-7F3K9QX.")],
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Who a code stands for. Each look is recorded."""
    with opened(practice) as here:
        found = identity.who(here.store, here.vault, code_from(client), login(), now())
    if as_json:
        show_json(found._asdict())
    else:
        say(f"{found.code}  {clean(found.name) or 'no name is known'}  (id {clean(found.clinic_id) or 'unknown'})")


def code(
    client: Annotated[list[str], typer.Argument(metavar="NAME_OR_ID", help="The clinic's own id, or the whole name.")],
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """The code of a client, by id or name. Each look is recorded.

    By the clinic's own id, or the whole name. The words of a name may stand in any order; accents and capitals do
    not matter. A part of a name finds nobody.
    """
    at = now()
    with opened(practice) as here:
        codes = identity.codes_of(here.store, here.vault, " ".join(client), login(), at)
        with here.store.read() as connection:
            found = [about for one in codes if (about := lookups.about(connection, one)) is not None]
    if not found:
        raise UsageError("No client has this id or name; write the id as the exports have it, or the whole name.")
    if as_json:
        show_json(
            [{"code": a.code, "therapist": a.therapist_id, "status": "died" if a.died else a.status} for a in found]
        )
    else:
        columns([(a.code, f"therapist {a.therapist_id or 'none'}", "died" if a.died else a.status) for a in found])


def audit_group(ctx: typer.Context, as_json: JsonOption = False, practice: PracticeOption = None) -> None:
    """Who saw whom and who did what."""
    if ctx.invoked_subcommand is None:
        list_acts(as_json=as_json, practice=practice)


def list_acts(
    last: Annotated[int, typer.Option("--last", metavar="N", min=1, max=100000, help="How many.")] = 20,
    about: Annotated[
        str, typer.Option("--about", metavar="CODE", help="Only acts about this client.", show_default=False)
    ] = "",
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """The newest acts, newest first."""
    at = now()
    with opened(practice) as here:
        with here.store.read() as connection:
            acts = lookups.acts(connection, last, code_from(about) if about else "")
        voice = voice_of(here, at)
    if as_json:
        names = ("place", "who", "act", "subject", "details")
        show_json([{"at": instant_or_none(act.at), **{name: getattr(act, name) for name in names}} for act in acts])
        return
    columns([(moment(voice, act.at), act.who, act.act, act.subject, _details(act.details)) for act in acts])
    if not acts:
        say("Nothing is recorded yet.")


def _details(details: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in details.items())


def verify(
    head: Annotated[
        str,
        typer.Option("--head", metavar="HEAD", help="An earlier head, as a weekly line named it.", show_default=False),
    ] = "",
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Check that the record is whole.

    Every seal, and with an earlier head also that nothing was cut off or written anew since. Exit code 1 if not.
    Seals alone find what was changed in the middle; only a head that was kept elsewhere finds a missing end.
    """
    with opened(practice) as here:
        state = audit.verify(here.store, head or None)
    if as_json:
        show_json({**state._asdict(), "whole": state.whole})
    else:
        if state.broken_at is not None:
            say(toned(f"The record does not hold from place {state.broken_at} on: somebody changed it.", "mend"))
        if state.head_fits is False:
            say(toned("The record does not go through that head: its end was cut off, or it was written anew.", "mend"))
        if state.whole:
            through = " and goes through that head" if head else ""
            say(f"{words_counted(state.length, 'sealed act')}: the record is whole{through}.")
        say(
            f"{words_counted(state.waiting, 'act')} wait to be sealed; every night does it."
            if state.waiting
            else "All are sealed."
        )
        if state.head:
            say(f"head  {state.head}")
    if not state.whole:
        raise typer.Exit(1)
