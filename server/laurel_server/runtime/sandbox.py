"""The test clock of a sandbox, kept in the ledger so that a restart does not lose the time."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from laurel_server.domain.clock import SandboxClock
from laurel_server.domain.errors import invalid_field
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.postgres.sql import load

log = structlog.get_logger()


class StoredClock:
    """A SandboxClock that writes down where it was set.

    After each change `changed` is called, then `settle` is waited for: it does what has become due.
    """

    def __init__(self, pool: Pool, clock: SandboxClock) -> None:
        self._pool = pool
        self._clock = clock
        self.changed: Callable[[], None] = lambda: None
        self.settle: Callable[[], Awaitable[None]] = _nothing_is_due

    async def restore(self, now: datetime | None) -> None:
        """Set the clock to `now`, or to where it stood before the restart; otherwise it runs.

        Where there are entries it does not go back: a server that died is started again with the same settings.
        """
        stored = await self._pool.fetchval(load("clock_read"))
        if now is not None and (stored is None or stored <= now or await self._latest_entry() is None):
            await self.set(now)
        elif stored is not None:
            if now is not None:
                log.warning("clock.kept", stored=stored.isoformat(), asked=now.isoformat())
            self._clock.set(stored)

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._clock.frozen

    def now(self) -> datetime:
        """Return the time."""
        return self._clock.now()

    async def set(self, now: datetime) -> None:
        """Stop at `now`. INVALID_FIELD before the latest entry of the ledger, whose order would break."""
        async with ledger_errors():
            latest = await self._latest_entry()
            if latest is not None and now < latest:
                raise invalid_field(
                    "now", f"lies before the latest entry of the ledger, {latest.isoformat()}"
                )
            self._clock.set(now)
            await self._pool.execute(load("clock_write"), self._clock.now())
        self.changed()
        await self.settle()

    async def advance(self, by: timedelta) -> None:
        """Stop at the present time plus `by`. INVALID_FIELD."""
        if by < timedelta():
            raise invalid_field("by", "must not be negative")
        moved = SandboxClock(self._clock.now())
        moved.advance(by)
        await self.set(moved.now())

    async def _latest_entry(self) -> datetime | None:
        latest: datetime | None = await self._pool.fetchval(load("clock_latest_entry"))
        return latest


async def _nothing_is_due() -> None:
    return
