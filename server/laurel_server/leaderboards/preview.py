"""Where a user would stand after an award that is only tried out."""

import asyncio
from collections.abc import Sequence
from itertools import chain

from laurel_server.domain.boards import BoardKey, BoardMatrix
from laurel_server.domain.ledger import BoardRank
from laurel_server.leaderboards.projection import BoardsUnavailable
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.redis.keys import board_keys, extra_keys
from laurel_server.redis.scripts import script


async def preview_ranks(
    redis: RedisConnection, matrix: BoardMatrix, user_id: str, scores: Sequence[tuple[BoardKey, int]]
) -> tuple[BoardRank, ...]:
    """Return the ranks that the user would have with these scores. BoardsUnavailable when Redis is away."""
    parts = [(each,) for each in scores] if redis.one_slot else [scores]
    try:
        previews = await asyncio.gather(*(_preview(redis, matrix, user_id, part) for part in parts))
    except RedisUnavailable as away:
        raise BoardsUnavailable(str(away)) from away
    return tuple(chain.from_iterable(previews))


async def _preview(
    redis: RedisConnection, matrix: BoardMatrix, user_id: str, scores: Sequence[tuple[BoardKey, int]]
) -> Sequence[BoardRank]:
    keys = [(*board_keys(board)[:2], extra_keys(board).levels) for board, _ in scores]
    asked = chain.from_iterable((score, int(matrix.traits_of(board).tie_policy)) for board, score in scores)
    reply = await script("preview").run(redis, tuple(chain.from_iterable(keys)), user_id, *asked)
    columns = zip(scores, reply[1::4], reply[2::4], reply[3::4], strict=True)
    return [BoardRank(board, rank, before, score, total) for (board, score), total, before, rank in columns]
