"""The board instances that are watched."""

from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

import structlog

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.views import Board
from laurel_server.leaderboards.live.ports import BoardQuery
from laurel_server.leaderboards.live.reading import WatchedBoard

log = structlog.get_logger()

B = TypeVar("B", bound=WatchedBoard)

Resolve = Callable[[BoardQuery], Board]
"""Finds the board instance that a query means now."""


class WatchedBoards(Generic[B]):
    """The watched board instances of one kind, by key."""

    def __init__(self, make: Callable[[Board], B]) -> None:
        self._make = make
        self._boards: dict[BoardKey, B] = {}

    def __len__(self) -> int:
        return len(self._boards)

    def at(self, board: Board) -> B:
        """Return the instance, made if nobody watched it so far; add a watcher, or it is forgotten."""
        watched = self._boards.get(board.key)
        if watched is None:
            watched = self._boards[board.key] = self._make(board)
        return watched

    def note_change(self, key: BoardKey) -> None:
        """Have a board read at the next tick, if it is watched. O(1)."""
        board = self._boards.get(key)
        if board is not None:
            board.is_stale = True

    def note_changes_where(self, may_differ: Callable[[B], bool]) -> None:
        """Have every board read at the next tick of which that can be said. O(boards)."""
        for board in self._boards.values():
            board.is_stale = board.is_stale or may_differ(board)

    def due(self) -> list[B]:
        """Return the boards to read now; those that nobody watches any more are forgotten."""
        self._boards = {key: board for key, board in self._boards.items() if board.is_watched}
        return [board for board in self._boards.values() if board.is_due]

    def follow(self, now: datetime, resolve: Resolve) -> None:
        """Take those who follow the current period from the boards whose period it no longer is."""
        for board in list(self._boards.values()):
            if not board.board.period.contains(now):
                self._lead_on(board, resolve)

    def note_configuration(self, resolve: Resolve) -> None:
        """Follow boards that are configured otherwise: they may rank in another way, or be in another period."""
        for board in list(self._boards.values()):
            board.is_stale = True
            self._lead_on(board, resolve)

    def _lead_on(self, board: B, resolve: Resolve) -> None:
        for query in board.followed():
            try:
                current = resolve(query)
            except LaurelError as error:
                if not board.is_deserted:
                    log.warning("watch.period_unresolved", scope=query.scope, reason=error.reason)
                board.is_deserted = True
                continue
            board.is_deserted = False
            if current.key != board.board.key:
                successor = self.at(current)
                board.hand_over(query, successor)
                successor.is_stale = True
