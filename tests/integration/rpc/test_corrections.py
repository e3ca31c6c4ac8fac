from fractions import Fraction

import pytest

from laurel.rewards.v1.corrections_pb2 import (
    REVERSAL_POLICY_ONLY_UNSPENT,
    AdjustPointsRequest,
    ReverseTransactionRequest,
)
from laurel_server.domain.errors import Reason
from laurel_server.domain.reversals import ReversalPolicy, ReversalRequest
from laurel_server.rpc.convert.changes import read_adjustment
from tests.integration.rpc.harness import Served, refused
from tests.unit.rpc.samples import ENTRY


async def test_a_reversal_goes_through_both_ways(served: Served) -> None:
    request = ReverseTransactionRequest(
        request_id="v-1",
        transaction_id="77",
        numerator="33.33",
        denominator="100.00",
        policy=REVERSAL_POLICY_ONLY_UNSPENT,
        reason="returned",
    )

    response = await served.rewards.ReverseTransaction(request)

    assert response.transaction.transaction_id == str(ENTRY.transaction_id)
    assert [rank.rank for rank in response.ranks] == [1, 5]
    assert response.tier_change.user_id == "user:1"
    assert response.replayed
    asked = ReversalRequest("77", 0, Fraction(3333, 10000), ReversalPolicy.ONLY_UNSPENT, "returned")
    assert served.corrections.asked == [("v-1", asked)]


async def test_without_a_policy_and_an_amount_all_is_taken_down_to_zero(served: Served) -> None:
    await served.rewards.ReverseTransaction(ReverseTransactionRequest(request_id="v", transaction_id="77"))
    assert served.corrections.asked == [("v", ReversalRequest("77", policy=ReversalPolicy.CLAMP))]


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({"points": -1}, "points"),
        ({"numerator": "1"}, "denominator"),
        ({"denominator": "1"}, "numerator"),
        ({"numerator": "0", "denominator": "1"}, "numerator"),
        ({"numerator": "1", "denominator": "0"}, "denominator"),
        ({"numerator": "2", "denominator": "1"}, "numerator"),
        ({"numerator": "-1", "denominator": "1"}, "numerator"),
        ({"numerator": "1e3", "denominator": "1"}, "numerator"),
        ({"points": 1, "numerator": "1", "denominator": "2"}, "points"),
        ({"policy": 9}, "policy"),
    ],
)
async def test_a_part_that_is_none_is_refused(served: Served, fields: dict[str, object], faulty: str) -> None:
    request = ReverseTransactionRequest(request_id="v", transaction_id="77", **fields)  # type: ignore[arg-type]
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.rewards.ReverseTransaction(request)
    assert refusal.fields.keys() == {faulty}


async def test_an_adjustment_goes_through_both_ways(served: Served) -> None:
    request = AdjustPointsRequest(request_id="a-1", user_id="u", points=-5, actor="olga", reason="why")

    response = await served.rewards.AdjustPoints(request)

    assert response.transaction.transaction_id == str(ENTRY.transaction_id)
    command = read_adjustment(request, "anonymous")
    assert served.corrections.asked == [command]
    assert (command.points, command.actor, command.reason, command.expires_at) == (-5, "olga", "why", None)


@pytest.mark.parametrize("missing", ["points", "actor", "reason"])
async def test_an_adjustment_needs_points_an_actor_and_a_reason(served: Served, missing: str) -> None:
    request = AdjustPointsRequest(request_id="a", user_id="u", points=5, actor="olga", reason="why")
    request.ClearField(missing)  # type: ignore[arg-type]
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.rewards.AdjustPoints(request)
    assert refusal.fields.keys() == {missing}
