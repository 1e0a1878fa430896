"""What a complete reading no longer holds: what of it is surely gone, and what a person is asked about first."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from integrations.store import quarantine
from integrations.store.changes import tell
from integrations.store.doubt import in_question, settled
from integrations.store.people import sealed_id
from integrations.store.tables import table
from integrations.vault import Vault
from models.changes import ChangeKind
from models.entries import KIND_OF, AppointmentEntry, Plan, Reading
from models.instants import Instant
from models.policy import Policy
from models.settings_source import SourcePart
from models.sources import ASKED, Delivers, Source, questions, too_many_vanished

MAY_GO = ("break", "busy", "leave", "goal", "hold", "provider")
"""Kinds of which a complete reading that lacks one says that it is gone; scores stay, since exports often hold only the newest, and
so does news of referrals."""
Key = tuple[str, str]  # an entry's kind and id


class Vanished(NamedTuple):
    """Entries that are gone, by kind and id; how many appointments are among them; how many entries vanished at once and wait for a
    person."""

    gone: list[Key]
    appointments: int = 0
    held: int = 0


class _Shown(NamedTuple):
    """Entries of one kind that a reading can show: those it lacks, as rows by entry id; all that were known, a series as one (of
    appointments the booked ones ahead); and whether it holds none of these at all."""

    lost: dict[str, Any]
    known: set[str]
    emptied: bool


def gone_from(
    connection: Connection,
    vault: Vault,
    source: SourcePart,
    reading: Reading,
    seen: Collection[Key],
    current: Mapping[Key, Any],
    policy: Policy,
    now: Instant,
) -> Vanished:
    """Entries that a complete reading no longer holds. Only future appointments inside the window and kinds of MAY_GO can go missing;
    clients, therapists and scores never do. More appointments, breaks, goals or holds than a few at once are held back, and a person is
    asked."""
    if source.delivers == Delivers.changes:
        return Vanished([])
    unclear = _unclear(connection, vault, source, reading)
    missing = _missing(vault, reading, seen, current)
    gone = [key for key in missing if key[0] in MAY_GO and key[0] not in ASKED and key[0] not in unclear]
    state, read_at = _so_far(connection, source.name)
    held = {name: said for name, said in state.items() if name not in ASKED}
    off: list[str] = []
    if "appointment" in reading.kinds:
        since = _missing_since(reading, state.get("from", read_at), now)
        ahead = _ahead(reading, missing, current, since, now)
        off, held = _told_apart(ahead, held, policy, now, unclear="appointment" in unclear)
        if in_question(held):
            held["from"] = since  # what began meanwhile can still turn out to be gone
    elif not reading.kinds and read_at is not None and "from" not in held:
        held["from"] = read_at  # what is taken out meanwhile is found later
    for kind in ASKED:
        part = state.get(kind, {})
        if kind in reading.kinds and kind not in unclear:
            ids, part = _told_apart(_of_kind(kind, reading, missing, current), part, policy, now, unclear=False)
            gone += [(kind, entry_id) for entry_id in ids]
        held |= {kind: part} if part else {}
    if any(part["since"] == now for part in questions(held).values()):
        tell(connection, ChangeKind.source_held, source.name, None, now)
    if held != state:
        _hold(connection, source.name, held)
        settled(connection, source.name, state, held, now)
    count = sum(part["count"] for kind, part in questions(held).items() if kind in reading.kinds)
    if count:  # the same reading may lack the days off for the same reason
        gone = [key for key in gone if key[0] != "busy"]
    return Vanished(gone + [("appointment", entry_id) for entry_id in off], len(off), count)


def _of_kind(kind: str, reading: Reading, missing: Mapping[Key, Any], current: Mapping[Key, Any]) -> _Shown:
    """All entries of a kind of which nothing ends by itself."""
    lost = {entry_id: row for (sort, entry_id), row in missing.items() if sort == kind}
    known = {entry_id for (sort, entry_id), row in current.items() if sort == kind and not row.gone}
    return _Shown(lost, known, not any(KIND_OF[type(entry)] == kind for entry in reading.entries))


def _missing(vault: Vault, reading: Reading, seen: Collection[Key], current: Mapping[Key, Any]) -> dict[Key, Any]:
    """What stood in a source and is in its reading no more, of the kinds that it read. What it could not understand is not missing."""
    rejected = {sealed_id(vault, kind, r.entry_id) for r in reading.rejects for kind in reading.kinds}
    return {
        key: row
        for key, row in current.items()
        if key not in seen
        and not row.gone
        and key[0] in reading.kinds
        and key[1] not in rejected
        and row.facts.get("group", key[1]) not in rejected
    }


def _so_far(connection: Connection, source: str) -> tuple[dict[str, Any], Instant | None]:
    """What is held back of a source (Source.held), and when it was last read."""
    sources = table(Source)
    row = connection.execute(select(sources.c.held, sources.c.read_at).where(sources.c.name == source)).first()
    return (row.held or {}, row.read_at) if row else ({}, None)


def _hold(connection: Connection, source: str, held: dict[str, Any]) -> None:
    sources = table(Source)
    connection.execute(update(sources).where(sources.c.name == source).values(held=held))


def _ahead(
    reading: Reading, missing: Mapping[Key, Any], current: Mapping[Key, Any], since: Instant, now: Instant
) -> _Shown:
    """The appointments from `since` on that lie in the window of a reading."""
    begin, end = max(since, reading.window_from), reading.window_to

    def inside(key: Key, row: Any) -> bool:
        return key[0] == "appointment" and bool(begin <= row.facts["start"] < end)

    lost = {key[1]: row for key, row in missing.items() if inside(key, row)}
    booked = {
        row.facts["group"]
        for key, row in current.items()
        if not row.gone and inside(key, row) and row.facts["plan"] == Plan.booked
    }
    entries = (entry for entry in reading.entries if isinstance(entry, AppointmentEntry))
    emptied = not any(entry.start >= now and entry.plan == Plan.booked for entry in entries)
    return _Shown(lost, booked, emptied)


def _told_apart(
    shown: _Shown, state: Mapping[str, Any], policy: Policy, now: Instant, *, unclear: bool
) -> tuple[list[str], dict[str, Any]]:
    """Which of the lost entries of a kind are gone, by entry id, and what of them is held back, as Source.held says it of that kind
    (`state` until now). `unclear`: whether a row was not understood that could be any of them."""
    lost = shown.lost
    # A person has spoken about some: these are gone, those stand although the source lacks them.
    allowed = lost.keys() & set(state.get("allowed", ()))
    kept = lost.keys() & set(state.get("kept", ()))
    asked = lost.keys() - allowed - kept
    held: dict[str, Any] = {"kept": sorted(kept)} if kept else {}
    if unclear:
        # Any of these may be the row that was not understood: about them nothing is concluded, nor relied on.
        held |= {"unclear": sorted(asked), "unclear_since": state.get("unclear_since", now)} if asked else {}
        return sorted(allowed), held
    # An endless series that ends is one act; its tail was never booked.
    booked = (entry_id for entry_id in asked if lost[entry_id].facts.get("plan", Plan.booked) == Plan.booked)
    many, known = len({lost[entry_id].facts.get("group", entry_id) for entry_id in booked}), len(shown.known)
    if too_many_vanished(many, known, policy.vanish_floor, policy.vanish_share, emptied=shown.emptied):
        # Fewer than were asked about already is the same question; more is another one.
        asked_at = state["since"] if asked <= set(state.get("entries", ())) else now
        return sorted(allowed), held | {"entries": sorted(asked), "count": many, "ahead": known, "since": asked_at}
    return sorted(allowed | asked), held


def _missing_since(reading: Reading, read_at: Instant | None, now: Instant) -> Instant:
    """From when on an appointment that the source lacks was taken out of it: after the last reading that settled this, also where it
    would have begun by now. A source that shows nothing from before then may leave out what is past: there, from now on."""
    if read_at is None or read_at >= now:
        return now
    starts = (entry.start for entry in reading.entries if isinstance(entry, AppointmentEntry))
    return read_at if any(start < read_at for start in starts) else now


def _unclear(connection: Connection, vault: Vault, source: SourcePart, reading: Reading) -> set[str]:
    """Kinds of which a row could not be told apart, so that it may be the very one that is missing. What a person has discarded is none."""
    nameless = [r for r in reading.rejects if not r.entry_id]
    if not nameless:
        return set()
    waiting = quarantine.undecided(connection, vault, source.name, nameless)
    return {kind for r in waiting for kind in ([r.kind] if r.kind else reading.kinds)}
