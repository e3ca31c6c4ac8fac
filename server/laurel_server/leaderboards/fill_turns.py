"""Who fills boards when: one at a time in the whole installation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from laurel_server.postgres.pool import Pool, ledger_errors

_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('laurel rebuild'))"


class FillTurns:
    """Gives out turns: in this process by a lock, among servers by one in the ledger.

    Only who is next in this process holds a connection while it waits: whoever has the turn needs more,
    and would wait for ever if those behind it had taken them all.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._here = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn, and keep it to the end of the context. LEDGER_UNAVAILABLE."""
        async with (
            self._here,
            ledger_errors(),
            self._pool.acquire() as connection,
            connection.transaction(),
        ):
            await connection.execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
            await connection.execute(_ONE_AT_A_TIME)
            yield
