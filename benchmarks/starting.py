"""How long a command takes that runs no flow, beside an import of Prefect alone."""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.claims import Claim, Told, in_turns
from benchmarks.databases import Database
from benchmarks.practices import practice_on

ROUNDS = 7
PROBE = """
import sys
from tending.cli import main
try:
    main()
finally:
    print("prefect" in sys.modules, file=sys.stderr)
"""


def starting() -> Told:
    """The claims about commands that run no flow."""
    told = Told("Commands that run no flow")
    with tempfile.TemporaryDirectory(prefix="tending-bench-") as folder:
        with practice_on(Database("SQLite", Path(folder)), "commands") as practice:
            file = str(practice.folder / "practice.toml")
        commands = {"--help": ["--help"], "status": ["status", "--practice", file]}
        program = str(Path(sys.executable).with_name("tending"))
        imported = 0
        for arguments in commands.values():
            said = subprocess.run(
                [sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=False
            )
            imported += said.stderr.split()[-1:] != ["False"]
        told.claims.append(Claim("of these commands, how many import Prefect", "", imported, 0))
        works = [[program, *arguments] for arguments in commands.values()]
        found = in_turns(
            ROUNDS,
            lambda: _run(works[0]),
            lambda: _run(works[1]),
            lambda: _run([sys.executable, "-c", "import prefect"]),
            lambda: _run([sys.executable, "-c", "import prefect; from prefect import flow, get_client"]),
        )
        for number, name in enumerate(commands):
            told.claims.append(found.claim(f"tending {name}, whole", number, "importing Prefect alone", 2, None))
            told.claims.append(found.claim(f"tending {name}, whole", number, "importing what a flow needs", 3, 1))
    return told


def _run(command: list[str]) -> None:
    subprocess.run(command, capture_output=True, check=False)
