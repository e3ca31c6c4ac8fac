"""Watching where a user stands."""

from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchRankRequest, WatchRankResponse
from laurel.leaderboard.v1.watch_pb2 import RankUpdate
from laurel_client.watch import Watch


class RankWatch(Watch[WatchRankRequest, WatchRankResponse, RankUpdate]):
    """Yields a RankUpdate a board at first, then one for each change. It resumes without saying anything twice."""

    def _item(self, message: WatchRankResponse) -> RankUpdate | None:
        return message.update if message.HasField("update") else None
