"""Reading a board for all who want to know something of it."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Self

from prometheus_client import Histogram

from laurel_server.domain.views import Board
from laurel_server.leaderboards.live.ports import BoardQuery, BoardReader
from laurel_server.metrics import SECONDS

_READ_SECONDS = Histogram(
    "laurel_watch_read_seconds", "Time to read a changed board for all who watch it.", buckets=SECONDS
)


class SharedRead:
    """One read at a time. Whoever asks while one runs shares the next, which begins after he asked."""

    def __init__(self, read: Callable[[], Awaitable[None]]) -> None:
        self._read = read
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        """Wait for a read that begins after this call. Raises what it raises."""
        if self._next is None:
            self._next = asyncio.ensure_future(self._after(self._running))
        await asyncio.shield(self._next)  # who goes away must not stop what others wait for

    async def _after(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        try:
            await self._read()
        finally:
            self._running = None


class WatchedBoard(ABC):
    """A board instance with watchers.

    `is_stale` says that it has changed since it was read, `is_unreadable` that the last refresh failed.
    """

    def __init__(self, board: Board, reader: BoardReader) -> None:
        self.board = board
        self.is_stale = False
        self.is_unreadable = False
        self._reader = reader
        self._is_refreshing = False
        self._is_all_wanted = False
        self._read = SharedRead(self._read_wanted)

    @property
    @abstractmethod
    def is_watched(self) -> bool:
        """Whether anybody watches."""

    @abstractmethod
    def followed(self) -> set[BoardQuery]:
        """Return the queries of those who follow the current period."""

    @abstractmethod
    def hand_over(self, query: BoardQuery, successor: Self) -> None:
        """Let those who follow by `query` go on with another period."""

    @property
    def is_due(self) -> bool:
        """Whether it should be read now for all its watchers."""
        return self.is_stale and not self._is_refreshing

    async def refresh(self) -> None:
        """Read once for all watchers and wake those with news. If that fails, the board is still stale."""
        self._is_refreshing = True
        self._is_all_wanted = True
        self.is_stale = False
        try:
            with _READ_SECONDS.time():
                await self._read()
        except BaseException:
            self.is_stale = True
            raise
        finally:
            self._is_refreshing = False

    @abstractmethod
    async def _read_wanted(self) -> None:
        """Read what newcomers wait for; for all watchers if `_take_all_wanted` says so."""

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _take_all_wanted(self) -> bool:
        is_wanted, self._is_all_wanted = self._is_all_wanted, False
        return is_wanted
