"""Served workflows: a scheduled tick really fires, runs do not overlap, and what a stop left behind does not pile up."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import OrchestrationResult
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.events import emit_event
from prefect.schedules import Interval
from prefect.states import Pending, Running

from flows.workflow import Workflow, WorkflowError, tells_no_data
from models.errors import TendingError
from tending.prefect_settings import PRACTICE
from tending.server import Server, start_server
from tending.serving import TAG, deployment_of, forget_others, mark_interrupted, serve, skip_late_runs
from tests.prefect_server import alive, logs_of, pointed_at, runs_of

TICK = Workflow("served", "each minute", "tests.flows.served.tick", cron="* * * * *")
SLOW = Workflow("served", "when asked", "tests.flows.served.slow", triggers=("clinic.room.freed",))

PRACTICE_FILE = "practice.toml"


async def until(seconds: float, true: Callable[[], Awaitable[bool]]) -> bool:
    """Whether it becomes true in that time."""
    end = time.monotonic() + seconds
    while not await true():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.5)
    return True


async def runs_from(client: PrefectClient, deployment: UUID) -> list[FlowRun]:
    """All runs of a deployment."""
    only = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment]))
    return await client.read_flow_runs(flow_run_filter=only)


def children(of: int) -> set[int]:
    """Processes that a process has started and that still run."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,comm="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return {int(pid) for pid, parent, command in rows if int(parent) == of and not command.endswith("ps")}


def state_names(runs: list[FlowRun]) -> list[str]:
    """Names of the runs' states in order."""
    return sorted(run.state.name or "" for run in runs if run.state)


