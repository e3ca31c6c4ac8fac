"""Turns what the outbox says into notifications, each with the moment from which it disturbs nobody."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import timedelta, tzinfo
from typing import Final

import structlog

from laurel_server.domain.boards import GLOBAL, BoardKey
from laurel_server.domain.clock import Clock
from laurel_server.domain.notifications import (
    Notification,
    notices_of,
    rank_notice,
)
from laurel_server.domain.periods import ALL_TIME
from laurel_server.events.outbox import UNREADABLE, OutboxEvent, OutboxReader, Page
from laurel_server.events.relay import RankReader
from laurel_server.events.topics import ENTRY_EVENTS
from laurel_server.postgres import notifications, outbox
from laurel_server.postgres.pool import Pool

log = structlog.get_logger()

READER: Final = "notifications"
"""The name as a reader of the outbox."""
WAIT_SECONDS: Final = 0.05
WAITS: Final = 40
RANKED_BOARD: Final = BoardKey(GLOBAL, ALL_TIME.id)
"""The board whose ranks are told."""


class Notifier:
    """Makes notifications. `rank_every`: how often a user is told of moves at most."""

    def __init__(
        self,
        pool: Pool,
        reader: OutboxReader,
        ranks: RankReader,
        clock: Clock,
        zone: tzinfo,
        rank_every: timedelta,
    ) -> None:
        self._pool = pool
        self._reader = reader
        self._ranks = ranks
        self._clock = clock
        self._zone = zone
        self._rank_every = rank_every

    async def read(self) -> int:
        """Read what has happened until now and return how many notifications that made.

        What the boards have not followed yet is waited for, for 2 s at most; then it is left to the next time.
        """
        self._reader.start_over()  # another server may have read on
        until = await outbox.last_batch(self._pool)
        made = waited = 0
        while waited < WAITS and await outbox.has_unread(self._pool, READER, until):
            page = await self._reader.next_page()
            if page is None:
                waited += 1
                await asyncio.sleep(WAIT_SECONDS)
            else:
                made += await self._notify(page)
                await self._reader.done(page)
        return made

    async def _notify(self, page: Page) -> int:
        notices: list[Notification] = []
        latest: dict[str, str] = {}
        for event in page.events:
            try:
                notices += notices_of(event.id, event.body, self._clock.now())
                if event.body["type"] in ENTRY_EVENTS:
                    latest[str(event.body["user_id"])] = event.id
                elif event.body["type"] == "user.erased":
                    await notifications.forget(self._pool, str(event.body["user_id"]))
            except UNREADABLE as error:
                await self._set_aside(event, error)
        if page.ranked and latest:
            notices += await self._rank_notices(page.user_nos, latest)
        return await self._keep(notices)

    async def _rank_notices(self, user_nos: Collection[int], latest: dict[str, str]) -> list[Notification]:
        """Return what is to be told of the ranks of those who had an entry, whose last events are given."""
        ranks = await self._present(user_nos, latest)
        told = await notifications.read_told(self._pool, ranks)
        now = self._clock.now()
        notices: list[Notification] = []
        changed: dict[str, int] = {}
        for user_id, rank in ranks.items():
            notice = rank_notice(latest[user_id], user_id, rank, told.get(user_id), now, self._rank_every)
            if notice is not None:
                notices.append(notice)
            if notice is not None or user_id not in told:
                changed[user_id] = rank
        if changed:
            await notifications.tell(self._pool, changed, now)
        return notices

    async def _present(self, user_nos: Collection[int], wanted: Collection[str]) -> dict[str, int]:
        found = await self._ranks.of(user_nos) or {}
        return {
            user_id: place.rank
            for user_id, places in found.items()
            if user_id in wanted
            for place in places
            if place.board == RANKED_BOARD
        }

    async def _keep(self, notices: Sequence[Notification]) -> int:
        """Keep what its user wants to be told, until he may be."""
        if not notices:
            return 0
        users = {notice.user_id for notice in notices}
        preferences = await notifications.read_preferences(self._pool, users, self._zone)
        now = self._clock.now()
        wanted = [
            (notice, preferences[notice.user_id].earliest(now))
            for notice in notices
            if notice.user_id in preferences and preferences[notice.user_id].wants(notice.kind)
        ]
        return await notifications.add(self._pool, wanted) if wanted else 0

    async def _set_aside(self, event: OutboxEvent, error: Exception) -> None:
        log.warning("notifications.set_aside", event_id=event.id, error=repr(error))
        await self._reader.set_aside(event, repr(error))
