"""One client changes, or a hundred fall due: deciding and committing, against the same statements by the bare driver, and by size."""

import json
import time
from typing import Any

from sqlalchemy import event, text

from benchmarks.claims import Told, in_turns, timed
from benchmarks.clients import ZONE
from benchmarks.databases import Database
from benchmarks.practices import NOW, driver_connection, filled, tidy
from integrations.practice import Practice
from integrations.store import cases
from integrations.store.appointments import appointments_of, source_traits
from integrations.store.decisions import Decided, decide
from integrations.store.derive import derive, write_digests
from integrations.store.engine import open_store
from integrations.store.tables import insert_rows
from models.appointments import Participant
from models.instants import DAY, HOUR, Instant, wall_of
from models.matching import Derived
from models.observations import Observation, Subject
from models.people import Relation

SMALL = 1_000
ROUNDS = 60
SWEEPS = 15
DUE = 100
APPOINTMENTS = 50
ELSEWHERE = 5  # observations, and what follows from them, of every client who is not measured
Statement = tuple[str, Any, bool]


def changing(database: Database, clients: int) -> Told:
    """The claims about one changed client and about a sweep, in a practice of so many clients."""
    told = Told(f"One changed client, and a sweep: {clients:,} clients, {database.name}")
    with filled(database, clients, "changing") as large, filled(database, SMALL, "changing") as small:
        measured = range(1, 5 * ROUNDS + 10)
        for practice, count in ((large, clients), (small, SMALL)):
            keep_history(practice, measured, count)
        one, other = Changes(large, measured), Changes(small, measured)
        for changes in (one, other):  # the first calls compile statements and fill caches
            for _ in range(4):
                changes.by_product()
            changes.by_driver()
        what = "one changed client: digest, rules, finding, notice, commit"
        parts = in_turns(ROUNDS - 5, one.decided_by_product, one.decided_by_driver)
        told.claims.append(parts.claim(what, 0, f"the same {one.statements} statements by the bare driver", 1, 3))
        found = in_turns(ROUNDS - 5, one.by_product, one.by_driver, other.by_product)
        whole = "the same with its appointments derived from 50 observations"
        told.claims += [
            found.claim(whole, 0, f"the same {one.statements} statements by the bare driver", 1, None),
            found.claim(whole, 0, f"the same among {SMALL:,} clients", 2, 1.5),
        ]
        for practice in (large, small):
            sweep(practice)
        swept = in_turns(SWEEPS, lambda: sweep(large), lambda: sweep(small))
        told.claims.append(swept.claim(f"a sweep with {DUE} due", 0, f"the same among {SMALL:,} clients", 1, 2))
        one.close()
        other.close()
    return told


