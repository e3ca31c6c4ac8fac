"""Turns what happens into notifications, each with the moment from which it disturbs nobody."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

import structlog

from laurel_server.domain.clock import Clock
from laurel_server.domain.notifications import (
    LAST_MILESTONE,
    Notification,
    ToldRank,
    moment_for,
    notices_of,
    rank_notice,
)
from laurel_server.domain.views import Standings
from laurel_server.events.outbox import TURN, UNREADABLE
from laurel_server.events.source import Heard, Polled, SetAside
from laurel_server.events.told import LatelyTold
from laurel_server.events.topics import (
    ACHIEVEMENTS_UNLOCKED,
    ENTRY_EVENTS,
    PERIOD_WON,
    POINTS_EXPIRING,
    REWARDS_CHANGED,
    REWARDS_EARNED,
    TIER_CHANGED,
    USER_ERASED,
)
from laurel_server.metrics import NOTIFICATIONS_MADE
from laurel_server.postgres import notifications
from laurel_server.postgres.pool import Pool

log = structlog.get_logger()


class Places(Protocol):
    """Where users stand now on the global all-time board, whose ranks are told."""

    async def overall(self, user_ids: Collection[str]) -> Standings | None:
        """Return the places of those who have one; None while the board is being rebuilt."""
        ...

    async def leading(self, rank: int) -> frozenset[str] | None:
        """Return who stands at a rank or better; None if a list of so many lines does not tell."""
        ...


class Notifier:
    """The consumer that makes notifications. `rank_every`: how often a user is told of moves at most."""

    name = "notifications"
    topics = (
        REWARDS_EARNED,
        REWARDS_CHANGED,
        TIER_CHANGED,
        ACHIEVEMENTS_UNLOCKED,
        PERIOD_WON,
        POINTS_EXPIRING,
        USER_ERASED,
    )
    away = ()

    def __init__(self, pool: Pool, places: Places, clock: Clock, zone: tzinfo, rank_every: timedelta) -> None:
        self._pool = pool
        self._places = places
        self._clock = clock
        self._zone = zone
        self._rank_every = rank_every
        self._lately_told = LatelyTold(rank_every)

    async def prepare(self) -> bool:
        """It needs nothing first."""
        return True

    def forget_all(self) -> None:
        """Forget who was told of his rank lately."""
        self._lately_told.forget_all()

    async def handle(self, polled: Polled, set_aside: SetAside) -> None:
        """Keep what the events have to tell their users, until it is sent."""
        notices: list[Notification] = []
        latest: dict[str, str] = {}
        now = self._clock.now()
        for number, heard in enumerate(polled.events, start=1):
            try:
                notices += notices_of(heard.id, heard.body, now)
                await self._note(heard, latest, notices)
            except UNREADABLE as error:
                log.warning("notifications.set_aside", event_id=heard.id, error=repr(error))
                await set_aside(heard, error)
            if number % TURN == 0:
                await asyncio.sleep(0)
        told: dict[str, ToldRank] = {}
        if polled.ranked and latest:
            told = await self._tell_ranks(latest, notices)
        await self._keep(notices, told)

    async def _note(self, heard: Heard, latest: dict[str, str], notices: list[Notification]) -> None:
        if heard.body["type"] in ENTRY_EVENTS:
            latest[str(heard.body["user_id"])] = heard.id
        elif heard.body["type"] == USER_ERASED:
            user_id, user_no = str(heard.body["user_id"]), int(heard.body.get("user_no", 0))
            latest.pop(user_id, None)
            notices[:] = [each for each in notices if not _is_for(each, user_id, user_no)]
            await notifications.forget(self._pool, user_id, user_no)
            self._lately_told.forget([user_id])

    async def _tell_ranks(
        self, latest: Mapping[str, str], notices: list[Notification]
    ) -> dict[str, ToldRank]:
        """Add what is to be told of the ranks of those who had an entry, whose last events are given.

        Returns the ranks that they have been told then.
        """
        now = self._clock.now()
        concerned = await self._concerned(latest, now)
        places = await self._places.overall(concerned) if concerned else None
        if places is None or not places.ranks:
            return {}
        before = await notifications.read_told(self._pool, places.ranks)
        self._lately_told.note(before)
        told: dict[str, ToldRank] = {}
        for user_id, rank in places.ranks.items():
            notice = rank_notice(latest[user_id], user_id, rank, before.get(user_id), now, self._rank_every)
            if notice is not None:
                notices.append(notice)
            if notice is not None or user_id not in before:
                told[user_id] = ToldRank(rank, now)
        return told

    async def _concerned(self, user_ids: Collection[str], now: datetime) -> Collection[str]:
        """Return those who may be told of their ranks: of milestones at once, of other moves when it is time."""
        others = self._lately_told.others(user_ids, now)
        if len(others) == len(user_ids):
            return others
        leading = await self._places.leading(LAST_MILESTONE)
        return user_ids if leading is None else leading.intersection(user_ids).union(others)

    async def _keep(self, notices: Sequence[Notification], told: Mapping[str, ToldRank]) -> None:
        """Keep what its user wants to be told, until he may be, and with it the ranks that it tells."""
        wanted = await self._wanted(notices) if notices else []
        if wanted or told:
            async with self._pool.acquire() as connection, connection.transaction():
                added = await notifications.add(connection, wanted) if wanted else 0
                if told:
                    await notifications.tell(connection, told)
            NOTIFICATIONS_MADE.inc(added)
        self._lately_told.note(told)

    async def _wanted(self, notices: Sequence[Notification]) -> list[tuple[Notification, datetime]]:
        users = {notice.user_id for notice in notices}
        preferences = await notifications.read_preferences(self._pool, users, self._zone)
        now = self._clock.now()
        moments = ((notice, moment_for(notice, preferences, now)) for notice in notices)
        return [
            (replace(notice, user_no=preferences[notice.user_id].user_no), moment)
            for notice, moment in moments
            if moment is not None
        ]


def _is_for(notice: Notification, user_id: str, user_no: int) -> bool:
    """Whether a notification is for that person; either may have no number, and then the id decides."""
    return notice.user_id == user_id and (not user_no or notice.user_no in {0, user_no})
