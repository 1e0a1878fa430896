"""One appointment, several sources: a pure function from everything said about some clients to their appointments.

The result does not depend on the order in which the observations arrived. Entries of different sources whose starts ever lay within
the tolerance of one another are one appointment, one-to-one and nearest first; such a link outlives later moves of either. Where two are
equally near, the one that is nearer now counts.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from models.appointments import Mark
from models.entries import Attendance, CancelledBy, Plan
from models.instants import Instant
from models.sources import Delivers, PastBooking


class Said(NamedTuple):
    """One version of one appointment entry. `gone`: the entry was missing from a complete reading; the other facts are then empty."""

    source: str
    entry_id: str
    known_at: Instant
    said_at: Instant | None
    sequence: int
    content_hash: str
    gone: bool
    wall: str = ""
    zone: str = ""
    start: Instant = 0
    end: Instant = 0
    plan: str = Plan.booked
    attendance: str = Attendance.unknown
    cancelled_by: str | None = None
    therapist_id: str | None = None


class Trait(NamedTuple):
    """What a source's words mean: see models.sources."""

    delivers: str = Delivers.snapshot
    past_booking: str = PastBooking.unknown


class Part(NamedTuple):
    """One client's side of an appointment."""

    client_id: int
    plan: str
    attendance: str
    mark: Mark
    cancelled_by: str | None
    cancelled_known_at: Instant | None
    cancelled_said_at: Instant | None = None


class Derived(NamedTuple):
    """One appointment as all sources together tell it, with one part per client, ordered by client."""

    id: str
    wall: str
    zone: str
    start: Instant
    end: Instant
    therapist_id: str | None
    known_since: Instant
    parts: tuple[Part, ...]


@dataclass(slots=True)
class _Thread:
    """All versions of one entry, oldest first by the source's own order; `now` is the one that holds."""

    source: str
    entry_id: str
    clients: frozenset[int]
    versions: list[Said]
    now: Said = field(init=False)
    facts: Said = field(init=False)  # the newest version that says a time

    def __post_init__(self) -> None:
        self.now = self.facts = self.versions[-1]
        if self.now.gone:
            self.facts = next((v for v in reversed(self.versions) if not v.gone), self.now)

    @property
    def first_known(self) -> tuple[Instant, str, str]:
        return min([v.known_at for v in self.versions]), self.source, self.entry_id


def derive(
    said: Iterable[Said],
    clients: Mapping[tuple[str, str], frozenset[int]],
    traits: Mapping[str, Trait],
    tolerance: int,
) -> list[Derived]:
    """The appointments that follow, by start and id. `clients` tells whom an entry (source, entry_id) concerns; `tolerance` in seconds."""
    threads = _threads(said, clients, traits)
    groups = _groups(threads, tolerance)
    result = [_derived(group, traits) for group in groups]
    return sorted(result, key=lambda d: (d.start, d.id))


def _threads(
    said: Iterable[Said], clients: Mapping[tuple[str, str], frozenset[int]], traits: Mapping[str, Trait]
) -> list[_Thread]:
    by_entry: dict[tuple[str, str], list[Said]] = defaultdict(list)
    for version in said:
        by_entry[version.source, version.entry_id].append(version)
    threads: list[_Thread] = []
    for key in sorted(by_entry):
        versions = by_entry[key]
        if len(versions) > 1:
            if traits.get(key[0], Trait()).delivers == Delivers.changes:
                # News may come late and out of order: the source's own revision decides, not the time of arrival.
                versions.sort(key=lambda v: (v.sequence, v.said_at or v.known_at, v.known_at, v.content_hash))
            else:
                versions.sort(key=lambda v: (v.known_at, v.content_hash))
            if all(v.gone for v in versions):
                continue
        elif versions[0].gone:
            continue
        threads.append(_Thread(*key, clients.get(key, frozenset()), versions))
    return threads


def _groups(threads: list[_Thread], tolerance: int) -> list[list[_Thread]]:
    """Threads that are one appointment. Two of one source never are, unless they concern different clients (a couple's two rows)."""
    if len({t.source for t in threads}) < 2:
        return [[t] for t in threads]
    group_of: dict[int, list[int]] = {i: [i] for i in range(len(threads))}
    for *_, a, b in _candidates(threads, tolerance):
        left, right = group_of[a], group_of[b]
        if left is right or any(_clash(threads[x], threads[y]) for x in left for y in right):
            continue
        left.extend(right)
        for member in right:
            group_of[member] = left
    unique = {id(group): group for group in group_of.values()}
    return [[threads[i] for i in group] for group in unique.values()]


