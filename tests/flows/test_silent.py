"""Nothing about a practice is told to whoever makes Prefect: what Prefect makes of our environment, in the server and in a run."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tending.prefect_settings import apply_environment, client_environment
from tending.server import Server, start_server

# What Prefect has in force; whatever an SDK's own analytics would send is decided by the function that is asked here.
ASK = """
import json
from prefect._internal.analytics.enabled import is_telemetry_enabled
from prefect.settings import get_current_settings
now = get_current_settings()
print(json.dumps([is_telemetry_enabled(), now.server.analytics_enabled, now.telemetry.enable_resource_metrics,
                  now.server.ui.show_promotional_content]))
"""


@pytest.fixture
def users(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has switched nothing off, on a machine that is no build server's (where Prefect is silent anyway)."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONTZPATH") if name in os.environ}
    return {**kept, "HOME": str(tmp_path)}


def in_a_process(environment: Mapping[str, str], folder: Path) -> list[bool]:
    """What a process that imports Prefect in this environment would tell: of use, of the server, of its machine, and advertise."""
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=dict(environment), cwd=folder, capture_output=True, text=True, check=True
    )
    said: list[bool] = json.loads(done.stdout)
    return said


def test_a_run_tells_nobody(users: dict[str, str], tmp_path: Path) -> None:
    assert in_a_process({**users, "PREFECT_HOME": str(tmp_path)}, tmp_path) == [True] * 4  # else this shows nothing
    server = Server(tmp_path, "http://127.0.0.1:1/api", "http://127.0.0.1:1")
    loud = {"PREFECT_SERVER_ANALYTICS_ENABLED": "true", "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "true"}
    environment = {**users, **loud}
    apply_environment(client_environment(server, environ=environment), environment)
    assert in_a_process(environment, tmp_path) == [False] * 4


def test_the_server_tells_nobody(users: dict[str, str], prefect_folder: Path) -> None:
    given = {**users, "DO_NOT_TRACK": "0", "PREFECT_SERVER_ANALYTICS_ENABLED": "true"}
    with start_server(prefect_folder, environ=given) as server:
        with urllib.request.urlopen(f"{server.api_url}/admin/settings", timeout=20) as answer:
            in_force: dict[str, Any] = json.load(answer)
        shown = subprocess.run(
            ["ps", "eww", "-o", "command=", "-p", str(server.pid)], capture_output=True, text=True, check=True
        )
    assert in_force["server"]["analytics_enabled"] is False
    assert in_force["telemetry"]["enable_resource_metrics"] is False
    assert in_force["server"]["ui"]["show_promotional_content"] is False
    assert "DO_NOT_TRACK=1" in shown.stdout.split()
