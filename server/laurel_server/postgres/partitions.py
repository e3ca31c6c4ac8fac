"""Partitions of the entries, made before they are needed."""

from collections.abc import Iterable

from laurel_server.postgres.ledger import make_partition
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.sql import load

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '300ms'"
"""A new partition needs the table for itself for a moment, and awards wait behind whoever waits for that."""


async def make_partitions_ahead(pool: Pool, months: Iterable[int]) -> int:
    """Make the partitions of those months (since 1970-01) that are missing and return how many were.

    LockNotAvailableError when the table is busy: nothing of that month is made, try again.
    """
    before: int = await pool.fetchval(load("partitions_count"))
    for month in months:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(LOCK_TIMEOUT)
            await make_partition(connection, month)
    after: int = await pool.fetchval(load("partitions_count"))
    return after - before
