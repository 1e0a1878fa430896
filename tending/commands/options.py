"""The options that commands share, and what was said before a command's own name. Cheap to read: every command begins with it."""

import os
from pathlib import Path
from typing import Annotated

import typer

ENVIRONMENT = "TENDING_PRACTICE"
DEFAULT = Path("practice.toml")

PracticeOption = Annotated[
    Path | None,
    typer.Option(
        "--practice",
        metavar="PATH",
        help=f"The practice.toml to use; else the environment's {ENVIRONMENT}, else ./practice.toml.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the facts as JSON, for machines.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")]


class Given:
    """What was said before the command's own name, and where an unexpected error is written down."""

    practice: Path | None = None
    data: Path | None = None


def place(practice: Path | None) -> Path:
    """The practice.toml that is meant."""
    if practice or Given.practice:
        return practice or Given.practice or DEFAULT
    return Path(os.environ.get(ENVIRONMENT) or DEFAULT)
