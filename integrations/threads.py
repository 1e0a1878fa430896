"""Waiting beside an event loop: for blocking work, in threads that do not hold up the end of the process, and for events."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any, TypeVar

R = TypeVar("R")
GRACE_SECONDS = 2.0


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait until an event is set, or so many seconds have passed; answers whether it was set.

    Not by `asyncio.wait_for`: on Python 3.11 it loses a cancellation that comes in the moment the event does, and whoever
    loops over it then never ends.
    """
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


async def in_thread(function: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """Run a blocking function in a thread of its own, with the caller's context, and wait for its answer.

    A caller that is cancelled waits two seconds more; what takes longer goes on, and ends with the process at the
    latest. That is no worse than a kill: a transaction is whole or not there, and a message in the middle of its
    hand-over is asked about.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[R] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: R | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # a function may well answer None

    def work() -> None:
        result: R | None = None
        failed: BaseException | None = None
        try:
            result = context.run(function, *args, **kwargs)
        except BaseException as error:  # carried to whoever waits
            failed = error
        try:
            loop.call_soon_threadsafe(settle, result, failed)
        except RuntimeError:
            pass  # the loop has ended: nobody waits

    threading.Thread(target=work, name=f"work: {getattr(function, '__name__', 'call')}", daemon=True).start()
    try:
        return await asyncio.shield(answer)
    except asyncio.CancelledError:
        # Nobody else asks for it any more, whenever it comes: what failed is no news then.
        answer.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        await asyncio.wait({answer}, timeout=GRACE_SECONDS)
        raise
