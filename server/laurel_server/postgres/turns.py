"""Work that only one does at a time in the whole installation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Final

from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.pool import LONG_SECONDS, Connection, Pool, ledger_errors

REBUILD: Final = "rebuild"
"""The turns of who fills boards."""

FIRST_LIMIT: Final = "first limit"
"""The turns of who counts what was awarded before an action was limited."""

BEAT_SECONDS: Final = 1.0
"""How often who has a turn asks whether its connection still lives: one that says nothing would not tell."""

ANSWER_SECONDS: Final = 5.0
"""How long the ledger may take to answer that."""

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
        """Wait for the turn, and keep it to the end of the context. LEDGER_UNAVAILABLE.

        Who loses it before, because the connection breaks, is cancelled within some seconds: others have it then.
        """
        async with (
            self._here,
            ledger_errors(),
            self._pool.acquire() as connection,
            connection.transaction(),
        ):
            await connection.execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
            await connection.execute(_ONE_AT_A_TIME, self._name, timeout=LONG_SECONDS)
            async with _WhileAlive(connection):
                yield

    @asynccontextmanager
    async def turn_if_free(self) -> AsyncIterator[bool]:
        """Keep the turn to the end of the context if nobody has it, and tell whether that is so. One of UNAVAILABLE."""
        if self._here.locked():
            yield False
            return
        async with self._here, self._pool.acquire() as connection, connection.transaction():
            yield await connection.fetchval(_IF_NOBODY, self._name)


class _WhileAlive:
    """A context that is cancelled when a connection breaks, which nobody else uses in it. ConnectionError then."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_lost = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("there is no task that could be cancelled")
        self._task, self._cancelled_before = task, task.cancelling()
        self._over = asyncio.Event()
        self._connection.add_termination_listener(self._note_loss)
        self._beating = asyncio.create_task(self._beat())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()  # nothing is cancelled from here on
        with suppress(*UNAVAILABLE):
            self._connection.remove_termination_listener(self._note_loss)
        await self._beating
        if not self._is_lost:
            return
        is_ours = self._task.uncancel() <= self._cancelled_before
        if kind is None or (is_ours and issubclass(kind, asyncio.CancelledError)):
            raise ConnectionError("the turn was lost: the connection that held it broke") from error

    async def _beat(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), BEAT_SECONDS)
                return
            try:
                await self._connection.fetchval("SELECT 1", timeout=ANSWER_SECONDS)
            except UNAVAILABLE:
                self._note_loss(self._connection)
                self._connection.terminate()  # or the end of the transaction would wait for it
                return

    def _note_loss(self, _connection: object) -> None:
        if not self._is_lost and not self._over.is_set():
            self._is_lost = True
            self._task.cancel()
