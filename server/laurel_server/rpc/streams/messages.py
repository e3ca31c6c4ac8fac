"""The messages of one stream."""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchLeaderboardResponse, WatchRankResponse
from laurel.leaderboard.v1.watch_pb2 import StreamEnd
from laurel.ranking.v1.ranking_service_pb2 import WatchAchievementsResponse
from laurel_server.leaderboards.live.watch import Ending, Heartbeat
from laurel_server.rpc.streams.tokens import ResumeTokens

News = TypeVar("News")


class Messages(ABC, Generic[News]):
    """Makes one serialized message of each event, numbered on from `sequence`.

    Serialized messages merge when they are put together, so that an event, which thousands of streams may share,
    is joined with this stream's own number and token at no cost.
    """

    RESPONSE: ClassVar[
        type[WatchRankResponse] | type[WatchLeaderboardResponse] | type[WatchAchievementsResponse]
    ]
    HEAD: ClassVar[WatchRankResponse | WatchLeaderboardResponse | WatchAchievementsResponse]
    """One to fill in for each message: to build one anew takes thrice as long."""

    HEARTBEAT: ClassVar[bytes]

    def __init__(self, tokens: ResumeTokens, sequence: int) -> None:
        self._tokens = tokens
        self._sequence = sequence

    @abstractmethod
    def _news(self, news: News) -> bytes:
        """Return a serialized response that holds the news alone."""

    @abstractmethod
    def _told(self) -> bytes:
        """Return what a token has to say of what was told."""

    def write(self, event: News | Heartbeat | Ending) -> bytes:
        """Return the next message."""
        self._sequence += 1
        if isinstance(event, Ending):
            token = self._tokens.issue(self._sequence, self._told())
            return self._head(token) + self._end(event, token)
        body = self.HEARTBEAT if isinstance(event, Heartbeat) else self._news(event)
        return self._head(self._tokens.issue(self._sequence, self._told())) + body

    def _head(self, token: str) -> bytes:
        head = self.HEAD
        head.sequence, head.resume_token = self._sequence, token
        return head.SerializeToString()

    def _end(self, ending: Ending, token: str) -> bytes:
        end = StreamEnd(reason=ending.reason, resume_token=token)
        return self.RESPONSE(end=end).SerializeToString()
