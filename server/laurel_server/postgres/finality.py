"""Up to which number the ledger is final: every batch whose number was drawn by then is committed, or never will be."""

import asyncio
from datetime import timedelta
from typing import Final

from laurel_server.postgres import chain
from laurel_server.postgres.outbox import last_batch
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.sql import load

PATIENCE_SECONDS: Final = 2.0
"""How long what runs is waited for. Batches take milliseconds; a job may write for minutes."""

POLL_SECONDS: Final = 0.01

LONGEST_BATCH: Final = timedelta(seconds=15)
"""How long a batch of a server with another role is taken to last: PostgreSQL does not tell when that began."""


async def final_batch(pool: Pool, patience: float = PATIENCE_SECONDS) -> int:
    """Return the last number drawn, once all batches up to it are final.

    Where something runs for longer than `patience` seconds, return that of a batch before all that may be open: none
    may be taken to be over that is not, as what it puts on the boards would be taken for old.
    """
    drawn = await last_batch(pool)
    horizon: int = await pool.fetchval(load("ledger_horizon"))
    if await _are_over(pool, horizon, patience):
        return drawn
    before: int = await pool.fetchval(load("outbox_before"), LONGEST_BATCH)
    return before


async def _are_over(pool: Pool, transaction: int, patience: float) -> bool:
    """Wait until all transactions with lower ids are over; return whether they are."""
    try:
        async with asyncio.timeout(patience):
            while await chain.oldest_running(pool) < transaction:  # noqa: ASYNC110 - PostgreSQL tells nobody
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        return False
    return True
