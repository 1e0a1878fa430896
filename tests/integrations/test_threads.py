"""Waiting beside an event loop: a cancellation is never lost, however close it comes to what was waited for."""

import asyncio
import contextlib

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
