"""The embedded Prefect server: it starts, keeps to its folder and this machine, and never outlives its starter."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tending.prefect_settings import apply_environment, client_environment, server_environment
from tending.server import Server, start_server
from tending.server_folder import ServerError
from tests.prefect_server import alive, logs_of, runs_of

STARTER = """
import sys, time
from pathlib import Path
from tending.server import start_server
server = start_server(Path(sys.argv[1]))
print(server.pid, flush=True)
time.sleep(600)
"""


def within(seconds: float, true: Callable[[], bool]) -> bool:
    """Whether it becomes true in that time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def get(url: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, dict(refused.headers), ""


def starter(folder: Path) -> subprocess.Popen[str]:
    """Another process that has started a server in the folder."""
    return subprocess.Popen([sys.executable, "-c", STARTER, str(folder)], stdout=subprocess.PIPE, text=True)


def test_the_server_application_imports() -> None:
    from prefect.server.api import server

    assert callable(server.create_app)


def test_it_serves_the_old_pages_from_its_folder_and_lets_them_call_nobody_else(prefect_server: Server) -> None:
    settings = json.loads(get(f"{prefect_server.ui_url}/ui-settings")[2])
    assert settings["default_ui"] == "v1"
    assert settings["api_url"] == prefect_server.api_url
    status, headers, page = get(f"{prefect_server.ui_url}/", Accept="text/html")
    assert status == 200
    assert "<html" in page
    policy = {name.lower(): value for name, value in headers.items()}["content-security-policy"]
    assert policy.startswith("connect-src 'self' ")
    assert "https" not in policy
    assert (prefect_server.folder / "ui").is_dir()
    assert (prefect_server.folder / "prefect.db").exists()


def test_it_refuses_what_another_web_page_asks(prefect_server: Server) -> None:
    health = f"{prefect_server.api_url}/health"
    port = prefect_server.api_url.rsplit(":")[-1].split("/")[0]
    assert get(health)[0] == 200
    assert get(health, Origin=f"http://localhost:{port}")[0] == 200
    assert get(health, Origin="https://evil.example")[0] == 403
    assert get(health, Host="evil.example")[0] == 403  # a name that was made to point here
    answer = _open_websocket(int(port), origin="https://evil.example")
    assert b" 403 " in answer.split(b"\r\n")[0]


def _open_websocket(port: int, *, origin: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as asking:
        asking.sendall(
            f"GET /api/events/in HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        return asking.recv(1000)


def test_a_folder_may_have_any_name(migrated_prefect: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(migrated_prefect, tmp_path / "Práxis #1, 100%?x")
    before = (folder / "prefect.db").stat().st_ino
    with start_server(folder) as server:
        assert get(f"{server.api_url}/admin/version")[0] == 200
    assert (folder / "prefect.db-wal").exists()  # this file is the one that was used
    assert (folder / "prefect.db").stat().st_ino == before
    assert [each.name for each in tmp_path.iterdir()] == [folder.name]


def test_a_taken_port_is_stepped_around_and_stop_ends_only_what_was_started(prefect_folder: Path) -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        waited: list[float] = []
        server = start_server(prefect_folder, port=port, on_wait=waited.append)
        try:
            assert int(server.ui_url.rsplit(":", 1)[1]) > port
            assert waited == sorted(waited)
            assert server.pid
            assert os.getpgid(server.pid) == server.pid  # Ctrl-C in our terminal does not reach it
            log = prefect_folder / "server.log"
            assert log.stat().st_mode & 0o077 == 0
        finally:
            server.stop()
    assert not alive(server.pid)
    assert bystander.poll() is None
    server.stop()  # twice is fine
    bystander.kill()
    bystander.wait()


def test_it_does_not_outlive_a_starter_that_is_killed_and_the_next_start_takes_over(prefect_folder: Path) -> None:
    parent = starter(prefect_folder)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    assert alive(pid)
    with pytest.raises(ServerError, match=f"already runs in .* for process {parent.pid}"):
        start_server(prefect_folder)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    with start_server(prefect_folder) as server:  # at once, while the one left over may still be ending
        assert not alive(pid)
        assert server.pid != pid
    assert within(1, lambda: not alive(server.pid or 0))


@pytest.mark.long
def test_a_server_left_over_that_does_not_end_is_made_to(prefect_folder: Path) -> None:
    parent = starter(prefect_folder)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    os.kill(pid, signal.SIGSTOP)  # it notices nothing any more
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    with start_server(prefect_folder) as server:
        assert not alive(pid)
        assert server.alive()


def test_a_start_that_fails_is_one_sentence_with_the_last_lines_of_the_log(tmp_path: Path) -> None:
    with pytest.raises(ServerError) as failed:
        start_server(tmp_path / "prefect", database_url="sqlite+aiosqlite:////nowhere/at/all/prefect.db")
    said = str(failed.value)
    assert said.startswith("The Prefect server ended with code ")
    assert "server.log" in said
    assert "Traceback" not in said
    assert len(said.splitlines()) <= 4


def test_a_password_is_not_repeated_from_the_log(tmp_path: Path) -> None:
    with pytest.raises(ServerError) as failed:
        start_server(tmp_path / "prefect", database_url="postgresql+nodriver://me:s3cret@127.0.0.1:1/prefect")
    assert "s3cret" not in str(failed.value)


def test_the_users_own_prefect_is_neither_used_nor_changed(tmp_path: Path) -> None:
    theirs = {"PREFECT_API_KEY": "theirs", "PREFECT_LOGGING_LEVEL": "DEBUG", "PREFECT__X": "1", "PATH": "/bin"}
    for_server = server_environment(tmp_path, 4200, database_url=None, auth=None, environ=theirs)
    assert "PREFECT_API_KEY" not in for_server
    assert "PREFECT__X" not in for_server
    assert for_server["PREFECT_LOGGING_LEVEL"] == "WARNING"
    assert for_server["PREFECT_PROFILES_PATH"].startswith(str(tmp_path))
    assert for_server["PATH"] == "/bin"

    server = Server(tmp_path, "http://127.0.0.1:1/api", "http://127.0.0.1:1", auth="a:b")
    server._process = subprocess.Popen(["true"])
    server._process.wait()
    target = dict(theirs)
    apply_environment(client_environment(server, practice=tmp_path / "practice.toml", environ=theirs), target)
    assert "PREFECT_API_KEY" not in target
    assert "PREFECT_LOGGING_LEVEL" not in target
    assert target["PREFECT_API_AUTH_STRING"] == "a:b"
    assert target["PREFECT_HOME"] == str(tmp_path)
    assert target["TENDING_PRACTICE"].endswith("practice.toml")
    assert target["NO_PROXY"] == "127.0.0.1,localhost"


def test_what_lies_in_the_folder_where_the_command_is_run_is_not_read(
    prefect_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PREFECT_SERVER_UI_V2_ENABLED=true\nPREFECT_SERVER_API_AUTH_STRING=a:b\n")
    home = tmp_path / "home"
    (home / ".prefect").mkdir(parents=True)
    profiles = home / ".prefect" / "profiles.toml"
    profiles.write_text('active = "mine"\n[profiles.mine]\nPREFECT_SERVER_API_AUTH_STRING = "c:d"\n')
    written = profiles.read_text()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(home))
    with start_server(prefect_folder) as server:
        assert get(f"{server.api_url}/admin/version")[0] == 200  # no password asked
    assert profiles.read_text() == written
    assert [each.name for each in (home / ".prefect").iterdir()] == ["profiles.toml"]


def test_a_given_server_is_used_and_not_stopped(prefect_server: Server, tmp_path: Path) -> None:
    with start_server(tmp_path, environ={"PREFECT_API_URL": prefect_server.api_url}) as given:
        assert given.pid is None
        assert given.alive()
        kept = client_environment(given, environ={"PREFECT_API_KEY": "theirs", "PREFECT_LOGGING_LEVEL": "DEBUG"})
        assert "PREFECT_API_KEY" not in kept  # left as it is
        assert kept["PREFECT_LOGGING_LEVEL"] == ""
    assert prefect_server.alive()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ServerError, match="does not answer"):
        start_server(tmp_path, environ={"PREFECT_API_URL": "http://127.0.0.1:1/api"})
    with pytest.raises(ServerError, match="does not answer"):
        start_server(tmp_path, environ={"PREFECT_API_URL": "nonsense"})


async def test_a_flow_in_this_process_finds_the_server(prefect_server: Server) -> None:
    from prefect import flow, get_run_logger
    from prefect.client.orchestration import get_client
    from prefect.events import emit_event

    @flow(name="a flow in this process")
    async def hello() -> int:
        get_run_logger().info("said in a run")
        emit_event("tending.test.said", resource={"prefect.resource.id": "tending.test"})
        return 7

    assert await hello() == 7
    async with get_client() as client:
        assert str(client.api_url).rstrip("/") == prefect_server.api_url
        assert len(await runs_of(client, "a flow in this process")) == 1
        end = time.monotonic() + 20
        said: list[str] = []
        seen: list[str] = []
        while not (said and seen) and time.monotonic() < end:
            await asyncio.sleep(0.2)
            said = [said for said in await logs_of(client, "a flow in this process") if said == "said in a run"]
            answer = await client.request(
                "POST", "/events/filter", json={"filter": {"event": {"prefix": ["tending.test."]}}}
            )
            seen = [event["event"] for event in answer.json()["events"]]
        assert said
        assert seen == ["tending.test.said"]


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServerError, match=r"cannot be started: .*file.*: Not a directory"):
        start_server(tmp_path / "file" / "prefect")


@pytest.mark.long
def test_its_database_may_be_postgresql(postgres_database_url: str, tmp_path: Path) -> None:
    url = make_url(postgres_database_url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)
    with start_server(tmp_path / "prefect", database_url=url) as server:
        assert get(f"{server.api_url}/admin/version")[0] == 200
    assert not (tmp_path / "prefect" / "prefect.db").exists()
