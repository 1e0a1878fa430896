"""Therapists whom other files of a source give by name: whoever alone bears it in the therapists file. Two of a name are not guessed."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from models.entries import AppointmentEntry, ClientEntry, Entry, LeaveEntry, Reject, TherapistEntry
from models.subjects import normal_form


class Named:
    """The therapists of one reading, by id and by name; names are compared as those of clients are."""

    def __init__(self, therapists: Iterable[TherapistEntry]) -> None:
        self._ids: set[str] = set()
        self._by_name: dict[str, set[str]] = defaultdict(set)
        for therapist in therapists:
            self._ids.add(therapist.id)
            self._by_name[normal_form(therapist.name)].add(therapist.id)
        self._found: dict[str, str] = {}

    def in_row(self, reject: Reject) -> Reject:
        """A row that was put aside, with an id in place of the therapist's name."""
        who = self._id(reject.therapist_id)
        return reject if who == reject.therapist_id else replace(reject, therapist_id=who)

    def in_entry(self, entry: Entry) -> Entry:
        """An entry with ids in place of the names of therapists; itself where there is none."""
        match entry:
            case ClientEntry() | AppointmentEntry():
                who = self._id(entry.therapist_id)
                return entry if who == entry.therapist_id else replace(entry, therapist_id=who)
            case LeaveEntry():
                who, cover = self._id(entry.therapist_id) or "", self._id(entry.cover_id)
                return replace(entry, therapist_id=who, cover_id=cover)
            case TherapistEntry():
                return replace(entry, supervisor_id=self._id(entry.supervisor_id))
            case _:
                return entry

    def _id(self, said: str | None) -> str | None:
        if not said or said in self._ids:
            return said
        if said not in self._found:
            bearers = self._by_name.get(normal_form(said), set())
            self._found[said] = next(iter(bearers)) if len(bearers) == 1 else said
        return self._found[said]
