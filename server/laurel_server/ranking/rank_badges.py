"""Badges by rank, as soon as an award has brought a user there."""

from collections.abc import Collection
from typing import Protocol

from laurel_server.domain.errors import LaurelError
from laurel_server.domain.views import Standings
from laurel_server.events.source import Polled, SetAside
from laurel_server.events.topics import ENTRY_EVENTS, LEADERBOARD_UPDATED, USER_ERASED
from laurel_server.ranking.badges import Badges

MOVES = ENTRY_EVENTS | {LEADERBOARD_UPDATED}
"""Events after which a user may stand elsewhere: the outbox tells of entries, Kafka of where they led."""


class Places(Protocol):
    """Where users stand now."""

    async def overall(self, user_ids: Collection[str]) -> Standings | None:
        """Return the places on the global all-time board of those who have one; None while it is being rebuilt."""
        ...


class RankBadges:
    """The consumer that gives badges by rank. Who rises because others fall gets his by the job `award_badges`."""

    name = "badges"
    topics = (LEADERBOARD_UPDATED, USER_ERASED)
    away = (LaurelError,)  # LEDGER_UNAVAILABLE

    def __init__(self, badges: Badges, places: Places) -> None:
        self._badges = badges
        self._places = places

    async def prepare(self) -> bool:
        """It needs nothing first."""
        return True

    def forget_all(self) -> None:
        """Forget what users have got for their places."""
        self._badges.forget_all_places()

    async def handle(self, polled: Polled, _set_aside: SetAside) -> None:
        """Give those who have moved what their places unlock. What the boards have not followed is left to the job."""
        erased = [heard.body["user_id"] for heard in polled.events if heard.body["type"] == USER_ERASED]
        self._badges.forget_places(erased)
        moved = {str(heard.body["user_id"]) for heard in polled.events if heard.body["type"] in MOVES} - {""}
        standings = await self._places.overall(moved) if polled.ranked and moved else None
        if standings is not None:
            await self._badges.award_places(standings)
