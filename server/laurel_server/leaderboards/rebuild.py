"""Which boards are filled from the ledger while awards go on, and when."""

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta, tzinfo
from functools import cache, partial

import structlog

from laurel_server.domain.boards import BoardKey, BoardMatrix, is_score_board
from laurel_server.domain.periods import parse_period_id
from laurel_server.domain.views import RebuildReport
from laurel_server.leaderboards.board_fill import BoardFill, new_claim
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.projection import Projection
from laurel_server.postgres import ledger, scores, standings
from laurel_server.postgres import rules as rule_rows
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.turns import Turns
from laurel_server.redis.connection import RedisConnection

log = structlog.get_logger()


class Rebuild:
    """Fills boards, sending `chunk` users at a time.

    A board is incomplete from the first step to the last, so that it is never silently short.

    Boards are emptied and filled live: awards that commit meanwhile write to them too, and the version of the user's
    row decides who is right. One rebuild runs at a time in the whole installation: a second one would empty what the
    first fills. One that loses its turn, because its connection breaks, is cancelled within some seconds. Until then it
    does no harm beside the next one: it puts nobody on boards, and calls none complete, that it has not claimed itself.

    Why emptying is safe. What the scan finds is newer than everything that was on its way before: a write from before
    the emptying has committed before the scan, which so brings the same or more. Emptying forgets who has left,
    though, and an award, or a repeat of it by repair, that was read before a user left a board may come to Redis only
    after that. So a board has a floor, the version up to which the scan has found all that there is: whom it does not
    know is put on it with a newer version only (`BoardFill.empty`).
    """

    def __init__(
        self,
        pool: Pool,
        redis: RedisConnection,
        projection: Projection,
        catalogue: Catalogue,
        turns: Turns,
        is_open: Callable[[str], bool],
        zone: tzinfo,
        chunk: int,
    ) -> None:
        """`is_open` tells of a period id, by the calendar of `zone`, whether awards still count in the period."""
        self._pool = pool
        self._turns = turns
        self._boards = BoardFill(pool, redis, projection, catalogue, chunk)
        self._catalogue = catalogue
        self._is_open = is_open
        self._zone = zone

    async def run(self, boards: Collection[BoardKey] | None = None) -> RebuildReport:
        """Fill `boards`, or all that ever had a member. BoardsUnavailable when Redis goes away: then run it again."""
        async with self._turns.turn():
            known = await self._registered()
            return await self._report(frozenset(known if boards is None else set(boards) & set(known)))

    async def run_lost(self) -> RebuildReport:
        """Fill the boards that are incomplete when it is this rebuild's turn. BoardsUnavailable as `run`."""
        async with self._turns.turn():
            return await self._report(frozenset(await self.lost()))

    async def start_over(self) -> RebuildReport:
        """Forget every board in Redis, even one that the ledger does not know, and fill all. BoardsUnavailable."""
        async with self._turns.turn():
            await self._boards.forget_all()
            return await self._report(frozenset(await self._registered()))

    async def fill_new(self) -> RebuildReport:
        """Fill the points boards that were configured since they were filled last, in their open periods.

        Batches that began before the configuration changed have committed (`boards_barrier`), and those that begin
        later place their users themselves: a scan that begins now misses nobody. BoardsUnavailable: run it again.
        """
        async with self._turns.turn():
            started = time.monotonic()
            numbers = await self._unfilled()
            if not numbers:
                return RebuildReport(0, 0, timedelta())
            filling = _Filling(self._catalogue.matrix, self._is_open, await self._filling_instances())
            claim = new_claim()
            await self._boards.empty(sorted(filling.instances), claim)
            members = 0
            if not self._catalogue.matrix.is_filled:
                register = partial(self._register, claim)
                members = await self._boards.load(claim, filling, filling.instances, register)
            for board in sorted(filling.instances):
                if is_score_board(board.scope):
                    members += await self._boards.load_scores(claim, board)
            boards = await self._end_filling(numbers, filling.instances, claim)
            took = time.monotonic() - started
            log.info("boards.filled", boards=boards, members=members, seconds=took)
            return RebuildReport(boards, members, timedelta(seconds=took))

    async def forget(self, boards: Collection[BoardKey], slots: Sequence[str] = ("",)) -> None:
        """Drop these slots of boards that are configured no longer. BoardsUnavailable when Redis is away."""
        await self._boards.forget(boards, slots)

    def at_rest(self) -> AbstractAsyncContextManager[bool]:
        """Keep everybody from filling boards while in the context if nobody does, and tell whether that is so.

        One of UNAVAILABLE.
        """
        return self._turns.turn_if_free()

    async def _unfilled(self) -> list[int]:
        """Return the numbers of the boards to fill, as far as this process knows their configuration."""
        async with self._pool.acquire() as connection:
            configs = await rule_rows.read_boards(connection)
        known = self._catalogue.boards
        return [
            config.board_no
            for config in configs
            if not config.is_filled and known.get(config.board_id) == config
        ]

    async def _filling_instances(self) -> set[BoardKey]:
        boards = await self._registered()
        return {board for board in boards if self._catalogue.is_filling(board)}

    async def _register(self, claim: str, placements: Sequence[Placement], known: set[BoardKey]) -> None:
        """Make boards known to the ledger before somebody is put on them, and claim them, so that none is complete.

        No batch needs to be held back: one that finds a board known and places a user before it is claimed leaves him
        on it, as that empties nothing; one that has made it known itself calls no board complete that is being
        filled, and the board is taken off what is filled here and filled anew by `_end_filling`.
        """
        new = sorted({board for placement in placements for board in placement.boards} - known)
        if not new:
            return
        known.update(new)
        periods = {board: parse_period_id(board.period_id, self._zone) for board in new}
        async with self._pool.acquire() as connection:
            created = await ledger.register_boards(connection, periods)
        for board in sorted(created):
            await self._boards.claim(board, claim)
        known.difference_update(set(new) - created)

    async def _end_filling(self, numbers: Sequence[int], filled: set[BoardKey], claim: str) -> int:
        """Say that the boards have everybody, also those instances that awards have begun meanwhile."""
        await self._boards.complete(sorted(filled), claim)
        while begun := await self._filling_instances() - filled:
            await self._boards.fill(frozenset(begun))
            filled |= begun
        async with self._pool.acquire() as connection, connection.transaction():
            await rule_rows.hold_back_batches(connection)
            last = await self._filling_instances() - filled
            await rule_rows.note_filled(connection, numbers)
        if last:
            await self._boards.fill(frozenset(last))
        return len(filled | last)

    async def lost(self) -> list[BoardKey]:
        """Return the boards that have members in the ledger and are incomplete in Redis. BoardsUnavailable."""
        registered = await self._registered()
        boards = [board for board in registered if not self._catalogue.is_filling(board)]
        complete = await self._boards.are_whole(boards)
        return [board for board, whole in zip(boards, complete, strict=True) if not whole]

    async def _report(self, wanted: frozenset[BoardKey]) -> RebuildReport:
        started = time.monotonic()
        members = await self._boards.fill(wanted) if wanted else 0
        took = time.monotonic() - started
        if wanted:
            log.info("boards.rebuilt", boards=len(wanted), members=members, seconds=took)
        return RebuildReport(len(wanted), members, timedelta(seconds=took))

    async def _registered(self) -> list[BoardKey]:
        """Return every board instance that has ever had a member."""
        return [*await standings.registered_boards(self._pool), *await scores.instances(self._pool)]


class _Filling:
    """The boards to fill: the instances that there are, and those in open periods that somebody turns out to be on."""

    def __init__(self, matrix: BoardMatrix, is_open: Callable[[str], bool], instances: set[BoardKey]) -> None:
        self.instances = instances
        self._matrix = matrix
        self._is_open = cache(is_open)

    def __contains__(self, board: object) -> bool:
        if not isinstance(board, BoardKey):
            return False
        return board in self.instances or (self._matrix.is_filling(board) and self._is_open(board.period_id))
