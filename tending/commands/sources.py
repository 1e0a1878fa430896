"""`sync` and `forget`: reading the sources, and letting one go."""

import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

from integrations.practice import Practice
from integrations.store import cases, nobodys, quarantine
from integrations.store.forgetting import Forgotten, would_forget
from integrations.store.forgetting import forget as forget_source
from integrations.store.intake import Taken
from integrations.store.rebuild import rebuild_outdated
from models.errors import TendingError, UsageError
from models.instants import Instant
from models.words import counted as words_counted
from tending.commands.common import login, now, opened, source_of
from tending.commands.options import DryRunOption, JsonOption, PracticeOption
from tending.output import columns, say, show_json, some, tell, working

AT_ONCE = 500  # clients decided in one short transaction


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(sync)
    app.command()(forget)


def sync(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="One source by its name; all without it.", show_default=False)
    ] = "",
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Read the sources now.

    Then looks at everybody whom that concerns. Nothing is sent by it. A source that cannot be read stops nothing:
    the others are read, and what was known of it stays.
    Exit code 1: rows lie in quarantine, appointments are held or most clients are named no more; 4: a source could not be read.
    """
    at = now()
    with opened(practice) as here:
        wanted = [source_of(here, source)] if source else list(here.settings.source)
        if not wanted:
            raise UsageError(
                "practice.toml names no [[source]]; add one, or let `tending init --from FOLDER` write it."
            )
        if not dry_run:
            rebuild_outdated(here, at)
        results, failed = read_all(here, [s.name for s in wanted], at, dry_run=dry_run)
        decided = None if dry_run else decide_due(here, at)
        with here.store.read() as connection:
            aside = {name: n for name, n in quarantine.counts(connection).items() if name in {s.name for s in wanted}}
            nobody = nobodys.unmatched_count(connection)
    if as_json:
        show_json(
            {
                "dry_run": dry_run,
                "sources": [{**asdict(taken), "clients": len(taken.clients)} for taken in results],
                "failed": {name: str(error) for name, error in failed.items()},
                "quarantine": aside,
                "unmatched": nobody._asdict(),
                "decided": asdict(decided) if decided else None,
            }
        )
    else:
        columns([(taken.source, _line(taken, dry_run)) for taken in results])
        if decided is not None:
            say(_decided_line(asdict(decided)))
        if (nobody.entries or nobody.rows) and not dry_run:
            say(f"{nobody.sentence()}: `tending unmatched`.")
        if aside:
            say(
                f"{words_counted(sum(aside.values()), 'row lies', 'rows lie')} in quarantine: `tending quarantine list`."
            )
    for error in failed.values():
        tell(str(error))
    if failed:
        raise typer.Exit(next(iter(failed.values())).exit_code)
    if aside or any(taken.held or taken.no_longer_named or (dry_run and taken.rejected) for taken in results):
        raise typer.Exit(1)


def read_all(
    here: Practice, names: list[str], at: Instant, *, dry_run: bool = False
) -> tuple[list[Taken], dict[str, TendingError]]:
    """Read these sources one after the other. Answers what each came to, and the errors of those that could not be read."""
    # Only here: the libraries behind it take longer to import than other commands take to run.
    from integrations.reading import preview_source
    from integrations.syncing import sync_source

    results: list[Taken] = []
    failed: dict[str, TendingError] = {}
    with working("Reading sources") as step:
        for number, name in enumerate(names):
            step(number, len(names))
            part = here.settings.source_named(name)
            try:
                results.append(preview_source(here, part, at) if dry_run else sync_source(here, part, at, "cli"))
            except TendingError as error:
                if error.exit_code == 5:  # the store itself: going on would only say it again
                    raise
                failed[name] = error
    return results, failed


def decide_due(here: Practice, at: Instant) -> Any:
    """Look at everybody who is due, in short transactions. Answers the counts."""
    from integrations.store.decisions import Decided, decide

    total, seen = Decided(), set[int]()
    with working("Looking at clients") as step:
        while True:
            with here.store.write() as connection:
                due = [c for c in cases.due(connection, at, cases.basis(here, connection), AT_ONCE) if c not in seen]
                total.add(decide(here, connection, due, at))
            seen.update(due)
            if not due:
                return total
            step(len(seen), len(seen))


def _line(taken: Taken, dry_run: bool) -> str:
    if taken.unchanged:
        return "unchanged since the last reading"
    parts = [words_counted(taken.entries, "entry", "entries")]
    parts += [
        f"{n} {word}" for n, word in ((taken.new, "new"), (taken.changed, "changed"), (taken.vanished, "gone")) if n
    ]
    if taken.rejected:
        parts.append(f"{taken.rejected} not understood")
    if taken.held:
        how = "would be held" if dry_run else f"are held: `tending held {taken.source}`"
        parts.append(f"{words_counted(taken.held, 'entry', 'entries')} vanished at once and {how}")
    if taken.no_longer_named:
        parts.append(
            f"{words_counted(taken.no_longer_named, 'client is', 'clients are')} named no more; was the export whole?"
        )
    if taken.dropped:
        cells = sum(taken.dropped.values())
        names = words_counted(len(taken.dropped), "column")
        parts.append(f"{words_counted(cells, 'cell')} of {names} left at the border ({some(sorted(taken.dropped))})")
    return ("would be: " if dry_run else "") + ", ".join(parts)


def _decided_line(decided: dict[str, Any]) -> str:
    parts = [f"{words_counted(decided['looked'], 'client')} looked at"]
    new = decided["opened"] - decided["day_one"]
    if new:
        parts.append(f"{words_counted(new, 'new finding')} (`tending findings`)")
    if decided["day_one"]:
        parts.append(
            f"{words_counted(decided['day_one'], 'finding')} already so at first sight (`tending findings --day-one`)"
        )
    parts += [f"{decided['cleared']} cleared"] if decided["cleared"] else []
    parts += [f"{words_counted(decided['notices'], 'notice')} waiting"] if decided["notices"] else []
    parts += (
        [f"of {words_counted(decided['blind'], 'client')} something cannot be said yet"] if decided["blind"] else []
    )
    return ", ".join(parts) + "."


def forget(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The name that it had.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Let go a source that practice.toml names no more.

    Withdraws its appointments ahead, and breaks and leave that have not begun; lets go what lies in quarantine of
    it. What is past stays. Asks first; recorded.
    """
    at = now()
    with opened(practice) as here:
        with here.store.read() as connection:
            result = would_forget(here, connection, source, at)
        if not dry_run:
            if not yes:
                if not sys.stdin.isatty():
                    raise UsageError("Nobody is here to be asked: look at it with --dry-run, then say it with --yes.")
                say(f"Would be withdrawn: {_forgotten(result)}.")
                if not typer.confirm("Is this source really gone for good?"):
                    say("Nothing was done.")
                    raise typer.Exit(1)
            with here.store.write() as connection:
                result = forget_source(here, connection, source, login(), at)
            decide_due(here, at)
    if as_json:
        show_json({"source": source, "dry_run": dry_run, **result._asdict()})
    else:
        say(f"{'Would be withdrawn' if dry_run else 'Withdrawn'}: {_forgotten(result)}.")


def _forgotten(result: Forgotten) -> str:
    return ", ".join(
        (
            words_counted(result.appointments, "appointment ahead", "appointments ahead"),
            words_counted(result.breaks_and_leave, "break or leave", "breaks and leaves"),
            words_counted(result.quarantined, "row in quarantine", "rows in quarantine"),
        )
    )
