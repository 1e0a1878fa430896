"""One entry of a source split into what may be read, what is sealed, and the keyed hashes by which it is matched."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from integrations.store.people import ref_hash, sealed_id
from integrations.vault import Vault
from models.entries import (
    KIND_OF,
    AppointmentEntry,
    BreakEntry,
    BusyEntry,
    ClientEntry,
    Entry,
    GoalEntry,
    HoldEntry,
    LeaveEntry,
    ProviderEntry,
    ReferralNewsEntry,
    Reject,
    ScoreEntry,
    TherapistEntry,
)
from models.instants import Instant
from models.referral_acts import ReferralAct, What, facts_of
from models.settings_source import SourcePart
from models.subjects import CODE, possible_names


@dataclass(slots=True)
class Row:
    """An entry split into what may be read and what is sealed."""

    kind: str
    id: str
    facts: dict[str, Any]
    identity: dict[str, Any]
    hints: dict[str, list[str]]
    said_at: Instant | None
    codes: dict[str, str] = field(default_factory=dict)  # the codes among the hints, by their hash
    hash: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.id

    @property
    def order(self) -> tuple[Instant, int, str]:
        """Of two versions in one reading the greater one holds, in whatever order they stand there."""
        return self.said_at or 0, self.facts.get("sequence", 0), self.hash


def split(entry: Entry, vault: Vault, source: SourcePart) -> Row:
    """The allow-listed facts, the identity and the hints of one entry."""
    hints: dict[str, list[str]] = {}
    identity: dict[str, Any] = {}
    clear: dict[str, str] = {}
    if isinstance(entry, AppointmentEntry):
        hints = hints_of(vault, source, entry.client_ids, "" if entry.client_ids else entry.title)
        if entry.mails:
            hints["mail"] = [vault.hash("mail", mail) for mail in entry.mails]
        clear = {vault.hash("code", code): code for code in codes_among(entry.client_ids)}
        if entry.title or entry.client_ids:
            identity = {"title": entry.title, "client_ids": list(entry.client_ids)}
        facts: dict[str, Any] = {
            "wall": entry.wall,
            "zone": entry.zone,
            "start": entry.start,
            "end": entry.end,
            "plan": entry.plan.value,
            "attendance": entry.attendance.value,
            "cancelled_by": entry.cancelled_by.value if entry.cancelled_by else None,
            "therapist_id": entry.therapist_id or source.therapist or None,
            "group": sealed_id(vault, "appointment", entry.group or entry.id),
            "sequence": entry.sequence,
        }
    elif isinstance(entry, ClientEntry):
        identity = {"name": entry.name, "contact": entry.contact, "id": entry.id}
        facts = {
            "therapist_id": entry.therapist_id,
            "status": entry.status.value,
            "intake_on": _text(entry.intake_on),
            "ended_on": _text(entry.ended_on),
            "died": entry.died,
            "died_on": _text(entry.died_on),
            "paused": entry.paused,
            "paused_until": _text(entry.paused_until),
            "opted_out": entry.opted_out,
            "site": entry.site,
            "code": entry.code,
        }
    elif isinstance(entry, TherapistEntry):
        identity = {"name": entry.name, "email": entry.email}
        facts = {
            "zone": entry.zone,
            "site": entry.site,
            "supervisor_id": entry.supervisor_id,
            "started_on": _text(entry.started_on),
        }
    elif isinstance(entry, GoalEntry | ScoreEntry | ReferralNewsEntry):
        hints = hints_of(vault, source, [entry.client_id.strip()])
        clear = {vault.hash("code", code): code for code in codes_among([entry.client_id])}
        facts = _told(entry)
        identity = {"client_ids": [entry.client_id]}
        if isinstance(entry, GoalEntry):
            identity["title"] = entry.title
    elif isinstance(entry, ProviderEntry):
        identity = {name: getattr(entry, name) for name in ("name", "address", "phone", "email")}
        facts = _provider(entry)
    elif isinstance(entry, BreakEntry | HoldEntry):
        facts = {
            "client_ref": ref_hash(vault, entry.client_id),
            "from_on": _text(entry.from_on),
            "to_on": _text(entry.to_on),
        }
    elif isinstance(entry, BusyEntry):
        facts = {
            "therapist_id": entry.therapist_id or source.therapist or None,
            "from_on": _text(entry.from_on),
            "to_on": _text(entry.to_on),
        }
    else:
        assert isinstance(entry, LeaveEntry)
        facts = {
            "therapist_id": entry.therapist_id,
            "from_on": _text(entry.from_on),
            "to_on": _text(entry.to_on),
            "cover_id": entry.cover_id,
        }
    kind = KIND_OF[type(entry)]
    entry_id = sealed_id(vault, kind, entry.id)
    compared = {k: v for k, v in facts.items() if k != "sequence"}
    # The hints count too: with another name_pattern the same title may mean somebody else.
    content = vault.hash("content", json.dumps([kind, compared, identity, hints], sort_keys=True, ensure_ascii=True))
    return Row(kind, entry_id, facts, identity, hints, entry.said_at, clear, content)


def hints_of(vault: Vault, source: SourcePart, client_ids: Iterable[str], title: str = "") -> dict[str, list[str]]:
    """The keyed hashes by which clients are found: their ids in the clinic, codes, and what could be a name in a title."""
    codes = codes_among(client_ids)
    ids = sorted(set(client_ids).difference(codes))
    pattern = re.compile(source.name_pattern) if source.name_pattern else None
    names = possible_names(title, pattern) if title else []
    sorts = (("id", "ref", ids), ("code", "code", codes), ("name", "name", names))
    return {sort: [vault.hash(kind, text) for text in texts] for sort, kind, texts in sorts if texts}


def hints_of_reject(vault: Vault, source: SourcePart, reject: Reject) -> list[dict[str, list[str]]]:
    """The same for what could not be understood: those of its ids and codes, and those of each of its titles."""
    by_id = [hints_of(vault, source, reject.client_ids)] if reject.client_ids else []
    return by_id + [hints_of(vault, source, (), title) for title in reject.titles if title]


def codes_among(client_ids: Iterable[str]) -> list[str]:
    """Those that are codes, each once."""
    return sorted({text for text in client_ids if CODE.fullmatch(text)})


def _told(entry: GoalEntry | ScoreEntry | ReferralNewsEntry) -> dict[str, Any]:
    if isinstance(entry, GoalEntry):
        return _goal(entry)
    return _score(entry) if isinstance(entry, ScoreEntry) else _news(entry)


def _news(entry: ReferralNewsEntry) -> dict[str, Any]:
    act = ReferralAct(entry.referral, What.news, entry.told_at, provider=entry.provider_id, word=entry.word, via="file")
    return facts_of(act if entry.visit_at is None else act._replace(day=entry.visit_at))


def _provider(entry: ProviderEntry) -> dict[str, Any]:
    return {
        "place": entry.place,
        "specialty": list(entry.specialty),
        "modality": list(entry.modality),
        "language": list(entry.language),
        "insurer": list(entry.insurer),
        "telehealth": entry.telehealth,
        "capacity": entry.capacity,
        "verified_on": _text(entry.verified_on),
    }


def _goal(entry: GoalEntry) -> dict[str, Any]:
    return {
        "set_on": _text(entry.set_on),
        "status": entry.status.value,
        "target_on": _text(entry.target_on),
        "reviewed_on": _text(entry.reviewed_on),
        "achievement": entry.achievement.value,
        "achievement_on": _text(entry.achievement_on),
        "has_target": entry.has_target,
        "has_measure": entry.has_measure,
        "own_words": entry.own_words,
    }


def _score(entry: ScoreEntry) -> dict[str, Any]:
    return {"measure": entry.measure, "at": entry.at, "value": entry.value, "risk": entry.risk}


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
