"""LeaderboardService: the calls that answer once."""

from typing import Final

from laurel.leaderboard.v1.leaderboard_service_pb2 import (
    BatchGetRanksRequest,
    BatchGetRanksResponse,
    CountByScoreRequest,
    CountByScoreResponse,
    GetLeaderboardRequest,
    GetRankRequest,
    GetRankResponse,
    GetSurroundingRequest,
    GetSurroundingResponse,
    ListByScoreRequest,
    ListByScoreResponse,
    ListUserRanksRequest,
    ListUserRanksResponse,
)
from laurel.type.v1.board_pb2 import BoardRef
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ranks import percentile, top_percent
from laurel_server.domain.views import Board, Line
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.boards import (
    read_board,
    read_score_range,
    write_line,
    write_next_rank,
    write_place,
)
from laurel_server.rpc.convert.pages import SerializedPage, serialize_page
from laurel_server.rpc.pages import FirstPages
from laurel_server.rpc.paging import PageTokens, page_size, write_page
from laurel_server.rpc.ports import Boards

DEFAULT_PAGE_SIZE: Final = 100
DEFAULT_RANGE: Final = 5


class LeaderboardsServicer:
    """Reads the boards."""

    service = methods.LEADERBOARDS

    def __init__(
        self, boards: Boards, page_max_age: float = 1.0, max_pages: int = 1024, *, clock_runs: bool = True
    ) -> None:
        """`clock_runs` is false with a test clock, which may put a board into another period at any time."""
        self._boards = boards
        self._clock_runs = clock_runs
        self._tokens = PageTokens("GetLeaderboard")
        self._score_tokens = PageTokens("ListByScore")
        self._first_pages = FirstPages(self._read_first_page, page_max_age, max_pages)

    async def GetLeaderboard(self, request: GetLeaderboardRequest, call: CallContext) -> bytes:
        """Read a page of a board, serialized; the first one may come from the cache."""
        board = await self._find(request.board)
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        after = self._tokens.position(request.page_token, *board.key)
        if after:
            return await self._seen_by(request.user_id, board, await self._read_page(board, after, size))
        kept = await self._first_pages.get(board, size)
        if self._clock_runs and kept.page.seconds_left and not request.user_id:
            call.fresh_until = kept.fresh_until
        return await self._seen_by(request.user_id, board, kept.page)

    async def GetRank(self, request: GetRankRequest, call: CallContext) -> GetRankResponse:
        """Read where one user stands."""
        place = await self._boards.place(await self._find(request.board), request.user_id)
        response = GetRankResponse(
            percentile=percentile(place.rank, place.total), top_percent=top_percent(place.rank, place.total)
        )
        write_place(response.rank, place)
        return response

    async def BatchGetRanks(self, request: BatchGetRanksRequest, call: CallContext) -> BatchGetRanksResponse:
        """Read where many users stand on one board."""
        user_ids = tuple(dict.fromkeys(request.user_ids))
        lines, missing = await self._boards.places(await self._find(request.board), user_ids)
        response = BatchGetRanksResponse(missing_user_ids=missing)
        for line in lines:
            write_line(response.entries.add(), line)
        return response

    async def ListUserRanks(self, request: ListUserRanksRequest, call: CallContext) -> ListUserRanksResponse:
        """Read where one user stands on all boards."""
        response = ListUserRanksResponse()
        for place in await self._boards.all_places(request.user_id):
            write_place(response.ranks.add(), place)
        return response

    async def GetSurrounding(
        self, request: GetSurroundingRequest, call: CallContext
    ) -> GetSurroundingResponse:
        """Read a user's line with those around it."""
        board = await self._find(request.board)
        around = await self._boards.surrounding(board, request.user_id, request.range or DEFAULT_RANGE)
        place = around.place
        response = GetSurroundingResponse(
            rank=place.rank,
            score=place.score,
            percentile=percentile(place.rank, place.total),
            top_percent=top_percent(place.rank, place.total),
            total_participants=place.total,
        )
        for line in around.lines:
            entry = response.entries.add()
            write_line(entry, line)
            if line.user_id == request.user_id:
                entry.is_current_user = True
        write_next_rank(response.next_rank, around.next_rank)
        write_next_rank(response.next_milestone, around.next_milestone)
        return response

    async def ListByScore(self, request: ListByScoreRequest, call: CallContext) -> ListByScoreResponse:
        """Read the users whose scores lie between two bounds."""
        board, scores = await self._find(request.board), read_score_range(request)
        query = (*board.key, str(scores.lowest), str(scores.highest))
        after = self._score_tokens.position(request.page_token, *query)
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        page = await self._boards.page(board, after, size, scores)
        response = ListByScoreResponse()
        written = write_page(response.entries, page.lines, write_line)
        if written and (page.has_more or written < len(page.lines)):
            response.next_page_token = self._score_tokens.issue(page.marks[written - 1], *query)
        return response

    async def CountByScore(self, request: CountByScoreRequest, call: CallContext) -> CountByScoreResponse:
        """Count the users whose scores lie between two bounds."""
        board = await self._find(request.board)
        return CountByScoreResponse(count=await self._boards.count(board, read_score_range(request)))

    async def _seen_by(self, user_id: str, board: Board, page: SerializedPage) -> bytes:
        if not user_id:
            return page.body
        if page.lists(user_id):
            return page.seen_by(user_id)
        own = await self._own_line(board, user_id)
        return page.with_user_entry(own) if own else page.body

    async def _find(self, ref: BoardRef) -> Board:
        return await self._boards.find(*read_board(ref))

    async def _read_first_page(self, board: Board, size: int) -> SerializedPage:
        return await self._read_page(board, "", size)

    async def _read_page(self, board: Board, after: str, size: int) -> SerializedPage:
        page = await self._boards.page(board, after, size)
        return serialize_page(page, lambda mark: self._tokens.issue(mark, *board.key))

    async def _own_line(self, board: Board, user_id: str) -> Line | None:
        """Return the user's own line, as he sees it himself; None if he has none. USER_NOT_FOUND."""
        try:
            around = await self._boards.surrounding(board, user_id, 0)
        except LaurelError as error:
            if error.reason is Reason.NOT_ON_BOARD:
                return None
            raise
        return next((line for line in around.lines if line.user_id == user_id), None)
