"""RankingService."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from laurel.admin.v1.badges_pb2 import BadgeDefinition
from laurel.ranking.v1.periods_pb2 import (
    GetPeriodRequest,
    GetRankHistoryRequest,
    GetSnapshotRequest,
    GetSnapshotResponse,
    ListPeriodsRequest,
    PeriodSummary,
    RankPoint,
)
from laurel.ranking.v1.ranking_pb2 import TierStatus
from laurel.ranking.v1.ranking_service_pb2 import (
    GetStandingRequest,
    GetStandingResponse,
    GetTierRequest,
    ListBadgeDefinitionsRequest,
    ListBadgesRequest,
    WatchAchievementsRequest,
)
from laurel.ranking.v1.ranking_service_pb2_grpc import RankingServiceStub
from laurel.ranking.v1.trends_pb2 import GetTrendsRequest, TrendPoint
from laurel.type.v1.badge_pb2 import Badge
from laurel.type.v1.board_pb2 import BoardRef, Period
from laurel_client.achievements import AchievementWatch
from laurel_client.caller import Caller
from laurel_client.requests import timestamp


class Ranking:
    """Standing, tiers, badges, periods and history. None for a board is global all-time. Raises LaurelCallError."""

    def __init__(self, stub: RankingServiceStub, caller: Caller, patience: float) -> None:
        self._stub = stub
        self._caller = caller
        self._patience = patience

    async def get_standing(self, user_id: str, board: BoardRef | None = None) -> GetStandingResponse:
        """Return a user's rank, percentile, bracket, tier and badges."""
        return await self._caller.call(
            self._stub.GetStanding, GetStandingRequest(user_id=user_id, board=board)
        )

    async def get_tier(self, user_id: str) -> TierStatus:
        """Return a user's tier, and what the next takes."""
        return (await self._caller.call(self._stub.GetTier, GetTierRequest(user_id=user_id))).status

    async def list_badges(self, user_id: str) -> Sequence[Badge]:
        """Return the badges that a user has earned."""
        return (await self._caller.call(self._stub.ListBadges, ListBadgesRequest(user_id=user_id))).badges

    async def list_badge_definitions(self) -> Sequence[BadgeDefinition]:
        """Return which badges there are, and their rules."""
        answer = await self._caller.call(self._stub.ListBadgeDefinitions, ListBadgeDefinitionsRequest())
        return answer.definitions

    async def list_periods(
        self, period: Period.ValueType, scope: str = "global"
    ) -> AsyncIterator[PeriodSummary]:
        """Yield the periods of a board with their states and winners, newest first."""
        request = ListPeriodsRequest(period=period, scope=scope)
        async for page in self._caller.pages(self._stub.ListPeriods, request):
            for summary in page.periods:
                yield summary

    async def get_period(self, board: BoardRef) -> PeriodSummary:
        """Return one period of a board."""
        return (await self._caller.call(self._stub.GetPeriod, GetPeriodRequest(board=board))).period

    async def get_snapshot(self, board: BoardRef, *, page_size: int = 0) -> GetSnapshotResponse:
        """Return the final standing of a period in numbers, with its best."""
        request = GetSnapshotRequest(board=board, page_size=page_size)
        return await self._caller.call(self._stub.GetSnapshot, request)

    async def get_rank_history(
        self,
        user_id: str,
        board: BoardRef | None = None,
        *,
        from_time: datetime | None = None,
        to_time: datetime | None = None,
    ) -> AsyncIterator[RankPoint]:
        """Yield where a user stood day by day within `[from_time, to_time)`."""
        request = GetRankHistoryRequest(
            user_id=user_id, board=board, from_time=timestamp(from_time), to_time=timestamp(to_time)
        )
        async for page in self._caller.pages(self._stub.GetRankHistory, request):
            for point in page.points:
                yield point

    async def get_trends(self, request: GetTrendsRequest) -> Sequence[TrendPoint]:
        """Return a metric over time. ANALYTICS_DISABLED where the server keeps none."""
        return (await self._caller.call(self._stub.GetTrends, request)).points

    def watch_achievements(self, user_id: str = "", *, resume_token: str = "") -> AchievementWatch:
        """Watch the badges, tiers and milestones of one user, or of all, from now on or from an earlier token."""
        request = WatchAchievementsRequest(user_id=user_id, resume_token=resume_token)
        return AchievementWatch(self._stub.WatchAchievements, request, self._patience, self._caller.metadata)
