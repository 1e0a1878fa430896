"""Entries of a work calendar that name a former client by code, id or mail address: where a practice wants it, the therapist is asked,
and nobody else."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Text, and_, cast, select

from integrations.store.died import DIED
from integrations.store.recipients import Recipients
from integrations.store.tables import chunks, insert_new, table
from models.eligibility import Urgency
from models.entries import ClientStatus, Plan
from models.instants import DAY, Instant
from models.notices import Notice
from models.noticing import NoticeKey, notice_row, therapist_recipient
from models.observations import Observation, Subject
from models.people import Client
from models.timing import not_before

if TYPE_CHECKING:
    from integrations.practice import Practice

EXACT = ("id", "code", "some")  # ways of finding whom an entry concerns that name a client outright; a name does not
ONLY = "only"  # of what a notice requires: it reaches whom it was made for, or nobody
LASTS = 14 * DAY


class Named(NamedTuple):
    """An entry ahead, or a series of them, that names a former client: who, `number` for that series, and the next one's start."""

    client_id: int
    number: int
    code: str
    start: Instant


def ask(practice: "Practice", connection: Connection, now: Instant) -> int:
    """Tell therapists once that their calendar is looked through, and ask them once about each such entry or series. Answers how many
    notices are new."""
    made = 0
    for source in practice.settings.source:
        if not source.ask_about_former:
            continue
        recipients = Recipients(practice, connection, now)
        hours = recipients.hours(source.therapist, practice.book.of(therapist=source.therapist).policy)
        when, to = not_before(Urgency.ordinary, hours, now), therapist_recipient(source.therapist)
        told: list[tuple[str, int, dict[str, Any], dict[str, Any]]] = [
            ("former_looked", 0, {}, {"source": source.name})
        ]
        for one in named(practice, connection, source.name, now):
            requires = {"former": source.name, "client": one.client_id, "entry": one.number}
            facts = {"source": source.name, "code": one.code, "start": one.start}
            told.append(("former_entry", one.number, requires, facts))
        for purpose, number, requires, facts in told:
            key = NoticeKey(f"source:{source.name}", purpose, number, 0, to)
            requires = requires | {ONLY: True}
            row = notice_row(key, Urgency.ordinary, when, LASTS, now, requires=requires, facts=facts)
            made += int(insert_new(connection, Notice, row))
    return made


def named(practice: "Practice", connection: Connection, source: str, now: Instant) -> list[Named]:
    """The entries ahead in a source that name a former client who lives, each series once, soonest first."""
    found: dict[tuple[int, int], Named] = {}
    for client_id, code, facts in [*_by_code(connection, source), *_by_address(connection, source)]:
        if facts["start"] <= now or facts["plan"] == Plan.cancelled:
            continue
        number = int(practice.vault.hash("content", f"{client_id} {facts['group'] or facts['start']}")[:7], 16)
        known = found.get((client_id, number))
        if known is None or facts["start"] < known.start:
            found[client_id, number] = Named(client_id, number, code, facts["start"])
    return sorted(found.values(), key=lambda one: (one.start, one.code))


def _by_code(connection: Connection, source: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """(client id, code, facts) of the entries that name a former client by code or id."""
    observations, subjects, clients = table(Observation), table(Subject), table(Client)
    same = (observations.c.source == subjects.c.source) & (observations.c.entry_id == subjects.c.entry_id)
    query = (
        select(clients.c.id, clients.c.code, observations.c.facts)
        .select_from(subjects.join(clients, clients.c.id == subjects.c.client_id).join(observations, same))
        .where(subjects.c.source == source, subjects.c.how.in_(EXACT), _standing(), _former())
    )
    for row in connection.execute(query):
        yield row.id, row.code, row.facts


def _by_address(connection: Connection, source: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """The same of those with whom a former client is invited, or who were. An address that two clients share names neither."""
    observations, clients = table(Observation), table(Client)
    query = select(observations.c.hints, observations.c.facts).where(
        observations.c.source == source, _standing(), cast(observations.c.hints, Text).contains('"mail"')
    )
    entries = connection.execute(query).all()
    bearers: dict[str, list[Any]] = defaultdict(list)
    for part in chunks({mail for row in entries for mail in row.hints["mail"]}):
        whose = select(clients.c.mail_hash, clients.c.id, clients.c.code, _former().label("former"))
        for client in connection.execute(whose.where(clients.c.mail_hash.in_(part))):
            bearers[client.mail_hash].append(client)
    for row in entries:
        for mail in row.hints["mail"]:
            if len(bearers[mail]) == 1 and bearers[mail][0].former:
                yield bearers[mail][0].id, bearers[mail][0].code, row.facts


def _standing() -> ColumnElement[bool]:
    rows = table(Observation)
    return and_(rows.c.kind == "appointment", rows.c.current, ~rows.c.gone)


def _former() -> ColumnElement[bool]:
    clients = table(Client)
    return and_(clients.c.status == ClientStatus.ended, ~DIED)


def still_named(practice: "Practice", connection: Connection, requires: dict[str, Any], now: Instant) -> bool:
    """Whether what a notice asks about still stands there, and is still to be asked about."""
    name = requires["former"]
    if not any(source.name == name and source.ask_about_former for source in practice.settings.source):
        return False
    wanted = (requires["client"], requires["entry"])
    return any((one.client_id, one.number) == wanted for one in named(practice, connection, name, now))