class Changes:
    """Changes of one client after another, all alike: the only booked appointment is cancelled, and the client turns out quiet."""

    def __init__(self, practice: Practice, measured: range) -> None:
        self._practice = practice
        self._next = iter(measured)
        self._raw = driver_connection(practice)
        # Listened to on a second store: an engine that ever had a listener pays for listeners at every statement.
        self._heard = open_store(practice.settings.store.url)
        self.statements = 0

    def by_product(self) -> float:
        """Seconds that it takes the product."""
        client = self._cancelled()
        with timed() as spent, self._practice.store.write() as connection:
            decided = _decide(self._practice, connection, client)
        _as_expected(decided)
        return spent[0]

    def decided_by_product(self) -> float:
        """Seconds from appointments that are derived to the commit: digest, rules, finding, notice."""
        client = self._cancelled()
        with self._practice.store.write() as connection:
            derived, last_told, group = _derived(self._practice, connection, client)
            began = time.perf_counter()
            write_digests(connection, group, derived, last_told, ZONE)
            decided = decide(self._practice, connection, [client], NOW)
        spent = time.perf_counter() - began
        _as_expected(decided)
        return spent

    def decided_by_driver(self) -> float:
        """Seconds that the same statements take the bare driver."""
        return self._by_driver(self._recorded(self._cancelled(), decided_only=True))

    def by_driver(self) -> float:
        """Seconds that it takes the driver to do the statements of the product, recorded from a transaction that was taken back."""
        return self._by_driver(self._recorded(self._cancelled()))

    def _by_driver(self, recorded: list[Statement]) -> float:
        self.statements = len(recorded)
        raw, sqlite = self._raw, self._practice.store.dialect == "sqlite"
        with timed() as spent:
            cursor = raw.cursor()
            if sqlite:
                cursor.execute("BEGIN IMMEDIATE")
            for statement, values, many in recorded:
                if many:
                    cursor.executemany(statement, values)
                else:
                    cursor.execute(statement, values)
                if cursor.description:
                    cursor.fetchall()
            cursor.execute("COMMIT")
        return spent[0]

    def close(self) -> None:
        self._raw.close()
        self._heard.close()

    def _cancelled(self) -> int:
        """The next client, of whom a calendar has just said that the appointment is cancelled."""
        client = next(self._next)
        with self._practice.store.write() as connection:
            last = f"e{client}-0"
            was = text("UPDATE observation SET current = :no WHERE source = 'calendar' AND entry_id = :entry")
            connection.execute(was, {"no": False, "entry": last})
            insert_rows(connection, Observation, [_said(client, 0, "cancelled", NOW - HOUR)])
        return client

    def _recorded(self, client: int, *, decided_only: bool = False) -> list[Statement]:
        recorded: list[Statement] = []

        def record(_c: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
            recorded.append((statement, values, many))

        event.listen(self._heard.engine, "before_cursor_execute", record)
        try:
            with self._heard.write() as connection:
                if decided_only:
                    derived, last_told, group = _derived(self._practice, connection, client)
                    recorded.clear()
                    write_digests(connection, group, derived, last_told, ZONE)
                    _as_expected(decide(self._practice, connection, [client], NOW))
                else:
                    _as_expected(_decide(self._practice, connection, client))
                raise _TakenBack
        except _TakenBack:
            pass
        finally:
            event.remove(self._heard.engine, "before_cursor_execute", record)
        return [part for part in recorded if not part[0].startswith("BEGIN")]


class _TakenBack(Exception):
    """Ends a transaction without a trace."""


def _derived(practice: Practice, connection: Any, client: int) -> tuple[list[Derived], dict[int, Instant], set[int]]:
    tolerance = int(practice.book.of().policy.same_time_minutes * 60)
    return appointments_of(connection, [client], source_traits(connection), tolerance)


def _decide(practice: Practice, connection: Any, client: int) -> Decided:
    derive(connection, [client], practice.book.of().policy, NOW, ZONE)
    return decide(practice, connection, [client], NOW)


def _as_expected(decided: Decided) -> None:
    if (decided.opened, decided.notices) != (1, 1):
        raise AssertionError(f"a changed client should come to one finding and one notice, and came to {decided}")


def sweep(practice: Practice) -> float:
    """Seconds that it takes to find a hundred who are due, to look at them and to write what follows."""
    with practice.store.write() as connection:
        before = text("UPDATE look SET next_look = :now WHERE client_id > 400 AND client_id <= :last")
        connection.execute(before, {"now": NOW - 60, "last": 400 + DUE})
    with timed() as spent, practice.store.write() as connection:
        ready = cases.due(connection, NOW, cases.basis(practice, connection))
        decided = decide(practice, connection, ready, NOW)
    if decided.looked != DUE:
        raise AssertionError(f"{decided.looked} were due instead of {DUE}")
    return spent[0]


def keep_history(practice: Practice, measured: range, clients: int) -> None:
    """What measured clients' digests follow from, by the product itself; of the others a few rows each, so that tables are large."""
    with practice.store.write() as connection:
        for client in measured:
            rows = [_said(client, n, "booked", NOW - DAY) for n in range(APPOINTMENTS)]
            insert_rows(connection, Observation, rows)
            same = {"source": "calendar", "client_id": client, "kind": "appointment", "how": "code", "since": NOW - DAY}
            subjects = [{"entry_id": row["entry_id"], **same} for row in rows]
            insert_rows(connection, Subject, subjects)
            relation = {"client_id": client, "therapist_id": "T1", "kind": "main", "from_on": None, "to_on": None}
            insert_rows(connection, Relation, [relation])
        derive(connection, measured, practice.book.of().policy, NOW - HOUR, ZONE)
        decide(practice, connection, measured, NOW - HOUR)
        connection.execute(text("UPDATE change SET drained_at = :now"), {"now": NOW})
        for statement in _elsewhere(practice.store.dialect):
            values = {
                "first": len(measured) + 1,
                "last": clients,
                "each": ELSEWHERE,
                "now": NOW,
                "yes": True,
                "no": False,
            }
            connection.execute(text(statement), values)
        decide(practice, connection, range(401, 401 + DUE), NOW)
    tidy(practice)


def _said(client: int, number: int, plan: str, known_at: int) -> dict[str, Any]:
    start = NOW + 5 * DAY if number == 0 else NOW - 13 * DAY - number * 7 * DAY
    facts = {
        "wall": wall_of(start, ZONE),
        "zone": ZONE,
        "start": start,
        "end": start + 3000,
        "plan": plan,
        "attendance": "attended" if start < NOW else "unknown",
        "cancelled_by": "client" if plan == "cancelled" else None,
        "therapist_id": "T1",
        "group": f"e{client}-{number}",
        "sequence": 0,
    }
    return {
        "source": "calendar",
        "kind": "appointment",
        "entry_id": f"e{client}-{number}",
        "content_hash": f"{plan}-{client}-{number}",
        "said_at": None,
        "known_at": known_at,
        "gone": False,
        "current": True,
        "facts": facts,
        "hints": {"code": [f"C-{client:07d}"]},
        "sealed": b"x" * 150,
    }


def _elsewhere(dialect: str) -> list[str]:
    """Statements that fill the tables of observations and appointments for clients from :first to :last."""
    numbers = {
        "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :each) SELECT i FROM n)",
        "postgresql": "generate_series(1, :each)",
    }[dialect]
    facts = json.dumps(_said(0, 1, "booked", NOW)["facts"]).replace(":", r"\:")
    entry = "'o' || c.id || '-' || n.i"
    to_json = "CAST('{}' AS JSON)" if dialect == "postgresql" else "'{}'"
    what = "client c CROSS JOIN " + numbers + (" AS n(i)" if dialect == "postgresql" else " AS n")
    where = "WHERE c.id BETWEEN :first AND :last"
    return [
        "INSERT INTO observation (source, kind, entry_id, content_hash, said_at, known_at, gone, current, facts, hints, sealed)"
        f" SELECT 'calendar', 'appointment', {entry}, {entry}, NULL, :now, :no, :yes,"
        f" {to_json.replace('{}', facts)}, {to_json}, NULL FROM {what} {where}",
        "INSERT INTO subject (source, entry_id, client_id, kind, how, since)"
        f" SELECT 'calendar', {entry}, c.id, 'appointment', 'code', :now FROM {what} {where}",
        "INSERT INTO appointment (id, wall, zone, start_at, end_at, therapist_id, known_since)"
        f" SELECT {entry}, '2026-01-01T10:00:00', '{ZONE}', :now, :now, 'T1', :now FROM {what} {where}",
        f"INSERT INTO participant ({', '.join(Participant.model_fields)})"
        f" SELECT {entry}, c.id, 'booked', 'attended', 2, NULL, NULL, NULL FROM {what} {where}",
        "INSERT INTO relation (client_id, therapist_id, kind, from_on, to_on)"
        f" SELECT c.id, 'T1', 'main', NULL, NULL FROM client c {where}",
    ]
