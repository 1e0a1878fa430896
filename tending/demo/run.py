"""The demonstration from beginning to end: nine months are read, a week arrives, flows run, alerts reach a mailbox."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from integrations.looks import LookedAfter, look_after
from integrations.messages.mailbox import Mail, Mailbox
from integrations.opened import lend
from integrations.practice import Practice, open_practice
from integrations.store import arming, leases
from integrations.store.recipients import Recipients
from integrations.syncing import Synced, sync_sources
from models.errors import TendingError
from models.instants import Instant, utc_text
from models.settings import DeskPart
from tending.demo.diary import REGION
from tending.demo.folder import DemoError, Folder, Mark, Stage
from tending.demo.practice import synthetic
from tending.demo.said import say_until
from tending.demo.telling import Teller
from tending.demo.world import World
from tending.demo.writing import write_files, write_settings
from tending.desk.serve import beside, free_port
from tending.log_files import log_to, stop_logging
from tending.output import say, working
from tending.prefect_settings import apply_environment, client_environment
from tending.server import Server, start_server

HOLDER = "demonstration"
MAIL_PORT = 2525
STOPPED = 130
GLANCE_SECONDS = 0.5


def demo(folder: Path, once: bool, fresh: bool = False, *, now: Instant | None = None) -> int:
    """Tell the whole story in one folder; with `once` end there, else stay until Ctrl-C. Blocking. Gives the exit code.

    A folder in which it was told before is continued: nothing is sent twice. `fresh` begins anew. `now` is when a new
    story ends, the real now by default. Raises TendingErrors with their remedies: the folder is not ours or in use, the
    server does not start, the disk is full.
    """
    place = Folder(folder.absolute())
    with _stoppable():
        try:
            with place.alone():
                return _in(place, once, fresh, int(time.time()) if now is None else now)
        except OSError as error:
            raise DemoError(
                f"The demonstration cannot write to {place.path} ({error.strerror}); make room, or name another folder."
            ) from None


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM and Ctrl-C both end what is being done in good order, also for a process that was started to ignore Ctrl-C."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in(place: Folder, once: bool, fresh: bool, now: Instant) -> int:
    there = place.mark()
    if fresh or there is None or there.stage == Stage.begun:
        # What was broken off before its week began, or made by another version, is no practice to go on with.
        if place.used() and not fresh:
            say("A demonstration that was broken off here is begun anew.")
        place.clear()
        there = None
    mark = there or Mark(now // 60 * 60)
    if there is None:
        place.remember(mark)
    place.data.mkdir(mode=0o700, exist_ok=True)  # before anything is logged there
    with _mailbox(place) as mailbox:
        # It takes longest, so it starts first and the nine months are written and read beside it. It is this folder's
        # own: a demonstration writes nothing into a server that the clinic uses.
        server = start_server(
            place.prefect,
            log=place.data / "logs" / "prefect-server.log",
            wait=False,
            environ={name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"},
        )
        with server:
            return _told(place, mark, mailbox, server, once, new=there is None)


@contextlib.contextmanager
def _mailbox(place: Folder) -> Iterator[Mailbox]:
    """A mailbox on the usual port of the demonstration, or on a free one where that is taken."""
    try:
        mailbox = Mailbox(place.mails, port=MAIL_PORT).start()
    except OSError:
        mailbox = Mailbox(place.mails).start()
    try:
        yield mailbox
    finally:
        mailbox.stop()


def _told(place: Folder, mark: Mark, mailbox: Mailbox, server: Server, once: bool, *, new: bool) -> int:
    desk = free_port(DeskPart().port)  # named in mails; served only where the story goes on
    with working("Making a practice"):
        world = synthetic(mark.now, mark.seed)
        if new:
            write_files(world, place.path, world.week_ago)
            write_settings(place.path, mailbox.port, REGION, desk)
        else:
            place.set_ports(mailbox.port, desk)
    with open_practice(place.toml, create=True) as practice, _logging(practice):
        teller = Teller(practice, world, place.path)
        teller.opening(new)
        if mark.stage == Stage.begun:
            teller.read_back(*_history(practice, world))
            teller.day_one()
            mark.stage = Stage.week
            place.remember(mark)
        before = len(mailbox.mails())
        with working("Waiting for Prefect's server"):
            server.wait()
            # Before the first import of Prefect in this process, and for the runs it starts.
            apply_environment(client_environment(server, practice=place.toml))
        arrives = mark.stage == Stage.week
        if arrives:
            write_files(world, place.path, world.now)
            teller.week_arrives()
        try:
            answers, morning = _week(practice, world, arrives)
            mark.stage = Stage.told
            place.remember(mark)
            mails = mailbox.mails()
            teller.runs(answers)
            teller.found()
            teller.mails(mails[before:], mails, morning)
            teller.endings(mails, morning)
            teller.desk(mails, live=not once)
            teller.where(server.ui_url, live=not once)
            teller.try_next(mails)
            teller.to_mend(live=not once)
            if not once:
                teller.live()
            sys.stdout.flush()
            return 0 if once else _live(practice, server, mailbox, teller)
        finally:
            _let_go_of_prefect()


def _history(practice: Practice, world: World) -> tuple[Synced, LookedAfter]:
    """Read the nine months as of a week ago through the ordinary intake, and look at everybody for the first time."""
    # This installation is the practice itself and no copy: it may send.
    arming.arm(practice.store, practice.data, HOLDER, world.week_ago)
    sources = practice.settings.source
    with working("Reading nine months") as step:
        synced, faults = sync_sources(
            practice, sources, world.week_ago, HOLDER, progress=lambda done: step(done, len(sources))
        )
        if faults:
            raise faults[0]
        say_until(practice, world, world.week_ago, world.week_ago)
        return synced, look_after(practice, world.week_ago, HOLDER)


def _week(practice: Practice, world: World, arrives: bool) -> tuple[list[tuple[str, Any]], Instant]:
    """Run the flows in this process as of the story's end, and send what waits for the next working morning as of that morning."""
    with practice.store.read() as connection:
        hours = Recipients(practice, connection, world.now).hours("", practice.book.of().policy)
    morning = hours.next_morning(world.now)
    if arrives:
        say_until(practice, world, world.now, world.week_ago)
    with working("Running the flows") as step, lend(practice, HOLDER):
        return asyncio.run(_flows(utc_text(world.now), utc_text(morning), arrives, step)), morning


