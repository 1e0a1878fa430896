"""Two small workflows that the tests of serving have Prefect run in processes of their own."""

import asyncio
import os

from prefect import flow, get_run_logger

from flows.workflow import tells_no_data


@flow(name="Ticks each minute")
@tells_no_data
async def tick() -> None:
    get_run_logger().info("practice at %s", os.environ["TENDING_PRACTICE"])


@flow(name="Takes a while")
@tells_no_data
async def slow() -> None:
    await asyncio.sleep(5)


@flow(name="Takes very long")
@tells_no_data
async def long() -> None:
    await asyncio.sleep(600)
