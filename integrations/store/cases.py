"""The one way from the store to cases: digests of one client, of some, or of all, and what looks at them share."""

import hashlib
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from integrations.public_holidays import public_holidays
from integrations.store import policies
from integrations.store.appointments import appointments_of, source_traits, told_of
from integrations.store.doubt import Doubted, in_doubt
from integrations.store.facts import words_told
from integrations.store.tables import Prepared, among, chunks, table
from models.case import NO_APPOINTMENTS
from models.clock import Spans, merged
from models.digest import Digest, Held, History, digest_of
from models.entries import ClientStatus, Plan
from models.findings import Look
from models.instants import HOUR, Instant, end_of, local, start_of
from models.looking import DIGEST_COLUMNS, DigestRow, Shared, tell_of_appointments
from models.observations import TOLD, Observation
from models.people import OPEN_ENDED, Client, Leave, Therapist, as_day
from models.policy import Policy
from models.quarantine import Quarantine, QuarantineState, QuarantineSubject
from models.rules import all_rules, rules_version
from models.settings_source import SourcePart
from models.sources import Source, SourceGap
from models.sources import fresh_until as _fresh_until
from models.told import NOTHING

if TYPE_CHECKING:
    from integrations.practice import Practice

_DIGESTS = table(Digest)
_COLUMNS = [_DIGESTS.c[name] for name in DIGEST_COLUMNS]
_SOME_DIGESTS = Prepared(select(*_COLUMNS).where(among(_DIGESTS.c.client_id, "ids")).order_by(_DIGESTS.c.client_id))
_LEAVE = Prepared(select(table(Leave)))
_THERAPISTS = table(Therapist)
_STARTED = Prepared(select(_THERAPISTS.c.id, _THERAPISTS.c.started_on).where(_THERAPISTS.c.started_on.is_not(None)))
_READ = ("name", "first_read_at", "read_at", "renewed_at", "held")
_SOURCES = Prepared(select(*(table(Source).c[name] for name in _READ)))
_REJECTED = select(table(QuarantineSubject).c.client_id, table(Quarantine).c.kind).join_from(
    table(QuarantineSubject), table(Quarantine), table(Quarantine).c.id == table(QuarantineSubject).c.row_id
)
_DOUBTFUL = Prepared(_REJECTED.where(table(Quarantine).c.state == QuarantineState.held))


def basis(practice: "Practice", connection: Connection) -> str:
    """Rules, policy, what else of the settings all looks rest on, and what sources tell of, as one word: looks made under another one are
    made anew."""
    return basis_under(practice, _words(connection, None))


def basis_under(practice: "Practice", words: frozenset[str]) -> str:
    """The same where it is known what sources tell of."""
    settings = practice.settings
    terms = [settings.practice.zone, settings.practice.holidays]
    terms += [f"{s.name} {s.therapist} {fresh_seconds(practice, s)}" for s in settings.source]
    terms += sorted(words)
    around = hashlib.blake2b("\n".join(terms).encode(), digest_size=4).hexdigest()
    return f"{rules_version()}-{practice.book.fingerprint()}-{around}"


def digests(connection: Connection, clients: Iterable[int]) -> Iterator[DigestRow]:
    """The digest rows of some clients, by id."""
    for part in chunks(sorted(set(clients))):
        yield from (tuple(row) for row in _SOME_DIGESTS.rows(connection, {"ids": part}))


def all_digests(practice: "Practice") -> Iterator[DigestRow]:
    """The digest rows of everybody, streamed in flat memory, by id."""
    return practice.store.stream(select(*_COLUMNS).order_by(_DIGESTS.c.client_id))


def due(connection: Connection, now: Instant, basis_now: str, most: int = 5000) -> list[int]:
    """Clients whose next look has come, soonest first; then those last looked at under other rules or another policy."""
    looks = table(Look)
    ready = select(looks.c.client_id).where(looks.c.next_look <= now).order_by(looks.c.next_look).limit(most)
    found = dict.fromkeys(connection.execute(ready).scalars())
    # Neither this basis nor none, as two ranges of the index: "not one of" would read the look of every client.
    for other in ((looks.c.basis > "") & (looks.c.basis < basis_now), looks.c.basis > basis_now):
        if len(found) < most:
            rest = select(looks.c.client_id).where(other).limit(most - len(found))
            found |= dict.fromkeys(connection.execute(rest).scalars())
    return list(found)


