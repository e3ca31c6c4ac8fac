"""WatchAchievements: achievements as messages, and their place in the ledger as a token."""

from struct import Struct
from typing import Final

from laurel.leaderboard.v1.watch_pb2 import Heartbeat
from laurel.ranking.v1.ranking_service_pb2 import WatchAchievementsResponse
from laurel_server.domain.badges import Badge
from laurel_server.domain.tiers import TierChange
from laurel_server.postgres.achievements import Position, Told
from laurel_server.ranking.feed import AchievementWatch
from laurel_server.rpc.convert.awards import write_tier_change
from laurel_server.rpc.convert.badges import write_badge
from laurel_server.rpc.streams.messages import Messages
from laurel_server.rpc.streams.tokens import ResumeTokens, invalid_token

_POSITION: Final = Struct("!QQ")
_MAX_NUMBER: Final = (1 << 63) - 1


class AchievementMessages(Messages[Told]):
    """The messages of one WatchAchievements."""

    RESPONSE = WatchAchievementsResponse
    HEAD = WatchAchievementsResponse()
    HEARTBEAT = WatchAchievementsResponse(heartbeat=Heartbeat()).SerializeToString()

    def __init__(self, watch: AchievementWatch, tokens: ResumeTokens, sequence: int) -> None:
        super().__init__(tokens, sequence)
        self._watch = watch

    def _news(self, news: Told) -> bytes:
        response = WatchAchievementsResponse()
        achievement = news.achievement
        if isinstance(achievement, Badge):
            write_badge(response.badge, achievement, active=True)
        elif isinstance(achievement, TierChange):
            write_tier_change(response.tier_change, achievement)
        else:
            milestone = response.milestone
            milestone.user_id, milestone.kind, milestone.value, milestone.message = achievement
        return response.SerializeToString()

    def _told(self) -> bytes:
        return _POSITION.pack(*self._watch.position)


def read_position(told: bytes) -> Position | None:
    """Return the place that a token of `AchievementMessages` names; None without one. PAGE_TOKEN_INVALID.

    No ledger has the place of a token that somebody made up, and to read on from there would fail for every stream.
    """
    if not told:
        return None
    if len(told) != _POSITION.size:
        raise invalid_token()
    position = Position(*_POSITION.unpack(told))
    if max(position) > _MAX_NUMBER:
        raise invalid_token()
    return position
