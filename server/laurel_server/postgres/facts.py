"""What analytics takes out of the ledger: entries with what trends group by, some or all of them."""

from collections.abc import AsyncIterator, Collection
from datetime import datetime

import asyncpg

from laurel_server.domain.boards import BoardKey
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.sql import load

USERS_AT_ONCE = 500
ENTRIES_AT_ONCE = 5000
RANKS_AT_ONCE = 20_000


async def read_facts(pool: Pool, transaction_ids: Collection[int]) -> list[asyncpg.Record]:
    """Return the entries with those ids, with the columns of `analytics_entries.sql`."""
    return await pool.fetch(load("analytics_entries"), list(transaction_ids))


async def scan_facts(pool: Pool) -> AsyncIterator[list[asyncpg.Record]]:
    """Yield all entries, each user's in order, with the columns of `analytics_backfill.sql`."""
    after = 0
    while (last := await pool.fetchval(load("analytics_users"), after, USERS_AT_ONCE)) is not None:
        async with pool.acquire() as connection, connection.transaction(readonly=True):
            cursor = await connection.cursor(load("analytics_backfill"), after, last)
            while rows := await cursor.fetch(ENTRIES_AT_ONCE):
                yield rows
        after = last


async def latest_ranks(pool: Pool) -> datetime | None:
    """Return when ranks were noted last; None: never."""
    latest: datetime | None = await pool.fetchval(load("analytics_latest_ranks"))
    return latest


async def scan_ranks(
    pool: Pool, after: datetime | None, until: datetime
) -> AsyncIterator[list[asyncpg.Record]]:
    """Yield the ranks that were noted in `(after, until]`, with the columns of `analytics_ranks.sql`."""
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        cursor = await connection.cursor(load("analytics_ranks"), after, until)
        while rows := await cursor.fetch(RANKS_AT_ONCE):
            yield rows


async def read_expiring(pool: Pool, from_time: datetime, zone: str) -> list[tuple[datetime, int]]:
    """Return what expires in each month from then on, by its first moment, if nobody spends any more."""
    rows = await pool.fetch(load("analytics_expiring"), from_time, zone)
    return [(row["month"], row["points"]) for row in rows]


async def number_of(pool: Pool, user_id: str) -> int | None:
    """Return the ledger's number of a user, None for an unknown one."""
    number: int | None = await pool.fetchval(load("users_number"), user_id)
    return number


async def numbers_of(pool: Pool, user_ids: Collection[str]) -> dict[str, int]:
    """Return the ledger's numbers of users by their ids; unknown and erased ones have none."""
    rows = await pool.fetch(load("users_numbers"), list(user_ids)) if user_ids else []
    return {row["user_id"]: row["user_no"] for row in rows}


async def read_results(pool: Pool, boards: Collection[BoardKey] | None) -> list[asyncpg.Record]:
    """Return the best of boards that were closed, None for all, with the columns of `analytics_results.sql`."""
    if boards is None:
        return await pool.fetch(load("analytics_results"), None, None)
    scopes, period_ids = [board.scope for board in boards], [board.period_id for board in boards]
    return await pool.fetch(load("analytics_results"), scopes, period_ids)
