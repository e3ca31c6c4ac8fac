"""Where a user would stand after an award that is only tried out."""

import asyncio
from collections.abc import Sequence
from itertools import chain

from laurel_server.domain.boards import BoardKey, BoardMatrix, TiePolicy
from laurel_server.domain.ledger import BoardRank
from laurel_server.leaderboards.projection import BoardsUnavailable
from laurel_server.leaderboards.split import LAST_OF_EQUALS, Line, SplitBoard
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.redis.keys import board_keys, extra_keys
from laurel_server.redis.scripts import script


async def preview_ranks(
    redis: RedisConnection, matrix: BoardMatrix, user_id: str, scores: Sequence[tuple[BoardKey, int]]
) -> tuple[BoardRank, ...]:
    """Return the ranks that the user would have with these scores. BoardsUnavailable when Redis is away."""
    split = [each for each in scores if matrix.traits_of(each[0]).slots > 1]
    whole = [each for each in scores if each not in split]
    parts = [(each,) for each in whole] if redis.one_slot else [whole] if whole else []
    try:
        previews = await asyncio.gather(
            *(_preview(redis, matrix, user_id, part) for part in parts),
            *(_preview_split(redis, matrix, user_id, *each) for each in split),
        )
    except RedisUnavailable as away:
        raise BoardsUnavailable(str(away)) from away
    ranks = {rank.board: rank for rank in chain.from_iterable(previews)}
    return tuple(ranks[board] for board, _ in scores)


async def _preview_split(
    redis: RedisConnection, matrix: BoardMatrix, user_id: str, board: BoardKey, score: int
) -> Sequence[BoardRank]:
    traits = matrix.traits_of(board)
    whole = SplitBoard(redis, board, traits)
    _, total, found = await whole.standings([user_id])
    own = found.get(user_id)
    _, _, (rank,) = await whole.ranks([Line(score, LAST_OF_EQUALS)])
    if own and traits.tie_policy is TiePolicy.EARLIEST_FIRST and own.line.score >= score:
        rank -= 1  # who reaches a score last stands below all who have it, but not below himself
    return [BoardRank(board, rank, own.rank if own else 0, score, total + (own is None))]


async def _preview(
    redis: RedisConnection, matrix: BoardMatrix, user_id: str, scores: Sequence[tuple[BoardKey, int]]
) -> Sequence[BoardRank]:
    keys = [(*board_keys(board)[:2], extra_keys(board).levels) for board, _ in scores]
    asked = chain.from_iterable((score, int(matrix.traits_of(board).tie_policy)) for board, score in scores)
    reply = await script("preview").run(redis, tuple(chain.from_iterable(keys)), user_id, *asked)
    columns = zip(scores, reply[1::4], reply[2::4], reply[3::4], strict=True)
    return [BoardRank(board, rank, before, score, total) for (board, score), total, before, rank in columns]
