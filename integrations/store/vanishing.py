"""What a complete reading no longer holds: what of it is surely gone, and what a person is asked about first."""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from integrations.store import quarantine
from integrations.store.changes import tell
from integrations.store.doubt import in_question, settled
from integrations.store.people import sealed_id
from integrations.store.tables import table
from integrations.vault import Vault
from models.changes import ChangeKind
from models.instants import Instant
from models.observations import AppointmentEntry, Plan, Reading
from models.policy import Policy
from models.settings import SourcePart
from models.sources import Delivers, Source, too_many_vanished

MAY_GO = ("break", "leave", "goal", "hold")
"""Kinds of which a complete reading that lacks one says that it is gone; scores stay, since exports often hold only the newest."""


class Vanished(NamedTuple):
    """Entries that are gone, by kind and id; how many appointments are among them; how many vanished at once and wait for a person."""

    gone: list[tuple[str, str]]
    appointments: int = 0
    held: int = 0


def gone_from(
    connection: Connection,
    vault: Vault,
    source: SourcePart,
    reading: Reading,
    seen: Collection[tuple[str, str]],
    current: dict[tuple[str, str], Any],
    policy: Policy,
    now: Instant,
) -> Vanished:
    """Entries that a complete reading no longer holds. Only future appointments inside the window and kinds of MAY_GO can go missing;
    clients, therapists and scores never do. More appointments than a few at once are held back, and a person is asked."""
    if source.delivers == Delivers.changes:
        return Vanished([])
    unclear = _unclear(connection, vault, source, reading)
    rejected = {sealed_id(vault, kind, r.entry_id) for r in reading.rejects for kind in reading.kinds}
    missing = [
        (key, row)
        for key, row in current.items()
        if key not in seen
        and not row.gone
        and key[0] in reading.kinds
        and key[1] not in rejected
        and row.facts.get("group", key[1]) not in rejected
    ]
    gone = [key for key, _ in missing if key[0] in MAY_GO and key[0] not in unclear]
    sources = table(Source)
    before_this = connection.execute(
        select(sources.c.held, sources.c.read_at).where(sources.c.name == source.name)
    ).first()
    state, read_at = (before_this.held or {}, before_this.read_at) if before_this else ({}, None)
    if "appointment" not in reading.kinds:
        if not reading.kinds and read_at is not None and "from" not in state:
            # What is taken out meanwhile is found later.
            held_since = update(sources).where(sources.c.name == source.name)
            connection.execute(held_since.values(held={**state, "from": read_at}))
        return Vanished(gone)
    since = _missing_since(reading, state.get("from", read_at), now)

    def ahead(row: Any) -> bool:
        return bool(max(since, reading.window_from) <= row.facts["start"] < reading.window_to)

    lost = {key[1]: row for key, row in missing if key[0] == "appointment" and ahead(row)}
    # A person has spoken about some: these are gone, those stand although the source lacks them.
    allowed = lost.keys() & set(state.get("allowed", ()))
    kept = lost.keys() & set(state.get("kept", ()))
    asked = lost.keys() - allowed - kept
    waiting = 0
    held: dict[str, Any] = {"kept": sorted(kept)} if kept else {}
    if "appointment" in unclear:
        # Any of these may be the row that was not understood: about them nothing is concluded, nor relied on.
        held |= {"unclear": sorted(asked), "unclear_since": state.get("unclear_since", now)} if asked else {}
        asked = set()
    # An endless series that ends is one act; its tail was never booked.
    lost_groups = {lost[e].facts["group"] for e in asked if lost[e].facts["plan"] == Plan.booked}
    all_groups = {
        row.facts["group"]
        for key, row in current.items()
        if key[0] == "appointment" and not row.gone and row.facts["plan"] == Plan.booked and ahead(row)
    }
    emptied = not any(
        entry.start >= now and entry.plan == Plan.booked
        for entry in reading.entries
        if isinstance(entry, AppointmentEntry)
    )
    if too_many_vanished(len(lost_groups), len(all_groups), policy.vanish_floor, policy.vanish_share, emptied=emptied):
        # Fewer than were asked about already is the same question; more is another one.
        before = set(state.get("entries", ()))
        asked_at = state["since"] if asked <= before else now
        held |= {"entries": sorted(asked), "count": len(lost_groups), "ahead": len(all_groups), "since": asked_at}
        waiting = len(lost_groups)
        if asked_at == now:
            tell(connection, ChangeKind.source_held, source.name, None, now)
        asked = set()
    if in_question(held):
        held["from"] = since  # what began meanwhile can still turn out to be gone
    if held != state:
        connection.execute(update(sources).where(sources.c.name == source.name).values(held=held))
        settled(connection, source.name, state, held, now)
    off = sorted(allowed | asked)
    return Vanished(gone + [("appointment", entry_id) for entry_id in off], len(off), waiting)


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
