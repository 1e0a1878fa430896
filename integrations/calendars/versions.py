"""A folder that holds older downloads of a calendar: of each entry only the newest version is read."""

from collections.abc import Iterable, Sequence

from integrations.calendars.expand import OLDER, revision
from integrations.calendars.light import Event, Feed


def keep_newest(feeds: Sequence[Feed]) -> None:
    """Take out of these files of one source, oldest first, what another of them says anew.

    Entries are the same by UID and recurrence id; the higher revision holds, and of equal ones that of the newer file. What is left of
    one UID is brought together where its series stands. Programs that number their entries give one UID to several: those that
    share neither a title nor a start are different entries, and stay.
    """
    where: dict[str, dict[int, list[Event]]] = {}
    for age, feed in enumerate(feeds):
        for event in feed.events:
            if not event.calendar.is_letter:
                where.setdefault(event.uid, {}).setdefault(age, []).append(event)
    moved: dict[int, list[Event]] = {}
    gone: set[int] = set()
    for by_file in where.values():
        if len(by_file) == 1:
            continue
        same = _same(by_file)
        kept = _newest(same)
        home = kept.get("", max(kept.values()))
        for age, events in same.items():
            stays = [event for event in events if kept[_recurrence(event)] == age]
            feeds[home].dropped[OLDER] += len(events) - len(stays)
            gone.update(event.first for event in events if age != home or kept[_recurrence(event)] != age)
            if age != home and stays:
                moved.setdefault(home, []).extend(stays)
                for name, lines in feeds[age].zones.items():
                    feeds[home].zones.setdefault(name, lines)
    for age, feed in enumerate(feeds):
        if gone:
            feed.events = [event for event in feed.events if event.first not in gone]
        feed.events += moved.get(age, ())


def _same(by_file: dict[int, list[Event]]) -> dict[int, list[Event]]:
    """The files whose entries of one UID are those of the newest file, by age."""
    found: dict[int, list[Event]] = {}
    marks, more = set[tuple[str, str]](), {max(by_file)}
    while more:  # what one file shares with the next leads from version to version
        found |= {age: by_file[age] for age in more}
        marks |= {mark for age in more for mark in _marks(by_file[age])}
        more = {age for age in by_file.keys() - found.keys() if marks & _marks(by_file[age])}
    return found


def _marks(events: Iterable[Event]) -> set[tuple[str, str]]:
    """What shows that two entries of one UID are one: a title or a start."""
    return {
        (name, event.once[name].value.strip())
        for event in events
        for name in ("SUMMARY", "DTSTART")
        if name in event.once and event.once[name].value.strip()
    }


def _newest(by_file: dict[int, list[Event]]) -> dict[str, int]:
    """The file that holds the newest version, by recurrence id; a series, or an entry that is none, has an empty one."""
    best: dict[str, tuple[tuple[int, str, str], int]] = {}
    for age, events in by_file.items():
        for event in events:
            mine = (revision(event), age)
            best[_recurrence(event)] = max(best.get(_recurrence(event), mine), mine)
    return {key: age for key, (_, age) in best.items()}


def _recurrence(event: Event) -> str:
    return event.once["RECURRENCE-ID"].value.strip() if "RECURRENCE-ID" in event.once else ""
