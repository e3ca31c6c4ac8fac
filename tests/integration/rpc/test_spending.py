from laurel.rewards.v1.spending_pb2 import (
    CancelRedemptionRequest,
    CancelRedemptionResponse,
    RedeemPointsRequest,
    RedeemPointsResponse,
)
from laurel_server.domain.errors import Reason
from laurel_server.rpc.convert.awards import write_entry, write_rewards
from laurel_server.rpc.convert.changes import read_redemption
from tests.integration.rpc.harness import Served, refused
from tests.unit.rpc.samples import ENTRY, REWARDS

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
    assert served.spending.asked == [("anonymous", "r-2", 77, "why")]
    with refused(Reason.TRANSACTION_NOT_FOUND):
        await served.rewards.CancelRedemption(CancelRedemptionRequest(request_id="r", transaction_id="0"))
