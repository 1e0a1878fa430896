"""What a workflow declares about itself, and the wrapper that keeps what went wrong free of anybody's data."""

import functools
import os
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar

from models.errors import TendingError

P = ParamSpec("P")
R = TypeVar("R")

STARTER = "TENDING_STARTER"
"""The variable with the id of the process that serves workflows; runs in processes of their own watch it."""

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Workflow:
    """One workflow as it is served: every file of `flows/` that has a flow defines `WORKFLOW = Workflow(...)`.

    `name` is the file's; `title` is what an administrator reads; `entrypoint` is a module path,
    `flows.NAME.FUNCTION`. `cron` has five fields, read in `zone` or, when that is None, in the practice's zone;
    without it the workflow runs when asked. `triggers` are names of events that other systems emit into Prefect and
    that start a run. `parameters` are a served run's; they hold no more than codes.
    """

    name: str
    title: str
    entrypoint: str
    cron: str | None = None
    zone: str | None = None
    triggers: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        module, _, function = self.entrypoint.rpartition(".")
        if not module.endswith(self.name) or not function.isidentifier():
            raise ValueError(f"the entrypoint of workflow {self.name} is a module path ending in {self.name}.FUNCTION")
        if self.cron is not None and len(self.cron.split()) != 5:
            raise ValueError(f"the schedule of workflow {self.name} has five fields: minute, hour, day, month, weekday")


class WorkflowError(Exception):
    """A workflow stopped at a fault of ours; says what kind and where, never with what data."""


def tells_no_data(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Wrap the function of an `@flow`, beneath that decorator: Prefect stores the text of whatever leaves a flow.

    A TendingError passes with its own sentence, which by contract holds no content, but without the chain of errors
    behind it. Any other error leaves as a WorkflowError that names its kind and the line of ours that it came from.
    """

    @functools.wraps(function)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        _end_with_the_starter()
        try:
            return await function(*args, **kwargs)
        except TendingError as error:
            raise error from None
        except Exception as error:
            raise WorkflowError(where(error)) from None

    return guarded


@functools.cache
def _end_with_the_starter() -> None:
    """In the process of a served run: end when the process that serves is gone, however it went.

    Prefect's own code would go on for minutes, trying to reach a server that went with it.
    """
    starter = int(os.environ.get(STARTER, "0"))
    if not starter or starter == os.getpid():
        return

    def watch() -> None:
        while os.getppid() == starter:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, name="end with the starter", daemon=True).start()


def where(error: BaseException) -> str:
    """The kind of an error and the innermost line of ours that it passed, `ValueError at folder/file.py:line`; nothing of what it says."""
    place = "an unknown place"
    for frame, line in traceback.walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        if path == Path(__file__):  # the wrapper saw everything pass
            continue
        if path.is_relative_to(_ROOT) and path.parts[len(_ROOT.parts)] in (
            "tending",
            "flows",
            "integrations",
            "models",
        ):
            place = f"{path.relative_to(_ROOT)}:{line}"
    return f"{type(error).__name__} at {place}"
