"""`tending up`: the one long-lived process. It starts Prefect's server, serves all workflows and reacts, until it is told to stop."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from flows.workflow import Workflow, where
from integrations.practice import Practice, open_practice
from integrations.store import arming, cases, leases
from integrations.store.rebuild import rebuild_outdated
from integrations.threads import in_thread
from models.errors import StoreError, UsageError
from models.settings import Settings
from tending.desk.serve import beside
from tending.log_files import log_to, stop_logging
from tending.prefect_settings import apply_environment, client_environment
from tending.server import OnWait, Server, start_server

LOG = logging.getLogger("tending.up")
LEASE = leases.UP
LEASE_SECONDS = 180
RENEW_SECONDS = 30.0
STOP_SECONDS = 5.0
DRAIN_SECONDS = 2.0
SERVE_AGAIN_SECONDS = 10.0
SERVER_FOLDER = "prefect"

# Which setting of [prefect] says when a workflow runs.
CRONS = {
    "calendar_sync": "sync_cron",
    "record_sync": "sync_cron",
    "client_looks": "sweep_cron",
    "deliver_notices": "deliver_cron",
    "nightly_check": "nightly_cron",
    "terminations": "endings_cron",
    "referral_followups": "referral_cron",
    "weekly_letters": "weekly_cron",
}

Say = Callable[[str], None]


def up(
    practice_path: Path,
    *,
    say: Say = print,
    on_wait: OnWait | None = None,
    port: int | None = None,
    stop_after: float | None = None,
) -> int:
    """Run the practice until SIGINT or SIGTERM (or, for a trial, `stop_after` seconds); blocking. Gives the exit code.

    `say` takes the lines for whoever started it, `on_wait` the seconds that Prefect's server has taken to start so far.
    Raises UsageError where this practice is up already, ServerError, SettingsError and StoreError with their remedies.
    """
    with open_practice(practice_path) as practice:
        handler = log_to(practice.data)
        try:
            with _alone(practice) as held:
                if old := rebuild_outdated(practice, int(time.time())):
                    say(f"After an update or new settings: {old} clients derived again.")
                server = start_server(
                    practice.data / SERVER_FOLDER,
                    port=port or practice.settings.prefect.port,
                    log=practice.data / "logs" / "prefect-server.log",
                    wait=False,
                )
                with server, beside(practice, practice_path, say):
                    _say_how_it_stands(practice, say)
                    say(
                        f"Prefect's server is starting; its log is {server.log}."
                        if server.ours
                        else f"Using Prefect at {server.ui_url}."
                    )
                    server.wait(on_wait)
                    # Before the first import of Prefect in this process, and for the runs it starts.
                    apply_environment(client_environment(server, practice=practice_path))
                    try:
                        return asyncio.run(live(practice, server, held, say, stop_after))
                    finally:
                        _let_go_of_prefect()
        finally:
            stop_logging(handler)


@contextmanager
def _alone(practice: Practice) -> Iterator[leases.Held]:
    with ExitStack() as stack:
        try:
            held = stack.enter_context(leases.lease(practice.store, LEASE, LEASE, int(time.time()), LEASE_SECONDS))
        except leases.LeaseHeld:
            raise UsageError("`tending up` already runs for this practice.") from None
        yield held


def scheduled(workflows: list[Workflow], settings: Settings) -> list[Workflow]:
    """The workflows at the times that [prefect] of practice.toml names."""
    return [replace(w, cron=getattr(settings.prefect, CRONS[w.name])) if w.name in CRONS else w for w in workflows]


def _say_how_it_stands(practice: Practice, say: Say) -> None:
    with practice.store.read() as connection:
        late = cases.stale_sources(practice, connection, int(time.time()))
        state = arming.state_in(connection, practice.data)
    count = len(practice.settings.source)
    sources = "1 source" if count == 1 else f"{count} sources"
    say(
        f"{practice.name}: {sources}, {len(late)} of them not read lately."
        if late
        else f"{practice.name}: {sources}, all read lately."
    )
    if state is arming.Arming.armed:
        say("Armed: messages are sent when they are due.")
    elif state is arming.Arming.copy:
        say("NOT ARMED: this is a copy of the practice. Nothing is sent; `tending arm` allows it.")
    else:
        say("NOT ARMED: nothing is sent until `tending arm` allows it.")


async def live(practice: Practice, server: Server, held: leases.Held, say: Say, stop_after: float | None) -> int:
    """Serve, react and hold the lease until told to stop; whatever ends early takes the others along."""
    from tending.reactor import Reactor  # both import Prefect, whose settings are only now in the environment

    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if stop_after is not None:
        loop.call_later(stop_after, stop.set)

    def caught_up() -> None:
        say("Every source was tried and everything that waited is done. Ctrl-C stops.")

    LOG.info("up")
    reactor = Reactor(practice, on_ready=caught_up)
    told = asyncio.create_task(stop.wait())
    tasks = {
        asyncio.create_task(reactor.run(), name="reacting"),
        asyncio.create_task(_serve(practice, server, say), name="serving"),
        asyncio.create_task(_keep(held), name="holding the lease"),
    }
    code = 0
    try:
        done, _ = await asyncio.wait({told, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {told}:
            error = task.exception()
            why = where(error) if error else "it ended"
            LOG.error("%s: %s", task.get_name(), why)
            say(f"Stopping, since {task.get_name()} failed ({why}); the log says more.")
            code = 1
        if not code:
            say("Stopping ...")
    finally:
        told.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=STOP_SECONDS)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        LOG.info("stopped")
    return code


def _let_go_of_prefect() -> None:
    """Hand over what Prefect still holds in memory while its server is there: at the process's end it would wait long."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for worker in (EventsWorker, APILogWorker):
        with suppress(Exception):
            worker.drain_all(timeout=DRAIN_SECONDS)


async def _serve(practice: Practice, server: Server, say: Say) -> None:
    """Serve all workflows; when Prefect's server is lost, start it again if it is ours, and serve again.

    The reactor goes on meanwhile: nothing that people depend on waits for this.
    """
    from flows import workflows
    from tending.serving import serve

    current, told = server, False

    def ready() -> None:
        nonlocal told
        if not told:
            say(f"Prefect's pages: {current.ui_url}  (runs, schedules, open findings by code)")
            told = True

    try:
        while True:
            try:
                await serve(
                    scheduled(workflows(), practice.settings), zone=practice.zone, alone=server.ours, on_ready=ready
                )
            except Exception as error:
                LOG.error("serving: %s; it is begun again", where(error))
            await asyncio.sleep(SERVE_AGAIN_SECONDS)
            if server.ours and not await in_thread(current.alive):
                current = await in_thread(_start_again, current)
    finally:
        if current is not server:
            current.stop()


def _start_again(lost: Server) -> Server:
    lost.stop()
    port = int(lost.api_url.rsplit(":", 1)[1].removesuffix("/api"))
    LOG.warning("Prefect's server ended and is started again")
    environ = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    return start_server(lost.folder, port=port, log=lost.log, environ=environ)


async def _keep(held: leases.Held) -> None:
    """Hold the lease for as long as the process lives."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await in_thread(held.renew, int(time.time()))
        except StoreError as error:
            LOG.warning("the lease could not be renewed: %s", error)  # its sentence names the database at most
