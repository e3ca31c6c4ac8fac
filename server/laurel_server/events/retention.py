"""Keeps the outbox bounded: rows that are too old or too many go, whether somebody has read them or not."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

import structlog

from laurel_server.events.rounds import Rounds
from laurel_server.metrics import EVENTS_LOST, EVENTS_TRIMMED
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.outbox import Trimmed, trim
from laurel_server.postgres.pool import Pool

log = structlog.get_logger()

INTERVAL_SECONDS: Final = 60.0
ROWS_AT_ONCE: Final = 2000


class Retention:
    """A loop of every server, as two may well trim at once. `age` and `rows` bound the outbox.

    `readers` are those that read it now: what they have not read is lost to them.
    """

    def __init__(self, pool: Pool, age: timedelta, rows: int, readers: Collection[str] = ()) -> None:
        self._pool = pool
        self._age = age
        self._rows = rows
        self._readers = readers

    async def run(self) -> None:
        """Trim every minute, until cancelled."""
        await Rounds("retention", self._round, UNAVAILABLE).run()

    async def _round(self) -> float:
        await self.trim()
        return INTERVAL_SECONDS

    async def trim(self) -> Trimmed:
        """Remove all rows above the bounds, some at a time, and return how many went."""
        total = Trimmed(0, 0)
        while (some := await trim(self._pool, self._age, self._rows, ROWS_AT_ONCE, self._readers)).removed:
            total = Trimmed(total.removed + some.removed, total.unread + some.unread)
            EVENTS_TRIMMED.inc(some.removed)
        if total.unread:
            EVENTS_LOST.inc(total.unread)
            log.error("events.lost", rows=total.unread)
        return total
