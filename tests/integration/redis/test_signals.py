"""Signals between processes over a real Redis."""

import asyncio

from laurel_server.domain.boards import BoardKey
from laurel_server.redis.keys import BOARD_CHANGES, signal_of
from laurel_server.redis.node import RedisNode
from laurel_server.redis.signals import Signals


async def test_a_signal_that_cannot_be_read_silences_nobody(redis_url: str) -> None:
    heard: asyncio.Queue[object] = asyncio.Queue()
    listens: asyncio.Queue[None] = asyncio.Queue()
    redis = RedisNode(redis_url, 2)
    signals = Signals(redis, heard.put_nowait, lambda _: None, lambda: listens.put_nowait(None))
    task = asyncio.create_task(signals.run())
    try:
        async with asyncio.timeout(60):
            await listens.get()
            await redis.call("PUBLISH", BOARD_CHANGES, "no board at all")
            await listens.get()  # it listens anew, and has all boards read in between
            await redis.call("PUBLISH", BOARD_CHANGES, signal_of([BoardKey("global", "all")]))
            assert await heard.get() == [BoardKey("global", "all")]
    finally:
        task.cancel()
        await redis.close()


async def test_whoever_cuts_the_connection_all_is_looked_at_again(redis_url: str) -> None:
    listens: asyncio.Queue[None] = asyncio.Queue()
    redis = RedisNode(redis_url, 2)
    signals = Signals(redis, lambda _: None, lambda _: None, lambda: listens.put_nowait(None))
    task = asyncio.create_task(signals.run())
    try:
        async with asyncio.timeout(60):
            await listens.get()
            assert await redis.call("CLIENT", "KILL", "TYPE", "pubsub") >= 1
            await listens.get()
    finally:
        task.cancel()
        await redis.close()
