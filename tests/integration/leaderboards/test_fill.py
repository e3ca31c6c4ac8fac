"""Many placements at once lead to the same boards as those that ask for ranks, also twice, late or out of order."""

import random
from collections.abc import AsyncIterator

import pytest

from laurel_server.domain.boards import BoardKey
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.projection import Projection
from laurel_server.redis.keys import board_keys
from laurel_server.redis.node import RedisNode

USERS = [f"user-{number}" for number in range(6)]
FILLED, ASKED = BoardKey("global", "2026-01"), BoardKey("global", "2026-02")


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[RedisNode]:
    node = RedisNode(redis_url, 5)
    yield node
    await node.close()


async def contents(redis: RedisNode, board: BoardKey) -> list[object]:
    standings, members, gone = board_keys(board)
    listed = await redis.call("ZRANGE", standings, 0, -1, "WITHSCORES")
    return [listed, *[sorted(_pairs(await redis.call("HGETALL", name))) for name in (members, gone)]]


def _pairs(reply: list[bytes]) -> list[tuple[bytes, bytes]]:
    return [(field, value) for field, value in zip(reply[::2], reply[1::2], strict=True) if field != b"\0"]


def placement(
    board: BoardKey, user_id: str, version: int, score: int, reached: int, leaves: bool
) -> Placement:
    boards, left = ((), (board,)) if leaves else ((board,), ())
    return Placement(user_id, version, {board.period_id: (score, reached)}, boards, left)


@pytest.mark.parametrize("seed", range(8))
async def test_a_fill_and_a_projection_agree(redis: RedisNode, seed: int) -> None:
    draw, projection = random.Random(seed), Projection(redis, 1)
    for _ in range(40):
        batch = []
        for user_id in draw.sample(USERS, draw.randint(1, len(USERS))):
            score, reached = draw.randint(0, 3), draw.randint(1, 4)
            leaves = draw.random() < 0.2
            batch.append((user_id, draw.randint(1, 60), score, reached, leaves))
        await projection.load([placement(FILLED, *each) for each in batch], tell=False)
        await projection.apply([placement(ASKED, *each) for each in batch])
        assert await contents(redis, FILLED) == await contents(redis, ASKED)
