"""Leases: what one server does at a time, held by an advisory lock that PostgreSQL frees when the server dies."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import asyncpg

from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.pool import KEPT_ALIVE, LaneConnection

Result = TypeVar("Result")

LOOK_AGAIN_SECONDS = 0.2
"""How long who waits for a lease waits between two tries."""


class LeaseLostError(Exception):
    """The connection that held the lease broke: another server may hold it now."""


class Leases:
    """Leases by name over one connection. A name that is held here must not be asked for again in this process."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: LaneConnection | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def held(self, name: str, *, wait: bool) -> AsyncIterator["Lease | None"]:
        """Hold the lease of that name, if need be after waiting for it; None: another server has it.

        Raises one of `errors.UNAVAILABLE`.
        """
        lease = await self._take(name)
        while lease is None and wait:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            lease = await self._take(name)
        try:
            yield lease
        finally:
            if lease is not None:
                await self._give_back(lease)

    async def close(self) -> None:
        """Give everything back."""
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.close(timeout=5)

    async def _take(self, name: str) -> "Lease | None":
        async with self._turn:
            connection = await self._connected()
            taken = await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", name)
        return Lease(name, connection) if taken else None

    async def _give_back(self, lease: "Lease") -> None:
        async with self._turn:
            with suppress(*UNAVAILABLE):  # then it is free already
                await lease.connection.execute(
                    "SELECT pg_advisory_unlock(hashtextextended($1, 0))", lease.name
                )

    async def _connected(self) -> LaneConnection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._dsn,
                timeout=5,
                command_timeout=5,
                server_settings={**KEPT_ALIVE, "application_name": "laurel leases"},
            )
        return self._connection


class Lease:
    """A lease that is held as long as its connection lives."""

    def __init__(self, name: str, connection: LaneConnection) -> None:
        self.name = name
        self.connection = connection

    async def guard(self, work: Awaitable[Result]) -> Result:
        """Do the work while the lease is held; when it is lost, the work is cancelled. LeaseLostError."""
        task = asyncio.ensure_future(work)
        lost = asyncio.Event()

        def note_loss(_connection: object) -> None:
            lost.set()
            task.cancel()

        self.connection.add_termination_listener(note_loss)
        try:
            if self.connection.is_closed():
                note_loss(self.connection)
            return await task
        except asyncio.CancelledError:
            if not lost.is_set():
                task.cancel()
                raise
            raise LeaseLostError(self.name) from None
        finally:
            self.connection.remove_termination_listener(note_loss)
