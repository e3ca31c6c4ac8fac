"""RankingService: periods of boards."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from laurel.ranking.v1.periods_pb2 import (
    GetPeriodRequest,
    GetPeriodResponse,
    GetSnapshotRequest,
    GetSnapshotResponse,
    ListPeriodsRequest,
    ListPeriodsResponse,
)
from laurel_server.domain.boards import parse_scope
from laurel_server.domain.clock import EPOCH
from laurel_server.domain.closing import PeriodSummary, Snapshot, SnapshotLine
from laurel_server.domain.periods import PeriodType
from laurel_server.domain.tiers import Tier
from laurel_server.domain.views import Board, Line
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.boards import read_board, write_line
from laurel_server.rpc.convert.periods import write_period
from laurel_server.rpc.convert.times import write_moment
from laurel_server.rpc.paging import PageTokens, page_size, query_of, write_page
from laurel_server.rpc.ports import Boards

PERIODS_A_PAGE: Final = 50
ENTRIES_A_PAGE: Final = 100

_MICROSECOND = timedelta(microseconds=1)
_NOBODY = ("", "", Tier.BRONZE, "", ())

Face = tuple[str, str, Tier, str, tuple[str, ...]]


class Periods(Protocol):
    """Reads periods."""

    async def periods(
        self, scope: str, period_type: PeriodType, before: datetime | None, limit: int
    ) -> Sequence[PeriodSummary]:
        """Return periods that began before that moment, newest first. INVALID_FIELD, BOARD_NOT_FOUND."""
        ...

    async def period(self, board: Board) -> PeriodSummary:
        """Return one period."""
        ...

    async def snapshot(self, board: Board, offset: int, limit: int) -> Snapshot:
        """Return the snapshot of a frozen board with some of its lines. PERIOD_NOT_FOUND before."""
        ...


class Faces(Protocol):
    """Knows what boards show of people."""

    async def faces(self, user_ids: Collection[str]) -> Mapping[str, Face]:
        """Return username, picture, tier, country and badges by user id."""
        ...


class PeriodsServicer:
    """Reads periods of boards, as they run and as they ended."""

    service = methods.RANKING

    def __init__(self, boards: Boards, periods: Periods, faces: Faces) -> None:
        self._boards = boards
        self._periods = periods
        self._faces = faces
        self._period_tokens = PageTokens("ListPeriods")
        self._entry_tokens = PageTokens("GetSnapshot")

    async def ListPeriods(self, request: ListPeriodsRequest, call: CallContext) -> ListPeriodsResponse:
        """Read the periods of one kind of board."""
        query, size = query_of(request), page_size(request.page_size, PERIODS_A_PAGE)
        position = self._period_tokens.offset(request.page_token, query)
        before = EPOCH + position * _MICROSECOND if position else None
        period_type = PeriodType(request.period) if request.period else PeriodType.ALL_TIME
        parse_scope(request.scope, "scope")  # what finds the board would name the field of another request
        periods = await self._periods.periods(request.scope, period_type, before, size + 1)
        response = ListPeriodsResponse()
        written = write_page(response.periods, periods[:size], write_period)
        if written < len(periods):
            response.next_page_token = self._period_tokens.issue(_begin(periods[written - 1]), query)
        return response

    async def GetPeriod(self, request: GetPeriodRequest, call: CallContext) -> GetPeriodResponse:
        """Read one period of a board."""
        board = await self._boards.find(*read_board(request.board))
        response = GetPeriodResponse()
        write_period(response.period, await self._periods.period(board))
        return response

    async def GetSnapshot(self, request: GetSnapshotRequest, call: CallContext) -> GetSnapshotResponse:
        """Read the final standing of a period in numbers, and its best lines."""
        board = await self._boards.find(*read_board(request.board))
        size = page_size(request.page_size, ENTRIES_A_PAGE)
        offset = self._entry_tokens.offset(request.page_token, *board.key)
        snapshot = await self._periods.snapshot(board, offset, size + 1)
        numbers = snapshot.statistics
        response = GetSnapshotResponse(
            total_participants=numbers.participants,
            total_points=numbers.total_points,
            average_points=numbers.average_points,
            median_points=numbers.median_points,
        )
        write_moment(response.taken_at, snapshot.taken_at)
        written = write_page(response.entries, await self._lines(snapshot.lines[:size]), write_line)
        if written < len(snapshot.lines):
            response.next_page_token = self._entry_tokens.issue(offset + written, *board.key)
        return response

    async def _lines(self, lines: Sequence[SnapshotLine]) -> list[Line]:
        faces = await self._faces.faces([line.user_id for line in lines])
        return [_line(line, faces.get(line.user_id, _NOBODY)) for line in lines]


def _line(line: SnapshotLine, face: Face) -> Line:
    return Line(line.rank, line.user_id, line.score, line.sub_score, *face, line.metadata)


def _begin(summary: PeriodSummary) -> int:
    """Return when the period began, in microseconds since 1970; nothing follows on all-time."""
    starts_at = summary.period.starts_at
    return (starts_at - EPOCH) // _MICROSECOND if starts_at else 0
