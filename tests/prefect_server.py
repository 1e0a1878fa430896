"""One real Prefect server for the whole test session, with the settings that let flows run against it."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tending.server import Server, start_server

if TYPE_CHECKING:  # Prefect takes seconds to import, and most tests do without
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and only waits to be collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(state.stdout.strip()) and not state.stdout.strip().startswith("Z")


def pytest_configure(config: pytest.Config) -> None:
    """Prefect closes neither the client that asks once where results are stored, nor a runner's websocket."""
    config.addinivalue_line("filterwarnings", "ignore:unclosed <socket:ResourceWarning")
    config.addinivalue_line("filterwarnings", "ignore:unclosed transport:ResourceWarning")


@contextlib.contextmanager
def pointed_at(server: Server) -> Iterator[None]:
    """Within it flows find this server, in this process (Prefect may be imported already) and in those a runner starts.

    The environment stays as it was: a command that a test runs starts a server of its own, as it would for a user.
    """
    from prefect import settings
    from prefect.settings import temporary_settings

    updates = {
        settings.PREFECT_API_URL: server.api_url,
        settings.PREFECT_HOME: server.folder,
        settings.PREFECT_SERVER_EPHEMERAL_ENABLED: False,
        settings.PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore",
    }
    with temporary_settings(updates):
        yield


async def runs_of(client: "PrefectClient", flow_name: str) -> list["FlowRun"]:
    """The newest runs of one flow; without a filter a server that other tests use too answers with theirs (200 at most)."""
    from prefect.client.schemas.filters import FlowFilter, FlowFilterName
    from prefect.client.schemas.sorting import FlowRunSort

    named = FlowFilter(name=FlowFilterName(any_=[flow_name]))
    return await client.read_flow_runs(flow_filter=named, sort=FlowRunSort.START_TIME_DESC)


async def logs_of(client: "PrefectClient", flow_name: str) -> list[str]:
    """What the newest runs of one flow said, as far as the server has it by now."""
    from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId

    runs = [run.id for run in await runs_of(client, flow_name)]
    logs = await client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=runs)))
    return [log.message for log in logs]


@pytest.fixture(scope="session")
def migrated_prefect(request: pytest.FixtureRequest) -> Path:
    """A folder with a migrated, empty database of this Prefect version, kept between test sessions."""
    cache: Path = request.config.rootpath / ".pytest_cache" / "tending" / f"prefect-{version('prefect')}"
    made = cache / "prefect.db"
    if not made.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="tending-prefect-") as folder:
            start_server(Path(folder)).stop()
            new = cache / f"{os.getpid()}.new"
            # sqlite's own copy takes along what the write-ahead log still holds.
            with (
                contextlib.closing(sqlite3.connect(Path(folder) / "prefect.db")) as source,
                contextlib.closing(sqlite3.connect(new)) as copy,
            ):
                source.backup(copy)
            new.replace(made)
    return cache


@pytest.fixture
def prefect_folder(migrated_prefect: Path, tmp_path: Path) -> Path:
    """A folder for a server of a test's own, which starts in seconds."""
    return Path(shutil.copytree(migrated_prefect, tmp_path / "prefect"))


@pytest.fixture(scope="session")
def prefect_server(migrated_prefect: Path) -> Iterator[Server]:
    """A running server in a folder of its own; in-process flows and served ones find it while the session lasts."""
    with tempfile.TemporaryDirectory(prefix="tending-prefect-") as made:
        folder = Path(shutil.copytree(migrated_prefect, Path(made) / "prefect"))
        with start_server(folder) as server, pointed_at(server):
            yield server
            from tending.serving import hand_over

            asyncio.run(hand_over())
