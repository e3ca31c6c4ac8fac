"""RankingService: how things developed."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Protocol

from laurel.ranking.v1.trends_pb2 import GetTrendsRequest, GetTrendsResponse
from laurel_server.domain.boards import parse_scope
from laurel_server.domain.clock import Clock, checked_moment
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.periods import Period, parse_period_id, period_at
from laurel_server.domain.trends import Granularity, Metric, TrendPoint, TrendQuery, default_span
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.boards import read_board
from laurel_server.rpc.convert.times import read_ledger_moment, write_moment
from laurel_server.rpc.ports import Boards


class Trends(Protocol):
    """What can tell trends."""

    async def trend(self, query: TrendQuery) -> Sequence[TrendPoint]:
        """Return the points. INVALID_FIELD, ANALYTICS_DISABLED."""
        ...


class TrendsServicer:
    """Tells trends; `trends` None: there is no ClickHouse."""

    service = methods.RANKING

    def __init__(self, trends: Trends | None, boards: Boards, clock: Clock, zone: tzinfo) -> None:
        self._trends = trends
        self._boards = boards
        self._clock = clock
        self._zone = zone

    async def GetTrends(self, request: GetTrendsRequest, call: CallContext) -> GetTrendsResponse:
        """Read a trend."""
        if self._trends is None:
            raise LaurelError(
                Reason.ANALYTICS_DISABLED,
                "trends need ClickHouse: `./scripts/serve --analytics`, or LAUREL_CLICKHOUSE_URL",
            )
        response = GetTrendsResponse()
        for point in await self._trends.trend(self._query(request)):
            added = response.points.add(value=point.value, series=point.series)
            write_moment(added.time, point.time)
        return response

    def _query(self, request: GetTrendsRequest) -> TrendQuery:
        metric = Metric(request.metric)
        granularity = Granularity(request.granularity or Granularity.DAY)
        scope, period = self._board(request, metric)
        whole = None if metric is Metric.RANK else period
        to_time = read_ledger_moment(request, "to_time") or (whole and whole.ends_at) or self._clock.now()
        from_time = read_ledger_moment(request, "from_time") or (whole and whole.starts_at)
        return TrendQuery(
            metric,
            granularity,
            from_time or to_time - default_span(granularity),
            to_time,
            self._zone,
            scope,
            period.id if period else "",
            request.user_id,
            request.action,
            request.by_series,
        )

    def _board(self, request: GetTrendsRequest, metric: Metric) -> tuple[str, Period | None]:
        """Return the scope, and the period if one is named; for ranks always. Refuses as GetRank does."""
        if metric is Metric.RANK:
            board = self._boards.resolve(*read_board(request.board))
            return board.key.scope, board.period
        scope, period_type, period_id = read_board(request.board)
        if period_id:
            period = parse_period_id(period_id, self._zone, period_type)
            if period.starts_at is not None:
                checked_moment(period.starts_at, field="board.period_id")
            return parse_scope(scope).text, period
        if period_type is None:
            return parse_scope(scope).text, None
        return parse_scope(scope).text, period_at(period_type, self._clock.now(), self._zone)
