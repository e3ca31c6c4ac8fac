"""Going over a whole table by the place of its rows, so that no index over their age is needed."""

from collections.abc import AsyncIterator

from laurel_server.postgres.pool import Pool
from laurel_server.postgres.sql import load

PAGES_AT_ONCE = 1000
"""Pages of 8 KiB that one statement looks through: some tens of milliseconds."""


async def forget_by_stretches(
    pool: Pool, table: str, statement: str, *arguments: object
) -> AsyncIterator[int]:
    """Run a statement on one stretch of pages of a table after the other; yield how many rows each deleted.

    `statement` gets the stretch [first, last) before the arguments.
    """
    pages: int = await pool.fetchval(load("table_pages"), table)
    for first in range(0, pages, PAGES_AT_ONCE):
        forgotten: int = await pool.fetchval(load(statement), first, first + PAGES_AT_ONCE, *arguments)
        yield forgotten
