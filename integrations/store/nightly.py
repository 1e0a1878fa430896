"""Every night everybody is looked at from scratch and compared with what stands: a difference is an alarm with both evidences."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from integrations.store.cases import all_digests, shared
from integrations.store.tables import insert_new, table
from models.eligibility import Urgency
from models.findings import Finding, Look
from models.instants import DAY, Instant, day_of
from models.looking import Looked
from models.notices import Notice
from models.noticing import ADMIN, NoticeKey, notice_row
from models.people import Client

if TYPE_CHECKING:
    from integrations.practice import Practice


@dataclass(frozen=True, slots=True)
class Difference:
    """One client about whom the two ways disagree: the kinds that stand open, those that a fresh look finds, and the next looks."""

    client_id: int
    stands: tuple[str, ...]
    found: tuple[str, ...]
    stored_look: Instant
    fresh_look: Instant


@dataclass(frozen=True, slots=True)
class Night:
    """What a nightly check came to."""

    looked: int
    differences: tuple[Difference, ...]


def check_night(practice: "Practice", now: Instant, progress: Callable[[int], None] | None = None) -> Night:
    """Look at everybody from scratch and compare. Run it right after a sweep: who is due and not yet looked at is left out.

    `progress` is called with the number looked at so far. Differences are told to the administrator.
    """
    with practice.store.read() as connection:
        together = shared(practice, connection, now)
        findings, looks = table(Finding), table(Look)
        standing: dict[int, set[str]] = defaultdict(set)
        for client_id, kind in connection.execute(
            select(findings.c.client_id, findings.c.kind).where(findings.c.cleared_at.is_(None))
        ).tuples():
            standing[client_id].add(kind)
        stored = dict(connection.execute(select(looks.c.client_id, looks.c.next_look)).tuples().all())
    differences: list[Difference] = []
    looked_at = 0
    for looked in together.looks(all_digests(practice)):
        looked_at += 1
        if progress and looked_at % 1000 == 0:
            progress(looked_at)
        stored_look = stored.get(looked.client_id, 0)
        if stored_look <= now:
            continue
        difference = _compared(looked, standing.get(looked.client_id, set()), stored_look)
        if difference is not None:
            differences.append(difference)
    if differences:
        with practice.store.write() as connection:
            _tell(practice, connection, differences, now)
    return Night(looked_at, tuple(differences))


def _compared(looked: Looked, stands: set[str], stored_look: Instant) -> Difference | None:
    """What differs: a finding that should be open or clear, or a next look that would come too late."""
    unsure = {v.kind for v in looked.verdicts if v.fired is None}
    found = {v.kind for v in looked.verdicts if v.fired}
    if found == stands - unsure and stored_look <= looked.next_look:
        return None
    return Difference(looked.client_id, tuple(sorted(stands)), tuple(sorted(found)), stored_look, looked.next_look)


def _tell(practice: "Practice", connection: Connection, differences: list[Difference], now: Instant) -> None:
    clients = table(Client)
    day = day_of(now, practice.zone).toordinal()
    for difference in differences:
        code = connection.execute(select(clients.c.code).where(clients.c.id == difference.client_id)).scalar_one()
        key = NoticeKey(f"client:{difference.client_id}", "nightly_check", day, 0, ADMIN)
        same = difference.stands == difference.found
        facts = {
            "code": code,
            "stored_says": _words(difference.stands, difference.stored_look, same),
            "fresh_says": _words(difference.found, difference.fresh_look, same),
        }
        row = notice_row(key, Urgency.system, now, 3 * DAY, now, client_id=difference.client_id, facts=facts)
        insert_new(connection, Notice, row)


def _words(kinds: tuple[str, ...], look: Instant, same: bool) -> str:
    """`quiet and missed`, `nothing`; or, where only the next look differs, when that is."""
    if same:
        return f"next look at {look}"
    return " and ".join(kind.replace("_", " ") for kind in kinds) or "nothing"
