"""Which reset periods of score boards have been seen, so that each reset is told once."""

from collections.abc import Sequence

from laurel_server.domain.boards import BoardKey
from laurel_server.postgres.pool import Connection
from laurel_server.postgres.sql import load


async def see(connection: Connection, boards: Sequence[BoardKey]) -> set[BoardKey]:
    """Keep the present instances of score boards, and return those that follow one on which there were users."""
    scopes, period_ids = [board.scope for board in boards], [board.period_id for board in boards]
    rows = await connection.fetch(load("resets_see"), scopes, period_ids)
    return {BoardKey(row["board_id"], row["period_id"]) for row in rows}
