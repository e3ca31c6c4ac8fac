"""What the ledger knows of periods: which there were, who won, and their snapshots."""

from collections.abc import Sequence

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.closing import Winner
from laurel_server.postgres.pool import Session
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
