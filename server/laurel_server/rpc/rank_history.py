"""RankingService: where users stood."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from laurel.ranking.v1.periods_pb2 import GetRankHistoryRequest, GetRankHistoryResponse
from laurel.ranking.v1.periods_pb2 import RankMovement as RankMovementMessage
from laurel.ranking.v1.periods_pb2 import RankPoint as RankPointMessage
from laurel_server.domain.rank_history import RankMovement, RankPoint
from laurel_server.domain.views import Board
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.boards import read_board
from laurel_server.rpc.convert.times import read_moment, write_moment
from laurel_server.rpc.paging import PageTokens, page_size, query_of, write_page
from laurel_server.rpc.ports import Boards

DEFAULT_PAGE_SIZE: Final = 100


class Ranks(Protocol):
    """Knows where users stood."""

    async def points(
        self,
        board: Board,
        user_id: str,
        between: tuple[datetime | None, datetime | None],
        offset: int,
        limit: int,
        *,
        all_periods: bool,
    ) -> Sequence[RankPoint]:
        """Return where a user stood, oldest first; in all periods of the board's length if asked. USER_NOT_FOUND."""
        ...

    async def movement(self, board: Board, user_id: str, *, all_periods: bool) -> RankMovement:
        """Return how a user has moved; against the periods of those days if asked. USER_NOT_FOUND."""
        ...


class RankHistoryServicer:
    """Reads ranks of the past."""

    service = methods.RANKING

    def __init__(self, boards: Boards, ranks: Ranks) -> None:
        self._boards = boards
        self._ranks = ranks
        self._tokens = PageTokens("GetRankHistory")

    async def GetRankHistory(
        self, request: GetRankHistoryRequest, call: CallContext
    ) -> GetRankHistoryResponse:
        """Read where a user stood at the end of each day."""
        board = await self._boards.find(*read_board(request.board))
        query, size = query_of(request), page_size(request.page_size, DEFAULT_PAGE_SIZE)
        offset = self._tokens.offset(request.page_token, query)
        points = await self._ranks.points(
            board,
            request.user_id,
            (read_moment(request, "from_time"), read_moment(request, "to_time")),
            offset,
            size + 1,
            all_periods=not request.board.period_id,
        )
        response = GetRankHistoryResponse()
        movement = await self._ranks.movement(board, request.user_id, all_periods=not request.board.period_id)
        _write_movement(response.movement, movement)
        written = write_page(response.points, points[:size], _write_point)
        if written < len(points):
            response.next_page_token = self._tokens.issue(offset + written, query)
        return response


def _write_point(target: RankPointMessage, point: RankPoint) -> None:
    write_moment(target.time, point.taken_at)
    target.rank = point.rank
    target.score = point.score
    target.total = point.total
    target.period_id = point.period_id


def _write_movement(target: RankMovementMessage, movement: RankMovement) -> None:
    target.rank = movement.rank
    target.yesterday_rank = movement.yesterday
    target.last_week_rank = movement.last_week
    target.since_yesterday = movement.since_yesterday
    target.since_last_week = movement.since_last_week
    target.message = movement.message
