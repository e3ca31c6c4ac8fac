"""What a member of a board costs in Redis, everything counted."""

from contextlib import AsyncExitStack

from redis.asyncio import Redis

from bench import people
from bench.laurel import serving
from bench.rounds import Goal, Row, absolute
from bench.workbench import Workbench


async def run(bench: Workbench) -> list[Row]:
    """Put all users on their boards and divide the growth of Redis by the number of places taken."""
    users = bench.options.people
    async with AsyncExitStack() as held:
        laurel = await held.enter_async_context(serving())
        redis = await held.enter_async_context(Redis.from_url(laurel.redis_url))
        before = await _used(redis)
        await people.settle(laurel.address, users)
        grown = await _used(redis) - before
        places = [await redis.zcard(key) async for key in redis.scan_iter(count=1000, _type="zset")]
    details = {"boards": float(len(places)), "places": float(sum(places)), "users": float(users)}
    return [absolute("a member of a board", "bytes", grown / sum(places), Goal(220, at_most=True), details)]


async def _used(redis: "Redis") -> int:
    return int((await redis.info("memory"))["used_memory"])
