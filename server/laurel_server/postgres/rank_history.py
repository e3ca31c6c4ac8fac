"""Ranks day by day, as rows."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from laurel_server.domain.boards import BoardKey, TiePolicy
from laurel_server.domain.periods import PeriodType
from laurel_server.domain.rank_history import RankPoint
from laurel_server.domain.tiers import Tier
from laurel_server.postgres.pool import LONG_SECONDS, Pool
from laurel_server.postgres.sql import load

TIER_NAMES = [tier.name.lower() for tier in sorted(Tier)]


async def open_boards(pool: Pool) -> list[BoardKey]:
    """Return the boards whose standings still change, by period."""
    return [BoardKey(*row) for row in await pool.fetch(load("ranks_open_boards"))]


async def take_ranks(
    pool: Pool, period_id: str, policies: Mapping[str, TiePolicy], day: date, now: datetime
) -> int:
    """Note where everybody stands on the boards of a period, in place of what was noted on that day before.

    `policies` has the tie policy of each board by scope. Returns how many lines.
    """
    scopes = list(policies)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute(load("ranks_forget_day"), period_id, scopes, day, timeout=LONG_SECONDS)
        lines: int = await connection.fetchval(
            load("ranks_take"),
            period_id,
            scopes,
            [int(policy) for policy in policies.values()],
            TIER_NAMES,
            day,
            now,
            timeout=LONG_SECONDS,
        )
    return lines


async def ranks_of(
    pool: Pool,
    scope: str,
    period_type: PeriodType,
    period_id: str,
    user_no: int,
    between: tuple[datetime | None, datetime | None],
    offset: int,
    limit: int,
) -> list[RankPoint]:
    """Return where a user stood on boards of a scope, oldest first; in every period of that type for "" as its id."""
    rows = await pool.fetch(
        load("ranks_of_user"), scope, int(period_type), period_id, user_no, *between, offset, limit
    )
    return [RankPoint(*row) for row in rows]


async def ranks_on(pool: Pool, board: BoardKey, user_no: int, days: Sequence[date]) -> dict[date, int]:
    """Return where a user stood on a board at the end of those of the days that are known."""
    rows = await pool.fetch(load("ranks_on_days"), *board, user_no, days)
    return {row["taken_on"]: row["rank"] for row in rows}


async def forget_ranks(pool: Pool, before: date) -> int:
    """Delete what was taken before that day; return how many rows."""
    rows: int = await pool.fetchval(load("ranks_forget"), before)
    return rows


async def user_number(pool: Pool, user_id: str) -> int | None:
    """Return the number of a user, None if he is unknown."""
    number: int | None = await pool.fetchval(load("users_number"), user_id)
    return number
