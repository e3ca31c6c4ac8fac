"""All that is done with events beside the calls, as one loop of a server."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.leadership import Leadership


class EventLoops:
    """Runs loops that never end by themselves; those that need to be alone share one leadership.

    `closers` are called after their end.
    """

    def __init__(
        self,
        leadership: Leadership,
        loops: Sequence[Callable[[], Awaitable[None]]],
        closers: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        self._leadership = leadership
        self._loops = loops
        self._closers = closers

    async def run(self) -> None:
        """Run all of them until cancelled; then give the leadership back and close."""
        try:
            await asyncio.gather(*(loop() for loop in self._loops))
        finally:
            with suppress(*UNAVAILABLE):
                await self._leadership.close()
            for close in self._closers:
                await close()
