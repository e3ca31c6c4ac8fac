"""The outbox as the source of a consumer: one server hears all events, the others stand by."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from laurel_server.events.outbox import OutboxEvent, OutboxReader, Page
from laurel_server.events.source import Heard, Polled
from laurel_server.postgres import outbox
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.pool import Pool

MANY_EVENTS: Final = 4000
"""A page of a consumer: about what comes in the second that it rests at most; it gives calls their turns meanwhile."""

_LOOK_AGAIN_SECONDS: Final = 0.05


class OutboxSource:
    """Reads the outbox under a name of its own while this server leads.

    `forget_all` is called wherever another server may have heard what this one did not.
    """

    def __init__(
        self,
        pool: Pool,
        leadership: Leadership,
        name: str,
        patience: float,
        events_at_once: int,
        forget_all: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._leadership = leadership
        self._name = name
        self._forget_all = forget_all
        self._reader = OutboxReader(pool, name, patience, events_at_once)

    async def poll(self) -> Polled | None:
        """Return the next page. Raises one of `errors.UNAVAILABLE`."""
        if not await self._leadership.held():
            await self.start_over()
            return None
        page = await self._reader.next_page()
        if page is None:
            return None
        events = [Heard(event.id, event.body, event) for event in page.events]
        return Polled(events, page.ranked, page.is_full, page)

    async def commit(self, polled: Polled) -> None:
        """Keep how far the reader has come."""
        assert isinstance(polled.end, Page)  # noqa: S101 - it came from here
        await self._reader.done(polled.end)

    async def set_aside(self, heard: Heard, error: Exception) -> None:
        """Put the event into the table `events_set_aside`."""
        assert isinstance(heard.origin, OutboxEvent)  # noqa: S101 - it came from here
        await self._reader.set_aside(heard.origin, repr(error))

    async def start_over(self) -> None:
        """Read the position anew, which another server may have moved."""
        self._reader.start_over(leads=self._leadership.is_held)
        self._forget_all()

    async def caught_up(self, batch_no: int, seconds: float) -> bool:
        """Wait until this reader, whichever server it runs in, has done all events up to a batch."""
        return await reader_caught_up(self._pool, self._name, batch_no, time.monotonic() + seconds)

    async def close(self) -> None:
        """Nothing is open."""


async def reader_caught_up(pool: Pool, name: str, batch_no: int, deadline: float) -> bool:
    """Wait until a reader of the outbox has done all events up to a batch; False: not by the deadline."""
    while await outbox.has_unread(pool, name, batch_no):
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    return True
