"""Keeps the outbox bounded: rows that are too old, too many or too large go, whether somebody has read them or not."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final, NamedTuple

import structlog

from laurel_server.events.rounds import Rounds
from laurel_server.events.sizes import Sizes
from laurel_server.metrics import (
    EVENTS_LOST,
    EVENTS_OUTBOX_BYTES,
    EVENTS_OUTBOX_DISK_BYTES,
    EVENTS_TRIMMED,
)
from laurel_server.postgres import outbox
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.outbox import Trimmed
from laurel_server.postgres.pool import Pool

log = structlog.get_logger()

INTERVAL_SECONDS: Final = 60.0
ROWS_AT_ONCE: Final = 2000


class Bounds(NamedTuple):
    """How old rows may become, how many batches of the ledger back they may be, and how many bytes they may take."""

    age: timedelta
    batches: int
    size: int


class Retention:
    """A loop of every server, as two may well trim at once.

    `readers` are those that read the outbox now: what they have not read is lost to them.
    """

    def __init__(self, pool: Pool, bounds: Bounds, readers: Collection[str] = ()) -> None:
        self._pool = pool
        self._bounds = bounds
        self._readers = readers
        self._sizes = Sizes(pool)

    async def run(self) -> None:
        """Trim every minute, until cancelled."""
        await Rounds("retention", self.round, UNAVAILABLE).run()

    async def round(self) -> float:
        """Trim, measure what is left, and return how long to wait, in seconds."""
        await self.trim()
        EVENTS_OUTBOX_DISK_BYTES.set(await outbox.disk_bytes(self._pool))
        return INTERVAL_SECONDS

    async def trim(self) -> Trimmed:
        """Remove all rows beyond the bounds, some at a time, and return how many went."""
        await self._sizes.follow()
        through = self._sizes.batch_beyond(self._bounds.size)
        total = Trimmed(0, 0)
        while (some := await self._trim_some(through)).removed:
            total = Trimmed(total.removed + some.removed, total.unread + some.unread)
            EVENTS_TRIMMED.inc(some.removed)
        if total.unread:
            EVENTS_LOST.inc(total.unread)
            log.error("events.lost", rows=total.unread)
        await self._sizes.forget_removed()
        EVENTS_OUTBOX_BYTES.set(self._sizes.total)
        return total

    async def _trim_some(self, through: int) -> Trimmed:
        age, batches, _ = self._bounds
        return await outbox.trim(self._pool, age, batches, through, ROWS_AT_ONCE, self._readers)