async def _flows(now: str, morning: str, arrives: bool, step: Any) -> list[tuple[str, Any]]:
    """Each workflow once, in the order of a practice's day; what it answers, by its title."""
    # Prefect reads its settings when it is imported, which is only now.
    from flows import (
        calendar_sync,
        client_looks,
        deliver_notices,
        record_sync,
        referral_followups,
        terminations,
        weekly_letters,
    )

    def read(at: str, told: bool) -> list[tuple[Any, Any, str, bool]]:
        return [
            (calendar_sync, calendar_sync.calendar_sync, at, told),
            (record_sync, record_sync.record_sync, at, told),
        ]

    runs: list[tuple[Any, Any, str, bool]] = read(now, True) if arrives else []
    runs += [
        (client_looks, client_looks.client_looks, now, True),
        (terminations, terminations.terminations, now, True),
        (referral_followups, referral_followups.referral_followups, now, True),
        (weekly_letters, weekly_letters.weekly_letters, now, True),
        # By that morning the sources were read again: nothing is sent on the word of a source that is too old.
        *read(morning, False),
        (deliver_notices, deliver_notices.deliver_notices, morning, True),
    ]
    answers = []
    for number, (module, run, at, told) in enumerate(runs):
        step(number, len(runs))
        answer = await run(now=at)
        if told:
            answers.append((module.WORKFLOW.title, answer))
    return answers


@contextlib.contextmanager
def _logging(practice: Practice) -> Iterator[None]:
    """What is logged goes into the data folder; the terminal is for the story."""
    handler = log_to(practice.data)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        stop_logging(handler)


def _live(practice: Practice, server: Server, mailbox: Mailbox, teller: Teller) -> int:
    """Go on as `tending up` does, by the real clock, and tell of each mail that arrives; until Ctrl-C."""
    # It imports Prefect, whose settings are only now in the environment.
    from tending.up import LEASE, LEASE_SECONDS, live

    ended = threading.Event()
    watching = threading.Thread(
        target=_tell_of_mails, args=(mailbox, teller, ended), name="watching mails", daemon=True
    )
    try:
        with (
            leases.lease(practice.store, LEASE, LEASE, int(time.time()), LEASE_SECONDS) as held,
            beside(practice, teller.folder / "practice.toml", say),
        ):
            watching.start()
            return asyncio.run(live(practice, server, held, say, None))
    finally:
        ended.set()


def _tell_of_mails(mailbox: Mailbox, teller: Teller, ended: threading.Event) -> None:
    seen = {mail.path for mail in mailbox.mails()}
    while not ended.wait(GLANCE_SECONDS):
        if len(list(mailbox.folder.glob("*.eml"))) == len(seen):
            continue
        arrived: list[Mail] = [mail for mail in mailbox.mails() if mail.path not in seen]
        seen.update(mail.path for mail in arrived)
        for mail in arrived:
            teller.arrived(mail)


def _let_go_of_prefect() -> None:
    """Hand over what Prefect holds in memory while its server is still there: at the process's end it would wait long."""
    if "prefect" not in sys.modules:
        return
    from tending.serving import hand_over

    with contextlib.suppress(TendingError, OSError, RuntimeError):
        asyncio.run(hand_over())
