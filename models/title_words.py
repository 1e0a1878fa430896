"""What a calendar title says of its appointment, where a program has no better place for it: called off, missed, not settled."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from models.entries import AppointmentEntry, Attendance, CancelledBy, Plan
from models.instants import Instant
from models.subjects import words_of

Meaning = Literal["cancelled", "no show", "tentative", "nothing"]

TITLE_WORDS: dict[str, Meaning] = {
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "cancellation": "cancelled",
    "late cancel": "cancelled",
    "late cancelled": "cancelled",
    "late canceled": "cancelled",
    "late cancellation": "cancelled",
    "cxl": "cancelled",
    "cxld": "cancelled",
    "abgesagt": "cancelled",
    "Absage": "cancelled",
    "storniert": "cancelled",
    "entfällt": "cancelled",
    "fällt aus": "cancelled",
    "ausgefallen": "cancelled",
    "no show": "no show",
    "noshow": "no show",
    "did not attend": "no show",
    "DNA": "no show",
    "nicht erschienen": "no show",
    "waitlist": "tentative",
    "wait list": "tentative",
    "waiting list": "tentative",
    "cancellation list": "tentative",
    "tentative": "tentative",
    "Warteliste": "tentative",
    "vorläufig": "tentative",
    "unter Vorbehalt": "tentative",
}
"""What is taken for such a word unless a source says otherwise; our choice. Capitals, accents and hyphens do not matter."""

WORTH: tuple[Meaning, ...] = ("cancelled", "no show", "tentative")  # the first holds where a title says two of them
_NOT = {"not", "nicht", "never", "nie"}
_BRACKETS = re.compile(r"[(\[{]([^)\]}]*)[)\]}]")


class TitleWords:
    """The words of one source: those above, and its own, which may be new or mean something else, or nothing."""

    def __init__(self, own: Mapping[str, Meaning] | None = None) -> None:
        meanings = {tuple(words_of(word)): meaning for word, meaning in {**TITLE_WORDS, **(own or {})}.items()}
        self._longest = max(map(len, meanings))
        self._meanings = meanings
        self.meaning = lru_cache(maxsize=4096)(self._meaning)

    def _meaning(self, title: str) -> Meaning:
        """What a title says that begins or ends with such a word, or has one at an edge of something in brackets."""
        parts = (title, _BRACKETS.sub(" ", title), *_BRACKETS.findall(title))
        said = {meaning for part in parts for meaning in self._at_edges(words_of(part))}
        return next((meaning for meaning in WORTH if meaning in said), "nothing")

    def _at_edges(self, words: list[str]) -> Iterable[Meaning]:
        lengths = range(min(self._longest, len(words)), 0, -1)
        first = (self._meanings.get(tuple(words[:n])) for n in lengths)
        last = (self._meanings.get(tuple(words[-n:])) for n in lengths if not {*words[-n - 1 : -n]} & _NOT)
        for found in (first, last):  # the longest word at that edge: a cancellation list is no cancellation
            yield next((meaning for meaning in found if meaning is not None), "nothing")

    def read(self, entry: AppointmentEntry, now: Instant) -> AppointmentEntry:
        """The appointment as its title says it is. Whether somebody came is said of what has begun alone."""
        meaning = self.meaning(entry.title) if entry.title and entry.plan is not Plan.cancelled else "nothing"
        if meaning == "cancelled":
            return replace(entry, plan=Plan.cancelled, cancelled_by=CancelledBy.unknown)
        if meaning == "tentative" and entry.plan is Plan.booked:
            return replace(entry, plan=Plan.proposed)
        if meaning == "no show" and entry.start <= now and entry.attendance is Attendance.unknown:
            return replace(entry, attendance=Attendance.no_show)
        return entry
