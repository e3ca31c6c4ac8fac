"""What the ledger knows of periods: which there were, who won, and their snapshots."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.closing import PeriodState, Snapshot, SnapshotLine, Statistics, Winner
from laurel_server.domain.periods import PeriodType
from laurel_server.postgres.pool import Pool, Session
from laurel_server.postgres.sql import load


async def read_winners(session: Session, boards: Sequence[BoardKey]) -> dict[BoardKey, list[Winner]]:
    """Return the winners of those of the boards that have any, best first."""
    rows = await session.fetch(
        load("winners_read"), [board.scope for board in boards], [board.period_id for board in boards]
    )
    winners: dict[BoardKey, list[Winner]] = {}
    for row in rows:
        winner = Winner(
            row["rank"], row["user_id"], row["score"], row["bonus_points"], row["transaction_id"] or 0
        )
        winners.setdefault(BoardKey(row["scope"], row["period_id"]), []).append(winner)
    return winners


class PeriodRow(NamedTuple):
    """A period of a board: its state, and how many users it lists, None before it is frozen."""

    board: BoardKey
    state: PeriodState
    participants: int | None


async def list_periods(
    pool: Pool, scope: str, period_type: PeriodType, before: datetime | None, limit: int
) -> list[PeriodRow]:
    """Return up to `limit` periods of a board that ever had a member and began before that moment, newest first."""
    rows = await pool.fetch(load("periods_list"), scope, int(period_type), before, limit)
    return [
        PeriodRow(BoardKey(row["scope"], row["period_id"]), PeriodState(row["state"]), row["participants"])
        for row in rows
    ]


async def read_period(pool: Pool, board: BoardKey) -> PeriodRow | None:
    """Return one period of a board; None: it never had a member."""
    row = await pool.fetchrow(load("periods_read"), *board)
    return None if row is None else PeriodRow(board, PeriodState(row["state"]), row["participants"])


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
        SnapshotLine(row["user_id"], row["rank"], row["score"]) for row in rows if row["user_id"] is not None
    )
    return Snapshot(numbers, first["taken_at"], lines)
