"""Filling boards from the ledger while awards go on."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Container, Iterator, Sequence
from datetime import timedelta, tzinfo
from functools import cache
from itertools import chain
from typing import Any, TypeVar

import structlog

from laurel_server.domain.boards import BoardKey, BoardMatrix, is_score_board
from laurel_server.domain.periods import parse_period_id
from laurel_server.domain.views import RebuildReport
from laurel_server.leaderboards.ahead import ahead
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.fill_progress import FillProgress
from laurel_server.leaderboards.fill_turns import FillTurns
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.placements import Placing
from laurel_server.leaderboards.projection import BoardsUnavailable, Projection
from laurel_server.leaderboards.reading import look
from laurel_server.leaderboards.score_seats import seatings_of_scorers
from laurel_server.leaderboards.seating import seat
from laurel_server.metrics import BOARDS_FILL_MEMBERS
from laurel_server.postgres import ledger, scores, standings
from laurel_server.postgres import rules as rule_rows
from laurel_server.postgres.pool import Pool
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisRefused, RedisUnavailable
from laurel_server.redis.keys import (
    BOARD_CHANGES,
    EVERY_BOARD,
    FILLING,
    all_keys,
    board_keys,
    signal_of,
    slot_names,
)
from laurel_server.redis.node import RedisNode
from laurel_server.redis.scripts import script

log = structlog.get_logger()

T = TypeVar("T")

READ_AT_ONCE = 1000
"""Users read from the ledger at a time."""

CHUNKS_AHEAD = 3
"""Such parts read while one is on its way to the boards."""

BOARDS_AT_ONCE = 300
"""Boards that one script call names; Lua passes at most some thousand keys on."""


class Rebuild:
    """Fills boards, sending `chunk` users at a time.

    A board is incomplete from the first step to the last, so that it is never silently short.

    Boards are emptied and filled live: awards that commit meanwhile write to them too, and the version of the user's
    row decides who is right. One rebuild runs at a time in the whole installation: a second one would empty what the
    first is about to call complete.

    Why emptying is safe. What the scan finds is newer than everything that was on its way before: a write from before
    the emptying has committed before the scan, which so brings the same or more. Emptying forgets who has left,
    though. A server that stood still since before a user left a board, and sends its old write only after another
    server has emptied the board, brings him back; the integrity check shows it, and the next rebuild takes him off.
    """

    def __init__(
        self,
        pool: Pool,
        redis: RedisConnection,
        projection: Projection,
        catalogue: Catalogue,
        turns: FillTurns,
        is_open: Callable[[str], bool],
        zone: tzinfo,
        chunk: int,
    ) -> None:
        """`is_open` tells of a period id, by the calendar of `zone`, whether awards still count in the period."""
        self._pool = pool
        self._turns = turns
        self._redis = redis
        self._projection = projection
        self._catalogue = catalogue
        self._is_open = is_open
        self._zone = zone
        self._chunk = chunk

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
            await self._forget_all()
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
            await self._empty(sorted(filling.instances))
            members = 0
            if not self._catalogue.matrix.is_filled:
                members = await self._load(filling, filling.instances, self._register)
            for board in sorted(filling.instances):
                if is_score_board(board.scope):
                    members += await self._load_scores(board)
            boards = await self._end_filling(numbers, filling.instances)
            took = time.monotonic() - started
            log.info("boards.filled", boards=boards, members=members, seconds=took)
            return RebuildReport(boards, members, timedelta(seconds=took))

    async def forget(self, boards: Collection[BoardKey], slots: Sequence[str] = ("",)) -> None:
        """Drop these slots of boards that are configured no longer. BoardsUnavailable when Redis is away."""
        for some in _chunks(sorted(boards), BOARDS_AT_ONCE):
            names = [all_keys(board, slot) for board in some for slot in slots]
            await asyncio.gather(*(self._call("UNLINK", *each) for each in names))
            await self._call("PUBLISH", BOARD_CHANGES, signal_of(some))

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

    async def _register(self, placements: Sequence[Placement], known: set[BoardKey]) -> None:
        """Make boards known to the ledger before somebody is put on them, and flag them as not complete."""
        new = sorted({board for placement in placements for board in placement.boards} - known)
        if not new:
            return
        known.update(new)
        periods = {board: parse_period_id(board.period_id, zone=self._zone) for board in new}
        async with self._pool.acquire() as connection:
            created = await ledger.register_boards(connection, periods)
        for board in sorted(created):
            for slot in self._slots(board):
                await self._call("HSET", board_keys(board, slot).members, FILLING, "")
        known.difference_update(set(new) - created)

    async def _end_filling(self, numbers: Sequence[int], filled: set[BoardKey]) -> int:
        """Say that the boards have everybody, also those instances that awards have begun meanwhile."""
        await self._complete(sorted(filled), await standings.watermark(self._pool))
        while begun := await self._filling_instances() - filled:
            await self._fill(frozenset(begun))
            filled |= begun
        async with self._pool.acquire() as connection, connection.transaction():
            await rule_rows.hold_back_batches(connection)
            last = await self._filling_instances() - filled
            await rule_rows.note_filled(connection, numbers)
        if last:
            await self._fill(frozenset(last))
        return len(filled | last)

    async def _forget_all(self) -> None:
        try:
            for node in await self._redis.nodes():
                await _forget_all_of(node)
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away

    async def lost(self) -> list[BoardKey]:
        """Return the boards that have members in the ledger and are incomplete in Redis. BoardsUnavailable."""
        registered = await self._registered()
        boards = [board for board in registered if not self._catalogue.is_filling(board)]
        try:
            complete = await asyncio.gather(*(self._look(board) for board in boards))
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away
        return [board for board, whole in zip(boards, complete, strict=True) if not whole]

    async def _look(self, board: BoardKey) -> bool:
        try:
            return (await look(self._redis, board, len(self._slots(board))))[0]
        except RedisRefused:  # somebody has put something else in the place of the board
            return False

    async def _report(self, wanted: frozenset[BoardKey]) -> RebuildReport:
        started = time.monotonic()
        members = await self._fill(wanted) if wanted else 0
        took = time.monotonic() - started
        if wanted:
            log.info("boards.rebuilt", boards=len(wanted), members=members, seconds=took)
        return RebuildReport(len(wanted), members, timedelta(seconds=took))

    async def _fill(self, wanted: frozenset[BoardKey]) -> int:
        boards = sorted(wanted)
        written_up_to = await standings.watermark(self._pool)
        await self._empty(boards)
        points = frozenset(board for board in boards if not is_score_board(board.scope))
        members = await self._load(points, points) if points else 0
        for board in boards:
            if is_score_board(board.scope):
                members += await self._load_scores(board)
        await self._complete(boards, written_up_to)
        return members

    async def _empty(self, boards: Sequence[BoardKey]) -> None:
        for some in self._pieces(boards):
            await self._run("empty", list(chain.from_iterable(all_keys(*piece) for piece in some)))

    async def _complete(self, boards: Sequence[BoardKey], written_up_to: int) -> None:
        lost = 0
        for some in self._pieces(boards):
            names = [board_keys(*piece).members for piece in some]
            lost += len(some) - await self._run("complete", names, written_up_to)
        for changed in _chunks(boards, BOARDS_AT_ONCE):
            await self._call("PUBLISH", BOARD_CHANGES, signal_of(changed))
        if lost:
            raise BoardsUnavailable("boards were lost again while they were filled")

    async def _load(
        self,
        wanted: Container[BoardKey],
        instances: set[BoardKey] | frozenset[BoardKey],
        before: Callable[[Sequence[Placement], set[BoardKey]], Awaitable[None]] | None = None,
    ) -> int:
        """Send everybody to the boards; the ledger is read while Redis works on those read before.

        `before` is called with what comes next and the instances, to which it may add.
        """
        members, loading = 0, asyncio.create_task(asyncio.sleep(0))
        place = Placing(self._catalogue.matrix, wanted)
        try:
            periods = sorted({board.period_id for board in instances if not is_score_board(board.scope)})
            progress = FillProgress(1 + len(periods), await standings.last_number(self._pool))
            async for chunk in ahead(self._members(periods), CHUNKS_AHEAD):
                placements = [place(member) for member in chunk]
                placed = sum(len(placement.boards) for placement in placements)
                members += placed
                if before is not None and isinstance(instances, set):
                    await before(placements, instances)
                await loading
                progress.read(chunk[-1].user_no, placed)
                loading = asyncio.create_task(self._projection.load(placements, self._chunk, tell=False))
            await loading
            progress.end()
        finally:
            loading.cancel()
        return members

    async def _load_scores(self, board: BoardKey) -> int:
        members = 0
        async for chunk in ahead(scores.scan(self._pool, board, READ_AT_ONCE), CHUNKS_AHEAD):
            seatings = seatings_of_scorers(chunk, self._catalogue)
            placed = sum(len(seating.on) for seating in seatings.values())
            members += placed
            BOARDS_FILL_MEMBERS.inc(placed)
            try:
                await seat(self._redis, seatings, ranked=False, tell=False)
            except RedisUnavailable as away:
                raise BoardsUnavailable(str(away)) from away
        return members

    async def _registered(self) -> list[BoardKey]:
        """Return every board instance that has ever had a member."""
        return [*await standings.registered_boards(self._pool), *await scores.instances(self._pool)]

    async def _members(self, period_ids: Sequence[str]) -> AsyncIterator[list[standings.Member]]:
        # Open totals first: one that moves to the past meanwhile is met there, if it was not met here.
        async for chunk in standings.scan_open_totals(self._pool, READ_AT_ONCE):
            yield chunk
        for period_id in period_ids:
            async for chunk in standings.scan_period(self._pool, READ_AT_ONCE, period_id):
                yield chunk

    def _pieces(self, boards: Sequence[BoardKey]) -> Iterator[Sequence[tuple[BoardKey, str]]]:
        """Return the boards with each of their slots, as many together as a script call may name."""
        pieces = [(board, slot) for board in boards for slot in self._slots(board)]
        return _chunks(pieces, 1 if self._redis.one_slot else BOARDS_AT_ONCE)

    def _slots(self, board: BoardKey) -> Sequence[str]:
        return slot_names(self._catalogue.traits_of(board).slots)

    async def _run(self, name: str, keys: Sequence[str], *args: str | int) -> Any:  # noqa: ANN401 - a script's reply
        try:
            return await script(name).run(self._redis, tuple(keys), *args)
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away

    async def _call(self, *command: str | bytes | int) -> Any:  # noqa: ANN401 - a command's reply
        try:
            return await self._redis.call(*command)
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away


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


async def _forget_all_of(node: RedisNode) -> None:
    cursor: bytes | str = "0"
    while True:
        cursor, names = await node.call("SCAN", cursor, "MATCH", EVERY_BOARD, "COUNT", 1000)
        await asyncio.gather(*(node.call("UNLINK", name) for name in names))
        if cursor == b"0":
            return


def _chunks(boards: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (boards[start : start + size] for start in range(0, len(boards), size))
