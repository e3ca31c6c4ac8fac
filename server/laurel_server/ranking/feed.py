"""Achievements as they come, for whoever watches: read from the ledger, told in its order, none left out.

Streams of achievements are no boards: each message counts, so that a reader who falls behind is not given the newest
state but goes on where he was, from the ledger.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

import structlog

from laurel_server.domain.errors import LaurelError
from laurel_server.leaderboards.live.hub import Hub
from laurel_server.leaderboards.live.turns import Turns
from laurel_server.leaderboards.live.watch import Watch
from laurel_server.postgres.achievements import END, Position, Snapshot, Told, read_after, read_snapshot
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.pool import Pool, ledger_errors

log = structlog.get_logger()

PAGE: Final = 500
"""Achievements read at a time, and kept for a stream whose reader is slow."""


class AchievementWatch(Watch[Told]):
    """What one stream still has to tell. `position` is that of the last thing told."""

    __slots__ = ("_has_greeted", "_seen", "_waiting", "feed", "position", "read_to", "user_id")

    def __init__(
        self, turns: Turns, feed: "AchievementFeed", user_id: str, start: Position, seen: Snapshot | None
    ) -> None:
        super().__init__(turns)
        self.feed = feed
        self.user_id = user_id
        self.position = start
        self.read_to: Position | None = start
        """From where it must read on by itself; None: it hears what the feed reads."""
        self._seen = seen
        self._waiting: deque[Told] = deque()
        self._has_greeted = False

    @property
    def is_behind(self) -> bool:
        """Whether it must read on by itself, and has room to."""
        return self.read_to is not None and not self._waiting

    def take(self, news: Sequence[Told]) -> None:
        """Take in what was read, as far as the stream is about it; too much of it is read again later."""
        for told in news:
            if self.user_id not in {"", told.user_id} or told.position <= self.position:
                continue
            if self._seen is not None and self._seen.saw(told.position.xid):
                continue
            if len(self._waiting) >= PAGE:
                self.read_to = self._waiting[-1].position
                break
            self._waiting.append(told)
        if self._waiting:
            self.wake()

    def leave(self) -> None:
        """Take the watch off the feed."""
        self.feed.forget(self)

    def _take_news(self) -> Told | None:
        if not self._has_greeted:  # the first message has a token and nothing else
            self._has_greeted = True
            self.beat()
            return None
        if not self._waiting:
            self.position = max(self.position, self.feed.position if self.read_to is None else self.read_to)
            return None
        told = self._waiting.popleft()
        self.position = told.position
        return told


class AchievementFeed:
    """Reads achievements once for all streams of a process, every `tick` seconds while there are any."""

    def __init__(self, pool: Pool, hub: Hub, tick: float) -> None:
        self._pool = pool
        self._hub = hub
        self._tick = tick
        self._watches: set[AchievementWatch] = set()
        self._is_watched = asyncio.Event()
        self._reading = asyncio.Lock()
        self.position = Position(0, 0)
        """Up to here all streams that are not behind have heard."""

    async def watch(self, user_id: str, position: Position | None) -> AchievementWatch:
        """Return a watch of one user or ("") of all, from a position or from now on; `close` it in the hub in the end.

        DRAINING, LEDGER_UNAVAILABLE.
        """
        async with ledger_errors(), self._reading:
            now = await read_snapshot(self._pool)
            if not self._watches:
                self.position = now.position
            if position is None or position.xid > now.xmax:  # that of another ledger
                watch = self._hub.admit(
                    lambda turns: AchievementWatch(turns, self, user_id, now.position, now)
                )
            else:
                watch = self._hub.admit(lambda turns: AchievementWatch(turns, self, user_id, position, None))
            self._watches.add(watch)
            self._is_watched.set()
        return watch

    def forget(self, watch: AchievementWatch) -> None:
        """Tell a watch nothing any more; harmless if it is forgotten already."""
        self._watches.discard(watch)
        if not self._watches:
            self._is_watched.clear()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            await self._is_watched.wait()
            try:
                await self.read()
            except (LaurelError, *UNAVAILABLE) as away:
                log.warning("achievements.unread", error=f"{type(away).__name__}: {away}")
            except Exception:  # no fault may silence every stream
                log.exception("achievements.failed")
            await asyncio.sleep(self._tick)

    async def read(self) -> None:
        """Read what has come, for the streams that are up to date, then what the others lack."""
        async with self._reading:
            news = await read_after(self._pool, self.position, END, "", PAGE)
            if news:
                self.position = news[-1].position
            watches = list(self._watches)
            # Before anything is awaited: a heartbeat in between would say that the news had been told.
            for watch in watches:
                if watch.read_to is None:
                    watch.take(news)
            for watch in watches:
                if watch.is_behind:
                    await self._catch_up(watch)

    async def _catch_up(self, watch: AchievementWatch) -> None:
        assert watch.read_to is not None  # noqa: S101 - it is behind
        lacking = await read_after(self._pool, watch.read_to, self.position, watch.user_id, PAGE)
        watch.read_to = lacking[-1].position if len(lacking) == PAGE else None
        watch.take(lacking)
