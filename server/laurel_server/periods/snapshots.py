"""Snapshots of frozen boards, and who has won."""

from collections.abc import Sequence
from datetime import datetime

from laurel_server.domain.boards import BoardFamily, BoardKey, BoardMatrix, TiePolicy
from laurel_server.domain.closing import NO_SNAPSHOT, SNAPSHOT_ENTRIES, Ranked, last_rank, winners_of
from laurel_server.domain.periods import parse_period_id
from laurel_server.postgres import closing
from laurel_server.postgres.pool import Connection, Pool


async def take_snapshots(
    pool: Pool, period_id: str, boards: Sequence[BoardKey], matrix: BoardMatrix, now: datetime
) -> None:
    """Keep the snapshots and the winners of the boards of a frozen period, all of them at once or none.

    Those that have a snapshot keep it. Reads the totals of the period twice, which stops nobody.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0")
        taken = await closing.scopes_with_snapshot(connection, period_id)
        missing = [board for board in boards if board.scope not in taken]
        if missing:
            await _take(connection, period_id, missing, matrix, now)


async def _take(
    connection: Connection, period_id: str, boards: Sequence[BoardKey], matrix: BoardMatrix, now: datetime
) -> None:
    families = {board: matrix.family_of(board.scope, parse_period_id(period_id).type) for board in boards}
    winning = {board.scope: _winning(family) for board, family in families.items()}
    statistics = await closing.read_statistics(connection, period_id)
    best = await closing.read_best(connection, period_id, SNAPSHOT_ENTRIES, winning)
    for board, family in families.items():
        lines = best.get(board.scope, [])
        shown = _shown(lines, family)
        numbers = statistics.get(board.scope, NO_SNAPSHOT.statistics)
        await closing.write_snapshot(connection, board, numbers, shown, now)
        wins = winners_of(lines, family)
        if wins:
            await closing.write_winners(connection, board, wins)


def _winning(family: BoardFamily | None) -> tuple[TiePolicy, int]:
    return (family.tie_policy, last_rank(family.winner_bonuses)) if family else (TiePolicy.EARLIEST_FIRST, 0)


def _shown(lines: Sequence[Ranked], family: BoardFamily | None) -> list[tuple[int, int, int]]:
    policy = family.tie_policy if family else TiePolicy.EARLIEST_FIRST
    return [(line.user_no, line.rank(policy), line.score) for line in lines[:SNAPSHOT_ENTRIES]]
