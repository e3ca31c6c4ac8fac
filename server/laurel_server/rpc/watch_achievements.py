"""RankingService: the call that streams."""

from laurel.ranking.v1.ranking_service_pb2 import WatchAchievementsRequest
from laurel_server.leaderboards.live.hub import Hub
from laurel_server.ranking.feed import AchievementFeed
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.streams.achievements import AchievementMessages, read_position
from laurel_server.rpc.streams.telling import tell
from laurel_server.rpc.streams.tokens import ResumeTokens


class WatchAchievementsServicer:
    """Streams what users achieve."""

    service = methods.RANKING

    def __init__(self, hub: Hub, feed: AchievementFeed) -> None:
        self._hub = hub
        self._feed = feed

    async def WatchAchievements(self, request: WatchAchievementsRequest, call: CallContext) -> None:
        """Stream badges, changes of tier and milestones."""
        tokens = ResumeTokens("WatchAchievements", request.user_id)
        resumed = tokens.resume(request.resume_token)
        watch = await self._feed.watch(request.user_id, read_position(resumed.told))
        await tell(self._hub, watch, AchievementMessages(watch, tokens, resumed.sequence), call)
