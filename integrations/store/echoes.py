"""Our own entries, seen again in a therapist's calendar: an echo is no news, any difference is the therapist's change."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select, update

from integrations.store.people import sealed_id
from integrations.store.tables import table
from integrations.vault import Vault
from models.entries import AppointmentEntry, Entry, Plan
from models.instants import Instant
from models.invitations import (
    Echo,
    Invitation,
    InvitationState,
    Seen,
    Sent,
    Wanted,
    echo,
    going_of,
    sent_of,
    wanted_of,
)
from models.noticing import THERAPIST, therapist_recipient
from models.people import Client
from models.settings_source import SourcePart

_ROWS, _CLIENTS = table(Invitation), table(Client)
Ours = Mapping[str, Any]
"""Invitations of ours by the keyed hash of their UID, as it stands in observations, each with its client's `code`."""


def of_source(connection: Connection, source: SourcePart) -> Ours:
    """What of ours a source may show: invitations to the therapist whose calendar it is, or to any where it is nobody's."""
    if source.kind != "calendar":
        return {}
    whose = _ROWS.c.recipient.startswith(THERAPIST, autoescape=True)
    if source.therapist:
        whose = _ROWS.c.recipient == therapist_recipient(source.therapist)
    query = select(_ROWS, _CLIENTS.c.code).join_from(_ROWS, _CLIENTS, _CLIENTS.c.id == _ROWS.c.client_id)
    return {row.entry_id: row for row in connection.execute(query.where(whose).order_by(_ROWS.c.id))}


def named(ours: Ours, vault: Vault, entries: Iterable[Entry]) -> Iterable[Entry]:
    """The entries; whom one of ours concerns is known, also where its owner has called it something else."""
    if not ours:
        return entries
    return (_named(ours, vault, entry) for entry in entries)


def _named(ours: Ours, vault: Vault, entry: Entry) -> Entry:
    if not isinstance(entry, AppointmentEntry) or entry.client_ids:
        return entry
    row = ours.get(sealed_id(vault, "appointment", entry.group or entry.id))
    return entry if row is None else replace(entry, client_ids=(row.code,))


def take(connection: Connection, ours: Ours, news: Iterable[dict[str, Any]], gone: Iterable[tuple[str, str]]) -> None:
    """Take in what is new about entries of ours: `news` are facts of appointment entries, `gone` (kind, id) of those taken out. What their
    owner changed is from now on both wanted and known to them: no message tells them what they did."""
    if not ours:
        return
    seen: dict[str, Seen] = {}
    for facts in news:
        if facts["group"] in ours:
            off = facts["plan"] == Plan.cancelled
            seen[facts["group"]] = Seen(facts["start"], facts["end"], facts["sequence"], off)
    for kind, entry_id in gone:
        if kind == "appointment" and entry_id in ours:
            seen.setdefault(entry_id, Seen(0, 0, 0, gone=True))
    for entry_id, each in seen.items():
        row = ours[entry_id]
        if echo(each, sent_of(row.sent), going_of(row.going), [(s, e) for s, e in row.earlier]) is Echo.theirs:
            _follow(connection, row, each)


def keep_up(connection: Connection, ours: Ours, shown: Iterable[dict[str, Any]]) -> None:
    """Let our next message follow the number that a calendar shows: its program counts changes of its owner's too, and ignores what bears
    a lower one (RFC 5546, 2.1.4). `shown` are facts of all appointment entries that the source shows."""
    if not ours:
        return
    for facts in shown:
        row = ours.get(facts["group"])
        if row is None or not row.going or row.going["sequence"] >= facts["sequence"]:
            continue
        # As it stands now: another message may have been allocated since.
        going = connection.execute(select(_ROWS.c.going).where(_ROWS.c.id == row.id).with_for_update()).scalar_one()
        raised = going | {"sequence": max(going["sequence"], facts["sequence"])}
        # What did not leave is made anew, with the new number.
        connection.execute(update(_ROWS).where(_ROWS.c.id == row.id).values(going=raised, tries=0))


def _follow(connection: Connection, row: Any, seen: Seen) -> None:
    before = wanted_of(row.wanted)
    wanted = before._replace(cancelled=True) if seen.gone else _moved(before, seen.start, seen.end)
    sent = Sent(wanted.start, wanted.end, wanted.summary, wanted.location, wanted.cancelled)
    values: dict[str, Any] = {"wanted": wanted._asdict(), "sent": sent._asdict(), "end_at": wanted.end}
    if row.state not in (InvitationState.underway, InvitationState.asked):
        values |= {"state": InvitationState.even.value, "outcome": ""}
    connection.execute(update(_ROWS).where(_ROWS.c.id == row.id).values(**values))


def _moved(before: Wanted, start: Instant, end: Instant) -> Wanted:
    minutes = max(1, (end - start) // 60)
    return Wanted.at(start, minutes, before.zone, before.summary, before.location)
