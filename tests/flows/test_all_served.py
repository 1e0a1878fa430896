"""The practice's own workflows as `tending up` serves them: each is a deployment whose run does its work, and events from elsewhere start
runs as docs/events.md says."""

import asyncio
import re
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.events import emit_event

from integrations.messages.mailbox import Mailbox
from models.settings import PrefectPart
from tending.server import Server
from tending.serving import TAG, hand_over
from tests.faults.canary import Search, files_in
from tests.flows.clinic import NAME, OTHER, make_clinic
from tests.flows.test_serving import until
from tests.flows.test_up import start, within
from tests.prefect_server import pointed_at

LEAP_DAY = "58 23 29 2 *"
# No run of a schedule or of the reactor's is wanted here: it would refuse the one that is started by hand.
SELDOM = "[prefect]\n" + "".join(f'{name} = "{LEAP_DAY}"\n' for name in PrefectPart.model_fields if name != "port")
BUSY = "Already running"  # what a run ends as that found the reactor at the same work
TRIES = 5
LONG = 300.0  # seconds; each run is a process that imports Prefect, two go at once, and the machine may be busy


@asynccontextmanager
async def practice_up(folder: Path, mailbox: Mailbox, migrated: Path, root: Path) -> AsyncIterator[Server]:
    """A small practice, armed, whose `tending up` runs as a process of its own; where its Prefect server is."""
    clinic = make_clinic(folder, mailbox, extra=SELDOM)
    clinic.arm()
    clinic.practice.close()
    shutil.copytree(migrated, folder / "data" / "prefect")
    out = folder.with_suffix(".out")
    process = start(clinic, root, out)
    try:
        ready = ("Prefect's pages", "Ctrl-C stops")
        assert await asyncio.to_thread(within, 90, lambda: all(words in out.read_text() for words in ready)), (
            out.read_text()
        )
        found = re.search(r"pages: (http://127\.0\.0\.1:\d+)", out.read_text())
        assert found
        yield Server(folder / "data" / "prefect", f"{found[1]}/api", found[1])
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 30) == 0, out.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


async def runs_of(client: PrefectClient, deployment: UUID, but: set[UUID]) -> list[FlowRun]:
    """A deployment's runs that were started by hand or by an event, without those known already."""
    only = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment]))
    found = await client.read_flow_runs(flow_run_filter=only)
    return [run for run in found if not run.auto_scheduled and run.id not in but]


async def ended(
    client: PrefectClient, deployment: DeploymentResponse, begin: Callable[[], Awaitable[object]], known: set[UUID]
) -> FlowRun:
    """The one run that `begin` starts, at its end; begun again where the reactor was at the same work."""
    tries = 0
    while True:
        await begin()

        async def final() -> bool:
            runs = await runs_of(client, deployment.id, known)
            return bool(runs) and all(run.state is not None and run.state.is_final() for run in runs)

        assert await until(LONG, final), f"{deployment.name}: no run of it came to an end"
        (run,) = await runs_of(client, deployment.id, known)
        known.add(run.id)
        tries += 1
        if run.state_name != BUSY or tries == TRIES:
            return run


def did_its_work(run: FlowRun) -> bool:
    """Completed, and named by the flow itself after what it came to: `Calendar sync: 1 of 1 read`."""
    return run.state_name == "Completed" and re.search(r"^[A-Z][^:]+: .*\d", run.name) is not None


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_every_workflow_runs_as_deployment_and_on_its_events(
    migrated_prefect: Path, tmp_path: Path, mailbox: Mailbox, root: Path
) -> None:
    files = {path.stem for path in (root / "flows").glob("*.py") if re.search(r"^@flow\(", path.read_text(), re.M)}
    told = dict(re.findall(r"^\| `(clinic\.[a-z.]+)` \| (.+?) \|$", (root / "docs" / "events.md").read_text(), re.M))
    listens = {"clinic.calendar.changed": "calendar_sync", "clinic.records.exported": "record_sync"}
    assert told.keys() == listens.keys()
    async with practice_up(tmp_path / "clinic", mailbox, migrated_prefect, root) as server:
        with pointed_at(server):
            async with get_client() as client:
                served = [one for one in await client.read_deployments() if TAG in one.tags]
                named = {str(one.entrypoint).split(".")[1]: one for one in served}
                assert {str(one.entrypoint) for one in served} == {f"flows.{name}.{name}" for name in files}
                known: set[UUID] = set()

                async def by_hand(one: DeploymentResponse) -> FlowRun:
                    return await ended(client, one, lambda: client.create_flow_run_from_deployment(one.id), known)

                runs = await asyncio.gather(*map(by_hand, served))
                for run in runs:
                    assert did_its_work(run), f"{run.name}: {run.state}"

                async def by_event(event: str) -> FlowRun:
                    async def emit() -> None:
                        emit_event(event, resource={"prefect.resource.id": "clinic.hook"})

                    return await ended(client, named[listens[event]], emit, known)

                for event in listens:
                    run = await by_event(event)
                    assert did_its_work(run), f"{event}: {run.name}: {run.state}"
                    assert run.created_by is not None
                    assert run.created_by.type == "AUTOMATION"
            await hand_over()
        held = files_in(server.folder, without="ui")
    assert any(b"Record sync: 1 of 1 read" in part for part in held.values())
    assert not Search([NAME, OTHER]).in_sink(held)
