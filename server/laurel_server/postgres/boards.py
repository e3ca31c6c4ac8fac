"""Board instances and scores, as a change of the configured boards leaves them."""

from collections.abc import Collection

from laurel_server.domain.board_configs import BoardConfig
from laurel_server.domain.boards import BoardKey
from laurel_server.postgres.pool import Connection, Pool
from laurel_server.postgres.sql import load

ROWS_AT_ONCE = 20_000


async def forget_instances(connection: Connection, boards: Collection[BoardKey]) -> None:
    """Forget instances of points boards, so that nobody was ever on them."""
    scopes, period_ids = [board.scope for board in boards], [board.period_id for board in boards]
    await connection.execute(load("boards_forget_instances"), scopes, period_ids)


async def forget_score_periods(connection: Connection, config: BoardConfig) -> list[BoardKey]:
    """Forget the instances of a score board and return them."""
    rows = await connection.fetch(load("scores_forget_periods"), config.board_no)
    return [BoardKey(config.board_id, row["period_id"]) for row in rows]


async def delete_scores(pool: Pool, board_no: int) -> None:
    """Delete the scores of a board that is gone, some at a time."""
    while await pool.fetchval(load("scores_delete"), board_no, ROWS_AT_ONCE):
        pass
