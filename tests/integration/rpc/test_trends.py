"""GetTrends from the message to the question, and back."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from laurel.ranking.v1.trends_pb2 import GetTrendsRequest
from laurel.type.v1.board_pb2 import BoardRef, Period
from laurel_server.domain.errors import Reason
from laurel_server.domain.trends import Granularity, Metric, TrendPoint, TrendQuery
from tests.integration.rpc.harness import Served, refused, serving
from tests.unit.rpc.samples import NOW

DAY = timedelta(days=1)


async def test_what_is_left_open_is_the_last_thirty_days_of_all(served: Served) -> None:
    assert served.trends is not None
    served.trends.points = [TrendPoint(NOW, "", 3), TrendPoint(NOW, "REVIEW", 4.5)]
    answer = await served.ranking.GetTrends(GetTrendsRequest(metric="points"))
    assert served.trends.asked == [TrendQuery(Metric.POINTS, Granularity.DAY, NOW - 30 * DAY, NOW, UTC)]
    assert [(each.time.ToDatetime(UTC), each.series, each.value) for each in answer.points] == [
        (NOW, "", 3),
        (NOW, "REVIEW", 4.5),
    ]


async def test_a_named_period_is_the_time_asked_for(served: Served) -> None:
    assert served.trends is not None
    board = BoardRef(scope="country:us", period=Period.PERIOD_MONTHLY, period_id="2026-10")
    await served.ranking.GetTrends(GetTrendsRequest(metric="awards", granularity="WEEK", board=board))
    (asked,) = served.trends.asked
    assert (asked.from_time, asked.to_time) == (
        datetime(2026, 10, 1, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
    )
    assert (asked.scope, asked.granularity) == ("country:US", Granularity.WEEK)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (GetTrendsRequest(metric="height"), "metric"),
        (GetTrendsRequest(metric="points", granularity="FORTNIGHT"), "granularity"),
        (GetTrendsRequest(metric="rank"), "user_id"),
        (GetTrendsRequest(metric="points", board=BoardRef(scope="planet:mars")), "board.scope"),
        (GetTrendsRequest(metric="points", to_time=Timestamp(seconds=-62_135_596_800)), "to_time"),
        (GetTrendsRequest(metric="points", from_time=Timestamp(seconds=253_402_300_799)), "from_time"),
        (GetTrendsRequest(metric="points", board=BoardRef(period_id="9999")), "board.period_id"),
    ],
)
async def test_wrong_questions_name_the_field(served: Served, request_: GetTrendsRequest, field: str) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.ranking.GetTrends(request_)
    assert list(refusal.fields) == [field]


async def test_without_clickhouse_trends_are_disabled() -> None:
    async with serving(Served(trends=None)) as served:
        with refused(Reason.ANALYTICS_DISABLED):
            await served.ranking.GetTrends(GetTrendsRequest(metric="points"))
