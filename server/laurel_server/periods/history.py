"""What periods there were: their states, their winners and their snapshots."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol

from laurel_server.domain.clock import Clock
from laurel_server.domain.closing import (
    NO_SNAPSHOT,
    PeriodState,
    PeriodSummary,
    Snapshot,
    Winner,
    state_at,
)
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.periods import Period, PeriodType
from laurel_server.domain.views import Board, Page
from laurel_server.postgres import history
from laurel_server.postgres.history import PeriodRow, read_winners
from laurel_server.postgres.pool import Connection, Pool, ledger_errors


class Boards(Protocol):
    """Reads boards."""

    def resolve(self, scope: str, period_type: PeriodType | None, period_id: str) -> Board:
        """Return the board instance that is meant now. INVALID_FIELD, BOARD_NOT_FOUND, PERIOD_NOT_FOUND."""
        ...

    async def page(self, board: Board, after: str, limit: int) -> Page:
        """Return the first lines of a board and how many it has. BOARDS_REBUILDING."""
        ...


class PeriodHistory:
    """Reads periods. `grace` is how long after its end a period takes awards."""

    def __init__(self, pool: Pool, boards: Boards, clock: Clock, grace: timedelta) -> None:
        self._pool = pool
        self._boards = boards
        self._clock = clock
        self._grace = grace

    async def periods(
        self, scope: str, period_type: PeriodType, before: datetime | None, limit: int
    ) -> list[PeriodSummary]:
        """Return up to `limit` periods that began before that moment, newest first: the current one is among them.

        INVALID_FIELD, BOARD_NOT_FOUND, BOARDS_REBUILDING.
        """
        current = self._boards.resolve(scope, period_type, "")
        async with ledger_errors(), _one_moment(self._pool) as connection:
            rows = await history.list_periods(
                connection, current.key.scope, current.period.type, before, limit
            )
            if before is None and current.key not in [row.board for row in rows]:
                rows = [_begun(current), *rows][:limit]
            winners = await read_winners(connection, [row.board for row in rows])
        return [await self._summary(_in(current, row), row, winners.get(row.board, ())) for row in rows]

    async def period(self, board: Board) -> PeriodSummary:
        """Return one period of a board. BOARDS_REBUILDING."""
        async with ledger_errors(), _one_moment(self._pool) as connection:
            row = await history.read_period(connection, board.key)
            winners = await read_winners(connection, [board.key])
        known = board if row is None else _in(board, row)
        return await self._summary(known, row, winners.get(board.key, ()))

    async def snapshot(self, board: Board, offset: int, limit: int) -> Snapshot:
        """Return the snapshot of a frozen board with `limit` lines from `offset` on. PERIOD_NOT_FOUND before."""
        async with ledger_errors():
            found = await history.read_snapshot(self._pool, board.key, offset, limit)
            row = None if found else await history.read_period(self._pool, board.key)
        if found is not None:
            return found
        state = state_at(board.period, row.state if row else None, self._clock.now(), self._grace)
        if state < PeriodState.COMPLETED:
            raise LaurelError(
                Reason.PERIOD_NOT_FOUND,
                f"{board.key.period_id} is not closed, so it has no snapshot",
                metadata={"period_id": board.key.period_id},
            )
        return NO_SNAPSHOT

    async def _summary(self, board: Board, row: PeriodRow | None, winners: Sequence[Winner]) -> PeriodSummary:
        state = state_at(board.period, row.state if row else None, self._clock.now(), self._grace)
        participants = row.participants if row else 0
        if participants is None:
            participants = (await self._boards.page(board, "", 1)).total
        return PeriodSummary(board.key, board.period, state, tuple(winners), participants)


@asynccontextmanager
async def _one_moment(pool: Pool) -> AsyncIterator[Connection]:
    """Read a period and its winners as they were together: it may be closed, or its board deleted, in between."""
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


def _in(board: Board, row: PeriodRow) -> Board:
    """Return the instance that a row is about, of the same board."""
    period = Period(board.period.type, row.board.period_id, row.starts_at, row.ends_at)
    return Board(row.board, period, board.traits)


def _begun(current: Board) -> PeriodRow:
    """Return what there is to say of a period in which nobody has anything yet."""
    period = current.period
    return PeriodRow(current.key, period.starts_at, period.ends_at, PeriodState.ACTIVE, 0)
