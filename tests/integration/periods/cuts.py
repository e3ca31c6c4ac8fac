"""A ledger that fails for good at a chosen statement, as if its client had been killed there."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from laurel_server.postgres.pool import Pool


class Cut(BaseException):
    """Here the process ended."""


class CuttingPool:
    """Counts the statements that go through it and stops before the one numbered `at`; the first has number 1."""

    def __init__(self, pool: Pool, at: int) -> None:
        self._pool = pool
        self._left = at

    def cut(self) -> None:
        """Count one statement."""
        self._left -= 1
        if self._left <= 0:
            raise Cut

    @property
    def is_spent(self) -> bool:
        """Whether it has stopped somebody."""
        return self._left <= 0

    def __getattr__(self, name: str) -> Any:
        return self._counted(getattr(self._pool, name))

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["_CuttingConnection"]:
        async with self._pool.acquire() as connection:
            try:
                yield _CuttingConnection(connection, self)
            except Cut:
                connection.terminate()
                raise

    def _counted(self, statement: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            self.cut()
            return statement(*args, **options)

        return run


class _CuttingConnection:
    def __init__(self, connection: Any, pool: CuttingPool) -> None:
        self._connection = connection
        self._pool = pool

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        async with self._connection.transaction():
            yield
            self._pool.cut()  # before COMMIT

    def __getattr__(self, name: str) -> Any:
        return self._pool._counted(getattr(self._connection, name))
