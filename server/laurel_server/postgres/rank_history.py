"""Ranks day by day, as rows."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.closing import Terms
from laurel_server.domain.periods import PeriodType
from laurel_server.domain.rank_history import DayEnd, RankPoint
from laurel_server.domain.tiers import Tier
from laurel_server.pacing import resting
from laurel_server.postgres.closing import sign
from laurel_server.postgres.pool import LONG_SECONDS, Connection, Pool
from laurel_server.postgres.sql import load

ROWS_AT_ONCE = 2000

ROWS_KEPT_AT_ONCE = 100
"""Rows of a day and 1,024 users that are written together: some two megabytes, milliseconds of a disk."""

TIER_NAMES = [tier.name.lower() for tier in sorted(Tier)]


class Instance(NamedTuple):
    """A board instance with its bounds, None for all-time."""

    board: BoardKey
    starts_at: datetime | None
    ends_at: datetime | None

    def contains(self, moment: datetime) -> bool:
        """Whether the moment lies in the period."""
        return self.starts_at is None or self.ends_at is None or self.starts_at <= moment < self.ends_at


async def boards_since(pool: Pool, moment: datetime) -> list[Instance]:
    """Return the boards whose period had not ended by then, by period."""
    rows = await pool.fetch(load("ranks_boards"), moment)
    return [Instance(BoardKey(row[0], row[1]), row[2], row[3]) for row in rows]


async def take_ranks(pool: Pool, period_id: str, boards: Mapping[str, Terms], ends: Sequence[DayEnd]) -> int:
    """Note where everybody stands on the boards of a period, in place of what was noted on those days before.

    `boards` has the terms of each board by scope; one that is gone is left out. Ranks are worked out once. Returns
    how many lines a day.
    """
    days = [end.day for end in ends]
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0")
        scopes = [
            row["scope"] for row in await connection.fetch(load("ranks_lock_boards"), period_id, list(boards))
        ]
        terms = [boards[scope] for scope in scopes]
        await connection.execute(load("ranks_forget_days"), period_id, scopes, days, timeout=LONG_SECONDS)
        await connection.execute(load("ranks_table"))
        lines: int = await connection.fetchval(
            load("ranks_take"),
            period_id,
            scopes,
            [int(each.tie_policy) for each in terms],
            TIER_NAMES,
            [sign(each) for each in terms],
            timeout=LONG_SECONDS,
        )
        await _keep(connection, period_id, ends)
    return lines


async def _keep(connection: Connection, period_id: str, ends: Sequence[DayEnd]) -> None:
    """Keep the ranks that were worked out, some at a time: a commit waits for all of the log before it."""
    days, moments = [end.day for end in ends], [end.moment for end in ends]
    step, after, kept = max(1, ROWS_KEPT_AT_ONCE // len(ends)), 0, 1
    while kept:
        async with resting():
            kept = await connection.fetchval(
                load("ranks_keep"), period_id, days, moments, after, after + step, timeout=LONG_SECONDS
            )
        after += step


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


async def ranks_on(
    pool: Pool, scope: str, period_type: PeriodType, period_id: str, user_no: int, days: Sequence[date]
) -> dict[date, int]:
    """Return where a user stood at the end of those of the days that are known; "" for the period of each day."""
    rows = await pool.fetch(load("ranks_on_days"), scope, int(period_type), period_id, user_no, days)
    return {row["taken_on"]: row["rank"] for row in rows}


async def forget_ranks(pool: Pool, before: date) -> AsyncIterator[int]:
    """Delete what was taken before that day, some rows at a time; yield how many each time. A row has 1,024 users."""
    while rows := await pool.fetchval(load("ranks_forget"), before, ROWS_AT_ONCE):
        yield rows


async def user_number(pool: Pool, user_id: str) -> int | None:
    """Return the number of a user, None if he is unknown."""
    number: int | None = await pool.fetchval(load("users_number"), user_id)
    return number
