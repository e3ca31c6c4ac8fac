"""Snapshots of frozen boards, and who has won."""

from collections.abc import Sequence
from datetime import datetime

from laurel_server.domain.awards import Rules
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.closing import terms_of
from laurel_server.postgres import closing
from laurel_server.postgres.pool import Pool


async def take_snapshots(
    pool: Pool, period_id: str, boards: Sequence[BoardKey], rules: Rules, end: datetime, now: datetime
) -> None:
    """Keep the snapshots and the winners of the boards of a frozen period that ended then, all of them at once or none.

    Those that have a snapshot keep it. The ledger does it by itself, however many have won, and stops nobody.
    """
    terms = {board: terms_of(board, rules.matrix, rules.boards) for board in boards}
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0")
        await closing.take_snapshots(connection, period_id, terms, end, now)
