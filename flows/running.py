"""What workflows do alike: their moment, reading sources, blocking work with progress, the run's name, what an administrator sees."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar

from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.states import Completed

from flows.workflow import Workflow, where
from integrations.opened import opened
from integrations.practice import Practice
from integrations.store import facts, overview
from integrations.store.leases import LeaseHeld
from integrations.syncing import Synced, sync_alone
from integrations.threads import in_thread
from models.errors import UsageError
from models.instants import Instant, instant_of, wall_of
from models.rules import all_rules

P = ParamSpec("P")
R = TypeVar("R")

LOG = logging.getLogger("tending.flows")
SHOWN_FINDINGS = 500
SHOWN_WITHIN = 15.0  # seconds that showing may take before the run goes on without it
PROGRESS_SECONDS = 1.0

Outcome = State[dict[str, Any]]


def moment(now: str | None) -> Instant:
    """The instant that a run works at: the one given as ISO text with an offset, or the real now. Raises UsageError."""
    if now is None:
        return instant_of(datetime.now(UTC))
    try:
        return instant_of(datetime.fromisoformat(now))
    except ValueError:
        raise UsageError("The parameter now is an ISO instant with its offset, such as 2026-11-03T08:00:00Z.") from None


def already_running() -> Outcome:
    """How a run ends that found another one at the same work."""
    return Completed(name="Already running", message="already running: another run is at it", data={"already": True})


def done(message: str, data: dict[str, Any] | None = None, *, name: str = "Completed") -> Outcome:
    """How a run ends: a sentence of counts for people, and the counts."""
    return Completed(name=name, message=message, data=data or {})


async def sync(workflow: Workflow, kind: str, sources: list[str] | None, now: str | None) -> Outcome:
    """The run of a workflow that reads all sources of a kind, or those of these names; what follows is decided by a run of its own.

    One that cannot be read never stops the others. Raises UsageError.
    """
    at = moment(now)
    title = workflow.name.replace("_", " ").capitalize()
    with opened() as (practice, holder):
        settings = practice.settings
        wanted = [settings.source_named(name) for name in sources] if sources is not None else settings.source
        mine = [source for source in wanted if source.kind == kind]

        def work(progress: Callable[[int], None]) -> tuple[Synced, list[Exception]]:
            return sync_alone(practice, workflow.name, mine, at, holder, progress=progress)

        key = f"{workflow.name.replace('_', '-')}-progress"
        try:
            synced, faults = await with_progress(work, of=len(mine), key=key, title="Sources read")
        except LeaseHeld:
            return already_running()
        log_faults(faults, "a source could not be read")
        await name_run(f"{title}: {synced.read} of {len(mine)} read")
        await record(practice, workflow.name, at, synced.said)
    return done(synced.said, synced.counts, name="Some unread" if synced.failed else "Completed")


async def with_progress(work: Callable[[Callable[[int], None]], R], *, of: int | None, key: str, title: str) -> R:
    """Run blocking work that reports how far it is; a progress artifact shows it when that takes longer than a second.

    `of` is how much there is to do, None where nobody knows.
    """
    far = 0

    def report(number: int) -> None:
        nonlocal far
        far = number

    task = asyncio.create_task(in_thread(work, report))
    shown: Any = None
    try:
        while True:
            finished, _ = await asyncio.wait({task}, timeout=PROGRESS_SECONDS)
            if finished:
                return task.result()
            share = min(99.0, 100.0 * far / of) if of else 0.0
            said = f"{title}: {far} so far." if not of else f"{title}: {far} of {of}."
            if shown is None:
                shown = await quietly(acreate_progress_artifact(share, key=key, description=said))
            else:
                await quietly(aupdate_progress_artifact(shown, share, description=said))
    finally:
        task.cancel()
        if shown is not None:
            await quietly(aupdate_progress_artifact(shown, 100.0, description=f"{title}: done, {far}."))


async def quietly(showing: Coroutine[Any, Any, R]) -> R | None:
    """Show something, or not: that the server does not answer never matters to the work."""
    try:
        async with asyncio.timeout(SHOWN_WITHIN):
            return await showing
    except Exception as error:
        LOG.warning("something could not be shown in Prefect (%s)", type(error).__name__)
        return None


async def name_run(title: str) -> None:
    """Give this run a name in plain words; counts, never a code or a name."""

    async def rename(run_id: Any) -> None:
        async with get_client() as client:
            await client.update_flow_run(run_id, name=title)

    context = FlowRunContext.get()
    if context is not None and context.flow_run is not None:
        await quietly(rename(context.flow_run.id))


def log_faults(errors: list[Exception], what: str) -> None:
    """Log where of ours something went wrong, and nothing of what it was about."""
    for error in errors:
        LOG.error("%s (%s)", what, where(error))


async def record(practice: Practice, workflow: str, now: Instant, said: str) -> None:
    """Write down what this run came to, and show it with the last runs of all workflows (artifact `last-run`)."""

    def write() -> dict[str, dict[str, Any]]:
        with practice.store.write() as connection:
            overview.record_run(connection, workflow, now, said)
            return overview.last_runs(connection)

    runs = await in_thread(write)
    rows = [
        {
            "workflow": name.replace("_", " ").capitalize(),
            "at": wall_of(run["at"], practice.zone),
            "came to": run["said"],
        }
        for name, run in sorted(runs.items())
    ]
    await quietly(
        acreate_table_artifact(
            rows, key="last-run", description=f"What the last run of each workflow came to; times of {practice.zone}."
        )
    )


async def show_open_findings(practice: Practice, *, anyway: bool = False) -> None:
    """The artifact `open-findings`, a new version whenever it differs from the last: code, what, since, therapist."""

    def read() -> tuple[int, list[overview.OpenFinding]]:
        with practice.store.read() as connection:
            return overview.open_findings(connection, SHOWN_FINDINGS)

    count, found = await in_thread(read)
    labels = {name: kind.label for rule in all_rules() for name, kind in rule.kinds.items()}
    rows = [
        {
            "code": each.code,
            "what": labels.get(each.kind, each.kind)
            + (", to sort" if each.sorting else ", answered" if each.answered else ""),
            "since": wall_of(each.since, practice.zone)[:10],
            "therapist": each.therapist,
        }
        for each in found
    ]
    said = _needs_doing(count, sum(each.sorting for each in found), sum(each.answered for each in found))
    if count > len(found):
        said += f" The newest {len(found)} are shown; `tending findings` lists all."
    content = [said, rows]
    if anyway or await in_thread(_differs, practice, "open-findings", content):
        made = await quietly(acreate_table_artifact(rows, key="open-findings", description=said))
        await _shown(practice, "open-findings", content, made is not None)


def _needs_doing(count: int, sorting: int, answered: int) -> str:
    if not count:
        return "Nothing needs doing: no finding is open."
    many = "1 finding is open" if count == 1 else f"{count} findings are open"
    parts = [f"{sorting} so from the first look, to be sorted"] * bool(sorting)
    parts += [f"{answered} answered and still so"] * bool(answered)
    if not parts:
        return f"{many}: each waits for its therapist."
    others = "; the others wait for their therapist" if count > sorting + answered else ""
    return f"{many}. Of those shown {' and '.join(parts)}{others}."


async def show_table(practice: Practice, key: str, said: str, rows: list[dict[str, Any]]) -> None:
    """A table artifact under a sentence, a new version whenever either differs from the last."""
    content = [said, rows]
    if await in_thread(_differs, practice, key, content):
        made = await quietly(acreate_table_artifact(rows, key=key, description=said))
        await _shown(practice, key, content, made is not None)


async def show(practice: Practice, key: str, text: str) -> None:
    """A text artifact, a new version whenever it differs from the last."""
    if await in_thread(_differs, practice, key, text):
        made = await quietly(acreate_markdown_artifact(text, key=key))
        await _shown(practice, key, text, made is not None)


def _mark(content: object) -> str:
    return hashlib.blake2b(repr(content).encode(), digest_size=12).hexdigest()


def _differs(practice: Practice, key: str, content: object) -> bool:
    with practice.store.read() as connection:
        return facts.get(connection, f"shown.{key}") != _mark(content)


async def _shown(practice: Practice, key: str, content: object, made: bool) -> None:
    def write() -> None:
        with practice.store.write() as connection:
            facts.put(connection, f"shown.{key}", _mark(content))

    if made:
        await in_thread(write)
