"""One server leads: it holds an advisory lock on a connection of its own, which PostgreSQL frees when it dies."""

import asyncio
from time import monotonic
from typing import Final

import asyncpg

from laurel_server.postgres.pool import KEPT_ALIVE, LaneConnection

SURE_SECONDS: Final = 1.0
"""How long an answer holds, unless the connection is closed meanwhile: loops ask before every round."""


class Leadership:
    """A lease by name. A leader whose connection breaks is none until it has the lock again."""

    def __init__(self, dsn: str, name: str) -> None:
        self._dsn = dsn
        self._name = name
        self._connection: LaneConnection | None = None
        self._held = False
        self._asked_at = -SURE_SECONDS
        self._asking = asyncio.Lock()

    async def held(self) -> bool:
        """Return whether this server leads now, trying to if nobody does. Raises one of `errors.UNAVAILABLE`.

        Cost: a round trip, once a second.
        """
        async with self._asking:
            if self._is_open() and monotonic() - self._asked_at < SURE_SECONDS:
                return self._held
            held = await self._ask()
            self._asked_at = monotonic()
            return held

    @property
    def is_held(self) -> bool:
        """Whether this server leads, as far as it knows without asking."""
        return self._held and self._is_open()

    def _is_open(self) -> bool:
        return self._connection is not None and not self._connection.is_closed()

    async def _ask(self) -> bool:
        if self._connection is None or self._connection.is_closed():
            self._held = False
            self._connection = await asyncpg.connect(
                self._dsn,
                timeout=5,
                command_timeout=5,
                server_settings={**KEPT_ALIVE, "application_name": f"laurel {self._name}"},
            )
        if self._held:
            await self._connection.execute("SELECT 1")
        else:
            self._held = await self._connection.fetchval(
                "SELECT pg_try_advisory_lock(hashtext($1))", f"laurel {self._name}"
            )
        return self._held

    async def close(self) -> None:
        """Give the lease back."""
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.close(timeout=5)
