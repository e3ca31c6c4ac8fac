"""How long an answer waits for the boards."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from laurel_server.redis.connection import RedisConnection

T = TypeVar("T")

BUDGETS_WHILE_BUSY: Final = 20
"""Budgets that an answer waits for a Redis that is busy but answering."""


async def within_budget(work: Coroutine[Any, Any, T], redis: RedisConnection, budget: float) -> T:
    """Return what comes of work with Redis within `budget` seconds; TimeoutError beyond, but the work goes on.

    The budget starts anew while Redis goes on answering: what it is busy with was sent before, and repair would only
    send this again.
    """
    task = asyncio.ensure_future(work)
    for _ in range(BUDGETS_WHILE_BUSY):
        await asyncio.wait({task}, timeout=budget)
        if not task.done():
            # After a busy turn of the loop the timer fires before a reply that is there is read.
            await asyncio.sleep(0)
        if task.done():
            return task.result()
        if redis.silent_for(budget):
            break
    task.add_done_callback(_ignore_outcome)  # it may still arrive, which does no harm
    raise TimeoutError("the boards did not answer in time")


def _ignore_outcome(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()
