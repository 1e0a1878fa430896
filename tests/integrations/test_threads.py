"""Waiting beside an event loop: a cancellation is never lost, however close it comes to what was waited for."""

import asyncio
import contextlib
import gc
import threading
from typing import Any

import pytest

from integrations.threads import in_thread, set_within


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("between", range(6))
async def test_who_is_cancelled_in_the_moment_of_the_event_ends(between: int) -> None:
    event, rounds = asyncio.Event(), 0

    async def for_ever() -> None:
        nonlocal rounds
        while True:
            event.clear()
            await set_within(event, 60)
            rounds += 1

    task = asyncio.create_task(for_ever())
    await turns(3)
    event.set()
    await turns(between)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=1)
    assert done
    assert task.cancelled()
    assert rounds <= 1


async def test_it_says_whether_the_event_was_set() -> None:
    event = asyncio.Event()
    assert await set_within(event, 0.01) is False
    event.set()
    assert await set_within(event, 60) is True


@pytest.mark.parametrize("between", range(6))
async def test_who_is_cancelled_while_a_thread_ends_does_not_go_on(between: int) -> None:
    def quick() -> int:
        return 1

    went_on = False

    async def work() -> None:
        nonlocal went_on
        await in_thread(quick)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.Event().wait()
        went_on = True

    task = asyncio.create_task(work())
    await turns(between)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=5)
    assert done
    assert task.cancelled()
    assert not went_on


@pytest.mark.parametrize("fails", [True, False])
async def test_what_fails_after_nobody_waits_any_more_is_told_to_nobody(fails: bool) -> None:
    begun, may_end, said = threading.Event(), threading.Event(), list[dict[str, Any]]()

    def slow() -> None:
        begun.set()
        may_end.wait(60)
        if fails:
            raise OSError("the line is dead")

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: said.append(context))
    try:
        task = asyncio.create_task(in_thread(slow))
        await asyncio.to_thread(begun.wait, 60)
        for _ in range(2):  # who is told to stop twice does not wait for the time of grace
            task.cancel()
            await turns(3)
        assert task.cancelled()
        del task
        may_end.set()
        for thread in [each for each in threading.enumerate() if each.name == "work: slow"]:
            await asyncio.to_thread(thread.join)
        await turns(3)
        gc.collect()
        assert said == []
    finally:
        loop.set_exception_handler(None)
