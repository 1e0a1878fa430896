"""Synthetic clients for measuring: digests, and the raw rows that they came from, in a database of its own."""

import random
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from integrations.store.tables import chunks, insert_rows
from models.appointments import Mark
from models.digest import Digest, Held, History, digest_of
from models.entries import ClientStatus
from models.instants import DAY, HOUR, Instant
from models.people import Client

ZONE = "Europe/Berlin"
THERAPISTS = 40
APPOINTMENTS = 50


def appointments(number: int, now: Instant) -> list[Held]:
    """Fifty appointments of one client, the mix of a practice: most come weekly, one in ten has gone quiet, one in six is calendar-only."""
    chance = random.Random(number)  # made-up people need no secrecy
    gap = chance.choice((7, 7, 7, 7, 14, 14, 28)) * DAY
    ended = now - chance.randrange(gap) if chance.random() > 0.1 else now - chance.randrange(30, 120) * DAY
    calendar_only = chance.random() < 0.16
    booked_ahead = 0 if ended < now - gap else chance.choice((0, 1, 2, 4))
    line = []
    for i in range(APPOINTMENTS - booked_ahead):
        start = ended - i * gap + chance.randrange(-2, 3) * HOUR
        mark = Mark.unknown if calendar_only else Mark.no_show if chance.random() < 0.06 else Mark.attended
        line.append(Held(start, mark, True))
    line += [Held(ended + (i + 1) * gap, Mark.unknown, True) for i in range(booked_ahead)]
    return line


def history(number: int, now: Instant) -> History:
    """One client's history."""
    line = tuple(appointments(number, now))
    return History(number, f"T{number % THERAPISTS}", "", ClientStatus.active, None, False, None, line, (), now - DAY)


def fill(connection: Connection, count: int, now: Instant, first: int = 1) -> None:
    """Write clients and digests."""
    names = [column.name for column in Digest.__table__.columns]  # type: ignore[attr-defined]
    for part in chunks(range(first, first + count), 1000):
        insert_rows(connection, Client, [_client(number) for number in part])
        digests = (digest_of(history(number, now), ZONE) for number in part)
        insert_rows(connection, Digest, [{name: getattr(digest, name) for name in names} for digest in digests])


def raw_rows(numbers: range, now: Instant) -> Iterator[tuple[int, int, int, int]]:
    """client, start, mark, booked: what a hand-written query would read."""
    for number in numbers:
        for held in appointments(number, now):
            yield number, held.start, int(held.mark), int(held.booked)


def _client(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "code": f"C-{number:07d}",
        "ref_hash": str(number),
        "name_hash": "",
        "mail_hash": "",
        "sealed": None,
        "status": "active",
        "intake_on": None,
        "ended_on": None,
        "died": False,
        "died_on": None,
        "paused_until": None,
        "opted_out": False,
        "site": "",
    }
