"""Filling boards from the ledger while awards go on."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import chain
from typing import Any

import structlog

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.views import RebuildReport
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.placements import placement_on
from laurel_server.leaderboards.projection import BoardsUnavailable, Projection
from laurel_server.leaderboards.reading import look
from laurel_server.postgres import standings
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisRefused, RedisUnavailable
from laurel_server.redis.keys import BOARD_CHANGES, EVERY_BOARD, all_keys, board_keys, signal_of
from laurel_server.redis.scripts import script

log = structlog.get_logger()

READ_AT_ONCE = 1000
"""Users read from the ledger at a time."""

BOARDS_AT_ONCE = 300
"""Boards that one script call names; Lua passes at most some thousand keys on."""

ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('laurel rebuild'))"


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
        self, pool: Pool, redis: RedisConnection, projection: Projection, catalogue: Catalogue, chunk: int
    ) -> None:
        self._pool = pool
        self._redis = redis
        self._projection = projection
        self._catalogue = catalogue
        self._chunk = chunk

    async def run(self, boards: Collection[BoardKey] | None = None) -> RebuildReport:
        """Fill `boards`, or all that ever had a member. BoardsUnavailable when Redis goes away: then run it again."""
        async with self._alone():
            known = await standings.registered_boards(self._pool)
            return await self._report(frozenset(known if boards is None else set(boards) & set(known)))

    async def run_lost(self) -> RebuildReport:
        """Fill the boards that are incomplete when it is this rebuild's turn. BoardsUnavailable as `run`."""
        async with self._alone():
            return await self._report(frozenset(await self.lost()))

    async def start_over(self) -> RebuildReport:
        """Forget every board in Redis, even one that the ledger does not know, and fill all. BoardsUnavailable."""
        async with self._alone():
            await self._forget_all()
            return await self._report(frozenset(await standings.registered_boards(self._pool)))

    async def _forget_all(self) -> None:
        cursor: bytes | str = "0"
        while True:
            cursor, names = await self._call("SCAN", cursor, "MATCH", EVERY_BOARD, "COUNT", 1000)
            if names:
                await self._call("UNLINK", *names)
            if cursor == b"0":
                return

    async def lost(self) -> list[BoardKey]:
        """Return the boards that have members in the ledger and are incomplete in Redis. BoardsUnavailable."""
        boards = await standings.registered_boards(self._pool)
        try:
            complete = await asyncio.gather(*(self._look(board) for board in boards))
        except RedisUnavailable as away:
            raise BoardsUnavailable(str(away)) from away
        return [board for board, whole in zip(boards, complete, strict=True) if not whole]

    async def _look(self, board: BoardKey) -> bool:
        try:
            return (await look(self._redis, board))[0]
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
        for some in _chunks(boards, BOARDS_AT_ONCE):
            await self._run("empty", list(chain.from_iterable(all_keys(board) for board in some)))
        members = await self._load(wanted)
        complete = 0
        for some in _chunks(boards, BOARDS_AT_ONCE):
            names = [board_keys(board).members for board in some]
            complete += await self._run("complete", names, written_up_to)
        await self._call("PUBLISH", BOARD_CHANGES, signal_of(boards))
        if complete < len(boards):
            raise BoardsUnavailable("boards were lost again while they were filled")
        return members

    async def _load(self, wanted: frozenset[BoardKey]) -> int:
        """Send everybody to the boards; the ledger is read while Redis works on those read before."""
        members, loading = 0, asyncio.create_task(asyncio.sleep(0))
        try:
            async for chunk in self._members(wanted):
                placements = [placement_on(member, self._catalogue.matrix, wanted) for member in chunk]
                members += sum(len(placement.boards) for placement in placements)
                await loading
                loading = asyncio.create_task(self._projection.load(placements, self._chunk, tell=False))
            await loading
        finally:
            loading.cancel()
        return members

    async def _members(self, wanted: Collection[BoardKey]) -> AsyncIterator[list[standings.Member]]:
        # Open totals first: one that moves to the past meanwhile is met there, if it was not met here.
        async for chunk in standings.scan_open_totals(self._pool, READ_AT_ONCE):
            yield chunk
        for period_id in sorted({board.period_id for board in wanted}):
            async for chunk in standings.scan_period(self._pool, READ_AT_ONCE, period_id):
                yield chunk

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

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        async with ledger_errors(), self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
            await connection.execute(ONE_AT_A_TIME)
            yield


def _chunks(boards: Sequence[BoardKey], size: int) -> Iterator[Sequence[BoardKey]]:
    return (boards[start : start + size] for start in range(0, len(boards), size))
