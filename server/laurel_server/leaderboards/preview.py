"""Where a user would stand after an award that is only tried out."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from msgspec.structs import replace

from laurel_server.domain.boards import BoardKey, BoardMatrix, TiePolicy
from laurel_server.domain.ledger import BoardRank
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.leaderboards.split import LAST_OF_EQUALS, Line, SplitBoard
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.redis.keys import board_keys, extra_keys
from laurel_server.redis.scripts import script


class Step(NamedTuple):
    """How a score on a board would change; 0: not on it."""

    before: int
    after: int


class Other(NamedTuple):
    """Somebody who would move right after the user, on these boards."""

    user_id: str
    steps: Mapping[BoardKey, Step]


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


async def preview_with(
    redis: RedisConnection, matrix: BoardMatrix, ranks: Sequence[BoardRank], other: Other
) -> tuple[BoardRank, ...]:
    """Return the ranks of `preview_ranks` as they are once another user has moved, too. BoardsUnavailable."""
    shared = [
        (rank.board, step.after or step.before)
        for rank in ranks
        if (step := other.steps.get(rank.board)) is not None
    ]
    listed = {
        rank.board: rank.previous_rank > 0
        for rank in await preview_ranks(redis, matrix, other.user_id, shared)
    }
    try:
        return tuple(
            [
                await _moved(redis, matrix.traits_of(rank.board).tie_policy, rank, step, listed[rank.board])
                if (step := other.steps.get(rank.board)) is not None
                else rank
                for rank in ranks
            ]
        )
    except RedisUnavailable as away:
        raise BoardsUnavailable(str(away)) from away


async def _moved(
    redis: RedisConnection, policy: TiePolicy, rank: BoardRank, step: Step, is_listed: bool
) -> BoardRank:
    """Return a rank after somebody else's step. Of equals he stands below, because he comes to his points later."""
    was_ahead = is_listed and (
        step.before >= rank.score if policy is TiePolicy.EARLIEST_FIRST else step.before > rank.score
    )
    is_ahead = step.after > rank.score
    if policy is TiePolicy.DENSE:  # he counts where nobody else has his score
        was_ahead = was_ahead and await _having(redis, rank.board, step.before) == 1
        is_ahead = is_ahead and await _having(redis, rank.board, step.after) == 0
    return replace(
        rank, rank=rank.rank + is_ahead - was_ahead, total=rank.total + (step.after > 0) - is_listed
    )


async def _having(redis: RedisConnection, board: BoardKey, score: int) -> int:
    """Return how many have that score on a board in one piece, as all are whose equals share a rank."""
    count: int = await redis.call("ZCOUNT", board_keys(board).standings, str(score), str(score))
    return count


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
