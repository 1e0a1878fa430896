"""Four weeks of the demonstration practice on a moving clock: real flows on a real server each day, real mails, and what came of them."""

import asyncio
from collections import Counter, defaultdict
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

from flows.calendar_sync import calendar_sync
from flows.client_looks import client_looks
from flows.deliver_notices import deliver_notices
from flows.nightly_check import nightly_check
from flows.record_sync import record_sync
from flows.referral_followups import referral_followups
from flows.terminations import terminations
from flows.weekly_letters import weekly_letters
from integrations.answering import say
from integrations.messages.mailbox import Mailbox
from integrations.opened import lend
from integrations.practice import Practice, open_practice
from integrations.store import arming, finding_rows
from models.answers import Reply, answer
from models.instants import DAY, HOUR, Instant, at_wall, day_of, instant_of, local, utc_text
from models.notices import Message, Notice
from models.policy import DEFAULT
from tending.demo.diary import REGION, ZONE
from tending.demo.practice import synthetic
from tending.demo.said import say_until
from tending.demo.told_endings import is_invitation
from tending.demo.world import World
from tending.demo.writing import AT_ONCE, write_files, write_settings
from tending.server import start_server
from tests.demo.reading import rows_of
from tests.prefect_server import pointed_at

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
LAST = instant_of(datetime(2026, 11, 23, 17, 0, tzinfo=UTC))
DAYS = 28
MERGED = {"ordinary", "prompt"}
MOMENT = 60  # seconds
PLAIN = ("calendar_sync", "record_sync", "client_looks", "deliver_notices")


async def one_day(practice: Practice, world: World, morning: Instant, *, monday: bool) -> list[Any]:
    """What the schedules do in a day, as flow runs with that day's time; their ids."""
    runs = []
    with lend(practice, "test"):
        for flow, at in (
            (nightly_check, morning - 5 * HOUR),
            (calendar_sync, morning - HOUR),
            (record_sync, morning - HOUR),
            (client_looks, morning - HOUR),
            (deliver_notices, morning - HOUR),
            (terminations, morning - HOUR),
            (referral_followups, morning - HOUR),
            *([(weekly_letters, morning - HOUR)] if monday else []),
            (deliver_notices, morning),
            (client_looks, morning + 9 * HOUR),
            (deliver_notices, morning + 9 * HOUR),
        ):
            state = await flow(now=utc_text(at), return_state=True)
            assert state.is_completed(), state
            assert state.name != "Differs", "a fresh look at everybody finds what stands"
            runs.append(state.state_details.flow_run_id)
            if flow is record_sync:  # people say in the morning what happened since
                say_until(practice, world, morning - HOUR, morning - HOUR)
    return runs


async def completed(runs: list[Any]) -> int:
    """How many of these runs the server knows as completed."""
    async with get_client() as client:
        known = 0
        for start in range(0, len(runs), 100):
            found = await client.read_flow_runs(
                flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=runs[start : start + 100]))
            )
            known += sum(run.state is not None and run.state.is_completed() for run in found)
        return known


def test_four_weeks(prefect_folder: Path, tmp_path: Path) -> None:
    world = synthetic(LAST)
    # A server of its own: two hundred runs and their logs are no other test's to read.
    with start_server(prefect_folder) as server, pointed_at(server), Mailbox(tmp_path / "mails") as mailbox:
        write_settings(tmp_path, mailbox.port, REGION)
        with open_practice(tmp_path / "practice.toml", create=True) as practice:
            arming.arm(practice.store, practice.data, "test", LAST - DAYS * DAY)
            answered = asyncio.run(_month(practice, world, tmp_path))
            _told_right(practice, world, mailbox, answered)


