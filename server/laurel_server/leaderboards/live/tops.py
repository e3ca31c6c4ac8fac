"""Watching who leads a board."""

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple, Self

from laurel_server.domain.views import Board, Line, Page
from laurel_server.leaderboards.live.ports import BoardQuery, BoardReader
from laurel_server.leaderboards.live.reading import WatchedBoard
from laurel_server.leaderboards.live.turns import Turns
from laurel_server.leaderboards.live.watch import Watch

_revisions = count(1)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class TopState:
    """The best lines of a board at one moment, shared by all streams that tell it.

    `revision` is unique in the process.
    """

    board: Board
    lines: tuple[Line, ...]
    total: int
    revision: int = field(default_factory=lambda: next(_revisions))


class TopNews(NamedTuple):
    """The newest state, and the one of the same board that was told before; None if none was."""

    before: TopState | None
    now: TopState


class TopView:
    """The best `n` lines of a board instance, with all streams that show as many."""

    def __init__(self, board: Board, n: int) -> None:
        self.n = n
        self.state: TopState | None = None
        self.watches: set[TopWatch] = set()
        self._board = board

    def show(self, page: Page) -> None:
        """Take in what was read, and wake the streams if it is something new."""
        lines, state = page.lines[: self.n], self.state
        if state is not None and state.lines == lines and state.total == page.total:
            return
        self.state = TopState(self._board, lines, page.total)
        for watch in self.watches:
            watch.wake()


class TopBoard(WatchedBoard):
    """A board instance whose top is watched."""

    def __init__(self, board: Board, reader: BoardReader) -> None:
        super().__init__(board, reader)
        self._views: dict[int, TopView] = {}

    @property
    def is_watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._views)

    def lists_any_of(self, user_ids: Collection[str]) -> bool:
        """Whether one of the users stands on a watched top."""
        states = [view.state for view in self._views.values() if view.state is not None]
        return any(line.user_id in user_ids for state in states for line in state.lines)

    def followed(self) -> set[BoardQuery]:
        """Return the queries of those who follow the current period."""
        return {each.query for each in self._followers()}

    def hand_over(self, query: BoardQuery, successor: Self) -> None:
        """Let those who follow by `query` go on with another period."""
        for each in self._followers():
            if each.query == query:
                each.move_to(successor)

    def add(self, watch: "TopWatch") -> TopView:
        """Let a watch hear of its lines from now on; returns the view that has them."""
        view = self._views.setdefault(watch.n, TopView(self.board, watch.n))
        view.watches.add(watch)
        return view

    def remove(self, watch: "TopWatch") -> None:
        """Undo `add`."""
        view = self._views.get(watch.n)
        if view is not None:
            view.watches.discard(watch)
            if not view.watches:
                del self._views[watch.n]

    async def read_for_newcomer(self) -> None:
        """Read the board now; all who come at the same time share a read."""
        await self._read()

    def _followers(self) -> list["TopWatch"]:
        return [watch for view in self._views.values() for watch in view.watches if watch.query.follows]

    async def _read_wanted(self) -> None:
        self._take_all_wanted()
        n = max(self._views, default=0)
        if not n:
            return
        page = await self._reader.top(self.board, n)
        for view in list(self._views.values()):
            if view.n <= n:  # a larger one came while this was read; it has its own read
                view.show(page)


class TopWatch(Watch[TopNews]):
    """The best `n` lines of a board."""

    __slots__ = ("_board", "_view", "n", "query", "told")

    def __init__(self, turns: Turns, query: BoardQuery, board: TopBoard, n: int) -> None:
        super().__init__(turns)
        self.query = query
        self.n = n
        self.told: TopState | None = None
        self._board = board
        self._view = board.add(self)

    def move_to(self, board: TopBoard) -> None:
        """Go on with another period."""
        self.leave()
        self._board = board
        self._view = board.add(self)
        self.wake()  # somebody else may have had the new board read already

    async def read(self) -> None:
        """Read the board now."""
        await self._board.read_for_newcomer()

    def leave(self) -> None:
        """Take the watch off its board."""
        self._board.remove(self)

    def _take_news(self) -> TopNews | None:
        told, now = self.told, self._view.state
        if now is None or now is told:
            return None
        self.told = now
        return TopNews(told if told is not None and told.board == now.board else None, now)
