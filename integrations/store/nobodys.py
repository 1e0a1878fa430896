"""Entries that belong to nobody: appointments for whom no client was found, and rows of records about a client whom nobody knows."""

from collections import defaultdict
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from integrations.store.tables import table
from models.instants import Instant
from models.observations import Observation, Subject
from models.people import Client
from models.words import counted


class Entry(NamedTuple):
    """Calendar entries of one event that belong to nobody: one, or a series. `wall` and `start` are the next one's, or the last's."""

    source: str
    therapist_id: str
    entries: int
    start: Instant
    wall: str
    zone: str
    observation_id: int


def unmatched(connection: Connection, now: Instant) -> list[Entry]:
    """Appointment entries for which nobody was found, each series once, soonest first; those of the past after them, newest first."""
    observations, subjects = table(Observation), table(Subject)
    same = (subjects.c.source == observations.c.source) & (subjects.c.entry_id == observations.c.entry_id)
    query = (
        select(observations.c.id, observations.c.source, observations.c.facts)
        .select_from(observations.outerjoin(subjects, same))
        .where(
            observations.c.kind == "appointment",
            observations.c.current,
            ~observations.c.gone,
            subjects.c.client_id.is_(None),
        )
    )
    groups: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in connection.execute(query):
        groups[row.source, row.facts["group"]].append(row)
    found = []
    for (source, _), rows in groups.items():
        rows.sort(key=lambda row: row.facts["start"])
        shown = next((row for row in rows if row.facts["start"] >= now), rows[-1])
        facts = shown.facts
        found.append(
            Entry(
                source,
                facts["therapist_id"] or "",
                len(rows),
                facts["start"],
                facts["wall"],
                facts["zone"],
                shown.id,
            )
        )
    return sorted(found, key=lambda entry: (entry.start < now, abs(entry.start - now)))


class Nobodys(NamedTuple):
    """How many appointment entries belong to nobody, a series once, how many times these take place in all, and how many other rows of
    records are about a client whom nobody knows."""

    entries: int
    times: int
    rows: int = 0

    def __str__(self) -> str:
        times = f" ({self.times} times)" if self.times != self.entries else ""
        appointments = [f"{counted(self.entries, 'entry', 'entries')}{times}"] if self.entries or not self.rows else []
        return " and ".join(
            appointments + ([counted(self.rows, "row of records", "rows of records")] if self.rows else [])
        )

    def sentence(self) -> str:
        return f"{self} {'belongs' if self.entries + self.rows == 1 else 'belong'} to nobody"


def unmatched_count(connection: Connection) -> Nobodys:
    """How many appointment entries and other rows belong to nobody, as `unmatched` and `rows_of_nobody` list them."""
    observations, subjects = table(Observation), table(Subject)
    same = (subjects.c.source == observations.c.source) & (subjects.c.entry_id == observations.c.entry_id)
    wanted = [observations.c.kind == "appointment", observations.c.current, ~observations.c.gone]
    series = observations.c.facts["group"].as_string()
    query = select(func.count()).select_from(observations.outerjoin(subjects, same))
    query = query.where(*wanted, subjects.c.client_id.is_(None)).group_by(observations.c.source, series)
    each = connection.execute(query).scalars().all()
    return Nobodys(len(each), sum(each), sum(rows_of_nobody(connection).values()))


def rows_of_nobody(connection: Connection) -> dict[tuple[str, str], int]:
    """How many rows of records that are no appointments are about a client whom nobody knows, by source and kind of entry."""
    rows, subjects, clients = table(Observation), table(Subject), table(Client)
    by_subject = (subjects.c.source == rows.c.source) & (subjects.c.entry_id == rows.c.entry_id)
    by_ref = clients.c.ref_hash == rows.c.facts["client_ref"].as_string()
    found: dict[tuple[str, str], int] = {}
    for kinds, join, client in (
        (("goal", "score", "referral"), rows.outerjoin(subjects, by_subject), subjects.c.client_id),
        (("break", "hold"), rows.outerjoin(clients, by_ref), clients.c.id),
    ):
        query = select(rows.c.source, rows.c.kind, func.count()).select_from(join).group_by(rows.c.source, rows.c.kind)
        standing = query.where(rows.c.kind.in_(kinds), rows.c.current, ~rows.c.gone, client.is_(None))
        found |= {(source, kind): count for source, kind, count in connection.execute(standing).tuples()}
    return dict(sorted(found.items()))
