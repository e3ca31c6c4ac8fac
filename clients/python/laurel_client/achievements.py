"""Watching what users achieve."""

from typing import TypeAlias

from laurel.ranking.v1.ranking_pb2 import Milestone
from laurel.ranking.v1.ranking_service_pb2 import WatchAchievementsRequest, WatchAchievementsResponse
from laurel.type.v1.badge_pb2 import Badge
from laurel.type.v1.tier_pb2 import TierChange
from laurel_client.watch import Watch

Achievement: TypeAlias = Badge | TierChange | Milestone


class AchievementWatch(Watch[WatchAchievementsRequest, WatchAchievementsResponse, Achievement]):
    """Yields badges, changes of tier and milestones as they happen, from now on."""

    def _item(self, message: WatchAchievementsResponse) -> Achievement | None:
        if message.HasField("badge"):
            return message.badge
        if message.HasField("tier_change"):
            return message.tier_change
        return message.milestone if message.HasField("milestone") else None
