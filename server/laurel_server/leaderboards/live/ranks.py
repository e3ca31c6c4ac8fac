"""Watching where users stand."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple, Self

from laurel_server.domain.movement import OFF_BOARD, Standing
from laurel_server.domain.views import Board
from laurel_server.leaderboards.live.ports import BoardQuery, BoardReader
from laurel_server.leaderboards.live.reading import WatchedBoard
from laurel_server.leaderboards.live.turns import Turns
from laurel_server.leaderboards.live.watch import Watch

_PATIENCE_SECONDS: Final = 0.5
"""How long readers who accept nothing can keep the others of a board waiting, if they are more than a few."""

_FEW: Final = 64

_SHADOW_SECONDS: Final = 1.0
"""How late a shadow user may hear of his own points."""

_READ_AT_ONCE: Final = 256
"""Users in one call of the reader: what that does with them then keeps nobody waiting."""


class ToldStanding(NamedTuple):
    """What an earlier stream said last of one board."""

    period_id: str
    standing: Standing


class RankNews(NamedTuple):
    """A user's standing on a board, after what was told before; None if nothing was."""

    board: Board
    told: Standing | None
    now: Standing
    total: int


class WatchedUser:
    """A user on a board: his standing as it was read last, None before the first read, and who watches it.

    `is_shadow`: he stands there in his own eyes only.
    """

    __slots__ = ("is_shadow", "standing", "subscriptions")

    def __init__(self) -> None:
        self.standing: Standing | None = None
        self.is_shadow = False
        self.subscriptions: set[RankSubscription] = set()