@pytest.mark.timeout(180)
@pytest.mark.long
async def test_a_scheduled_tick_fires_and_runs_of_one_workflow_do_not_overlap(
    prefect_server: Server, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    monkeypatch.setenv(PRACTICE, str(tmp_path / PRACTICE_FILE))
    monkeypatch.chdir(tmp_path)  # the modules are found wherever the command is run
    before, handler = children(os.getpid()), signal.getsignal(signal.SIGTERM)
    ready = asyncio.Event()
    serving = asyncio.create_task(
        serve([TICK, SLOW], zone="Europe/Berlin", alone=True, poll_seconds=1, on_ready=ready.set)
    )
    async with get_client() as client:
        try:
            ready_or_failed = asyncio.create_task(ready.wait())
            await asyncio.wait({serving, ready_or_failed}, timeout=30, return_when=asyncio.FIRST_COMPLETED)
            assert ready.is_set()
            slow = await client.read_deployment_by_name("Takes a while/when asked")
            tick = await client.read_deployment_by_name("Ticks each minute/each minute")
            assert tick.entrypoint == "tests.flows.served.tick"
            assert tick.path is None
            assert tick.schedules[0].schedule == CronSchedule(cron="* * * * *", timezone="Europe/Berlin")

            # Two at once: the second is told, without a process of its own.
            for _ in range(2):
                await client.create_flow_run_from_deployment(slow.id)

            async def both_ended() -> bool:
                return state_names(await runs_from(client, slow.id)) == ["Cancelled", "Completed"]

            assert await until(40, both_ended), state_names(await runs_from(client, slow.id))
            assert signal.getsignal(signal.SIGTERM) == handler

            # An event from elsewhere starts a run.
            emit_event("clinic.room.freed", resource={"prefect.resource.id": "clinic.room.3"})

            async def started_by_the_event() -> bool:
                return len(await runs_from(client, slow.id)) == 3

            assert await until(20, started_by_the_event)

            async def ticked() -> bool:
                done = [run for run in await runs_from(client, tick.id) if run.state and run.state.is_completed()]
                return any(run.auto_scheduled for run in done)

            assert await until(80, ticked), state_names(await runs_from(client, tick.id))

            async def told() -> bool:
                return f"practice at {tmp_path / PRACTICE_FILE}" in await logs_of(client, "Ticks each minute")

            assert await until(10, told)
        finally:
            serving.cancel()
            await asyncio.wait({serving}, timeout=40)
        assert serving.cancelled()
        assert children(os.getpid()) <= before
        # Stopping does not switch the schedules off.
        assert not (await client.read_deployment(tick.id)).paused
        # A workflow that is no longer there is forgotten, others' deployments are not.
        assert await forget_others(client, [tick.id]) == 1
        assert [each.id for each in await client.read_deployments() if TAG in each.tags] == [tick.id]
        await client.delete_deployment(tick.id)


@pytest.mark.long
async def test_of_late_runs_the_newest_stays(prefect_server: Server) -> None:
    often = [Interval(timedelta(seconds=2), anchor_date=datetime(2026, 1, 1, tzinfo=UTC))]
    deployment = RunnerDeployment.from_flow(flow(name="late")(never_run), name="late", schedules=often)
    made = await deployment.aapply()
    async with get_client() as client:

        async def three_late() -> bool:
            due = [run.next_scheduled_start_time for run in await runs_from(client, made)]
            return sum(time is not None and time < datetime.now(UTC) for time in due) >= 3

        assert await until(40, three_late)
        await client.pause_deployment(made)
        scheduled = {run.id: run.next_scheduled_start_time for run in await runs_from(client, made)}
        await skip_late_runs(client, [made], older_than=timedelta(hours=1))
        assert {run.id for run in await runs_from(client, made)} == set(scheduled)
        now = datetime.now(UTC)
        skipped = await skip_late_runs(client, [made])
        left = {run.id for run in await runs_from(client, made)}
        late = sorted((time, run) for run, time in scheduled.items() if time is not None and time < now)
        assert skipped == len(late) - 1
        assert left == set(scheduled) - {run for _, run in late[:-1]}
        await client.delete_deployment(made)


async def never_run() -> None:
    """Stands for a workflow; never run."""


@pytest.mark.timeout(180)
@pytest.mark.long
async def test_a_run_cut_off_by_a_power_failure_does_not_block_the_next(prefect_folder: Path) -> None:
    server = start_server(prefect_folder)
    with pointed_at(server):
        made = await deployment_of(SLOW, zone="UTC").aapply()
        async with get_client() as client:
            cut_off = await client.create_flow_run_from_deployment(made)
            await client.set_flow_run_state(cut_off.id, Pending())
            await client.set_flow_run_state(cut_off.id, Running())
            second = await client.create_flow_run_from_deployment(made)
            refused: OrchestrationResult[None] = await client.set_flow_run_state(second.id, Pending())
            assert refused.state
            assert refused.state.is_cancelled()
    assert server.pid
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    with start_server(prefect_folder) as again, pointed_at(again):
        async with get_client() as client:
            assert await mark_interrupted(client, ["Takes a while"]) == 1
            state = (await client.read_flow_run(cut_off.id)).state
            assert state
            assert state.is_crashed()
            third = await client.create_flow_run_from_deployment(made)
            accepted: OrchestrationResult[None] = await client.set_flow_run_state(third.id, Pending())
            assert accepted.state
            assert accepted.state.is_pending()


async def test_nothing_of_a_client_leaves_a_flow_that_fails(prefect_server: Server) -> None:
    @flow(name="fails")
    @tells_no_data
    async def fails(of_ours: bool) -> None:
        try:
            raise KeyError("Zoë Ångström-Müller")
        except KeyError as error:
            if of_ours:
                raise TendingError("clients.csv, row 4: the date is impossible; correct it.") from error
            raise ValueError("no such client: Zoë Ångström-Müller") from error

    with pytest.raises(WorkflowError, match="ValueError at an unknown place"):
        await fails(False)
    with pytest.raises(TendingError, match="row 4"):
        await fails(True)
    async with get_client() as client:

        async def logged() -> bool:
            return any("row 4" in message for message in await logs_of(client, "fails"))

        assert await until(20, logged)
        logs = await logs_of(client, "fails")
        runs = await runs_of(client, "fails")
    assert len(runs) == 2
    assert all(run.state and run.state.is_failed() for run in runs)
    for text in [*logs, *(str(run.state) for run in runs)]:
        assert "ngstr" not in text


def test_a_workflow_declares_what_can_be_served() -> None:
    with pytest.raises(ValueError, match="module path"):
        Workflow("sweep", "Sweep", "flows/sweep.py:sweep")
    with pytest.raises(ValueError, match="five fields"):
        Workflow("sweep", "Sweep", "flows.sweep.sweep", cron="hourly")


SERVER_AND_A_RUN = """
import asyncio, sys
from pathlib import Path
from tending.prefect_settings import apply_environment, client_environment
from tending.server import start_server

async def main():
    from prefect.client.orchestration import get_client
    from flows.workflow import Workflow
    from tending.serving import serve
    ready = asyncio.Event()
    workflow = Workflow("served", "when asked", "tests.flows.served.long")
    serving = asyncio.create_task(serve([workflow], zone="UTC", alone=True, poll_seconds=1, on_ready=ready.set))
    await ready.wait()
    async with get_client() as client:
        made = await client.read_deployment_by_name("Takes very long/when asked")
        run = await client.create_flow_run_from_deployment(made.id)
        while not (await client.read_flow_run(run.id)).state.is_running():
            await asyncio.sleep(0.1)
    print("running", flush=True)
    await serving

server = start_server(Path(sys.argv[1]))
apply_environment(client_environment(server))
asyncio.run(main())
"""


@pytest.mark.long
def test_nothing_outlives_a_killed_starter(prefect_folder: Path, root: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER_AND_A_RUN, str(prefect_folder)],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as starter:
        assert starter.stdout
        assert starter.stdout.readline().strip() == "running"
        started = children(starter.pid)
        assert len(started) == 2  # the server and the run
        starter.kill()
    end = time.monotonic() + 15
    while left := [pid for pid in started if alive(pid)]:
        assert time.monotonic() < end, left
        time.sleep(0.2)
