"""Work that only one does at a time in the whole installation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from laurel_server.postgres.pool import Pool, ledger_errors

REBUILD: Final = "rebuild"
"""The turns of who fills boards."""

FIRST_LIMIT: Final = "first limit"
"""The turns of who counts what was awarded before an action was limited."""

_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('laurel ' || $1))"
_IF_NOBODY = "SELECT pg_try_advisory_xact_lock(hashtext('laurel ' || $1))"


class Turns:
    """Gives out turns by name: in this process by a lock, among servers by one in the ledger.

    Only who is next in this process holds a connection while it waits: whoever has the turn needs more,
    and would wait for ever if those behind it had taken them all.
    """

    def __init__(self, pool: Pool, name: str) -> None:
        self._pool = pool
        self._name = name
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
            await connection.execute(_ONE_AT_A_TIME, self._name)
            yield

    @asynccontextmanager
    async def turn_if_free(self) -> AsyncIterator[bool]:
        """Keep the turn to the end of the context if nobody has it, and tell whether that is so. One of UNAVAILABLE."""
        if self._here.locked():
            yield False
            return
        async with self._here, self._pool.acquire() as connection, connection.transaction():
            yield await connection.fetchval(_IF_NOBODY, self._name)
