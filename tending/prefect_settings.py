"""The settings under which Prefect runs here, as environment variables: for our server, and for processes that run
flows.

They take effect when Prefect is imported, so `apply_environment` comes before that import; what is in the environment
reaches flow runs in processes of their own as well, which a context of settings inside this process would not.
"""

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING

from flows.workflow import STARTER

if TYPE_CHECKING:
    from tending.server import Server

ROOT = Path(__file__).resolve().parent.parent
PRACTICE = "TENDING_PRACTICE"

_SILENT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
}


def client_environment(
    server: "Server", *, practice: Path | None = None, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The variables with which a process runs flows against `server`; an empty string means: without that variable.

    `practice` is the practice.toml that flow runs in processes of their own open (`TENDING_PRACTICE`). `environ` is
    what is there already, the process's own by default: the user's other Prefect settings are taken out of it.
    """
    environ = os.environ if environ is None else environ
    ours = {
        "PREFECT_API_URL": server.api_url,
        "PREFECT_HOME": str(server.folder),
        "PREFECT_PROFILES_PATH": str(server.folder / "profiles.toml"),
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",  # a missing address is an error, not a second server
        # Runs log into Prefect's database, where the pages show them; our own terminal shows our own lines only.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_LOGGING_LOG_PRINTS": "false",
        # A folder `flows` or `models` where the command happens to be run is not ours.
        "PYTHONSAFEPATH": "1",
        STARTER: str(os.getpid()),
        "PYTHONPATH": _with(environ.get("PYTHONPATH", ""), [str(ROOT)], os.pathsep, first=True),
        **_SILENT,
    }
    if server.auth:
        ours["PREFECT_API_AUTH_STRING"] = server.auth
    if practice is not None:
        ours[PRACTICE] = str(practice.resolve())
    for name in ("NO_PROXY", "no_proxy"):  # a proxy of the clinic's knows no way to this machine's loopback
        ours[name] = _with(environ.get(name, ""), ["127.0.0.1", "localhost"], ",")
    # How to reach a server that somebody else runs is that somebody's to say.
    kept = () if server.ours else ("PREFECT_API_", "PREFECT_CLIENT_")
    dropped = [name for name in environ if _is_prefects(name) and not (kept and name.startswith(kept))]
    return {**dict.fromkeys(dropped, ""), **ours}


def apply_environment(environment: Mapping[str, str], target: MutableMapping[str, str] | None = None) -> None:
    """Write `client_environment` into the process's own: an empty value removes the variable."""
    target = os.environ if target is None else target
    for name, value in environment.items():
        if value:
            target[name] = value
        else:
            target.pop(name, None)


def server_environment(
    folder: Path, port: int, *, database_url: str | None, auth: str | None, environ: Mapping[str, str]
) -> dict[str, str]:
    """The whole environment of our own server's process: `environ` without any setting of Prefect's, and ours."""
    return {
        **{name: value for name, value in environ.items() if not _is_prefects(name)},
        "PREFECT_HOME": str(folder),
        "PREFECT_PROFILES_PATH": str(folder / "profiles.toml"),
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        # Prefect's own default lets any web page in.
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}",
        "PREFECT_SERVER_UI_V2_ENABLED": "false",  # the newer pages call a measuring service from the browser
        "PREFECT_UI_STATIC_DIRECTORY": str(folder / "ui"),  # else it is written into the installed package
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_COLORS": "false",
        # Leases of running work outlive a power cut, so that a slot held by a dead run is given back.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        # Fewer runs made ahead: less to write at the first start, less to pile up while the machine is off.
        "PREFECT_SERVER_SERVICES_SCHEDULER_MAX_RUNS": "12",
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P7D",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "2592000",  # seconds: 30 days
        **_SILENT,
        # Relative to the folder, where the server runs: a folder's name with a # or ? in it would break an absolute address.
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url or "sqlite+aiosqlite:///prefect.db",
        **({"PREFECT_SERVER_API_AUTH_STRING": auth} if auth else {}),
    }


def _is_prefects(name: str) -> bool:
    return name.startswith(("PREFECT_", "PREFECT__"))


def _with(listed: str, wanted: list[str], separator: str, *, first: bool = False) -> str:
    """A list in one string with the wanted parts in it."""
    there = [part for part in listed.split(separator) if part]
    new = [part for part in wanted if part not in there]
    return separator.join([*new, *there] if first else [*there, *new])
