"""Whether every source was read lately, can be read now, and leaves nothing for a person to decide."""

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.store import cases, lookups, quarantine
from integrations.store.facts import words_told
from integrations.store.sources import all_rows, left_over
from models.entries import KIND_OF, ClientEntry, Reading, TherapistEntry
from models.errors import TendingError
from models.instants import DAY, Instant
from models.looking import tell_of_appointments
from models.settings_source import SourcePart
from models.sources import THINGS, questions
from models.voice import Voice
from models.words import counted
from tending.check.lines import Level, Line, Place
from tending.output import moment, since, some

OLD_FILES = 7 * DAY
OLD_EXPORT = 4 * DAY
"""An export that nobody renews leaves out bookings and missed appointments. Four days: from a Thursday evening over a long weekend to
Monday evening (our choice; whoever exports less often says so)."""


def each(place: Place) -> Iterator[Line]:
    """Sources that are named no more but still count, then what is to be said of each that practice.toml names."""
    practice = place.practice
    with practice.store.read() as connection:
        rows = all_rows(connection)
        late = cases.stale_sources(practice, connection, place.voice.now)
        aside = quarantine.counts(connection)
        known = lookups.therapists(connection)
        left = left_over(practice, connection)
        told = words_told(connection)
    if any(row.read_at is not None for row in rows.values()) and not tell_of_appointments(told):
        yield Line(
            Level.mend,
            "sources",
            "None has told of any appointment yet, so nobody can be said to stay away; name a calendar or an appointments file.",
        )
    for row in left:
        yield Line(
            Level.mend,
            f"source {row.name}",
            "practice.toml names it no more, and what it said of the future still counts;"
            f" put it back, or let it go: tending forget {row.name}",
        )
    for source in practice.settings.source:
        what, row = f"source {source.name}", rows.get(source.name)
        unasked = place.offline and bool(source.url or source.url_env)
        if source.therapist and known and source.therapist not in known:
            yield Line(Level.mend, what, f"therapist {source.therapist} is in no therapists file; correct the id.")
        if source.kind == "calendar" and not source.therapist:
            yield Line(
                Level.note, what, "No therapist is named, so entries are matched by code or id only, not by name."
            )
        if source.ask_about_former:
            yield Line(
                Level.note,
                what,
                f"Entries that name a former client by code, id or mail address are asked about, of {source.therapist} alone, "
                "who is told so (ask_about_former).",
            )
        yield from _last_read(place.voice, source, what, row, late, unasked=unasked)
        yield from _left_to_decide(place.voice, source, what, row, aside.get(source.name, 0))
        if not unasked:
            yield from _reachable(place, source, what, row.read_at if row is not None else None)


def _last_read(
    voice: Voice, source: SourcePart, what: str, row: Any, late: Mapping[str, Instant | None], *, unasked: bool
) -> Iterator[Line]:
    """Whether it was read, and lately enough. `row` is the source's, None before its first reading; `late` are the stale sources; one
    that is not asked now says when it was read."""
    if row is None or row.read_at is None:
        yield Line(Level.mend, what, f"It was never read; run: tending sync {source.name}")
    elif source.name in late and late[source.name] != row.read_at:
        yield Line(
            Level.mend,
            what,
            f"No file of it was written since {moment(voice, row.renewed_at)}, longer than renewed_within_hours allows;"
            " see that its export runs.",
        )
    elif source.name in late:
        yield Line(
            Level.mend,
            what,
            f"Last read {since(voice, row.read_at)}, too old to rely on; run: tending sync {source.name}, and `tending up`.",
        )
    elif unasked:
        yield Line(Level.good, what, f"Read {since(voice, row.read_at)}.")
    if row is not None and row.told:
        yield Line(Level.mend, what, f"The last try failed: {row.told}")


