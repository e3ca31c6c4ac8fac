"""What the ledger knows of periods: which there were, who won, and their snapshots."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg
import orjson

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.closing import (
    WINNERS_SHOWN,
    PeriodState,
    Snapshot,
    SnapshotLine,
    Statistics,
    Winner,
)
from laurel_server.domain.periods import PeriodType
from laurel_server.postgres.pool import LONG_SECONDS, Connection, Session
from laurel_server.postgres.sql import load

WINNERS_AT_ONCE = 1000


async def read_winners(session: Session, boards: Sequence[BoardKey]) -> dict[BoardKey, list[Winner]]:
    """Return the best winners, `WINNERS_SHOWN` at most, of those of the boards that have any, best first."""
    winners: dict[BoardKey, list[Winner]] = {}
    for row in await session.fetch(load("winners_read"), *_columns(boards), WINNERS_SHOWN):
        winners.setdefault(BoardKey(row["scope"], row["period_id"]), []).append(_winner(row))
    return winners


async def all_winners(
    connection: Connection, boards: Sequence[BoardKey]
) -> AsyncIterator[list[tuple[BoardKey, Winner]]]:
    """Yield every winner of the boards, best first, some at a time. Runs in a transaction."""
    cursor = await connection.cursor(load("winners_read"), *_columns(boards), None, timeout=LONG_SECONDS)
    while rows := await cursor.fetch(WINNERS_AT_ONCE):
        yield [(BoardKey(row["scope"], row["period_id"]), _winner(row)) for row in rows]


def _columns(boards: Sequence[BoardKey]) -> tuple[list[str], list[str]]:
    return [board.scope for board in boards], [board.period_id for board in boards]


def _winner(row: asyncpg.Record) -> Winner:
    paid_by = row["transaction_id"] or 0
    return Winner(row["rank"], row["user_id"], row["score"], row["bonus_points"], paid_by, row["user_no"])


class PeriodRow(NamedTuple):
    """A period of a board with its bounds: its state, and how many users it lists, None before it is frozen."""

    board: BoardKey
    starts_at: datetime | None
    ends_at: datetime | None
    state: PeriodState
    participants: int | None


async def list_periods(
    session: Session, scope: str, period_type: PeriodType, before: datetime | None, limit: int
) -> list[PeriodRow]:
    """Return up to `limit` periods of a board that ever had a member and began before that moment, newest first."""
    rows = await session.fetch(load("periods_list"), scope, int(period_type), before, limit)
    return [_period(BoardKey(row["scope"], row["period_id"]), row) for row in rows]


async def read_period(session: Session, board: BoardKey) -> PeriodRow | None:
    """Return one period of a board; None: it never had a member."""
    row = await session.fetchrow(load("periods_read"), *board)
    return None if row is None else _period(board, row)


def _period(board: BoardKey, row: asyncpg.Record) -> PeriodRow:
    return PeriodRow(board, row["starts_at"], row["ends_at"], PeriodState(row["state"]), row["participants"])


async def read_snapshot(session: Session, board: BoardKey, offset: int, limit: int) -> Snapshot | None:
    """Return a snapshot with `limit` of its lines from `offset` on; None: there is none."""
    rows = await session.fetch(load("snapshot_read"), *board, offset, limit)
    if not rows:
        return None
    first = rows[0]
    numbers = Statistics(
        first["participants"], first["total_points"], first["average_points"], first["median_points"]
    )
    lines = tuple(
        SnapshotLine(
            row["user_id"], row["rank"], row["score"], row["sub_score"] or 0, _metadata(row["metadata"])
        )
        for row in rows
        if row["user_id"] is not None
    )
    return Snapshot(numbers, first["taken_at"], lines)


def _metadata(text: str | None) -> tuple[tuple[str, str], ...]:
    return tuple(orjson.loads(text).items()) if text else ()
