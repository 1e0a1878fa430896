"""Calendars in a folder that is looked at: which zone they name, and whose each of them seems to be."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from integrations.calendars.zones import iana_name
from models.entries import TherapistEntry
from models.errors import SettingsError
from models.subjects import normal_form

MOST_BYTES = 4 * 2**20  # of a calendar are looked at
_ZONE = re.compile(r"^(?:X-WR-TIMEZONE:|[A-Z-]+;(?:[^:\r\n]*;)?TZID=)\"?([^\":;\r\n]+)", re.MULTILINE)
_NAME = re.compile(r"^X-WR-CALNAME(?:;[^:\r\n]*)?:([^\r\n]+)", re.MULTILINE)
_TITLES = ("dr", "prof", "mr", "ms", "mrs")


@dataclass(frozen=True, slots=True)
class CalendarFile:
    """A calendar and whose it seems to be, by its file's name or its own; `note` says why that is not known."""

    file: str
    therapist_id: str | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """What a calendar says of itself: its name, and the IANA zones that its times are written in."""

    name: str = ""
    zones: frozenset[str] = frozenset()


def head_of(path: Path) -> Head:
    """What a calendar says of itself. Raises SettingsError for a file that holds none."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES)
    except OSError as error:
        raise SettingsError(f"{path.name}: it cannot be read ({error.strerror or 'unknown reason'}).") from None
    if b"BEGIN:VCALENDAR" not in data[:4096].replace(b"\0", b"").upper():
        raise SettingsError(f"{path.name}: it is named like a calendar but holds none; export it again.")
    text = data.decode("utf-8", "replace")
    name = _NAME.search(text)
    zones = {iana_name(found) for found in set(_ZONE.findall(text))} - {"", "UTC", "Etc/UTC"}
    return Head(name.group(1).strip() if name else "", frozenset(zones))


def zone_named_in(folder: Path) -> str:
    """The one zone that the calendars in a folder name; empty where they name none or several."""
    zones: set[str] = set()
    for depth in ("*.ics", "*/*.ics", "*/*/*.ics"):
        for path in folder.glob(depth):
            try:
                zones |= head_of(path).zones
            except SettingsError:
                continue  # why it is no calendar is said where the folder is looked at
    return zones.pop() if len(zones) == 1 else ""


def owner(file: str, head: Head, therapists: Sequence[TherapistEntry]) -> CalendarFile:
    """Whose calendar it is: the one therapist whose whole name it bears, or whose id, whole name or last name is in the file's name."""
    if head.name:
        bearers = {t.id for t in therapists if _plain(t.name) == _plain(head.name)}
        if len(bearers) == 1:
            return CalendarFile(file, bearers.pop())
    words = set(_words(Path(file).stem))
    marks = [(t.id, (_words(t.id), _words(t.name), _words(t.name)[-1:])) for t in therapists]
    for sort in range(3):
        hits = [known_as for known_as, mark in marks if mark[sort] and set(mark[sort]) <= words]
        if len(hits) == 1:
            return CalendarFile(file, hits[0])
        if hits:
            return CalendarFile(file, None, f"{file}: its name fits {len(hits)} therapists; set therapist.")
    return CalendarFile(file, None, f"{file}: its name fits no therapist; set therapist to the id of its owner.")


def _plain(name: str) -> str:
    return " ".join(_without_titles(normal_form(name).split()))


def _words(text: str) -> list[str]:
    return list(_without_titles(re.split(r"[\W_]+", text.casefold())))


def _without_titles(words: Iterable[str]) -> Iterable[str]:
    return (word for word in words if word and word not in _TITLES)
