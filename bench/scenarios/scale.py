"""A board of many millions of members against one of ten thousand: what size costs reads and awards, and a rebuild."""

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from random import randrange
from typing import NamedTuple

from redis.asyncio import Redis

from bench import people
from bench.filling import Rebuilt, fill
from bench.laurel import AWARD, GET_LEADERBOARD, GET_RANK, GET_SURROUNDING, Laurel, serving
from bench.load.unary import closed_loop
from bench.rounds import Goal, Row, absolute, compared, in_turn
from bench.workbench import Workbench
from laurel.leaderboard.v1.leaderboard_service_pb2 import GetRankRequest, GetSurroundingRequest

SMALL = 10_000
IN_FLIGHT = 64
AWARDS_IN_FLIGHT = 256

ASKED = 900
"""Users whose ranks are asked, spread over the whole board, so that both servers show as many faces: those that are not
in memory cost a look-up in the ledger, whatever the size of the board."""

_SETTINGS = {"LAUREL_HTTP_GATEWAY": "0"}


class Measured(NamedTuple):
    """What is compared: the method, the requests for a board of so many members, and the least ratio of the rates."""

    name: str
    path: str
    requests: Callable[[int], Iterator[bytes]]
    in_flight: int
    least: float


def _ranks(members: int) -> Iterator[bytes]:
    for user in _asked(members):
        yield GetRankRequest(board=people.GLOBAL, user_id=user).SerializeToString()


def _surroundings(members: int) -> Iterator[bytes]:
    for user in _asked(members):
        yield GetSurroundingRequest(board=people.GLOBAL, user_id=user).SerializeToString()


def _asked(members: int) -> Iterator[str]:
    while True:
        yield people.user_id(randrange(ASKED) * members // ASKED)


MEASURED = (
    Measured("top", GET_LEADERBOARD, lambda _: people.top_pages(), IN_FLIGHT, 1 / 1.15),
    Measured("rank", GET_RANK, _ranks, IN_FLIGHT, 1 / 1.15),
    Measured("surrounding", GET_SURROUNDING, _surroundings, IN_FLIGHT, 1 / 1.15),
    Measured("award", AWARD, people.awards, AWARDS_IN_FLIGHT, 1 / 1.2),
)


async def run(bench: Workbench) -> list[Row]:
    """Fill two Laurels, one with `--members`, and let them answer the same in turn."""
    members = bench.options.members
    async with AsyncExitStack() as held:
        small = await held.enter_async_context(serving(_SETTINGS))
        await fill(small, SMALL)
        large = await held.enter_async_context(serving(_SETTINGS))
        rebuilt = await fill(large, members)
        rows = [await _compared(bench, each, small, large) for each in MEASURED]
        return [await _rebuild(rebuilt, large), *rows]


async def _rebuild(rebuilt: Rebuilt, laurel: Laurel) -> Row:
    async with Redis.from_url(laurel.redis_url) as redis:
        used = float((await redis.info("memory"))["used_memory"])
    details = {
        "members": float(rebuilt.members),
        "seconds": rebuilt.seconds,
        "bytes a member": used / rebuilt.members,
    }
    return absolute(f"rebuild of {rebuilt.members:,}", "members/s", rebuilt.rate, Goal(100_000), details)


async def _compared(bench: Workbench, each: Measured, small: Laurel, large: Laurel) -> Row:
    seconds, members = bench.options.seconds, bench.options.members
    few, many = each.requests(SMALL), each.requests(members)
    # A turn that is not counted brings what is asked into memory.
    for laurel, requests in ((small, few), (large, many)):
        await closed_loop(laurel.method(each.path), requests, each.in_flight, seconds)
    floor, ours = await in_turn(
        bench.options.rounds,
        lambda: closed_loop(small.method(each.path), few, each.in_flight, seconds),
        lambda: closed_loop(large.method(each.path), many, each.in_flight, seconds),
    )
    name = f"{each.name}, {members:,} members"
    return compared(name, f"{SMALL:,} members", "rate", (floor, ours), Goal(each.least))
