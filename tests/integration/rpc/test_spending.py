from datetime import timedelta

from laurel.rewards.v1.holds_pb2 import (
    HOLD_STATE_CAPTURED,
    CaptureHoldRequest,
    CreateHoldRequest,
    Hold,
    ReleaseHoldRequest,
)
from laurel.rewards.v1.spending_pb2 import (
    CancelRedemptionRequest,
    CancelRedemptionResponse,
    RedeemPointsRequest,
    RedeemPointsResponse,
)
from laurel_server.domain.errors import Reason
from laurel_server.rpc.convert.awards import write_entry, write_rewards
from laurel_server.rpc.convert.changes import read_hold, read_redemption
from tests.integration.rpc.harness import Served, refused
from tests.unit.rpc.samples import ENTRY, HOLD, REWARDS, stamp

REDEMPTION = RedeemPointsRequest(request_id="r-1", user_id="u", points=5, reference_id="gift", reason="why")


async def test_a_redemption_goes_through_both_ways(served: Served) -> None:
    response = await served.rewards.RedeemPoints(REDEMPTION)

    expected = RedeemPointsResponse(replayed=True)
    write_entry(expected.transaction, ENTRY)
    write_rewards(expected.rewards, REWARDS)
    assert response == expected
    command = read_redemption(REDEMPTION, "anonymous")
    assert served.spending.asked == [command]
    assert (command.points, command.reference_id, command.reason) == (5, "gift", "why")


async def test_points_must_be_positive_and_exact(served: Served) -> None:
    for points in (0, -1, 2**53 + 1):
        with refused(Reason.INVALID_FIELD) as refusal:
            await served.rewards.RedeemPoints(RedeemPointsRequest(request_id="r", user_id="u", points=points))
        assert refusal.fields.keys() == {"points"}


async def test_a_cancellation_names_its_redemption(served: Served) -> None:
    request = CancelRedemptionRequest(request_id="r-2", transaction_id="77", reason="why")

    response = await served.rewards.CancelRedemption(request)

    assert isinstance(response, CancelRedemptionResponse)
    assert response.transaction.user_id == ENTRY.user_id
    assert served.spending.asked == [("anonymous", "r-2", "77", "why")]


async def test_a_hold_goes_through_both_ways(served: Served) -> None:
    request = CreateHoldRequest(request_id="h-1", user_id="u", points=5, reference_id="gift", reason="why")
    request.timeout.FromTimedelta(timedelta(hours=1))

    created = await served.rewards.CreateHold(request)

    expected = Hold(hold_id="77", user_id="user:1", points=9, captured_points=8, state=HOLD_STATE_CAPTURED)
    expected.expires_at.CopyFrom(stamp(HOLD.expires_at))
    assert created.hold == expected
    assert (created.rewards.user_id, created.replayed) == ("user:1", True)
    command = read_hold(request, "anonymous")
    assert served.holds.asked == [command]
    assert (command.points, command.timeout, command.reason) == (5, timedelta(hours=1), "why")


async def test_a_hold_is_captured_and_released_by_its_id(served: Served) -> None:
    captured = await served.rewards.CaptureHold(CaptureHoldRequest(request_id="c-1", hold_id="77", points=3))
    released = await served.rewards.ReleaseHold(ReleaseHoldRequest(request_id="c-2", hold_id="77"))

    assert captured.hold == released.hold
    assert captured.transaction.transaction_id == str(ENTRY.transaction_id)
    assert served.holds.asked == [("anonymous", "c-1", "77", 3), ("anonymous", "c-2", "77")]


async def test_a_hold_lasts_at_most_a_year_and_not_less_than_nothing(served: Served) -> None:
    for seconds in (-1, 366 * 86_400 + 1):
        request = CreateHoldRequest(request_id="h", user_id="u", points=5)
        request.timeout.FromSeconds(seconds)
        with refused(Reason.INVALID_FIELD) as refusal:
            await served.rewards.CreateHold(request)
        assert refusal.fields.keys() == {"timeout"}
