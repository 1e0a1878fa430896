"""`unmatched` and `held`: what was read, and only a person can say whose it is or whether it still takes place."""

from typing import Annotated

import typer

from integrations.store import audit, lookups
from integrations.store.identity import titles
from integrations.store.sources import all_rows, release_held
from models.errors import UsageError
from models.instants import DAY, at_wall
from models.words import counted as words_counted
from tending.commands.common import instant_or_none, login, now, opened, source_of, voice_of
from tending.commands.options import JsonOption, PracticeOption
from tending.output import clean, columns, moment, say, show_json

RECENT_DAYS = 30


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(unmatched)
    app.command()(held)


def unmatched(
    show_titles: Annotated[bool, typer.Option("--titles", help="Show the titles too; this look is recorded.")] = False,
    everything: Annotated[bool, typer.Option("--all", help=f"Also entries older than {RECENT_DAYS} days.")] = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Entries of calendars and records that belong to nobody.

    An entry is matched when its title holds the client's code or the name of exactly one client of that therapist.
    """
    at = now()
    with opened(practice) as here:
        with here.store.read() as connection:
            entries = lookups.unmatched(connection, at)
        shown = [e for e in entries if everything or e.start >= at - RECENT_DAYS * DAY]
        said = (
            titles(here.store, here.vault, [e.observation_id for e in shown], login(), at)
            if show_titles and shown
            else {}
        )
        voice, sources = voice_of(here, at), here.settings.source
    facts = [
        {
            "source": e.source,
            "therapist": e.therapist_id,
            "start": instant_or_none(at_wall(e.wall, e.zone)),
            "entries": e.entries,
            **({"title": said.get(e.observation_id, "")} if show_titles else {}),
        }
        for e in shown
    ]
    if as_json:
        show_json(facts)
        return
    columns(
        [
            (
                e.source,
                e.therapist_id or "-",
                moment(voice, e.start),
                "once" if e.entries == 1 else f"{e.entries} times",
                *([clean(said.get(e.observation_id, ""))] if show_titles else []),
            )
            for e in shown
        ]
    )
    older = len(entries) - len(shown)
    if not shown:
        say(f"Every entry of the last {RECENT_DAYS} days and ahead belongs to somebody, or there is none.")
    else:
        named = {e.source for e in shown}
        if any(s.kind == "calendar" for s in sources if s.name in named):
            say(
                "To match one of a calendar, write the client's code into its title; a name_pattern in practice.toml says where"
                " names stand."
            )
        if any(s.kind == "records" for s in sources if s.name in named):
            say("Of one of the records the client's id is in no clients file; add the client there, or correct the id.")
    if older:
        say(f"{older} more lie further back: --all lists them.")


def held(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name.")],
    cancelled: Annotated[bool, typer.Option("--cancelled", help="They are really cancelled.")] = False,
    still_there: Annotated[
        bool, typer.Option("--still-there", help="They still take place; the source was wrong.")
    ] = False,
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """Appointments that vanished from a source at once.

    Shows them, or takes a person's word on them. Without a word they count as taking place, and a person is asked.
    """
    at = now()
    if cancelled and still_there:
        raise UsageError("Say one of --cancelled and --still-there, not both.")
    with opened(practice) as here:
        source_of(here, source)
        if cancelled or still_there:
            with here.store.write() as connection:
                count = release_held(connection, source, at, cancelled=cancelled)
                word = "cancelled" if cancelled else "still there"
                audit.record(connection, at, login(), f"vanished appointments: {word}", source, {"entries": count})
            say(
                f"{words_counted(count, 'appointment')} of {source}: {word}. Taken at the next reading: `tending sync {source}`."
            )
            return
        with here.store.read() as connection:
            row = all_rows(connection).get(source)
            state = row.held if row is not None else {}
            entries = lookups.concerned(connection, source, state.get("entries", ()))
        voice = voice_of(here, at)
    if as_json:
        show_json(
            [
                {"start": instant_or_none(facts["start"]), "therapist": facts["therapist_id"], "clients": codes}
                for facts, codes in entries
            ]
        )
        return
    if not entries:
        say(f"Nothing is held for {source}.")
        return
    say(
        f"Vanished from {source} at once, {moment(voice, state['since'])}: "
        f"{words_counted(state['count'], 'appointment')} of {state['ahead']} ahead."
    )
    columns(
        [
            (moment(voice, facts["start"]), facts["therapist_id"] or "-", " ".join(codes) or "nobody")
            for facts, codes in entries
        ],
        indent=2,
    )
    say(f"Say `tending held {source} --cancelled` or `tending held {source} --still-there`.")
    raise typer.Exit(1)