class RankBoard(WatchedBoard):
    """A board instance with the users on it that are watched.

    `told` counts what was told since the last read.
    """

    def __init__(self, board: Board, reader: BoardReader) -> None:
        super().__init__(board, reader)
        self.total = 0
        self.told = 0
        self._moved = 0
        self._read_at = 0.0
        self._users: dict[str, WatchedUser] = {}
        self._newcomers: set[str] = set()
        self._shadows: set[str] = set()

    @property
    def is_watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._users)

    @property
    def is_due(self) -> bool:
        """Whether to read it now: not before most of those have been told whom the last read concerned.

        With thousands of them that takes longer than a tick, and what is read meanwhile nobody would hear of.
        What shadow users do changes no board, so that theirs are read again and again.
        """
        passed = self._now() - self._read_at
        if self._shadows and passed >= _SHADOW_SECONDS:
            return not self._is_refreshing
        is_told = self._moved - self.told <= max(_FEW, self._moved // 8)
        return super().is_due and (is_told or passed >= _PATIENCE_SECONDS)

    def watches_any_of(self, user_ids: Collection[str]) -> bool:
        """Whether one of the users is watched."""
        return any(user_id in self._users for user_id in user_ids)

    def followed(self) -> set[BoardQuery]:
        """Return the queries of those who follow the current period."""
        return {each.query for each in self._followers()}

    def hand_over(self, query: BoardQuery, successor: Self) -> None:
        """Let those who follow by `query` go on with another period."""
        for each in self._followers():
            if each.query == query:
                each.move_to(successor)

    def add(self, subscription: "RankSubscription") -> WatchedUser:
        """Let a subscription hear of its user from now on; returns the user."""
        user = self._users.setdefault(subscription.user_id, WatchedUser())
        user.subscriptions.add(subscription)
        return user

    def remove(self, subscription: "RankSubscription") -> None:
        """Undo `add`."""
        user = self._users.get(subscription.user_id)
        if user is not None:
            user.subscriptions.discard(subscription)
            if not user.subscriptions:
                del self._users[subscription.user_id]
                self._shadows.discard(subscription.user_id)

    async def read_newcomer(self, user_id: str) -> None:
        """Read the standing of one user now; all who come at the same time share a read."""
        self._newcomers.add(user_id)
        await self._read()

    def _followers(self) -> list["RankSubscription"]:
        return [each for user in self._users.values() for each in user.subscriptions if each.query.follows]

    async def _read_wanted(self) -> None:
        newcomers, self._newcomers = self._newcomers, set()
        if self._take_all_wanted():
            self.told, self._moved, self._read_at = 0, 0, self._now()
            user_ids = list(self._users)
        else:
            user_ids = list(newcomers)
        # In parts: neither Redis nor the event loop should be busy with one thing for long.
        for part in _parts(user_ids, _READ_AT_ONCE):
            read = await self._reader.own_ranks(self.board, part)
            self.total = read.total
            for user_id in part:
                self._move(user_id, read.ranks.get(user_id, OFF_BOARD), is_shadow=user_id in read.shadows)

    def _move(self, user_id: str, standing: tuple[int, int], *, is_shadow: bool) -> None:
        """Keep what was read of a user, and wake those who have to hear of it."""
        user = self._users.get(user_id)
        if user is None:
            return
        user.is_shadow = is_shadow
        (self._shadows.add if is_shadow else self._shadows.discard)(user_id)
        if user.standing == standing:
            return
        user.standing = Standing._make(standing)
        self._moved += len(user.subscriptions)
        for subscription in user.subscriptions:
            subscription.watch.wake()


class RankSubscription:
    """One board of a watch: the user on it, and what was told of him last.

    `told` is None before the first message; `told_in` is the period in which something was told last, "" if never.
    """

    __slots__ = ("_board", "_is_owed", "_user", "query", "told", "told_in", "user_id", "watch")

    def __init__(self, watch: "RankWatch", query: BoardQuery, board: RankBoard, user_id: str) -> None:
        self.watch = watch
        self.query = query
        self.user_id = user_id
        self.told: Standing | None = None
        self.told_in = ""
        self._is_owed = True
        self._board = board
        self._user = board.add(self)

    def resume(self, told: ToldStanding) -> None:
        """Go on where an earlier stream ended; in a period of which nothing was told, from zero."""
        is_same = told.period_id == self._board.board.key.period_id
        self.told = told.standing if is_same else OFF_BOARD
        self.told_in = told.period_id
        self._is_owed = not is_same

    def move_to(self, board: RankBoard) -> None:
        """Go on with another period, which begins at zero and is told in any case."""
        self.leave()
        self.told = OFF_BOARD
        self._is_owed = True
        self._board = board
        self._user = board.add(self)
        self.watch.wake()  # somebody else may have had the new board read already

    async def read(self) -> None:
        """Read the user's standing now."""
        await self._board.read_newcomer(self.user_id)

    def leave(self) -> None:
        """Hear no more."""
        self._board.remove(self)

    def is_listed(self) -> bool:
        """Whether the user stands on the board, be it in his own eyes only."""
        return self._user.standing not in {None, OFF_BOARD}

    def take_news(self) -> RankNews | None:
        """Return what changed and note that it is told; None if nothing did or the board was not read yet."""
        now = self._user.standing
        if now is None or (now == self.told and not self._is_owed):
            return None
        self._board.told += 1
        board = self._board.board
        told, self.told, self._is_owed = self.told, now, False
        self.told_in = board.key.period_id
        himself = self._user.is_shadow and now != OFF_BOARD
        return RankNews(board, told, now, self._board.total + himself)


class RankWatch(Watch[RankNews]):
    """A user's standings on some boards."""

    __slots__ = ("subscriptions",)

    def __init__(self, turns: Turns) -> None:
        super().__init__(turns)
        self.subscriptions: tuple[RankSubscription, ...] = ()

    def resume(self, told: Sequence[ToldStanding | None]) -> None:
        """Tell only what is new since an earlier stream, which said this of the boards; else a heartbeat."""
        for subscription, earlier in zip(self.subscriptions, told, strict=False):
            if earlier is not None:
                subscription.resume(earlier)
        self.beat()

    def leave(self) -> None:
        """Take the watch off its boards."""
        for subscription in self.subscriptions:
            subscription.leave()

    def _take_news(self) -> RankNews | None:
        for subscription in self.subscriptions:
            news = subscription.take_news()
            if news is not None:
                return news
        return None


def _parts(user_ids: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(user_ids), size):
        yield user_ids[start : start + size]
