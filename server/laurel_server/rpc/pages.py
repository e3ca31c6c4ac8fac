"""The first pages of boards, kept serialized for a moment: a hit costs no Redis call, and no message."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, NamedTuple

from prometheus_client import Counter

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.views import Board
from laurel_server.rpc.convert.pages import SerializedPage

_READS: Final = Counter("laurel_leaderboard_page_reads_total", "First pages read from boards.")

_MAX_BYTES = 64 << 20

Read = Callable[[Board, int], Awaitable[SerializedPage]]
_Key = tuple[BoardKey, int]


class KeptPage(NamedTuple):
    """A page, and the moment of the clock until which it may be shown."""

    page: SerializedPage
    fresh_until: float


class _Flight(NamedTuple):
    task: asyncio.Task[SerializedPage]
    started_at: float


class FirstPages:
    """A cache by board instance and page size, so that another period is another page.

    A page's age counts from before it was read, and it ends when its period does. Callers who miss at the
    same time share one reading, which none of them can cancel. Errors are not kept.
    """

    def __init__(
        self, read: Read, max_age: float, max_pages: int, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._max_age = max_age
        self._max_pages = max_pages
        self._now = now
        self._pages: OrderedDict[_Key, KeptPage] = OrderedDict()
        self._bytes = 0
        self._flights: dict[_Key, _Flight] = {}

    async def get(self, board: Board, size: int) -> KeptPage:
        """Return the first `size` lines, at most `max_age` seconds old. Raises what reading raises."""
        key = (board.key, size)
        kept = self._pages.get(key)
        if kept is not None and self._now() < kept.fresh_until:
            self._pages.move_to_end(key)
            return kept
        flight = self._flight_for(key, board)
        return self._kept(await asyncio.shield(flight.task), flight)

    def _flight_for(self, key: _Key, board: Board) -> _Flight:
        flight = self._flights.get(key)
        if flight is None or self._now() >= flight.started_at + self._max_age:
            _READS.inc()
            task = asyncio.ensure_future(self._read(board, key[1]))
            flight = _Flight(task, self._now())
            self._flights[key] = flight
            task.add_done_callback(partial(self._land, key, flight))
        return flight

    def _land(self, key: _Key, flight: _Flight, task: asyncio.Task[SerializedPage]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if task.cancelled() or task.exception() is not None:
            return
        kept = self._kept(task.result(), flight)
        newest = self._pages.get(key)
        if newest is None or newest.fresh_until < kept.fresh_until:
            self._keep(key, kept)

    def _kept(self, page: SerializedPage, flight: _Flight) -> KeptPage:
        age = min(self._max_age, page.seconds_left) if page.seconds_left else self._max_age
        return KeptPage(page, flight.started_at + age)

    def _keep(self, key: _Key, kept: KeptPage) -> None:
        self._drop(key)
        self._pages[key] = kept
        self._bytes += len(kept.page.body)
        while len(self._pages) > self._max_pages or self._bytes > _MAX_BYTES:
            self._drop(next(iter(self._pages)))

    def _drop(self, key: _Key) -> None:
        kept = self._pages.pop(key, None)
        if kept is not None:
            self._bytes -= len(kept.page.body)
