"""Where a user would stand after an award that is only tried out."""

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
    keys = [(*board_keys(board)[:2], extra_keys(board).levels) for board, _ in scores]
    asked = chain.from_iterable((score, int(matrix.traits_of(board).tie_policy)) for board, score in scores)
    try:
        reply = await script("preview").run(redis, tuple(chain.from_iterable(keys)), user_id, *asked)
    except RedisUnavailable as away:
        raise BoardsUnavailable(str(away)) from away
    columns = zip(scores, reply[1::4], reply[2::4], reply[3::4], strict=True)
    return tuple(
        BoardRank(board, rank, before, score, total) for (board, score), total, before, rank in columns
    )
