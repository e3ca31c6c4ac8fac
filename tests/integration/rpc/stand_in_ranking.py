"""Use cases of RankingService that answer as a test tells them."""

from datetime import timedelta

from laurel.ranking.v1.ranking_service_pb2 import WatchAchievementsRequest
from laurel_server.domain.badges import Badge
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.tiers import Tier, TierStatus, tier_status
from laurel_server.domain.trends import TrendPoint, TrendQuery
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from tests.unit.rpc.samples import NOW


class StandInBadges:
    """Everybody holds one badge that counts and one that has expired."""

    async def of(self, user_id: str) -> list[tuple[Badge, bool]]:
        if user_id == "nobody":
            raise LaurelError(Reason.USER_NOT_FOUND, f"no user {user_id}", metadata={"user_id": user_id})
        past = NOW - timedelta(days=1)
        return [
            (Badge(user_id, "POINTS_1K", 2, NOW, None), True),
            (Badge(user_id, "TOP_10", 1, past, NOW), False),
        ]


class StandInStanding:
    """Everybody is in SILVER, 4,000 points below GOLD."""

    async def tier(self, user_id: str) -> TierStatus:
        if user_id == "nobody":
            raise LaurelError(Reason.USER_NOT_FOUND, f"no user {user_id}", metadata={"user_id": user_id})
        return tier_status(Tier.SILVER, 6_000, NOW, None)


class StandInAchievements:
    """Says nothing."""

    service = methods.RANKING

    async def WatchAchievements(self, _request: WatchAchievementsRequest, call: CallContext) -> None:  # noqa: N802
        await call.write(b"")


class StandInTrends:
    """Remembers what was asked and answers with `points`."""

    def __init__(self) -> None:
        self.asked: list[TrendQuery] = []
        self.points: list[TrendPoint] = []

    async def trend(self, query: TrendQuery) -> list[TrendPoint]:
        self.asked.append(query)
        return self.points
