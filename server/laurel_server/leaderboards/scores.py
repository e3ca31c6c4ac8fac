"""Score boards: from a command to a durable score, its place on the board, and the answer."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from laurel_server.domain.boards import BoardKey, Traits
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.identifiers import idempotency_key
from laurel_server.domain.ledger import BoardRank, RankState
from laurel_server.domain.scores import Score, ScoreAnswer, ScoreCommand, not_ranked
from laurel_server.leaderboards.patience import within_budget
from laurel_server.leaderboards.repair import Confirmations
from laurel_server.leaderboards.score_batch import ScoreWriter
from laurel_server.leaderboards.score_items import Done, Item, Place, ScoreBatch
from laurel_server.leaderboards.score_seats import seat_of
from laurel_server.leaderboards.seating import LOOK_ONLY, Seating, seat
from laurel_server.postgres import scores
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.pool import LaneConnection, Pool
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.rewards.group_commit import GroupCommit, Waiting

log = structlog.get_logger()

MAX_BATCH: Final = 1000
"""Scores in one transaction: all of a BatchUpdateScores, so that each of its boards costs one round trip to Redis."""


class Scores:
    """The score path of one process. One lane: a batch of scores locks all that its boards need."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[LaneConnection]],
        pool: Pool,
        writer: ScoreWriter,
        redis: RedisConnection,
        confirmations: Confirmations,
        *,
        budget: float,
        max_waiting: int,
        linger_max: float,
    ) -> None:
        self._pool = pool
        self._redis = redis
        self._confirmations = confirmations
        self._budget = budget
        self._group = GroupCommit(connect, writer, self._finish, 1, MAX_BATCH, max_waiting, linger_max)

    def start(self) -> None:
        """Begin to take commands."""
        self._group.start()

    async def close(self) -> None:
        """Finish the commands that were taken; refuse new ones with DRAINING."""
        await self._group.close()

    async def do(self, command: ScoreCommand, deadline: float | None) -> ScoreAnswer:
        """Carry out one command. Raises LaurelError for a refusal, TimeoutError if the deadline passes before."""
        (result,) = await self.do_batch([command], deadline)
        if isinstance(result, ScoreAnswer):
            return result
        raise result

    async def do_batch(
        self, commands: Sequence[ScoreCommand | LaurelError], deadline: float | None
    ) -> list[ScoreAnswer | Exception]:
        """Carry out many commands; each has its own result. A LaurelError in place of a command is its own result."""
        items = [
            Item(command, idempotency_key(command.family, command.caller, command.request_id))
            for command in commands
            if isinstance(command, ScoreCommand)
        ]
        answered = iter(await self._group.submit(items, deadline) if items else ())
        return [
            command if isinstance(command, LaurelError) else next(answered)  # type: ignore[misc]
            for command in commands
        ]

    async def _finish(self, batch: ScoreBatch, waiting: Sequence[Waiting[Item]]) -> None:
        """Take a committed batch to the boards and answer its callers. Nothing in here may fail a command."""
        listed = {
            (result.board, each.item.command.user_id)
            for each, result in zip(waiting, batch.results, strict=True)
            if isinstance(result, Done) and result.is_listed
        }
        with self._confirmations.carrying(batch.batch_no):
            ranks = await self._seat(batch, listed)
        for each, result in zip(waiting, batch.results, strict=True):
            if isinstance(result, LaurelError):
                each.answer(result)
                continue
            place = (result.board, each.item.command.user_id)
            each.answer(_answer(result, batch.standing.get(place), ranks.get(place)))

    async def _seat(self, batch: ScoreBatch, listed: set[Place]) -> dict[Place, BoardRank]:
        """Return the ranks that the boards tell in time; repair, or who fills a board, takes the other scores there."""
        try:
            if batch.drops:
                async with asyncio.timeout(self._budget):  # others may have all connections of the pool
                    batch.off.update(await scores.dropped(self._pool, batch.off))
        except UNAVAILABLE as away:
            log.warning("scores.pending", batch=batch.batch_no, error=f"{type(away).__name__}: {away}")
            return {}
        seatings = seatings_of(batch, listed)
        seating = seat(self._redis, seatings, batch.new_boards, ranked=True, tell=True)
        try:
            seated = await within_budget(seating, self._redis, self._budget)
        except (TimeoutError, RedisUnavailable) as late:
            log.warning("scores.pending", batch=batch.batch_no, error=str(late))
            return {}
        if batch.wrote:
            self._confirmations.confirm(batch.batch_no)
        filling = {board for board in seatings if not batch.rules.boards[board.scope].is_filled}
        untold = filling | seated.incomplete
        return {(rank.board, user_id): rank for user_id, rank in seated.ranks if rank.board not in untold}


def seatings_of(batch: ScoreBatch, listed: set[Place]) -> dict[BoardKey, Seating]:
    """Return what a batch does to its boards: absolute scores, so that it does no harm to apply them twice or late."""
    seatings: dict[BoardKey, Seating] = {}
    for board in batch.new_boards:
        seatings[board] = Seating(_traits(batch, board))
    for (board, user_id), version in batch.off.items():
        seatings.setdefault(board, Seating(_traits(batch, board))).off.append((user_id, version))
    for (board, user_id), score in batch.standing.items():
        if (board, user_id) in listed:
            seating = seatings.setdefault(board, Seating(_traits(batch, board)))
            placed = seat_of(seating.traits, user_id, score)
            seating.on.append(placed._replace(version=LOOK_ONLY) if board in batch.past else placed)
    return seatings


def _traits(batch: ScoreBatch, board: BoardKey) -> Traits:
    return batch.rules.boards[board.scope].traits


def _answer(done: Done, score: Score | None, rank: BoardRank | None) -> ScoreAnswer:
    if not done.is_listed or score is None:
        kept = 0 if score is None else score.pair.score
        return ScoreAnswer(not_ranked(done.board, kept), done.updated, done.replayed, RankState.NOT_RANKED)
    if rank is None or not rank.rank:
        pending = not_ranked(done.board, score.pair.score)
        return ScoreAnswer(pending, done.updated, done.replayed, RankState.PENDING)
    return ScoreAnswer(rank, done.updated, done.replayed, RankState.FRESH)
