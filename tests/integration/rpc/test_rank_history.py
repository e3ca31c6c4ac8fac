from datetime import UTC, datetime

from laurel.ranking.v1.periods_pb2 import GetRankHistoryRequest, RankMovement
from laurel.type.v1.board_pb2 import BoardRef, Period
from laurel_server.domain.errors import Reason
from tests.integration.rpc.harness import Served, refused
from tests.unit.rpc.samples import NOW, stamp


async def test_ranks_are_told_page_by_page_with_the_movement(served: Served) -> None:
    request = GetRankHistoryRequest(user_id="u", page_size=2)
    first = await served.ranking.GetRankHistory(request)
    assert [(each.rank, each.score, each.total, each.time) for each in first.points] == [
        (1, 99, 5, stamp(NOW)),
        (2, 98, 5, stamp(NOW)),
    ]
    assert first.movement == RankMovement(
        rank=3,
        yesterday_rank=7,
        last_week_rank=1,
        since_yesterday=4,
        since_last_week=-2,
        message="You moved up 4 ranks!",
    )
    request.page_token = first.next_page_token
    rest = await served.ranking.GetRankHistory(request)
    assert ([each.rank for each in rest.points], rest.next_page_token) == ([3], "")


async def test_the_bounds_and_the_period_are_passed_on(served: Served) -> None:
    board = BoardRef(scope="global", period=Period.PERIOD_WEEKLY)
    await served.ranking.GetRankHistory(GetRankHistoryRequest(user_id="u", board=board, from_time=stamp(NOW)))
    asked = [served.periods.asked]
    board.period_id = "2026-W48"
    to_time = stamp(datetime(2027, 1, 1, tzinfo=UTC))
    await served.ranking.GetRankHistory(GetRankHistoryRequest(user_id="u", board=board, to_time=to_time))
    asked.append(served.periods.asked)
    assert asked == [((NOW, None), True), ((None, datetime(2027, 1, 1, tzinfo=UTC)), False)]


async def test_whose_ranks_must_be_said(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.ranking.GetRankHistory(GetRankHistoryRequest())
    assert refusal.fields.keys() == {"user_id"}
