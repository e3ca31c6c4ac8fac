import asyncio
import gc
from typing import Any

import pytest

from laurel_server.leaderboards.shared_read import SharedRead


async def turns(count: int) -> None:
    """Let everything that is ready run, so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_who_asks_while_a_read_runs_gets_one_that_begins_later() -> None:
    begun: list[asyncio.Future[int]] = []

    async def read() -> int:
        begun.append(asyncio.get_running_loop().create_future())
        return await begun[-1]

    shared = SharedRead(read)
    first = asyncio.create_task(shared())
    await turns(2)
    others = [asyncio.create_task(shared()) for _ in range(3)]
    await turns(1)
    begun[0].set_result(1)
    assert await first == 1
    await turns(3)
    begun[1].set_result(2)
    assert await asyncio.gather(*others) == [2, 2, 2]
    assert len(begun) == 2


async def test_nobody_complains_of_a_failed_read_that_nobody_waits_for_any_more() -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    begun, answer = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def read() -> None:
        begun.set()
        await answer

    waiting = asyncio.create_task(SharedRead(read)())
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    answer.set_exception(RuntimeError("away"))
    await turns(3)
    gc.collect()
    assert complaints == []
