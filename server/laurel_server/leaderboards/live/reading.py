"""Reading a board for all who want to know something of it."""

import asyncio
from abc import ABC, abstractmethod
from typing import Self

from prometheus_client import Histogram

from laurel_server.domain.views import Board
from laurel_server.leaderboards.live.ports import BoardQuery, BoardReader
from laurel_server.leaderboards.shared_read import SharedRead
from laurel_server.metrics import SECONDS

_READ_SECONDS = Histogram(
    "laurel_watch_read_seconds", "Time to read a changed board for all who watch it.", buckets=SECONDS
)


class WatchedBoard(ABC):
    """A board instance with watchers.

    `is_stale` says that it has changed since it was read, `is_unreadable` that the last refresh failed, `is_deserted`
    that nothing comes after it: it was deleted.
    """

    def __init__(self, board: Board, reader: BoardReader) -> None:
        self.board = board
        self.is_stale = False
        self.is_unreadable = False
        self.is_deserted = False
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
