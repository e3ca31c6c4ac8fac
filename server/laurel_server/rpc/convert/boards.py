"""Boards: references, ranks and lines."""

from functools import lru_cache

from laurel.leaderboard.v1.leaderboard_pb2 import LeaderboardEntry, NextRank
from laurel.leaderboard.v1.leaderboard_service_pb2 import CountByScoreRequest, ListByScoreRequest
from laurel.type.v1.board_pb2 import BoardRank as BoardRankMessage
from laurel.type.v1.board_pb2 import BoardRef
from laurel.type.v1.board_pb2 import Period as PeriodMessage
from laurel.type.v1.tier_pb2 import Tier
from laurel_server.domain.boards import BoardKey, is_score_board
from laurel_server.domain.errors import invalid_field
from laurel_server.domain.ledger import BoardRank
from laurel_server.domain.periods import PeriodType, period_type_of
from laurel_server.domain.views import Line, Place, ScoreRange


def read_board(ref: BoardRef) -> tuple[str, PeriodType | None, str]:
    """Return scope, period type and period id as asked for: None and "" where the caller leaves it open."""
    return ref.scope, PeriodType(ref.period) if ref.period else None, ref.period_id


def read_score_range(request: ListByScoreRequest | CountByScoreRequest) -> ScoreRange:
    """Return the bounds of a request: 0 is a bound, unset is none. INVALID_FIELD the wrong way round."""
    scores = ScoreRange(
        request.min_score if request.HasField("min_score") else None,
        request.max_score if request.HasField("max_score") else None,
    )
    if scores.lowest is not None and scores.highest is not None and scores.lowest > scores.highest:
        raise invalid_field("min_score", "must not be above max_score")
    return scores


def write_board(target: BoardRef, board: BoardKey) -> None:
    """Fill the empty `target` with a board instance, its period resolved."""
    target.MergeFromString(_serialized_board(board))


def write_rank(target: BoardRankMessage, rank: BoardRank) -> None:
    """Fill the empty `target`. The board is kept serialized, which halves the cost of eight ranks."""
    target.MergeFromString(_serialized_rank_of(rank.board))
    target.rank = rank.rank
    target.previous_rank = rank.previous_rank
    target.score = rank.score
    target.total = rank.total


def write_place(target: BoardRankMessage, place: Place) -> None:
    """Fill the empty `target` with a place that was read, so that nothing has moved."""
    rank = BoardRank(place.board.key, place.rank, place.rank, place.score, place.total)
    write_rank(target, rank)


def write_line(target: LeaderboardEntry, line: Line) -> None:
    """Fill the empty `target` with one line of a board."""
    target.rank = line.rank
    target.user_id = line.user_id
    if line.username:
        target.username = line.username
    if line.avatar_url:
        target.avatar_url = line.avatar_url
    target.score = line.score
    if line.sub_score:
        target.sub_score = line.sub_score
    target.tier = Tier.ValueType(line.tier)
    if line.country:
        target.country = line.country
    if line.badges:
        target.badges.extend(line.badges)
    if line.metadata:
        target.metadata.update(line.metadata)


def write_next_rank(target: NextRank, better: tuple[int, int] | None) -> None:
    """Fill `target` with a better rank and the points it takes; leave it unset for None."""
    if better is not None:
        target.rank, target.points_needed = better


@lru_cache(maxsize=8192)
def _serialized_board(board: BoardKey) -> bytes:
    ref = BoardRef(scope=board.scope, period_id=board.period_id)
    if not is_score_board(board.scope):
        ref.period = PeriodMessage.ValueType(period_type_of(board.period_id))
    return ref.SerializeToString()


@lru_cache(maxsize=8192)
def _serialized_rank_of(board: BoardKey) -> bytes:
    message = BoardRankMessage()
    write_board(message.board, board)
    return message.SerializeToString()
