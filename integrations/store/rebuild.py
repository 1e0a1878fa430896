"""Deriving everything again from the observations: it must change nothing, and says for whom it would."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from integrations.store import facts
from integrations.store.appointments import appointments_of, source_traits
from integrations.store.derive import derive, histories_of
from integrations.store.ending_rows import clear_endings, endings_differing
from integrations.store.intake import clients_of
from integrations.store.people import Touched, roster
from integrations.store.providers import derive_providers
from integrations.store.referral_rows import differing_referrals
from integrations.store.relations import derive_breaks, derive_leave, derive_relations
from integrations.store.subjects import resolve
from integrations.store.tables import chunks, table
from integrations.store.turns import take_turn
from models.appointments import Appointment, Participant
from models.digest import FORMAT, Digest, digest_of
from models.instants import Instant
from models.observations import ABOUT_CLIENTS, Observation, Subject
from models.people import Client

if TYPE_CHECKING:
    from integrations.practice import Practice

AT_ONCE = 200  # clients in one short transaction
_TERMS = "derived-under"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many clients were derived again, and the codes of those whose stored facts were not what follows."""

    clients: int
    differed: tuple[str, ...]


def rebuild(
    practice: "Practice", now: Instant, *, dry_run: bool, progress: Callable[[int, int], None] | None = None
) -> Rebuilt:
    """Derive relations, breaks, leave, subjects, appointments and digests of everybody again; with `dry_run` only compare.

    `progress(done, of)` is called after every batch.
    """
    differed = _people_again(practice, dry_run=dry_run) | _subjects_again(practice, now, dry_run=dry_run)
    people = table(Client)
    with practice.store.read() as connection:
        codes = dict(connection.execute(select(people.c.id, people.c.code)).tuples().all())
    policy = practice.book.of().policy
    done = 0
    for part in chunks(sorted(codes), AT_ONCE):
        with practice.store.write() as connection:
            take_turn(connection)
            wrong = differing(connection, part, int(policy.same_time_minutes * 60), practice.zone)
            if wrong and not dry_run:
                clear_endings(connection, wrong)
                derive(connection, wrong, policy, now, practice.zone)
        differed |= wrong
        done += len(part)
        if progress:
            progress(done, len(codes))
    return Rebuilt(len(codes), tuple(sorted(codes[c] for c in differed if c in codes)))


def rebuild_outdated(practice: "Practice", now: Instant) -> int:
    """Derive everybody again where what all derivation rests on is not what it was: this version's digest format, the practice's zone,
    how near two entries are one appointment. Else those whose digest has another format. Answers how many."""
    policy = practice.book.of().policy
    terms = f"{FORMAT} {practice.zone} {policy.same_time_minutes}"
    digests, people = table(Digest), table(Client)
    with practice.store.read() as connection:
        as_before = facts.get(connection, _TERMS) == terms
        wanted = select(digests.c.client_id).where(digests.c.format != FORMAT) if as_before else select(people.c.id)
        old = list(connection.execute(wanted).scalars())
    if not as_before:
        _people_again(practice, dry_run=False)
    for part in chunks(old, AT_ONCE):
        with practice.store.write() as connection:
            take_turn(connection)
            derive(connection, part, policy, now, practice.zone)
    if not as_before:
        with practice.store.write() as connection:
            facts.put(connection, _TERMS, terms)  # last: after a crash all of it is done again
    return len(old)


class _Compared(Exception):
    """Carries what a comparison found out of the transaction that is then rolled back."""


def _people_again(practice: "Practice", *, dry_run: bool) -> set[int]:
    """Relations, breaks and leave, derived again: clients and whole caseloads for whom the answer differs from what is stored."""
    touched = Touched()
    people = table(Client)
    try:
        with practice.store.write() as connection:
            take_turn(connection)
            refs = list(connection.execute(select(people.c.ref_hash)).scalars())
            derive_relations(connection, refs, practice.zone, touched)
            derive_breaks(connection, touched)
            derive_leave(connection, touched)
            derive_providers(connection)
            touched.clients |= clients_of(connection, touched.therapists)
            if dry_run:
                raise _Compared
    except _Compared:
        pass
    return touched.clients


def _subjects_again(practice: "Practice", now: Instant, *, dry_run: bool) -> set[int]:
    """Whom entries concern, found again: clients for whom the answer differs from what is stored."""
    observations, subjects = table(Observation), table(Subject)
    wrong: list[tuple[str, str]] = []
    affected: set[int] = set()
    with practice.store.read() as connection:
        people = roster(connection, practice.vault)
        stored: dict[tuple[str, str], dict[int, str]] = {}
        for row in connection.execute(select(subjects)):
            stored.setdefault((row.source, row.entry_id), {})[row.client_id] = row.how
        rows = connection.execute(
            select(observations.c.source, observations.c.entry_id, observations.c.hints, observations.c.facts).where(
                observations.c.kind.in_(ABOUT_CLIENTS), observations.c.current, ~observations.c.gone
            )
        )
        for row in rows:
            found, how = people.concerned(row.hints, row.facts.get("therapist_id"))
            fresh, before = dict.fromkeys(found, how), stored.get((row.source, row.entry_id), {})
            if fresh != before:
                wrong.append((row.source, row.entry_id))
                affected |= fresh.keys() | before.keys()
    if wrong and not dry_run:
        with practice.store.write() as connection:
            resolve(connection, practice.vault, wrong, Touched(), now)
    return affected


def differing(connection: Connection, clients: list[int], tolerance: int, zone: str) -> set[int]:
    """Those of these clients (and of all who share an appointment with them) whose stored facts are not what follows."""
    derived, told, group = appointments_of(connection, clients, source_traits(connection), tolerance)
    wrong: set[int] = set()
    wanted: dict[tuple[str, int], tuple[Any, ...]] = {}
    for a in derived:
        for p in a.parts:
            head = (a.wall, a.zone, a.start, a.end, a.therapist_id, a.known_since)
            wanted[a.id, p.client_id] = (
                *head,
                p.plan,
                p.attendance,
                int(p.mark),
                p.cancelled_by,
                p.cancelled_known_at,
                p.cancelled_said_at,
            )
    appointments, participants, digests = table(Appointment), table(Participant), table(Digest)
    columns = [appointments.c[n] for n in ("wall", "zone", "start_at", "end_at", "therapist_id", "known_since")]
    columns += [
        participants.c[n]
        for n in ("plan", "attendance", "mark", "cancelled_by", "cancelled_known_at", "cancelled_said_at")
    ]
    stored: dict[tuple[str, int], tuple[Any, ...]] = {}
    rows: dict[int, tuple[Any, ...]] = {}
    names = [column.name for column in digests.columns]
    for part in chunks(sorted(group)):
        mine = participants.c.client_id.in_(part)
        joined = select(participants.c.appointment_id, participants.c.client_id, *columns)
        for row in connection.execute(joined.join_from(participants, appointments).where(mine)):
            stored[row[0], row[1]] = tuple(row[2:])
        for row in connection.execute(select(digests).where(digests.c.client_id.in_(part))):
            rows[row.client_id] = tuple(row)
    wrong |= {client for _, client in wanted.keys() ^ stored.keys()}
    wrong |= {key[1] for key in wanted.keys() & stored.keys() if wanted[key] != stored[key]}
    histories = histories_of(connection, group, derived, told, zone)
    wrong |= endings_differing(connection, group, histories)
    wrong |= differing_referrals(connection, histories)
    for history in histories:
        fresh = digest_of(history, zone)
        if rows.get(history.client_id) != tuple(getattr(fresh, name) for name in names):
            wrong.add(history.client_id)
    return wrong
