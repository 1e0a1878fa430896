"""`up`, `demo` and `keys`: running the practice, trying it on a practice that does not exist, and changing keys."""

import os
from pathlib import Path
from typing import Annotated

import typer

from integrations.store import audit, lookups
from integrations.store.reseal import reseal
from integrations.vault import ENVIRONMENT, Vault
from models.errors import SettingsError, UsageError
from models.words import counted as words_counted
from tending.commands.common import login, now, opened
from tending.commands.options import JsonOption, PracticeOption, place
from tending.output import say, show_json, working


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(up)
    app.command()(demo)
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The keys that close names and raw rows.")
    group.callback()(keys_group)
    group.command()(rotate)
    app.add_typer(group, name="keys")


def up(
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=1024,
            max=65535,
            help="Where to begin looking for a free port for Prefect's pages.",
            show_default=False,
        ),
    ] = None,
    practice: PracticeOption = None,
) -> None:
    """Run the practice until Ctrl-C.

    Reads, looks, sends what is due, and serves Prefect's pages. Uses the Prefect server that PREFECT_API_URL
    names, else starts its own on this machine.
    """
    # Only here, as below: these import Prefect, which no other command waits for.
    from tending.up import up as run_practice

    code = run_practice(place(practice), say=say, port=port)
    if code:
        raise typer.Exit(code)


def demo(
    once: Annotated[bool, typer.Option("--once", help="End by itself, with exit code 0.")] = False,
    folder: Annotated[
        Path, typer.Option("--folder", metavar="PATH", help="Where all its files go; one made before is continued.")
    ] = Path("demo-practice"),
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete what an earlier demonstration made there; begin anew.")
    ] = False,
) -> None:
    """Watch it on a practice that does not exist.

    From calendar files to alerts in a local mailbox, with Prefect's pages; nothing leaves this machine.
    """
    from tending.demo.run import demo as run_demo

    code = run_demo(folder, once, fresh)
    if code:
        raise typer.Exit(code)


def keys_group() -> None:
    """The keys that close names and raw rows."""


def rotate(as_json: JsonOption = False, practice: PracticeOption = None) -> None:
    """Add a new key, and close everything with it.

    Stop `tending up` first; start it again afterwards. The older key stays in the file, since older backups are
    closed with it.
    """
    at = now()
    with opened(practice) as here:
        if os.environ.get(ENVIRONMENT, "").strip():
            raise SettingsError(
                f"The keys come from {ENVIRONMENT}; add a new `seal` line on top there, or use a key file."
            )
        with here.store.read() as connection:
            running = lookups.leases(connection).get("up")
        if running is not None and running.until > at:
            raise UsageError("`tending up` runs with the present keys and could not read the new ones; stop it first.")
        key_file = Path(here.settings.store.key_file)
        vault = Vault.rotate(key_file)
        with working("Closing anew"):
            moved = reseal(here.store, vault)
        with here.store.write() as connection:
            audit.record(connection, at, login(), "keys rotated", "", {"values": moved})
    if as_json:
        show_json({"values": moved, "key_file": str(key_file)})
    else:
        say(
            f"{key_file} has a new key, and {words_counted(moved, 'value')} are closed with it. Copy the file to where you keep it."
        )
