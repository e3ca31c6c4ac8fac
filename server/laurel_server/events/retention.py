"""Keeps the outbox bounded: rows that are too old or too many go, whether somebody has read them or not."""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from laurel_server.metrics import EVENTS_LOST, EVENTS_TRIMMED
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.outbox import Trimmed, trim
from laurel_server.postgres.pool import Pool

log = structlog.get_logger()

INTERVAL_SECONDS: Final = 60.0
ROWS_AT_ONCE: Final = 2000


class Retention:
    """A loop of every server, as two may well trim at once. `age` and `rows` bound the outbox."""

    def __init__(self, pool: Pool, age: timedelta, rows: int) -> None:
        self._pool = pool
        self._age = age
        self._rows = rows

    async def run(self) -> None:
        """Trim every minute, until cancelled."""
        while True:
            try:
                await self.trim()
            except UNAVAILABLE as away:
                log.warning("events.not_trimmed", error=type(away).__name__)
            except Exception:  # without this loop the outbox would grow for ever
                log.exception("events.not_trimmed")
            await asyncio.sleep(INTERVAL_SECONDS)

    async def trim(self) -> Trimmed:
        """Remove all rows above the bounds, some at a time, and return how many went."""
        total = Trimmed(0, 0)
        while (some := await trim(self._pool, self._age, self._rows, ROWS_AT_ONCE)).removed:
            total = Trimmed(total.removed + some.removed, total.unread + some.unread)
            EVENTS_TRIMMED.inc(some.removed)
        if total.unread:
            EVENTS_LOST.inc(total.unread)
            log.error("events.lost", rows=total.unread)
        return total
