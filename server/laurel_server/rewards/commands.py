"""The way of every command: through the group commit into the ledger, to the boards, and back to its caller."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import perf_counter

import structlog
from msgspec.structs import replace

from laurel_server.domain.accounts import NOTHING, Account
from laurel_server.domain.awards import AwardAnswer, AwardCommand, Posting
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.commands import Change, ChangeAnswer, Command
from laurel_server.domain.errors import LaurelError, Reason, transaction_not_found
from laurel_server.domain.identifiers import idempotency_key
from laurel_server.domain.ledger import RankState
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.leaderboards.preview import Other, Step, preview_ranks, preview_with
from laurel_server.leaderboards.projection import Projected, Projection
from laurel_server.leaderboards.repair import Confirmations
from laurel_server.metrics import AWARD_STAGE_SECONDS, AWARDS_PENDING_RANKS
from laurel_server.postgres.badges import read_unlocked
from laurel_server.postgres.entries import StoredEntry, read_entries
from laurel_server.postgres.pool import LaneConnection, Pool, ledger_errors
from laurel_server.redis.connection import RedisConnection
from laurel_server.rewards.answers import (
    Move,
    answer_again,
    answer_to,
    boards_left,
    change_answer,
    change_answer_again,
    changed_faces,
    first_answer,
    moves_of,
)
from laurel_server.rewards.batch_items import CommittedBatch, Item, Result, users_of
from laurel_server.rewards.group_commit import GroupCommit, Waiting
from laurel_server.rewards.ledger_batch import LedgerWriter
from laurel_server.rewards.outcomes import StoredAward, StoredChange

log = structlog.get_logger()

AWARD = "award"
"""AwardPoints, BatchAwardPoints and IngestAwards share their request ids."""

GRANT = "grant"
"""What Laurel itself gives; no caller's request leads to such a key."""


class Commands:
    """Carries out the commands of one process."""

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
        self._max_batch = max_batch
        self._group = GroupCommit(connect, writer, self._finish, lanes, max_batch, max_waiting, linger_max)

    def start(self) -> None:
        """Begin to take commands."""
        self._group.start()

    async def close(self) -> None:
        """Finish the commands that were taken; refuse new ones with DRAINING."""
        await self._group.close()

    async def award(self, command: AwardCommand, deadline: float | None) -> AwardAnswer:
        """Make one award. Raises LaurelError for a refusal.

        TimeoutError when `deadline`, a moment of `time.monotonic()`, passed before the award had begun.
        """
        (result,) = await self.submit([item_of(command, AWARD)], deadline)
        if isinstance(result, AwardAnswer):
            return result
        raise result if isinstance(result, Exception) else TypeError(result)

    async def award_batch(
        self, commands: Sequence[AwardCommand | LaurelError], deadline: float | None
    ) -> list[AwardAnswer | Exception]:
        """Make many awards, those of one user in their order; each has its own result.

        A LaurelError in place of a command is its own result.
        """
        items = [item_of(command, AWARD) for command in commands if isinstance(command, AwardCommand)]
        answered = iter(await self._make_in_order(items, deadline) if items else ())
        return [
            command if isinstance(command, LaurelError) else next(answered)  # type: ignore[misc]
            for command in commands
        ]

    async def _make_in_order(self, items: Sequence[Item], deadline: float | None) -> Sequence[object]:
        """Make awards, in pieces that are a batch each; pieces with a user in common one after the other."""
        if len(items) <= self._max_batch:
            return await self.submit(items, deadline)
        self._group.check_room(len(items))
        pieces = [items[start : start + self._max_batch] for start in range(0, len(items), self._max_batch)]
        if _have_users_in_common(pieces):
            answers = [await self._make_piece(piece, deadline) for piece in pieces]
        else:
            answers = await asyncio.gather(*(self._make_piece(piece, deadline) for piece in pieces))
        return [answer for piece in answers for answer in piece]

    async def _make_piece(self, piece: Sequence[Item], deadline: float | None) -> Sequence[object]:
        """Make awards of a call that may have made others: a refusal of all of them is that of each."""
        try:
            return await self.submit(piece, deadline)
        except LaurelError as refusal:
            return [refusal] * len(piece)

    async def grant(self, commands: Sequence[AwardCommand]) -> list[object]:
        """Make awards that Laurel itself gives; returns their answers, or the errors in their place, in order."""
        items = [item_of(command, GRANT) for command in commands]
        return await self.submit(items, None) if items else []

    async def carry_out(self, command: Command, family: str, deadline: float | None) -> ChangeAnswer:
        """Carry out one command that is no award. Raises LaurelError for a refusal.

        `family` is the RPC family that its request_id belongs to. TimeoutError when `deadline`, a moment of
        `time.monotonic()`, passed before the command had begun.
        """
        (result,) = await self.submit([item_of(command, family)], deadline)
        if isinstance(result, ChangeAnswer):
            return result
        raise result if isinstance(result, Exception) else TypeError(result)

    async def submit_behind(self, commands: Sequence[Command], family: str) -> list[object]:
        """Do what `submit` does with commands of a job: where the queue is full, what callers want goes first."""
        items = [item_of(command, family) for command in commands]
        while True:
            try:
                return await self.submit(items, None)
            except LaurelError as full:
                if full.reason is not Reason.OVERLOADED or full.retry_after is None:
                    raise
                await asyncio.sleep(full.retry_after.total_seconds())

    async def submit(self, items: Sequence[Item], deadline: float | None) -> list[object]:
        """Carry out commands and return their answers, or the errors in their place, in order."""
        return await self._group.submit(items, deadline)

    async def _finish(self, batch: CommittedBatch, waiting: Sequence[Waiting[Item]]) -> None:
        """Take a committed batch to the boards and answer its callers. Nothing in here may fail a command."""
        commands = [each.item.command for each in waiting]
        moves = moves_of(batch, commands)
        changed = changed_faces(batch, moves)
        if changed:
            self._faces_changed(changed)
        with self._confirmations.carrying(batch.batch_no):
            projected = await self._project(batch, moves)
        kept = await self._entries_of_replays(batch)
        for each, result in zip(waiting, batch.results, strict=True):
            user_id = each.item.command.user_id
            if each.item.command.validate_only and isinstance(result, Posting):
                each.answer(await self._preview(result, batch))
            else:
                account = batch.accounts[user_id]
                each.answer(_answer(account, result, moves.get(user_id), projected, kept))

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
        scores = [(board, step.after) for board, step in _steps(posting, batch).items()]
        if not scores:
            return first_answer(posting, (), RankState.NOT_RANKED)
        try:
            matrix = batch.rules.matrix
            ranks = await preview_ranks(self._redis, matrix, posting.entry.user_id, scores)
            if posting.referral is not None:
                ranks = await preview_with(self._redis, matrix, ranks, _other(posting.referral, batch))
        except BoardsUnavailable:
            return first_answer(posting, (), RankState.PENDING)
        return first_answer(posting, ranks, RankState.FRESH)

    async def _entries_of_replays(self, batch: CommittedBatch) -> dict[int, StoredEntry] | LaurelError:
        replays = [
            result.transaction_id
            for result in batch.results
            if isinstance(result, StoredAward | StoredChange) and result.transaction_id
        ]
        replays += [
            result.referral_transaction_id
            for result in batch.results
            if isinstance(result, StoredAward) and result.referral_transaction_id
        ]
        if not replays:
            return {}
        try:
            async with ledger_errors():
                kept = await read_entries(self._pool, replays)
                unlocked = await read_unlocked(
                    self._pool, {each.entry.user_id for each in kept.values()}, replays
                )
        except LaurelError as lost:
            return lost
        return {
            # The answer was given before anything of the entry was reversed.
            key: each._replace(entry=replace(each.entry, reversed_points=0), badges=unlocked.get(key, ()))
            for key, each in kept.items()
        }


