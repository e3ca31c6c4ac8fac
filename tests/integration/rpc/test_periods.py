from datetime import UTC, datetime

from laurel.ranking.v1.periods_pb2 import (
    GetPeriodRequest,
    GetSnapshotRequest,
    ListPeriodsRequest,
    PeriodState,
    Winner,
)
from laurel.type.v1.board_pb2 import BoardRef, Period
from laurel.type.v1.tier_pb2 import Tier
from laurel_server.domain.errors import Reason
from tests.integration.rpc.harness import Served, refused
from tests.unit.rpc.samples import NOW, stamp

DAILY = Period.PERIOD_DAILY


async def test_a_period_has_its_bounds_its_state_and_its_winners(served: Served) -> None:
    board = BoardRef(scope="global", period=DAILY, period_id="2026-11-23")
    period = (await served.ranking.GetPeriod(GetPeriodRequest(board=board))).period
    assert period.state == PeriodState.PERIOD_STATE_COMPLETED
    assert period.total_participants == 2
    assert list(period.winners) == [
        Winner(rank=1, user_id="ann", score=30, bonus_points=100, transaction_id="77"),
        Winner(rank=2, user_id="bob", score=20, bonus_points=50),
    ]
    assert period.starts_at.ToDatetime(UTC) < period.ends_at.ToDatetime(UTC)


async def test_periods_are_listed_page_by_page(served: Served) -> None:
    request = ListPeriodsRequest(period=DAILY, scope="global", page_size=2)
    first = await served.ranking.ListPeriods(request)
    assert [each.board.period_id for each in first.periods] == ["2026-11-25", "2026-11-24"]
    assert first.periods[0].starts_at.ToDatetime(UTC) == datetime(2026, 11, 25, tzinfo=UTC)
    request.page_token = first.next_page_token
    rest = await served.ranking.ListPeriods(request)
    assert ([each.board.period_id for each in rest.periods], rest.next_page_token) == (["2026-11-23"], "")
    with refused(Reason.PAGE_TOKEN_INVALID):
        await served.ranking.ListPeriods(
            ListPeriodsRequest(period=DAILY, scope="tier:gold", page_token=first.next_page_token)
        )


async def test_a_scope_that_is_none_is_named_as_in_the_request(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.ranking.ListPeriods(ListPeriodsRequest(scope="tier:TIN"))
    assert list(refusal.fields) == ["scope"]


async def test_a_snapshot_has_numbers_and_lines(served: Served) -> None:
    board = BoardRef(scope="global", period=DAILY, period_id="2026-11-23")
    first = await served.ranking.GetSnapshot(GetSnapshotRequest(board=board, page_size=2))
    assert (
        first.total_participants,
        first.total_points,
        first.average_points,
        first.median_points,
        first.taken_at,
    ) == (5, 470, 94.0, 95, stamp(NOW))
    assert [(line.rank, line.user_id, line.score, line.username) for line in first.entries] == [
        (1, "user-1", 99, "USER-1"),
        (2, "user-2", 98, "USER-2"),
    ]
    assert (first.entries[0].tier, list(first.entries[0].badges)) == (Tier.TIER_GOLD, ["TOP_10"])
    rest = await served.ranking.GetSnapshot(
        GetSnapshotRequest(board=board, page_size=2, page_token=first.next_page_token)
    )
    assert ([line.user_id for line in rest.entries], rest.next_page_token) == (["user-3"], "")


async def test_a_snapshot_is_of_some_board(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.ranking.GetSnapshot(GetSnapshotRequest())
    assert refusal.fields.keys() == {"board"}
