"""Turns workflows into deployments that Prefect schedules, and runs what falls due, as one task beside the reactor.

Import it only after `tending.server.apply_environment`: it imports Prefect, which reads its settings then.
"""

import asyncio
import contextlib
import inspect
import signal
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterNextScheduledStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import (
    ConcurrencyLimitConfig,
    ConcurrencyLimitStrategy,
    FlowRun,
    State,
    StateType,
)
from prefect.client.schemas.sorting import FlowRunSort
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentEventTrigger
from prefect.events.worker import EventsWorker
from prefect.exceptions import ObjectNotFound
from prefect.flows import load_flow_from_entrypoint
from prefect.logging.handlers import APILogWorker
from prefect.runner import Runner
from prefect.schedules import Cron
from prefect.states import Crashed
from prefect.types.entrypoint import EntrypointType

from flows.workflow import Workflow

TAG = "tending"
POLL_SECONDS = 10.0
RUNS_AT_ONCE = 2
LATE_CHECK_SECONDS = 60.0
STOP_SECONDS = 20.0
PAGE = 200


def deployment_of(workflow: Workflow, *, zone: str) -> RunnerDeployment:
    """The deployment of a workflow, not yet registered; `zone` is the practice's, for schedules that name none."""
    return RunnerDeployment.from_flow(
        load_flow_from_entrypoint(workflow.entrypoint, use_placeholder_flow=False),
        name=workflow.title,
        schedules=[Cron(workflow.cron, timezone=workflow.zone or zone)] if workflow.cron else [],
        parameters=dict(workflow.parameters),
        triggers=[
            DeploymentEventTrigger(name=f"{workflow.name} on {event}", expect={event}) for event in workflow.triggers
        ],
        tags=[TAG],
        # The workflow's own lease keeps runs from overlapping whoever starts them; this one shows it in the pages and
        # spares the process that the second would need.
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
        entrypoint_type=EntrypointType.MODULE_PATH,  # a file entrypoint would make the file a second module
    )


async def serve(
    workflows: Sequence[Workflow],
    *,
    zone: str,
    alone: bool,
    poll_seconds: float = POLL_SECONDS,
    limit: int = RUNS_AT_ONCE,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Register the workflows and run what falls due, until cancelled; runs still going are then stopped.

    `alone` says that no other process serves against this server (it is ours): then what seems to run at the start
    cannot, and is marked as interrupted. `limit` is how many runs go at once, each in a process of its own.
    `on_ready` is called when all deployments stand and the first look for due runs is about to be made.
    """
    deployments = [deployment_of(workflow, zone=zone) for workflow in workflows]
    runner = Runner(name=TAG, query_seconds=poll_seconds, limit=limit, pause_on_shutdown=False)
    async with get_client() as client:
        if alone:
            await mark_interrupted(client, [str(deployment.flow_name) for deployment in deployments])
        ids = [await runner.aadd_deployment(deployment) for deployment in deployments]
        await forget_others(client, ids)
        await skip_late_runs(client, ids)
        running = _start(runner)
        try:
            if on_ready:
                on_ready()
            while True:
                done, _ = await asyncio.wait({running}, timeout=LATE_CHECK_SECONDS)
                if done:
                    running.result()
                    return
                # A machine that slept, or one run that took long, leaves late runs behind as a restart does.
                await skip_late_runs(client, ids, older_than=timedelta(seconds=LATE_CHECK_SECONDS))
        finally:
            await _stop(runner, running)


def _start(runner: Runner) -> asyncio.Task[None]:
    """Start the runner without letting it take SIGTERM, which is for the whole process to answer."""
    before = signal.getsignal(signal.SIGTERM)

    async def run() -> None:
        asyncio.get_running_loop().call_soon(_give_back, before)
        await runner.start()

    return asyncio.create_task(run(), name="served workflows")


def _give_back(handler: signal.Handlers | int | Callable[..., object] | None) -> None:
    with contextlib.suppress(ValueError):  # not in the main thread: then the runner took no signal either
        signal.signal(signal.SIGTERM, handler if handler is not None else signal.SIG_DFL)


async def _stop(runner: Runner, running: asyncio.Task[None]) -> None:
    with contextlib.suppress(
        Exception, asyncio.TimeoutError
    ):  # the server may be gone already; the processes must end all the same
        if runner.started:
            async with asyncio.timeout(STOP_SECONDS):
                await runner.astop()
    running.cancel()
    await asyncio.wait({running}, timeout=STOP_SECONDS)


async def hand_over(seconds: float = 5.0) -> None:
    """Send what runs in this process have logged and emitted, which Prefect does from the background: await it before the
    server is stopped, or the last lines of the last runs are lost and it says so in the terminal."""
    for worker in (APILogWorker, EventsWorker):
        drained = worker.drain_all(timeout=seconds)
        if inspect.isawaitable(drained):
            await drained


async def mark_interrupted(client: PrefectClient, flow_names: Sequence[str]) -> int:
    """Mark runs that a process left behind as running: they hold slots and look alive. Gives how many there were."""
    count = 0
    going = FlowRunFilterState(
        type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.CANCELLING])
    )
    for run in await _all_runs(
        client, FlowRunFilter(state=going), FlowFilter(name=FlowFilterName(any_=list(flow_names)))
    ):
        state: State[None] = Crashed(message="Interrupted: Tending was stopped before this run had ended.")
        with contextlib.suppress(ObjectNotFound):
            await client.set_flow_run_state(run.id, state, force=True)
            count += 1
    return count


async def skip_late_runs(
    client: PrefectClient, deployments: Sequence[UUID], *, older_than: timedelta = timedelta(0)
) -> int:
    """Of each deployment's scheduled runs whose time has passed, keep the newest and delete the others; gives how many.

    A sweep looks at what is due now: five late ones in a row do no more than one.
    """
    late = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=list(deployments)),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        next_scheduled_start_time=FlowRunFilterNextScheduledStartTime(before_=datetime.now(UTC) - older_than),
    )
    runs = [run for run in await _all_runs(client, late) if run.auto_scheduled and run.next_scheduled_start_time]
    count = 0
    for _, group in groupby(sorted(runs, key=_by_deployment_and_time), key=lambda run: run.deployment_id):
        for run in list(group)[:-1]:
            with contextlib.suppress(ObjectNotFound):
                await client.delete_flow_run(run.id)
                count += 1
    return count


async def forget_others(client: PrefectClient, deployments: Sequence[UUID]) -> int:
    """Delete deployments of ours that are served no more: their schedules would go on making runs that nobody takes."""
    ours = await client.read_deployments(
        deployment_filter=DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG])), limit=PAGE
    )
    gone = [deployment.id for deployment in ours if deployment.id not in deployments]
    for each in gone:
        await client.delete_deployment(each)
    return len(gone)


def _by_deployment_and_time(run: FlowRun) -> tuple[str, datetime]:
    return str(run.deployment_id), run.next_scheduled_start_time or datetime.min.replace(tzinfo=UTC)


async def _all_runs(client: PrefectClient, runs: FlowRunFilter, flows: FlowFilter | None = None) -> list[FlowRun]:
    found: list[FlowRun] = []
    while True:
        page = await client.read_flow_runs(
            flow_filter=flows, flow_run_filter=runs, sort=FlowRunSort.ID_DESC, limit=PAGE, offset=len(found)
        )
        found += page
        if len(page) < PAGE:
            return found