def _left_to_decide(voice: Voice, source: SourcePart, what: str, row: Any, aside: int) -> Iterator[Line]:
    """What only a person can say: of what vanished, of rows put aside (so many), and of files that have grown old."""
    for kind, part in questions(row.held if row is not None else {}).items():
        yield Line(
            Level.mend,
            what,
            f"{counted(part['count'], *THINGS[kind])} vanished at once; say what they are: tending held {source.name}",
        )
    if aside:
        yield Line(
            Level.mend, what, f"{counted(aside, 'row lies', 'rows lie')} in quarantine; see: tending quarantine list"
        )
    renewed_at = None if row is None else row.renewed_at
    if renewed_at is None or source.renewed_within_hours is not None:
        return  # with that setting, whether it is late is said by when it was last read
    written = f"Its newest file was written {since(voice, renewed_at)}"
    if source.kind == "records" and voice.now - renewed_at > OLD_EXPORT:
        yield Line(
            Level.mend,
            what,
            f"{written}: what happened since is not known here. Export it anew; if that is how often you do, say so with "
            "renewed_within_hours.",
        )
    elif voice.now - renewed_at > OLD_FILES:
        yield Line(Level.note, what, f"{written}; if it is exported by itself, set renewed_within_hours.")


def _reachable(place: Place, source: SourcePart, what: str, read_at: Instant | None) -> Iterator[Line]:
    """Read it once without taking anything in: does it answer, and whom does it no longer name."""
    # Only here: the libraries behind it take longer to import than other commands take to run.
    from integrations.reading import read_only, unread_files, written_at

    try:
        reading = read_only(place.practice, source, place.voice.now)
    except TendingError as error:
        yield Line(Level.mend, what, str(error))
        return
    last = "never taken in yet" if read_at is None else f"last taken in {since(place.voice, read_at)}"
    written = written_at(source)
    newest = f"; its newest file was written {since(place.voice, written)}" if written is not None else ""
    yield Line(
        Level.good, what, f"It can be read: {counted(len(reading.entries), 'entry', 'entries')}; {last}{newest}."
    )
    with place.practice.store.read() as connection:
        aside = quarantine.undecided(connection, place.practice.vault, source.name, reading.rejects)
    if aside:
        yield Line(Level.note, what, f"{counted(len(aside), 'row')} of it would go to quarantine.")
    if beside := unread_files(source):
        files = counted(len(beside), "file lies", "files lie")
        yield Line(
            Level.mend,
            what,
            f"{files} beside it that nothing reads: {some(beside)}; name each under files (docs/forms.md says which forms there are), "
            "or take it away.",
        )
    yield from _no_longer_named(place, source, what, reading)


def _no_longer_named(place: Place, source: SourcePart, what: str, reading: Reading) -> Iterator[Line]:
    practice = place.practice
    if KIND_OF[ClientEntry] in reading.kinds:
        refs = {practice.vault.hash("ref", e.id.strip()) for e in reading.entries if isinstance(e, ClientEntry)}
        with practice.store.read() as connection:
            codes = lookups.codes_in_care(connection, lookups.missing_from(connection, source.name, "client", refs))
            known = lookups.codes_in_care(connection, lookups.missing_from(connection, source.name, "client", ()))
        if codes:
            most = 2 * len(codes) > len(known)
            yield Line(
                Level.mend if most else Level.note,
                what,
                f"{counted(len(codes), 'client')} in care no longer in the export: {some(codes)}; "
                + ("see that it is whole." if most else "mark there when care has ended."),
            )
    if KIND_OF[TherapistEntry] in reading.kinds:
        named = {e.id for e in reading.entries if isinstance(e, TherapistEntry)}
        with practice.store.read() as connection:
            gone = lookups.missing_from(connection, source.name, "therapist", named)
        if gone:
            yield Line(
                Level.note,
                what,
                f"Therapists no longer in the export: {some(gone)}. They stay known: hand their clients over with "
                "`tending leave plan`, and disable their accounts with `tending users disable`.",
            )
