"""What `tending check` looks at: everything a practice needs to be healthy and safe, each in one line with its remedy. Reads only."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from integrations.practice import open_practice
from integrations.settings import read_settings
from models.errors import TendingError
from models.instants import Instant
from models.voice import Voice
from tending.check import installation, people, running, sources
from tending.check.lines import Level, Line, Place


def checks(path: Path, now: Instant, *, offline: bool = False) -> list[Line]:
    """All lines, in the order in which one would mend them. Raises SettingsError where practice.toml itself cannot be read."""
    settings = read_settings(path)
    lines = [
        *installation.settings_file(path, settings),
        *installation.keys(settings),
        *installation.machine(Path(settings.practice.data)),
    ]
    try:
        practice = open_practice(path)
    except TendingError as error:
        return [*lines, Line(Level.mend, "database", str(error))]
    with practice:
        place = Place(practice, Voice(practice.zone, practice.settings.practice.locale, now), offline)
        lines.append(Line(Level.good, "database", f"{practice.store.place} opens and is of this version."))
        looks: Iterable[Callable[[Place], Iterator[Line]]] = (
            installation.names_in_policy,
            sources.each,
            people.everybody,
            people.still_to_sort,
            people.directory,
            people.desk,
            running.sending,
            running.messages,
            running.protocol,
            running.phone,
            running.what_runs,
            running.acts,
        )
        for look in looks:
            lines += look(place)
    return lines
