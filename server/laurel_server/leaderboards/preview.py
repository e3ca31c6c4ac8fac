"""Where a user would stand after an award that is only tried out."""

from collections.abc import Sequence

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.ledger import BoardRank
from laurel_server.leaderboards.projection import BoardsUnavailable
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.redis.keys import board_keys
from laurel_server.redis.scripts import script


async def preview_ranks(
    redis: RedisConnection, user_id: str, scores: Sequence[tuple[BoardKey, int]]
) -> tuple[BoardRank, ...]:
    """Return the ranks that the user would have with these scores. BoardsUnavailable when Redis is away."""
    keys = [board_keys(board) for board, _ in scores]
    flat = tuple(name for key in keys for name in (key.standings, key.members))
    try:
        reply = await script("preview").run(redis, flat, user_id, *(score for _, score in scores))
    except RedisUnavailable as away:
        raise BoardsUnavailable(str(away)) from away
    columns = zip(scores, reply[1::4], reply[2::4], reply[3::4], strict=True)
    return tuple(
        BoardRank(board, ahead + 1, before + 1, score, total)
        for (board, score), total, before, ahead in columns
    )
