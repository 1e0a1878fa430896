"""The practice that a run works on: the one its process has open, or the one that the environment names."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from integrations.practice import Practice, open_practice
from models.errors import SettingsError

VARIABLE = "TENDING_PRACTICE"


@dataclass(slots=True)
class Loan:
    """An open practice lent to runs of this process. `begun` once a run has taken it, `ended` once that run is through."""

    practice: Practice
    holder: str
    begun: bool = False
    ended: bool = False


_LENT: ContextVar[Loan | None] = ContextVar("lent_practice", default=None)


@contextmanager
def lend(practice: Practice, holder: str) -> Iterator[Loan]:
    """Within it, runs in this context work on `practice`; `holder` says for people who runs them."""
    loan = Loan(practice, holder)
    token = _LENT.set(loan)
    try:
        yield loan
    finally:
        _LENT.reset(token)


@contextmanager
def opened() -> Iterator[tuple[Practice, str]]:
    """The practice of this run and who runs it. Raises SettingsError where neither is known."""
    loan = _LENT.get()
    if loan is not None:
        loan.begun = True
        yield loan.practice, loan.holder
        loan.ended = True
        return
    path = os.environ.get(VARIABLE, "")
    if not path:
        raise SettingsError(f"The environment variable {VARIABLE} is not set; put the path of practice.toml into it.")
    with open_practice(Path(path)) as practice:
        yield practice, "prefect"
