"""The Python client of Laurel.

async with Laurel("127.0.0.1:50051") as laurel:
    answer = await laurel.rewards.award_points("ada", "PURCHASE", {"order_value": "1999.00"})
    async for update in laurel.leaderboards.watch_rank("ada", board("global", "weekly")):
        print(update.rank, update.message)
"""

from laurel.admin.v1.admin_service_pb2 import RebuildBoardsResponse
from laurel.admin.v1.badges_pb2 import BadgeDefinition
from laurel.admin.v1.boards_pb2 import BoardConfig, BoardKind
from laurel.admin.v1.jobs_pb2 import Job, JobRun, JobState
from laurel.admin.v1.notifications_pb2 import NotificationPreferences
from laurel.admin.v1.rules_pb2 import ActionConfig, BoardEffect, Campaign, CapMode, StackMode
from laurel.leaderboard.v1.leaderboard_pb2 import LeaderboardEntry
from laurel.leaderboard.v1.leaderboard_service_pb2 import GetLeaderboardResponse, GetSurroundingResponse
from laurel.leaderboard.v1.scores_pb2 import UpdateScoreRequest, UpdateScoreResponse
from laurel.leaderboard.v1.watch_pb2 import RankUpdate
from laurel.ranking.v1.ranking_pb2 import Milestone
from laurel.rewards.v1.corrections_pb2 import ReversalPolicy
from laurel.rewards.v1.holds_pb2 import Hold
from laurel.rewards.v1.rewards_pb2 import Transaction, UserRewards
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest, AwardPointsResponse
from laurel.type.v1.badge_pb2 import Badge
from laurel.type.v1.board_pb2 import BoardRank, BoardRef, Period, RankState
from laurel.type.v1.tier_pb2 import Tier, TierChange
from laurel.type.v1.user_pb2 import User, Visibility
from laurel_client.client import Laurel
from laurel_client.errors import FieldViolation, LaurelCallError
from laurel_client.plain import as_plain, error_as_plain
from laurel_client.requests import Attributes, AwardOptions, PeriodName, award, board
from laurel_client.sandbox import ClockState
from laurel_client.tops import Top

__all__ = [
    "ActionConfig",
    "Attributes",
    "AwardOptions",
    "AwardPointsRequest",
    "AwardPointsResponse",
    "Badge",
    "BadgeDefinition",
    "BoardConfig",
    "BoardEffect",
    "BoardKind",
    "BoardRank",
    "BoardRef",
    "Campaign",
    "CapMode",
    "ClockState",
    "FieldViolation",
    "GetLeaderboardResponse",
    "GetSurroundingResponse",
    "Hold",
    "Job",
    "JobRun",
    "JobState",
    "Laurel",
    "LaurelCallError",
    "LeaderboardEntry",
    "Milestone",
    "NotificationPreferences",
    "Period",
    "PeriodName",
    "RankState",
    "RankUpdate",
    "RebuildBoardsResponse",
    "ReversalPolicy",
    "StackMode",
    "Tier",
    "TierChange",
    "Top",
    "Transaction",
    "UpdateScoreRequest",
    "UpdateScoreResponse",
    "User",
    "UserRewards",
    "Visibility",
    "as_plain",
    "award",
    "board",
    "error_as_plain",
]
