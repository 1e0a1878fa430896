"""Every night everybody is looked at from scratch and compared with what stands: a difference is an alarm with both evidences."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, select

from integrations.store import due
from integrations.store.cases import all_digests, digests, shared
from integrations.store.tables import chunks, insert_new, table
from models.eligibility import Urgency
from models.findings import Finding, Look
from models.instants import DAY, Instant, day_of
from models.looking import DigestRow, Looked, Shared
from models.notices import Notice
from models.noticing import ADMIN, NoticeKey, notice_row
from models.people import Client

if TYPE_CHECKING:
    from integrations.practice import Practice

AT_ONCE = 1000  # looks between two reports
MOST_NAMED = 20  # clients named in the one notice of a night


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
    """What a nightly check came to. `failed` are clients whose look failed, by an error of ours or a row that is damaged."""

    looked: int
    differences: tuple[Difference, ...]
    failed: tuple[int, ...] = ()


class _Standing(NamedTuple):
    """What is on record of a client: the kinds open, the next look and when the last one was."""

    kinds: frozenset[str]
    next_look: Instant
    looked_at: Instant


def check_night(practice: "Practice", now: Instant, progress: Callable[[int], None] | None = None) -> Night:
    """Look at everybody from scratch and compare. Run it right after a sweep: who is due and not yet looked at is left out.

    `progress` is called with the number looked at so far. Differences, and clients whose look fails, are told to the
    administrator in one notice.
    """
    with practice.store.read() as connection:
        together = shared(practice, connection, now)
        standing = _standing(connection)
    suspects: list[int] = []
    failed: list[int] = []
    looked_at = 0
    for rows in chunks(all_digests(practice), AT_ONCE):
        for looked in _looks(together, rows, failed):
            looked_at += 1
            if _compared(looked, standing.get(looked.client_id), now) is not None:
                suspects.append(looked.client_id)
        if progress:
            progress(looked_at)
    differences = _confirmed(practice, suspects, now)
    if differences or failed:
        with practice.store.write() as connection:
            _tell(practice, connection, differences, failed, now)
    return Night(looked_at, tuple(differences), tuple(failed))


def _looks(together: Shared, rows: list[DigestRow], failed: list[int]) -> list[Looked]:
    """A look at each; who cannot be looked at is added to `failed` and keeps nobody from theirs."""
    try:
        return list(together.looks(rows))
    except Exception:
        found = []
        for row in rows:
            try:
                found.append(together.look(row))
            except Exception:
                failed.append(row[0])
        return found


def _standing(connection: Connection, clients: Iterable[int] | None = None) -> dict[int, _Standing]:
    """What is on record of these clients, or of everybody."""
    findings, looks = table(Finding), table(Look)
    kinds: dict[int, set[str]] = defaultdict(set)
    opened = select(findings.c.client_id, findings.c.kind).where(findings.c.cleared_at.is_(None))
    times = select(looks.c.client_id, looks.c.next_look, looks.c.looked_at)
    if clients is not None:
        opened = opened.where(findings.c.client_id.in_(clients))
        times = times.where(looks.c.client_id.in_(clients))
    for client_id, kind in connection.execute(opened).tuples():
        kinds[client_id].add(kind)
    found = connection.execute(times).tuples()
    return {client: _Standing(frozenset(kinds[client]), next_look, at) for client, next_look, at in found}


def _confirmed(practice: "Practice", suspects: list[int], now: Instant) -> list[Difference]:
    """Those who differ within one state of the database as well: the digests were read after the findings, and news may have come
    between. Who has news that nobody has looked at yet is left out."""
    differences = []
    for part in chunks(suspects):
        with practice.store.read() as connection:
            together = shared(practice, connection, now)
            standing = _standing(connection, part)
            changed = {change.client_id for change in due.waiting_of(connection, part)}
            rows = [row for row in digests(connection, part) if row[0] not in changed]
        for looked in _looks(together, rows, []):
            difference = _compared(looked, standing.get(looked.client_id), now)
            if difference is not None:
                differences.append(difference)
    return differences


def _compared(looked: Looked, stands: _Standing | None, now: Instant) -> Difference | None:
    """What differs: a finding that should be open or clear, or a next look that would come too late. Who is due anyway, or was
    looked at later than `now`, does not."""
    if stands is None or stands.next_look <= now or stands.looked_at > now:
        return None
    unsure = {v.kind for v in looked.said if v.fired is None}
    found = {v.kind for v in looked.said if v.fired}
    if found == stands.kinds - unsure and stands.next_look <= looked.next_look:
        return None
    return Difference(
        looked.client_id, tuple(sorted(stands.kinds)), tuple(sorted(found)), stands.next_look, looked.next_look
    )


def _tell(
    practice: "Practice", connection: Connection, differences: list[Difference], failed: list[int], now: Instant
) -> None:
    """One notice a night, however many it is about: whatever made so many differ is one fault."""
    clients = table(Client)
    named = [d.client_id for d in differences[:MOST_NAMED]] + failed[:MOST_NAMED]
    wanted = select(clients.c.id, clients.c.code).where(clients.c.id.in_(named))
    codes = dict(connection.execute(wanted).tuples().all())
    facts = {
        "differ": [_evidence(codes[d.client_id], d) for d in differences[:MOST_NAMED]],
        "differ_more": max(0, len(differences) - MOST_NAMED),
        "failed": [codes[client] for client in failed[:MOST_NAMED]],
        "failed_more": max(0, len(failed) - MOST_NAMED),
    }
    key = NoticeKey("practice", "nightly_check", day_of(now, practice.zone).toordinal(), 0, ADMIN)
    insert_new(connection, Notice, notice_row(key, Urgency.system, now, 3 * DAY, now, facts=facts))


def _evidence(code: str, difference: Difference) -> dict[str, str]:
    same = difference.stands == difference.found
    return {
        "code": code,
        "stored_says": _words(difference.stands, difference.stored_look, same),
        "fresh_says": _words(difference.found, difference.fresh_look, same),
    }


def _words(kinds: tuple[str, ...], look: Instant, same: bool) -> str:
    """`quiet and missed`, `nothing`; or, where only the next look differs, when that is."""
    if same:
        return f"next look at {look}"
    return " and ".join(kind.replace("_", " ") for kind in kinds) or "nothing"
