"""`init`, `check`, `upgrade` and `rebuild`: starting a practice and keeping it whole."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from integrations.public_holidays import public_holidays
from integrations.records.calendar_files import zone_named_in
from integrations.records.detect import Detection
from integrations.settings import read_settings
from integrations.store import migrate
from integrations.store.engine import open_store
from models.errors import StoreError
from models.instants import zone as known_zone
from models.settings import settings_from
from models.words import counted as words_counted
from tending.commands.common import now, opened
from tending.commands.options import DryRunOption, JsonOption, PracticeOption, place
from tending.init import Wanted, complete, folder_as_written, look_at, practice_toml, write_practice, zone_here
from tending.output import columns, say, show_json, working


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(init)
    app.command()(check)
    app.command()(upgrade)
    app.command()(rebuild)


def init(
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="Look at this folder of exports and calendars, and write what reads it.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="The practice's neutral name; it stands in subject lines.")
    ] = "Practice",
    zone: Annotated[
        str,
        typer.Option(
            "--zone",
            metavar="ZONE",
            help="Its time zone, such as Europe/Berlin; else the one that the calendars name, or this machine's.",
            show_default=False,
        ),
    ] = "",
    locale: Annotated[str, typer.Option("--locale", metavar="LOCALE", help="en_GB or en_US.")] = "en_GB",
    holidays: Annotated[
        str, typer.Option("--holidays", metavar="REGION", help="Public holidays, such as DE-BE.", show_default=False)
    ] = "",
    admin: Annotated[
        str, typer.Option("--admin", metavar="ADDRESS", help="The administrator's mail address.", show_default=False)
    ] = "",
    data: Annotated[
        str,
        typer.Option(
            "--data",
            metavar="FOLDER",
            help="Where its data lie, if not in data; the keys beside them.",
            show_default=False,
        ),
    ] = "",
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Start a practice: practice.toml, keys and database.

    Writes practice.toml with comments, and makes data folder, key file and database. A practice.toml that is
    there is never overwritten; what it still lacks is made. Exit code 1 when a file was found of which no row
    is understood.
    """
    path = place(practice)
    named = zone_named_in(source) if source is not None and not zone else ""
    wanted_zone = zone or named or zone_here()
    if path.exists() and source is None and not dry_run:
        _complete(path)
        return
    known_zone(wanted_zone)
    if holidays:
        public_holidays(holidays, 2026, 2026)  # raises where the region is not known
    found = look_at(source, wanted_zone, now()) if source else None
    wanted = Wanted(name, wanted_zone, locale, holidays, admin, data)
    text = practice_toml(wanted, found, folder_as_written(source, path) if source else "")
    _validate(text, path)
    if not dry_run:
        write_practice(path, text)
    if as_json:
        show_json(
            {"practice": str(path), "written": not dry_run, "text": text, "found": asdict(found) if found else None}
        )
        return
    if found:
        _show_found(found)
        say()
    if dry_run:
        say(f"{path} would be:")
        say()
        say(text.rstrip("\n"))
        return
    settings = read_settings(path)
    say(f"{path} is written; the data lie in {settings.practice.data}, the keys in {settings.store.key_file}.")
    guess = "" if zone else f" (zone {wanted_zone} was taken from {'the calendars' if named else 'this machine'})"
    _next_steps(path, found, guess)
    if found and any(file.rows and file.rejects == file.rows for file in found.forms):
        raise typer.Exit(1)


def _validate(text: str, path: Path) -> None:
    import tomllib

    settings_from(tomllib.loads(text), str(path))


def _complete(path: Path) -> None:
    if complete(path):
        say(f"{path} was there and is left as it is; its data folder, keys and database are made.")
    else:
        say(
            f"{path} is there and has its keys and database; nothing was done. `tending check` says whether all is well."
        )


