"""`python -m benchmarks [name] [--clients N] [--database URL]`: what we claim about speed, and whether it holds here."""

import argparse
import sys
from collections.abc import Callable

from benchmarks.calendars import reading, syncing
from benchmarks.changing import changing
from benchmarks.claims import Told
from benchmarks.databases import Database, databases
from benchmarks.everybody import everybody
from benchmarks.reacting import reacting
from benchmarks.starting import starting

CLIENTS = 100_000

ON_DATABASES: dict[str, Callable[[Database, int], Told]] = {
    "everybody": everybody,
    "changing": changing,
    "syncing": syncing,
    "reacting": reacting,
}
ALONE: dict[str, Callable[[], Told]] = {"reading": reading, "starting": starting}


def main() -> int:
    """Print every claim; exit code 1 if one does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What Tending claims about speed.")
    parser.add_argument("name", nargs="?", choices=sorted(ON_DATABASES | ALONE), help="one benchmark; all if left out")
    parser.add_argument("--clients", type=int, default=CLIENTS, help="clients in the large practice")
    parser.add_argument("--database", default="", help="sqlite, or the address of a PostgreSQL server")
    asked = parser.parse_args()
    failed = 0
    with databases("sqlite" if asked.name in ALONE else asked.database, say) as found:
        for name, benchmark in ON_DATABASES.items():
            if asked.name in (None, name):
                for database in found:
                    failed += tell(benchmark(database, asked.clients))
    for name, alone in ALONE.items():
        if asked.name in (None, name):
            failed += tell(alone())
    return 1 if failed else 0


def tell(told: Told) -> int:
    """Print what one benchmark came to; answers how many claims failed."""
    for line in told.lines():
        say(line)
    return sum(not claim.holds for claim in told.claims)


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