def _answer(
    account: Account,
    result: Result,
    move: Move | None,
    projected: Projected | None,
    kept: Mapping[int, StoredEntry] | LaurelError,
) -> AwardAnswer | ChangeAnswer | LaurelError:
    if isinstance(result, Posting):
        return answer_to(result, move, projected)
    if isinstance(result, Change):
        return change_answer(account.user_id, result, move, projected)
    if isinstance(result, LaurelError):
        return result
    return kept if isinstance(kept, LaurelError) else _answer_again(account, result, move, projected, kept)


def _answer_again(
    account: Account,
    stored: StoredAward | StoredChange,
    move: Move | None,
    projected: Projected | None,
    kept: Mapping[int, StoredEntry],
) -> AwardAnswer | ChangeAnswer | LaurelError:
    if stored.transaction_id and stored.transaction_id not in kept:  # its month was taken out of the ledger
        return transaction_not_found(stored.transaction_id)
    if isinstance(stored, StoredChange):
        return change_answer_again(account, stored, kept, move, projected)
    return answer_again(stored, kept, move, projected)


def _steps(posting: Posting, batch: CommittedBatch) -> dict[BoardKey, Step]:
    """Return how an award that is only tried out would change the user's scores on the boards that he moves on.

    A promotion has him move to boards of the new tier over periods, too, in which the award does not count.
    """
    totals = batch.accounts[posting.entry.user_id].totals
    counted = {period.id: posting.entry.points for period in posting.counted}
    before = {board: totals.get(board.period_id, NOTHING).score for board in posting.boards}
    return {board: Step(score, score + counted.get(board.period_id, 0)) for board, score in before.items()}


def _other(posting: Posting, batch: CommittedBatch) -> Other:
    """Return how the other side of a referral would move, off the boards of his tier too if he is promoted."""
    account = batch.accounts[posting.entry.user_id]
    left = {
        board: Step(account.totals[board.period_id].score, 0)
        for board in boards_left(posting, account, batch.rules)
    }
    return Other(account.user_id, {**left, **_steps(posting, batch)})


def _have_users_in_common(pieces: Sequence[Sequence[Item]]) -> bool:
    users = [users_of(piece) for piece in pieces]
    return len(set().union(*users)) < sum(map(len, users))


def item_of(command: AwardCommand | Command, family: str) -> Item:
    """Return the command with its idempotency key."""
    return Item(command, idempotency_key(family, command.caller, command.request_id))