def _clash(a: _Thread, b: _Thread) -> bool:
    return a.source == b.source and (not a.clients or not b.clients or bool(a.clients & b.clients))


def _candidates(
    threads: list[_Thread], tolerance: int
) -> list[tuple[int, bool, int, tuple[str, str], tuple[str, str], int, int]]:
    """Pairs of threads of different sources and common clients that ever came within the tolerance, nearest first.

    Of pairs as near as one another, those that still stand come first: what is gone takes no partner from its successor.
    """
    starts = sorted((v.start, i) for i, t in enumerate(threads) for v in t.versions if not v.gone)
    nearest: dict[tuple[int, int], int] = {}
    low = 0
    for position, (start, i) in enumerate(starts):
        while start - starts[low][0] > tolerance:
            low += 1
        for other in range(low, position):
            before, j = starts[other]
            a, b = threads[i], threads[j]
            if a.source == b.source or not a.clients & b.clients:
                continue
            pair = (min(i, j), max(i, j))
            nearest[pair] = min(nearest.get(pair, tolerance), start - before)
    ranked = []
    for (i, j), distance in nearest.items():
        a, b = threads[i], threads[j]
        apart = abs(a.facts.start - b.facts.start)
        gone = a.now.gone or b.now.gone
        ranked.append((distance, gone, apart, (a.source, a.entry_id), (b.source, b.entry_id), i, j))
    return sorted(ranked)


# Plain values: looking a member up in its enumeration costs more than all that is done with it here.
_MARKED = {"attended": Mark.attended, "no_show": Mark.no_show}
_BOOKED = Plan.booked.value


def _derived(group: list[_Thread], traits: Mapping[str, Trait]) -> Derived:
    if len(group) == 1:  # nearly all of them
        first, newest, people = group[0].first_known, group[0].facts, sorted(group[0].clients)
    else:
        first = min(t.first_known for t in group)
        standing = [t for t in group if not t.now.gone] or group
        # The newest word on the time holds: the member whose current version was learned last.
        newest = max(standing, key=lambda t: (t.facts.known_at, t.source, t.entry_id)).facts
        people = sorted({client for t in group for client in t.clients})
    therapist = newest.therapist_id or next(
        (t.facts.therapist_id for t in sorted(group, key=lambda t: t.source) if t.facts.therapist_id), None
    )
    return Derived(
        id=hashlib.blake2b(f"{first[1]}\0{first[2]}".encode(), digest_size=10).hexdigest(),
        wall=newest.wall,
        zone=newest.zone,
        start=newest.start,
        end=newest.end,
        therapist_id=therapist,
        known_since=first[0],
        parts=tuple([_part(client, [t for t in group if client in t.clients], traits) for client in people]),
    )


def _part(client_id: int, members: list[_Thread], traits: Mapping[str, Trait]) -> Part:
    """What the members together say of one client: a mark of attendance beats all, then a cancellation, then a person's booking."""
    if len(members) == 1 and (only := members[0].now).attendance in _MARKED and not only.gone:  # nearly all of the past
        return Part(client_id, _BOOKED, only.attendance, _MARKED[only.attendance], None, None)
    marked = [t.now for t in members if not t.now.gone and t.now.attendance != Attendance.unknown]
    if marked:
        mark = max(marked, key=lambda v: (v.known_at, v.content_hash)).attendance
        return Part(client_id, Plan.booked, mark, Mark[mark], None, None)
    cancelled = [t for t in members if t.now.gone or t.now.plan == Plan.cancelled]
    if cancelled:
        told = sorted((t.now.known_at, t.now.cancelled_by or "", t.source) for t in cancelled)
        named = next((by for _, by, _ in told if by and by != CancelledBy.unknown), CancelledBy.unknown.value)
        said = [at for t in cancelled if (at := _called_off(t.versions)) is not None]
        return Part(
            client_id, Plan.cancelled, Attendance.unknown, Mark.unknown, named, told[0][0], min(said, default=None)
        )
    booked = any(t.now.plan == Plan.booked for t in members)
    presumed = any(traits.get(t.source, Trait()).past_booking == PastBooking.attended for t in members)
    plan = Plan.booked if booked else Plan.proposed
    return Part(client_id, plan, Attendance.unknown, Mark.presumed if presumed else Mark.unknown, None, None)


def _called_off(versions: list[Said]) -> Instant | None:
    """When an entry that is cancelled became so, by the source's own time stamp; what was changed about it later is no matter."""
    first = None
    for version in reversed(versions):
        if version.gone or version.plan != Plan.cancelled:
            break
        first = version.said_at
    return first
