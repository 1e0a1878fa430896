"""Looking at everybody: against the floor, against hand-written SQL over raw rows, and against fewer clients; and its memory."""

import subprocess
import sys
from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.by_hand import FORMS, KEYS, keep_raw
from benchmarks.claims import PROCESSOR, WALL, Claim, Clock, Told, in_turns, timed
from benchmarks.databases import Database
from benchmarks.practices import NOW, driver_connection, filled
from integrations.practice import Practice
from integrations.store.cases import all_digests, shared
from integrations.store.engine import CHUNK
from models.looking import DIGEST_COLUMNS

SMALL = 1_000
ROUNDS = 5
ROUNDS_BY_HAND = 3
Facts = tuple[int | None, float | None, int | None, int | None, int | None]


def everybody(database: Database, clients: int) -> Told:
    """The claims about looking at everybody, with so many clients of 50 appointments each."""
    told = Told(f"Everybody: {clients:,} clients of 50 appointments each, {database.name}")
    sqlite = database.name == "SQLite"
    clock = PROCESSOR if sqlite else WALL
    with filled(database, clients, "everybody") as practice, filled(database, SMALL, "everybody") as small:
        floor = in_turns(ROUNDS, lambda: rows_only(practice, clock), lambda: look_at_all(practice), clock=clock)
        few = in_turns(ROUNDS, lambda: some(small, clock) / SMALL, lambda: _timed(practice, clock) / clients)
        what = "looking at all of them"
        told.claims += [
            floor.claim(what, 1, "reading one typed row each, without work", 0, 4 if sqlite else 4.5, per=clients),
            few.claim(f"{what}, for each", 1, f"each of {SMALL:,}", 0, 1.3),
        ]
        keep_raw(practice, clients, NOW)
        same, form = _same_facts(practice, clients)
        told.remarks.append(same)
        hand = in_turns(
            ROUNDS_BY_HAND,
            lambda: look_at_all(practice),
            lambda: spelt_out(practice),
            lambda: by_hand(practice, form),
            clock=clock,
        )
        limit = 0.1 if sqlite else 1 / 3
        told.claims += [
            hand.claim(what, 0, "hand-written SQL for their facts, from raw rows", 2, limit, per=clients),
            hand.claim("facts of all, spelt out from digests", 1, "the same SQL", 2, None, per=clients),
        ]
        told.claims.append(_memory(practice, clients))
    return told


def rows_only(practice: Practice, clock: Clock) -> float:
    """The floor: the driver alone, one typed row per client."""
    raw = driver_connection(practice)
    wanted = f"SELECT {', '.join(DIGEST_COLUMNS)} FROM digest ORDER BY client_id"
    with timed(clock) as spent:
        cursor = raw.cursor() if practice.store.dialect == "sqlite" else raw.cursor(name="floor", binary=True)
        cursor.execute(wanted)
        while rows := cursor.fetchmany(CHUNK):
            for _ in rows:
                pass
    raw.close()
    return spent[0]


def look_at_all(practice: Practice) -> None:
    """The product: what they share, then every digest through every rule."""
    with practice.store.read() as connection:
        together = shared(practice, connection, NOW)
    for _ in together.looks(all_digests(practice)):
        pass


def some(practice: Practice, clock: Clock) -> float:
    """The same of few clients, the median of several, in seconds."""
    return median(_timed(practice, clock) for _ in range(20))


def _timed(practice: Practice, clock: Clock) -> float:
    with timed(clock) as spent:
        look_at_all(practice)
    return spent[0]


def by_hand(practice: Practice, form: str) -> None:
    """The hand-written SQL, streamed as a user would read it."""
    for _ in _by_hand(practice, form):
        pass


def spelt_out(practice: Practice) -> None:
    """The same facts for everybody by the product's own cases, needed or not."""
    for _ in facts_of_cases(practice):
        pass


def _by_hand(practice: Practice, form: str) -> Iterator[tuple[Any, ...]]:
    yield from practice.store.stream(FORMS[practice.store.dialect][form], {"now": NOW})


def facts_of_cases(practice: Practice) -> Iterator[tuple[int, Facts]]:
    """By client: last seen, median of the last six gaps, next booked, the last two marks."""
    with practice.store.read() as connection:
        together = shared(practice, connection, NOW)
    for row in all_digests(practice):
        case = together.case(row)._replace(pauses=())  # the SQL knows no holidays
        gaps = case.gaps(6)
        marks = [*[entry & 3 for entry in reversed(case.line[: case.past]) if entry & 3][:2], None, None]
        usual = median(gaps) if gaps else None
        yield case.client_id, (case.last_seen(), usual, case.next_booked(), marks[0], marks[1])


def _same_facts(practice: Practice, clients: int) -> tuple[str, str]:
    """Whether SQL and digests agree about everybody, and the quicker form of the SQL. Raises where they do not."""
    ours = dict(facts_of_cases(practice))
    costs: dict[str, float] = {}
    for form in FORMS[practice.store.dialect]:
        with timed() as spent:
            theirs = {row[KEYS.index("client")]: row[1:] for row in _by_hand(practice, form)}
        costs[form] = spent[0]
        different = sum(ours[client] != tuple(theirs[client]) for client in ours)
        if different or len(theirs) != clients:
            raise AssertionError(f"{different} clients have other facts by hand ({form})")
    best = min(costs, key=costs.__getitem__)
    spoken = ", ".join(f"{form} {cost / clients * 1e6:.0f} us" for form, cost in costs.items())
    return f"SQL and digests give the same facts about all {clients:,}; forms of the SQL, each client: {spoken}", best


def _memory(practice: Practice, clients: int) -> Claim:
    """Peak memory of a process of its own, above what it had before it looked."""
    command = [sys.executable, "-m", "benchmarks.memory", str(practice.folder / "practice.toml")]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    idle, peak = (int(number) / 1024 for number in answer)
    what, against = "peak memory while looking at all, MB above the idle process", ""
    return Claim(what, against, peak - idle, 60, f"{peak:.0f} MB", f"{idle:.0f} MB")