def shared(practice: "Practice", connection: Connection, now: Instant, known_at: Instant | None = None) -> Shared:
    """What all looks at `now` share. With `known_at`, as it was known then and under the policy and holidays of then."""
    leave = _leave(connection, known_at)
    version = None if known_at is None else policies.held_at(connection, known_at)
    book = practice.book if version is None else policies.book_of(connection, version)
    holidays = holidays_near(practice, now, None if version is None else version.layers["settings"]["holidays"])
    pauses: dict[str, Spans] = {"": _days_off(holidays, (), practice.zone)}
    for therapist, spans in leave.items():
        pauses[therapist] = _days_off(holidays, tuple(sorted(spans)), practice.zone)
    doubtful = _doubtful(connection, known_at)
    read = _SOURCES.rows(connection)
    doubted = in_doubt(connection, read, known_at)
    words = _words(connection, known_at)
    blind = _blind_by_therapist(practice, stale_sources(practice, connection, now, known_at, read))
    if not tell_of_appointments(words):
        blind = {therapist: (*names, NO_APPOINTMENTS) for therapist, names in blind.items()}
    return Shared(
        now,
        book,
        all_rules(),
        pauses,
        blind,
        frozenset(client for client, kind in doubtful if kind not in TOLD),
        doubted.starts,
        words,
        _unread(doubtful, doubted),
        new_therapists(practice, connection, book.of().policy, known_at),
        frozenset(client for client, kinds in doubted.kinds.items() if kinds & {"break", "hold"}),
    )


def _unread(doubtful: Iterable[tuple[int, str]], doubted: Doubted) -> dict[int, frozenset[str]]:
    """Clients with goals or scores in quarantine, or goals of which nobody knows whether they are gone, and of which they are."""
    found: dict[int, frozenset[str]] = {}
    asked = [(client, kind) for client, kinds in doubted.kinds.items() for kind in kinds]
    for client, kind in (*doubtful, *asked):
        if kind in ("goal", "score"):
            found[client] = found.get(client, frozenset()) | {kind}
    return found


@lru_cache(maxsize=4096)
def _days_off(holidays: frozenset[date], away: tuple[tuple[date, date], ...], zone: str) -> Spans:
    """Public holidays and a therapist's leave as spans; kept, since working them out takes longer than a look."""
    days = [(day, day) for day in holidays]
    return merged((start_of(first, zone), end_of(last, zone)) for first, last in (*days, *away))


def holidays_near(practice: "Practice", now: Instant, place: str | None = None) -> frozenset[date]:
    """Public holidays of the years that looks at `now` can touch; of the practice's place, unless another is named."""
    year = local(now, practice.zone).year
    return public_holidays(practice.settings.practice.holidays if place is None else place, year - 5, year + 1)


def _leave(connection: Connection, known_at: Instant | None) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    if known_at is None:
        for row in _LEAVE.rows(connection):
            found[row.therapist_id].append((row.from_on, row.to_on))
    else:
        for facts in _known(connection, "leave", known_at):
            found[facts["therapist_id"]].append((as_day(facts["from_on"]), as_day(facts["to_on"])))
    return found


def _known(connection: Connection, kind: str, known_at: Instant, entry_id: str | None = None) -> list[dict[str, Any]]:
    """The facts that held at an instant, newest last: of each entry the newest version known by then, unless it was gone."""
    rows = table(Observation)
    wanted = select(rows.c.source, rows.c.entry_id, rows.c.gone, rows.c.facts).where(
        rows.c.kind == kind, rows.c.known_at <= known_at
    )
    if entry_id is not None:
        wanted = wanted.where(rows.c.entry_id == entry_id)
    newest: dict[tuple[str, str], Any] = {}
    for row in connection.execute(wanted.order_by(rows.c.known_at, rows.c.source, rows.c.id)):
        newest.pop((row.source, row.entry_id), None)
        newest[row.source, row.entry_id] = row
    return [row.facts for row in newest.values() if not row.gone]


def _blind_by_therapist(practice: "Practice", late: Container[str]) -> dict[str, tuple[str, ...]]:
    """The stale sources that could refute an absence, by therapist; "" for clients whose therapist has no calendar of their own."""
    everybody = [s for s in practice.settings.source if not s.therapist]
    common = tuple(s.name for s in everybody if s.name in late)
    blind = {"": common}
    for source in practice.settings.source:
        if source.therapist and source.name in late:
            blind[source.therapist] = (*blind.get(source.therapist, common), source.name)
    return blind


def stale_sources(
    practice: "Practice",
    connection: Connection,
    now: Instant,
    known_at: Instant | None = None,
    rows: Sequence[Any] | None = None,
) -> dict[str, Instant | None]:
    """Sources that are too old to refute an absence at `now`, and when each was last read, or its files last renewed. `rows` are those
    of all sources, where the caller has them. With `known_at` as it was then: a source that was named later leaves nothing unsaid."""
    gaps = table(SourceGap)
    version = None if known_at is None else policies.held_at(connection, known_at)
    named = None if version is None else version.layers["settings"]["sources"]
    read = {row.name: row for row in (_SOURCES.rows(connection) if rows is None else rows)}
    found: dict[str, Instant | None] = {}
    for source in practice.settings.source:
        if named is not None and source.name not in named:
            continue
        fresh_for = fresh_seconds(practice, source)
        row = read.get(source.name)
        if known_at is not None:
            first = row.first_read_at if row else None
            if first is None or known_at < first:
                found[source.name] = None
                continue
            gap = select(gaps.c.from_at).where(gaps.c.source == source.name, gaps.c.from_at < now, gaps.c.to_at > now)
            began = connection.execute(gap).scalar()
            if began is not None:
                found[source.name] = began - fresh_for
                continue
        if row is None or row.read_at is None:
            found[source.name] = None
        elif now > (fresh_until(practice, source, row.read_at, row.renewed_at) or 0):
            found[source.name] = row.read_at if now > row.read_at + fresh_for else row.renewed_at
    return found


