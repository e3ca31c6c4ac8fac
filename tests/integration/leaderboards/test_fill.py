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


MANY = [f"user-{number:04}" for number in range(3000)]
BOARDS = (
    FILLED,
    BoardKey("country:US", "2026-01"),
    BoardKey("global", "2026-03"),
    BoardKey("tier:gold", "2026-03"),
)


@pytest.mark.parametrize("at_once", [1, 2, 7, 400, 2000])
@pytest.mark.parametrize("scores", [1, 20, 1_000_000])
async def test_users_that_wait_for_others_near_them_all_come_to_their_boards(
    redis: RedisNode, at_once: int, scores: int
) -> None:
    draw, projection = random.Random(f"{at_once} {scores}"), Projection(redis, 5)
    size = max(60, min(len(MANY), 40 * at_once))
    placements = [
        Placement(
            user_id,
            draw.randint(1, 9),
            {
                period: (draw.randint(1, scores), draw.randint(1, 1 << 40))
                for period in ("2026-01", "2026-03")
            },
            tuple(draw.sample(BOARDS, draw.randint(1, len(BOARDS)))),
        )
        for user_id in MANY[:size]
    ]
    await redis.call("FLUSHALL")
    async with projection.loading(at_once, tell=False) as loading:
        for start in range(0, size, 300):
            await loading.add(placements[start : start + 300])
    filled = {board: await contents(redis, board) for board in BOARDS}

    await redis.call("FLUSHALL")
    await projection.apply(placements)

    assert filled == {board: await contents(redis, board) for board in BOARDS}
