"""`unmatched` and `held`: what was read, and only a person can say whose it is or whether it still takes place."""

from typing import Annotated

import typer

from integrations.store import audit, nobodys
from integrations.store.doubt import held_entries
from integrations.store.identity import titles
from integrations.store.sources import all_rows, release_held
from models.errors import UsageError
from models.instants import DAY, at_wall
from models.sources import THINGS, questions
from models.words import counted as words_counted
from tending.commands.common import instant_or_none, login, now, opened, source_of, voice_of
from tending.commands.options import JsonOption, PracticeOption
from tending.output import clean, columns, moment, say, show_json

RECENT_DAYS = 30
KINDS = tuple(THINGS)
ROWS = {
    "goal": "goals",
    "score": "scores",
    "break": "breaks",
    "hold": "holds",
    "referral": "referral_news",
}  # as the files are called


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

    An entry is matched when its title holds the client's code or the name of exactly one client of that therapist. Of
    goals, scores, breaks, waits and news of referrals it says how many rows name a client who is in no clients file.
    """
    at = now()
    with opened(practice) as here:
        with here.store.read() as connection:
            entries, rows = nobodys.unmatched(connection, at), nobodys.rows_of_nobody(connection)
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
            "kind": "appointment",
            "therapist": e.therapist_id,
            "start": instant_or_none(at_wall(e.wall, e.zone)),
            "entries": e.entries,
            **({"title": said.get(e.observation_id, "")} if show_titles else {}),
        }
        for e in shown
    ]
    if as_json:
        show_json(facts + [{"source": source, "kind": kind, "entries": n} for (source, kind), n in rows.items()])
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
    columns(
        [
            (source, ROWS[kind], f"{words_counted(n, 'row')} about a client whom nobody knows")
            for (source, kind), n in rows.items()
        ]
    )
    older = len(entries) - len(shown)
    if not shown and not rows:
        say(f"Every entry of the last {RECENT_DAYS} days and ahead belongs to somebody, or there is none.")
    else:
        named = {e.source for e in shown} | {source for source, _ in rows}
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
    cancelled: Annotated[bool, typer.Option("--cancelled", help="They are really cancelled, or gone.")] = False,
    still_there: Annotated[bool, typer.Option("--still-there", help="They still hold; the source was wrong.")] = False,
    kind: Annotated[
        str,
        typer.Option("--kind", metavar="KIND", help="Of one kind alone: " + ", ".join(KINDS) + ".", show_default=False),
    ] = "",
    as_json: JsonOption = False,
    practice: PracticeOption = None,
) -> None:
    """What vanished from a source at once.

    Appointments, goals, breaks and times on a waiting list. Shows them, or takes a person's word on them. Without a
    word they stay, nothing is concluded from them, and a person is asked.
    """
    at = now()
    if kind and kind not in KINDS:
        raise UsageError(f"The kind {clean(kind)} is not known; write one of: {', '.join(KINDS)}.")
    if cancelled and still_there:
        raise UsageError("Say one of --cancelled and --still-there, not both.")
    with opened(practice) as here:
        source_of(here, source)
        if cancelled or still_there:
            with here.store.write() as connection:
                counts = release_held(connection, source, at, cancelled=cancelled, kind=kind)
                word = "cancelled" if cancelled else "still there"
                audit.record(connection, at, login(), f"vanished entries: {word}", source, counts)
            for one, count in counts.items():
                word = "still there" if still_there else "cancelled" if one == "appointment" else "gone"
                say(f"{words_counted(count, *THINGS[one])} of {source}: {word}.")
            say(f"Taken at the next reading: `tending sync {source}`.")
            return
        with here.store.read() as connection:
            row = all_rows(connection).get(source)
            asked = questions(row.held if row is not None else {})
            found = {
                one: held_entries(connection, source, one, part["entries"])
                for one, part in asked.items()
                if kind in ("", one)
            }
        voice = voice_of(here, at)
    if as_json:
        show_json(
            [
                {
                    "kind": one,
                    "start": instant_or_none(entry.start) if one == "appointment" else entry.day,
                    "therapist": entry.therapist_id,
                    "clients": entry.codes,
                }
                for one, entries in found.items()
                for entry in entries
            ]
        )
        return
    if not found:
        say(f"Nothing is held for {source}.")
        return
    for one, entries in found.items():
        part = asked[one]
        say(
            f"Vanished from {source} at once, {moment(voice, part['since'])}: "
            f"{part['count']} of {words_counted(part['ahead'], *THINGS[one])}."
        )
        columns(
            [
                (
                    moment(voice, entry.start) if one == "appointment" else entry.day or "-",
                    entry.therapist_id or "-",
                    " ".join(entry.codes) or "nobody",
                )
                for entry in entries
            ],
            indent=2,
        )
    say(f"Say `tending held {source} --cancelled` or `tending held {source} --still-there`.")
    raise typer.Exit(1)