def fresh_until(
    practice: "Practice", source: SourcePart, read_at: Instant | None, renewed_at: Instant | None
) -> Instant | None:
    """Until when a reading can refute an absence; None where there was none. `renewed_at`: when its newest file was written."""
    within = None if source.renewed_within_hours is None else int(source.renewed_within_hours * HOUR)
    return _fresh_until(read_at, fresh_seconds(practice, source), renewed_at, within)


def fresh_seconds(practice: "Practice", source: Any) -> int:
    """For how long a reading of a source can refute an absence, in seconds."""
    hours = source.fresh_for_hours or practice.book.of().policy.fresh_for_hours
    return int(hours * HOUR)


def new_therapists(
    practice: "Practice", connection: Connection, policy: Policy, known_at: Instant | None = None
) -> dict[str, Instant]:
    """Therapists whose first working day is known, and when they are new no longer."""
    if known_at is None:
        began = {row.id: row.started_on for row in _STARTED.rows(connection)}
    else:
        rows = table(Observation)
        said = select(rows.c.entry_id, rows.c.facts).where(rows.c.kind == "therapist", rows.c.known_at <= known_at)
        told = connection.execute(said.where(~rows.c.gone).order_by(rows.c.known_at, rows.c.source, rows.c.id))
        began = {row.entry_id: as_day(row.facts["started_on"]) for row in told}
    lasts = timedelta(days=policy.new_therapist_days)
    return {who: start_of(day + lasts, practice.zone) for who, day in began.items() if day is not None}


def _words(connection: Connection, known_at: Instant | None) -> frozenset[str]:
    """What sources have told of (see models.looking)."""
    return frozenset(word for word, since in words_told(connection).items() if known_at is None or since <= known_at)


def _doubtful(connection: Connection, known_at: Instant | None) -> list[tuple[int, str]]:
    """Clients of whom a row was not understood, and what it would have been."""
    if known_at is None:
        return [tuple(row) for row in _DOUBTFUL.rows(connection)]
    rows = table(Quarantine)
    undecided = rows.c.decided_at.is_(None) | (rows.c.decided_at > known_at)
    return [tuple(row) for row in connection.execute(_REJECTED.where(rows.c.seen_at <= known_at, undecided))]


def digest_known(practice: "Practice", connection: Connection, client_id: int, known_at: Instant) -> DigestRow:
    """One client's digest as it followed from what was known at an instant: made from the observations, not from what is stored."""
    version = policies.held_at(connection, known_at)
    policy = (practice.book if version is None else policies.book_of(connection, version)).of().policy
    tolerance = int(policy.same_time_minutes * 60)
    derived, last_told, _ = appointments_of(connection, [client_id], source_traits(connection), tolerance, known_at)
    people = table(Client)
    ref = connection.execute(select(people.c.ref_hash).where(people.c.id == client_id)).scalar_one()
    known = _known(connection, "client", known_at, ref)
    facts = known[-1] if known else {}
    breaks = [
        (date.fromisoformat(b["from_on"]), as_day(b["to_on"]) or OPEN_ENDED)
        for kind in ("break", "hold")
        for b in _known(connection, kind, known_at)
        if b["client_ref"] == ref
    ]
    held = tuple(
        Held(a.start, part.mark, part.plan == Plan.booked)
        for a in derived
        for part in a.parts
        if part.client_id == client_id and part.plan != Plan.cancelled
    )
    paused = as_day(facts.get("paused_until")) or (OPEN_ENDED if facts.get("paused") else None)
    history = History(
        client_id,
        facts.get("therapist_id") or "",
        facts.get("site", ""),
        ClientStatus(facts.get("status", "active")),
        as_day(facts.get("intake_on")),
        bool(facts.get("died") or facts.get("died_on")),
        paused,
        held,
        tuple(sorted(breaks)),
        last_told.get(client_id, 0),
        told_of(connection, [client_id], derived, practice.zone, known_at).get(client_id, NOTHING),
    )
    digest = digest_of(history, practice.zone)
    return tuple(getattr(digest, name) for name in DIGEST_COLUMNS)
