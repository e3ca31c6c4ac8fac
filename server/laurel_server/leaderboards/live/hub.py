"""The one place of a process where streams and changes of boards meet."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import structlog

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.clock import Clock
from laurel_server.domain.errors import Reason, user_not_found
from laurel_server.domain.views import Board
from laurel_server.leaderboards.live.boards import WatchedBoards
from laurel_server.leaderboards.live.ports import BoardQuery, BoardReader, Pace
from laurel_server.leaderboards.live.ranks import RankBoard, RankSubscription, RankWatch, ToldStanding
from laurel_server.leaderboards.live.reading import WatchedBoard
from laurel_server.leaderboards.live.streams import Streams
from laurel_server.leaderboards.live.tops import TopBoard, TopWatch
from laurel_server.leaderboards.live.turns import Turns
from laurel_server.leaderboards.live.watch import Watch

log = structlog.get_logger()

W = TypeVar("W", bound=Watch[Any])


class Hub:
    """All streams of a process, and the boards they watch.

    A change of a board costs O(1), whoever watches; at each tick every changed board is read once for all its
    watchers. Changes come by `note_changes`, and by `note_loss` whenever some may have been missed.
    """

    def __init__(self, reader: BoardReader, clock: Clock, pace: Pace | None = None) -> None:
        self._reader = reader
        self._clock = clock
        self._pace = pace or Pace()
        self._streams = Streams(self._pace)
        self._ranks = WatchedBoards(lambda board: RankBoard(board, reader))
        self._tops = WatchedBoards(lambda board: TopBoard(board, reader))
        self._configuration: object = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    @property
    def boards(self) -> int:
        """How many boards are watched; a board that is watched in both ways counts twice."""
        return len(self._ranks) + len(self._tops)

    def start(self) -> None:
        """Begin to tick."""
        self._streams.turns.now = asyncio.get_running_loop().time()
        self._spawn(self._run())

    async def stop(self) -> None:
        """Cease to tick. Streams that are still open stay silent."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def drain(self, within: float) -> None:
        """End all streams in-band, refuse new ones, and wait up to `within` seconds until all have left."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._streams.end_all(Reason.DRAINING)

    def note_changes(self, keys: Iterable[BoardKey]) -> None:
        """Have these boards read at the next tick, if they are watched. O(1) each."""
        for key in keys:
            self._ranks.note_change(key)
            self._tops.note_change(key)

    def note_profiles(self, user_ids: Collection[str]) -> None:
        """Have the boards read at the next tick on whose watched top one of these users stands, or where he is watched.

        Who was hidden and is a shadow user now sees himself again, and no board has changed by it.
        """
        self._ranks.note_changes_where(lambda board: board.watches_any_of(user_ids))
        self._tops.note_changes_where(lambda board: board.lists_any_of(user_ids))

    def note_loss(self) -> None:
        """Have all boards read at the next tick, because changes may have been missed."""
        self._ranks.note_changes_where(lambda _: True)
        self._tops.note_changes_where(lambda _: True)

    def clock_changed(self) -> None:
        """Follow a clock that was set, without waiting for the next tick."""
        self._look_after_boards()

    async def watch_ranks(
        self, user_id: str, queries: Sequence[BoardQuery], told: Sequence[ToldStanding | None] = ()
    ) -> RankWatch:
        """Return a watch of a user's standings, whose boards are read; `close` it in the end.

        Queries that mean the same board count once. `told` is what an earlier stream said last of each
        remaining one, in order, None if nothing: then only news is told, or a heartbeat if there is none.
        USER_NOT_FOUND, DRAINING, and what `BoardReader` raises.
        """
        self._streams.refuse_while_draining()
        watch = RankWatch(self._streams.turns)
        watch.subscriptions = tuple(
            RankSubscription(watch, query, self._ranks.at(board), user_id)
            for query, board in self._distinct(queries)
        )
        self._streams.add(watch)
        try:
            await self._read_first(watch, user_id)
        except BaseException:
            self.close(watch)
            raise
        if told:
            watch.resume(told)
        return watch

    async def watch_top(self, query: BoardQuery, n: int) -> TopWatch:
        """Return a watch of the best `n` lines of a board, which is read; `close` it in the end.

        DRAINING, and what `BoardReader` raises.
        """
        self._streams.refuse_while_draining()
        watch = TopWatch(self._streams.turns, query, self._tops.at(self._resolve(query)), n)
        self._streams.add(watch)
        try:
            await watch.read()
        except BaseException:
            self.close(watch)
            raise
        return watch

    def admit(self, make: Callable[[Turns], W]) -> W:
        """Return a watch of something else than boards, which shares heartbeats, slow readers and the end. DRAINING."""
        self._streams.refuse_while_draining()
        watch = make(self._streams.turns)
        self._streams.add(watch)
        return watch

    def close(self, watch: Watch[Any]) -> None:
        """Forget a watch; harmless if it is forgotten already."""
        self._streams.close(watch)

    async def _read_first(self, watch: RankWatch, user_id: str) -> None:
        for subscription in watch.subscriptions:
            await subscription.read()
        if any(subscription.is_listed() for subscription in watch.subscriptions):
            return
        if not await self._reader.is_known(user_id):
            raise user_not_found(user_id)

    def _distinct(self, queries: Sequence[BoardQuery]) -> Collection[tuple[BoardQuery, Board]]:
        boards = [(query, self._resolve(query)) for query in queries]
        return {(board.key, query.follows): (query, board) for query, board in boards}.values()

    def _resolve(self, query: BoardQuery) -> Board:
        return self._reader.resolve(query.scope, query.period_type, query.period_id)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                self._look_after_boards()
                self._streams.sweep(loop.time())
            except Exception:  # no fault may silence every stream
                log.exception("watch.tick_failed")
            await asyncio.sleep(self._pace.tick)

    def _look_after_boards(self) -> None:
        now, configuration = self._clock.now(), self._reader.configuration
        is_known, self._configuration = configuration is self._configuration, configuration
        for boards in (self._ranks, self._tops):
            if not is_known:
                boards.note_configuration(self._resolve)
            boards.follow(now, self._resolve)
            for board in boards.due():
                self._spawn(_refresh(board))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _refresh(board: WatchedBoard) -> None:
    """Read a board for all its watchers; if that fails, they hear nothing until the next tick tries again."""
    try:
        await board.refresh()
    except Exception as error:  # noqa: BLE001 - whatever it is, the streams stay open
        if not board.is_unreadable:
            log.warning("watch.board_unreadable", scope=board.board.key.scope, error=str(error))
        board.is_unreadable = True
    else:
        board.is_unreadable = False