async def _month(practice: Practice, world: World, folder: Path) -> tuple[int, str, Instant]:
    """Live through the days; the first finding that is told to anybody is answered, every other one is left alone."""
    runs: list[Any] = []
    answered: tuple[int, str, Instant] | None = None
    for number in range(DAYS + 1):
        day = day_of(LAST - (DAYS - number) * DAY, ZONE)
        morning = at_wall(datetime.combine(day, time(8, 30)), ZONE)
        write_files(world, folder, min(morning, LAST))
        runs += await one_day(practice, world, morning, monday=day.weekday() == 0)
        if answered is None:
            for notice in rows_of(practice, Notice):
                if notice.client_id is not None and notice.state == "taken" and "." in notice.purpose:
                    kind = notice.purpose.partition(".")[2]
                    with practice.store.write() as connection:
                        given = answer(kind, Reply.done, morning + 10 * HOUR)
                        say(practice, connection, notice.client_id, given, notice.recipient, morning + 10 * HOUR)
                    answered = notice.client_id, kind, morning + 10 * HOUR
                    break
    assert answered is not None
    assert await completed(runs) == len(runs)
    return answered


def _told_right(practice: Practice, world: World, mailbox: Mailbox, answered: tuple[int, str, Instant]) -> None:
    notices, messages = rows_of(practice, Notice), {m.id: m for m in rows_of(practice, Message)}
    # Every notice once: as a row, and as a part of one message that was sent.
    assert len({(n.subject, n.purpose, n.generation, n.step, n.recipient) for n in notices}) == len(notices)
    taken = [n for n in notices if n.state == "taken"]
    assert taken
    assert {messages[n.message_id].state for n in taken} == {"sent"}
    assert len(mailbox.mails()) == len(messages)
    # Ordinary ones in the recipient's hours, safety at once.
    for notice in taken:
        sent = local(messages[notice.message_id].settled_at, ZONE)
        if notice.urgency in MERGED and notice.recipient != f"therapist:{AT_ONCE}":
            assert sent.weekday() < 5
            assert 8 <= sent.hour < 18
        if notice.urgency == "safety":
            assert messages[notice.message_id].settled_at - notice.made_at <= MOMENT
    # No flood: per therapist and week. Nobody is away in these weeks; what comes for a colleague on leave would come besides.
    weeks: Counter[tuple[str, int]] = Counter()
    for notice in taken:
        if notice.urgency in MERGED and notice.step == 0 and notice.recipient.startswith("therapist:"):
            message = messages[notice.message_id]
            week = local(message.settled_at, ZONE).isocalendar().week
            weeks[message.recipient, week] += 1
            assert message.recipient == notice.recipient
    assert max(weeks.values()) <= 3, (weeks, Counter((n.recipient, n.purpose, n.step) for n in taken))
    # What endings and referrals ask for is a duty and no prompt: people began them, and their answers end it. Two a week at most.
    duties = [n for n in taken if n.urgency == "duty" and n.client_id is not None and n.step == 0]
    by_week = Counter((n.recipient, local(messages[n.message_id].settled_at, ZONE).isocalendar().week) for n in duties)
    assert max(by_week.values()) <= 2, by_week
    asked = [day_of(n.made_at, ZONE) for n in duties if n.purpose == "referral.referral_follow_up"]
    days = (DEFAULT.referral_first_days, DEFAULT.referral_second_days)
    assert asked == [day_of(world.referral[1] + round(each * DAY), ZONE) for each in days]
    assert sum(is_invitation(mail) for mail in mailbox.mails()) == 1
    # What was answered is silent for as long again as it took; what was not goes up: a week after it was told, and not before.
    client, kind, when = answered
    assert kind == "quiet"
    mine = [n for n in notices if n.client_id == client and n.purpose.endswith(f".{kind}")]
    last, *_, due, _ = mine[0].facts["facts"]
    assert [n for n in mine if when < n.made_at < when + due - last] == []
    steps: dict[tuple[Any, ...], dict[int, Any]] = defaultdict(dict)
    for notice in notices:
        if notice.client_id is not None and "." in notice.purpose:
            steps[notice.client_id, notice.purpose, notice.generation][notice.step] = notice
    up = [by_step for by_step in steps.values() if len(by_step) > 1]
    assert up
    for by_step in up:
        told = messages[by_step[0].message_id].settled_at
        later = min(n.made_at for step, n in by_step.items() if step)
        assert later - told >= (4 * HOUR if by_step[0].urgency == "safety" else 5 * DAY)
    with practice.store.read() as connection:
        still = {(f.code, f.kind) for f in finding_rows.findings(connection)}
    assert still
