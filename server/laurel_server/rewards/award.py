"""AwardPoints: from a command to a durable entry, new places on the boards, and the answer."""

from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter

import structlog

from laurel_server.domain.accounts import NOTHING
from laurel_server.domain.awards import AwardAnswer, AwardCommand, Posting
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.identifiers import idempotency_key
from laurel_server.domain.ledger import RankState
from laurel_server.leaderboards.preview import preview_ranks
from laurel_server.leaderboards.projection import BoardsUnavailable, Projected, Projection
from laurel_server.leaderboards.repair import Confirmations
from laurel_server.metrics import AWARD_STAGE_SECONDS, AWARDS_PENDING_RANKS
from laurel_server.postgres.entries import StoredEntry, read_entries
from laurel_server.postgres.pool import LaneConnection, Pool, ledger_errors
from laurel_server.redis.connection import RedisConnection
from laurel_server.rewards.answers import Move, answer_again, answer_to, first_answer, moves_of
from laurel_server.rewards.group_commit import GroupCommit, Waiting
from laurel_server.rewards.ledger_batch import CommittedBatch, Item, LedgerWriter, Result
from laurel_server.rewards.outcomes import StoredAward

log = structlog.get_logger()

FAMILY = "award"
"""AwardPoints and BatchAwardPoints share their request ids."""


class Awards:
    """The award path of one process."""

    def __init__(
        self,
        pool: Pool,
        connect: Callable[[], Awaitable[LaneConnection]],
        writer: LedgerWriter,
        redis: RedisConnection,
        projection: Projection,
        confirmations: Confirmations,
        faces_changed: Callable[[Sequence[str]], None],
        *,
        lanes: int,
        max_batch: int,
        max_waiting: int,
        linger_max: float,
    ) -> None:
        self._pool = pool
        self._redis = redis
        self._projection = projection
        self._confirmations = confirmations
        self._faces_changed = faces_changed
        self._group = GroupCommit(connect, writer, self._finish, lanes, max_batch, max_waiting, linger_max)

    def start(self) -> None:
        """Begin to take awards."""
        self._group.start()

    async def close(self) -> None:
        """Finish the awards that were taken; refuse new ones with DRAINING."""
        await self._group.close()

    async def award(self, command: AwardCommand, deadline: float | None) -> AwardAnswer:
        """Make one award. Raises LaurelError for a refusal.

        TimeoutError when `deadline`, a moment of `time.monotonic()`, passed before the award had begun.
        """
        (result,) = await self._group.submit([item_of(command)], deadline)
        if isinstance(result, AwardAnswer):
            return result
        raise result if isinstance(result, Exception) else TypeError(result)

    async def award_batch(
        self, commands: Sequence[AwardCommand | LaurelError], deadline: float | None
    ) -> list[AwardAnswer | Exception]:
        """Make many awards; each has its own result. A LaurelError in place of a command is its own result."""
        items = [item_of(command) for command in commands if isinstance(command, AwardCommand)]
        answered = iter(await self._group.submit(items, deadline) if items else ())
        return [
            command if isinstance(command, LaurelError) else next(answered)  # type: ignore[misc]
            for command in commands
        ]

    async def _finish(self, batch: CommittedBatch, waiting: Sequence[Waiting]) -> None:
        """Take a committed batch to the boards and answer its callers. Nothing in here may fail an award."""
        commands = [each.item.command for each in waiting]
        moves = moves_of(batch, commands)
        promoted = [user_id for user_id, move in moves.items() if move.left]
        if promoted:
            self._faces_changed(promoted)
        projected = await self._project(batch, moves)
        kept = await self._entries_of_replays(batch)
        for each, result in zip(waiting, batch.results, strict=True):
            if each.item.command.validate_only and isinstance(result, Posting):
                each.answer(await self._preview(result, batch))
            else:
                each.answer(_answer(result, moves.get(each.item.command.user_id), projected, kept))

    async def _project(self, batch: CommittedBatch, moves: dict[str, Move]) -> Projected | None:
        """Return the new ranks, or None when the boards do not answer in time: repair takes them there."""
        started = perf_counter()
        try:
            projected = await self._projection.project(
                [move.placement() for move in moves.values()], batch.new_boards
            )
        except BoardsUnavailable as unavailable:
            log.warning("boards.pending", batch=batch.batch_no, users=len(moves), error=str(unavailable))
            AWARDS_PENDING_RANKS.inc(len(moves))
            return None
        if batch.wrote:
            self._confirmations.confirm(batch.batch_no)
        AWARD_STAGE_SECONDS.project.observe(perf_counter() - started)
        return projected if projected.complete else None

    async def _preview(self, posting: Posting, batch: CommittedBatch) -> AwardAnswer:
        """Return the answer to an award that is only tried out, with the ranks it would lead to."""
        totals = batch.accounts[posting.entry.user_id].totals
        scores = [
            (board, totals.get(board.period_id, NOTHING).score + posting.entry.points)
            for board in posting.boards
        ]
        if not scores:
            return first_answer(posting, (), RankState.NOT_RANKED)
        try:
            ranks = await preview_ranks(self._redis, batch.rules.matrix, posting.entry.user_id, scores)
        except BoardsUnavailable:
            return first_answer(posting, (), RankState.PENDING)
        return first_answer(posting, ranks, RankState.FRESH)

    async def _entries_of_replays(self, batch: CommittedBatch) -> dict[int, StoredEntry] | LaurelError:
        replays = [result.transaction_id for result in batch.results if isinstance(result, StoredAward)]
        if not replays:
            return {}
        try:
            async with ledger_errors():
                return await read_entries(self._pool, replays)
        except LaurelError as lost:
            return lost


def _answer(
    result: Result,
    move: Move | None,
    projected: Projected | None,
    kept: dict[int, StoredEntry] | LaurelError,
) -> AwardAnswer | LaurelError:
    if isinstance(result, LaurelError):
        return result
    if isinstance(result, Posting):
        return answer_to(result, move, projected)
    if isinstance(kept, LaurelError):
        return kept
    return answer_again(result, kept[result.transaction_id], move, projected)


def item_of(command: AwardCommand) -> Item:
    """Return the award with its idempotency key: a digest of caller, RPC family and request_id."""
    return Item(command, idempotency_key(FAMILY, command.caller, command.request_id))
