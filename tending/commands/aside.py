"""`quarantine`: input that could not be understood: listed without its content, opened, tried again or discarded with a reason."""

from typing import Annotated, Any

import typer

from integrations.practice import Practice
from integrations.store import quarantine
from integrations.store.quarantine import Item
from integrations.store.sources import read_anew
from models.errors import UsageError
from models.words import counted as words_counted
from tending.commands.common import instant_or_none, login, now, opened, source_of, voice_of
from tending.commands.options import JsonOption, PracticeOption
from tending.commands.sources import decide_due, read_all
from tending.output import clean, columns, say, show_json, since, tell

Number = Annotated[
    int, typer.Argument(metavar="NUMBER", help="The row's number, as `tending quarantine list` shows it.")
]
SourceName = Annotated[str, typer.Argument(metavar="SOURCE", help="Of one source only.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
    group.callback()(quarantine_group)
    group.command("list")(list_quarantine)
    for command in (show, retry, discard):
        group.command()(command)
    app.add_typer(group, name="quarantine")


def quarantine_group(ctx: typer.Context, as_json: JsonOption = False, practice: PracticeOption = None) -> None:
    """Input that could not be understood."""
    if ctx.invoked_subcommand is None:
        list_quarantine("", as_json=as_json, practice=practice)


def list_quarantine(
    source: SourceName = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Also what was read later, has gone or was discarded.")
    ] = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """What lies in quarantine, and why.

    Without its content. Exit code 1 when anything is held."""
    at = now()
    with opened(practice) as here:
        if source:
            _named(here, source)
        items = quarantine.listed(here.store, source or None, all_states=everything)
        voice = voice_of(here, at)
    held = [item for item in items if item.state == "held"]
    if as_json:
        show_json([_fact(item) for item in items])
    else:
        columns(
            [
                (
                    str(item.id),
                    item.source,
                    since(voice, item.seen_at),
                    *([item.state.value] if everything else []),
                    item.sentence + (f" ({', '.join(item.codes)})" if item.codes else ""),
                )
                for item in items
            ]
        )
        if not items:
            say("The quarantine is empty.")
        if held:
            say(
                "Mend them where they come from and run `tending sync`; `tending quarantine show NUMBER` opens one, "
                "`tending quarantine discard NUMBER REASON` gives it up."
            )
    if held:
        raise typer.Exit(1)


def _named(here: Practice, source: str) -> None:
    """Raise UsageError where a source is not one, and say so of a row's number in its place."""
    if source.isdecimal() and source not in {part.name for part in here.settings.source}:
        raise UsageError(
            f"Here a source is named, not a row's number; `tending quarantine show {source}` opens that row, and"
            " `tending quarantine list` names its source."
        )
    source_of(here, source)


def _fact(item: Item) -> dict[str, Any]:
    facts = item._asdict()
    facts |= {"seen_at": instant_or_none(item.seen_at), "decided_at": instant_or_none(item.decided_at)}
    return facts | {"state": item.state.value}


def show(number: Number, as_json: JsonOption = False, practice: PracticeOption = None) -> None:
    """Open one with its content. This look is recorded.

    The content may say who somebody is."""
    at = now()
    with opened(practice) as here:
        found = quarantine.opened(here.store, here.vault, number, login(), at)
    text = found.raw.decode("utf-8", "replace")
    if as_json:
        show_json({**_fact(found.item), "raw": text, "why": found.why})
        return
    columns([("source", found.item.source), ("place", found.item.place), ("reason", found.item.sentence)])
    if found.why:
        columns([("discarded", f"by {found.item.decided_by}: {clean(found.why)}")])
    say()
    for line in text.splitlines() or [""]:
        say(clean(line.replace("\t", " ")))


def retry(source: SourceName = "", as_json: JsonOption = False, practice: PracticeOption = None) -> None:
    """Read sources with rows in quarantine once more.

    Exit code 1 when rows are still held."""
    at = now()
    with opened(practice) as here:
        if source:
            _named(here, source)
        with here.store.read() as connection:
            before = quarantine.counts(connection)
        named = {s.name for s in here.settings.source}
        wanted = [name for name in before if name in named and source in ("", name)]
        if not wanted:
            raise UsageError(
                f"Nothing lies in quarantine{f' for {source}' if source else ''}; there is nothing to try again."
            )
        with here.store.write() as connection:
            read_anew(connection, wanted)
        _, failed = read_all(here, wanted, at)
        decide_due(here, at)
        with here.store.read() as connection:
            after = quarantine.counts(connection)
    if as_json:
        show_json({name: {"before": before[name], "held": after.get(name, 0)} for name in wanted})
    else:
        for name in wanted:
            left = after.get(name, 0)
            say(f"{name}: {words_counted(before[name] - left, 'row')} understood or gone, {left} still held.")
    for error in failed.values():
        tell(str(error))
    if failed:
        raise typer.Exit(next(iter(failed.values())).exit_code)
    if any(after.get(name) for name in wanted):
        raise typer.Exit(1)


def discard(
    number: Number,
    reason: Annotated[list[str], typer.Argument(metavar="REASON", help="Why it is not needed, in a few words.")],
    practice: PracticeOption = None,
) -> None:
    """Give one up, with a reason.

    The same input is not asked about again, and rules about its client no longer wait for it."""
    at = now()
    with opened(practice) as here:
        item = quarantine.discard(here.store, here.vault, number, login(), " ".join(reason), at)
        decide_due(here, at)
    say(f"Row {item.id} of {item.source} is discarded; the same input is not asked about again.")
