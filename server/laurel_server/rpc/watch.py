"""LeaderboardService: the calls that stream."""

from typing import Final

from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchLeaderboardRequest, WatchRankRequest
from laurel.type.v1.board_pb2 import BoardRef
from laurel_server.leaderboards.live.hub import Hub
from laurel_server.leaderboards.live.ports import BoardQuery
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.boards import read_board
from laurel_server.rpc.streams.ranks import RankMessages, read_told
from laurel_server.rpc.streams.telling import tell
from laurel_server.rpc.streams.tokens import ResumeTokens
from laurel_server.rpc.streams.tops import SerializedTops, TopMessages

DEFAULT_TOP: Final = 10


class WatchServicer:
    """Streams what changes on the boards."""

    service = methods.LEADERBOARDS

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._tops = SerializedTops()

    async def WatchRank(self, request: WatchRankRequest, call: CallContext) -> None:
        """Stream where a user stands; without boards, on the global all-time one."""
        own = [request.board] if request.HasField("board") else []
        refs = [*request.boards, *own] or [BoardRef()]
        tokens = ResumeTokens("WatchRank", request.user_id, *(part for ref in refs for part in _named(ref)))
        resumed = tokens.resume(request.resume_token)
        queries = [BoardQuery(*read_board(ref)) for ref in refs]
        watch = await self._hub.watch_ranks(request.user_id, queries, read_told(resumed.told))
        await tell(self._hub, watch, RankMessages(watch, tokens, resumed.sequence), call)

    async def WatchLeaderboard(self, request: WatchLeaderboardRequest, call: CallContext) -> None:
        """Stream who leads a board."""
        n = request.top_n or DEFAULT_TOP
        tokens = ResumeTokens("WatchLeaderboard", str(n), *_named(request.board))
        resumed = tokens.resume(request.resume_token)
        watch = await self._hub.watch_top(BoardQuery(*read_board(request.board)), n)
        messages = TopMessages(self._tops, tokens, resumed.sequence, resumed.told)
        await tell(self._hub, watch, messages, call)


def _named(ref: BoardRef) -> tuple[str, str, str]:
    return ref.scope, str(ref.period), ref.period_id
