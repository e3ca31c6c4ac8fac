"""One round after another: what all loops around events have in common."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

log = structlog.get_logger()

FIRST_BACKOFF_SECONDS: Final = 0.25
MAX_BACKOFF_SECONDS: Final = 15.0


async def _nothing() -> None:
    return


class Rounds:
    """Does `work` again and again; it returns how long to wait then, in seconds.

    `away` is what it raises while something that it needs is away. After an error the wait begins short and doubles,
    with jitter, so that servers do not come back together; `postponed` is called before it.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[float]],
        away: tuple[type[BaseException], ...],
        postponed: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self._name = name
        self._work = work
        self._away = away
        self._postponed = postponed
        self._backoff = 0.0

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            seconds = await self.once()
            await asyncio.sleep(seconds)

    async def once(self) -> float:
        """Do one round, whatever it raises, and return how long to wait, in seconds."""
        try:
            seconds = await self._work()
        except self._away as away:
            return await self._postpone(f"{type(away).__name__}: {away}"[:300])
        except Exception as error:  # without its loop the work would never be done again
            log.exception("events.failed", loop=self._name)
            return await self._postpone(repr(error)[:300])
        self._backoff = 0.0
        return seconds

    async def _postpone(self, error: str) -> float:
        self._backoff = min(MAX_BACKOFF_SECONDS, max(FIRST_BACKOFF_SECONDS, self._backoff * 2))
        seconds = self._backoff * random.uniform(0.5, 1)  # noqa: S311 - jitter
        log.warning("events.postponed", loop=self._name, error=error, retry_in=round(seconds, 2))
        try:
            await self._postponed()
        except Exception:  # nor would it be then
            log.exception("events.failed", loop=self._name)
        return seconds