def _show_found(found: Detection) -> None:
    say("Understood")
    rows = [
        (f.form, f.file, f"{words_counted(f.rows, 'row')}" + (f", {f.rejects} not understood" if f.rejects else ""))
        for f in found.forms
    ]
    rows += [
        ("calendar", c.file, f"of {c.therapist_id}" if c.therapist_id else "nobody's yet") for c in found.calendars
    ]
    columns(rows, indent=2)
    for file in found.forms:
        if file.left:
            say(
                f"  {file.file}: left out, since nothing reads {'it' if len(file.left) == 1 else 'them'}: {', '.join(file.left)}"
            )
        for reason in file.reasons:
            say(f"  {reason}")
        if file.rejects:
            say("  After `tending sync`, `tending quarantine list` shows every row that was not understood, and why.")
    for note in found.notes:
        say(f"  {note}")
    unsure = [*found.questions, *(c.note for c in found.calendars if c.note)]
    if unsure:
        say("Unsure; settle it in practice.toml")
        for line in unsure:
            say(f"  {line}")
    if found.unclear:
        say("Not read")
        for unclear in found.unclear:
            say(f"  {unclear.reason}")


def _next_steps(path: Path, found: Detection | None, zone_note: str) -> None:
    unsure = found is not None and (found.questions or any(c.note for c in found.calendars))
    first = (
        f"Edit {path}: settle what is marked TO SETTLE, name the administrator and the mail server{zone_note}."
        if unsure
        else f"Edit {path}: the administrator and the mail server{zone_note}."
        if found
        else f"Edit {path}: the name, the sources, the administrator and the mail server{zone_note}."
    )
    say("Next:")
    say(f"  1. {first}")
    say(
        "  2. `tending check` says what is missing; `tending sync` reads; `tending findings --day-one` lists what is already so."
    )
    say(
        "  3. `tending arm` lets it send, and `tending up` keeps it running. Keep a copy of the keys apart from the backups."
    )


def check(
    offline: Annotated[bool, typer.Option("--offline", help="Ask no calendar and no mail server.")] = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """What is healthy, missing or unsafe, with the remedy.

    One line each. Changes and sends nothing. Exit code 1 when something needs doing.
    """
    from tending.check import checks
    from tending.check.lines import Level

    at = now()
    with working("Checking"):
        results = checks(place(practice), at, offline=offline)
    if as_json:
        show_json([asdict(one) for one in results])
    else:
        from tending.output import toned

        tones = {Level.good: "good", Level.note: "note", Level.mend: "mend"}
        columns([(toned(f"{one.level.value:4}", tones[one.level]), one.what, one.sentence) for one in results])
        todo = sum(one.level is Level.mend for one in results)
        say(f"{words_counted(todo, 'thing needs', 'things need')} doing." if todo else "Nothing needs doing.")
    if any(one.level is Level.mend for one in results):
        raise typer.Exit(1)


def upgrade(as_json: JsonOption = False, practice: PracticeOption = None) -> None:
    """Bring the database to this version.

    Make a backup first, and stop `tending up`."""
    settings = read_settings(place(practice))
    database = Path(settings.store.url.removeprefix("sqlite:///"))
    if settings.store.url.startswith("sqlite:") and not database.exists():
        raise StoreError("This practice has no database yet; `tending init` makes it, or correct [store] url.")
    store = open_store(settings.store.url)
    try:
        before = migrate.current(store)
        changed = migrate.upgrade(store)
        migrate.require_current(store)
    finally:
        store.close()
    if as_json:
        show_json({"from": before, "to": migrate.head(), "changed": changed})
    elif changed:
        say(f"The database went from version {before or 'none'} to {migrate.head()}.")
    else:
        say(f"The database has version {migrate.head()} already; nothing was done.")


def rebuild(dry_run: DryRunOption = False, as_json: JsonOption = False, practice: PracticeOption = None) -> None:
    """Derive everything again; nothing may differ.

    From what the sources said, for everybody. What differed is put right and named. Exit code 1 when something
    differed.
    """
    from integrations.store.rebuild import rebuild as rebuild_all

    at = now()
    with opened(practice) as here, working("Deriving again") as step:
        result = rebuild_all(here, at, dry_run=dry_run, progress=step)
    if as_json:
        show_json({"clients": result.clients, "differed": list(result.differed), "dry_run": dry_run})
    elif not result.differed:
        say(f"{words_counted(result.clients, 'client')} derived again: nothing differed.")
    else:
        did = "would change" if dry_run else "were put right"
        say(
            f"{words_counted(result.clients, 'client')} derived again; {len(result.differed)} {did}: {' '.join(result.differed)}"
        )
        say("This should not happen; please report it. The codes say nothing about anybody outside.")
    if result.differed:
        raise typer.Exit(1)
