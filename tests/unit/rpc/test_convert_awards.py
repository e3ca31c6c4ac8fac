from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from google.protobuf.json_format import MessageToDict
from msgspec.structs import fields, replace

from laurel.rewards.v1.rewards_pb2 import AwardBreakdown, Transaction, UserRewards
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest, AwardPointsResponse
from laurel_server.domain.awards import AwardCommand
from laurel_server.domain.ledger import RankState
from laurel_server.rpc.convert.awards import (
    read_award,
    request_hash,
    write_award,
    write_breakdown,
    write_entry,
    write_rewards,
)
from tests.unit.rpc.samples import ANSWER, BREAKDOWN, ENTRY, REWARDS, stamp

REQUEST = AwardPointsRequest(
    request_id="r-1",
    user_id="user:1",
    action="PURCHASE",
    attributes={"order_value": "99.90", "items": "3"},
    order_id="o-1",
    referral_id="f-1",
    reference_id="n-1",
    reason="because",
    occurred_at=stamp(datetime(2026, 11, 23, tzinfo=UTC)),
    activates_at=stamp(datetime(2026, 12, 1, tzinfo=UTC)),
    validate_only=True,
)


def test_a_request_becomes_a_command() -> None:
    assert read_award(REQUEST, "shop") == AwardCommand(
        caller="shop",
        request_id="r-1",
        user_id="user:1",
        action="PURCHASE",
        attributes={"order_value": "99.90", "items": "3"},
        request_hash=request_hash(REQUEST),
        order_id="o-1",
        referral_id="f-1",
        reference_id="n-1",
        reason="because",
        occurred_at=datetime(2026, 11, 23, tzinfo=UTC),
        activates_at=datetime(2026, 12, 1, tzinfo=UTC),
        validate_only=True,
    )


def test_what_a_request_leaves_out_is_empty_in_the_command() -> None:
    command = read_award(AwardPointsRequest(request_id="r-1", user_id="u", action="REVIEW"), "shop")
    assert command == AwardCommand("shop", "r-1", "u", "REVIEW", {}, command.request_hash)


def test_equal_requests_have_equal_hashes_in_whatever_order_they_were_sent() -> None:
    one, other = AwardPointsRequest(), AwardPointsRequest()
    for name in "abcdefgh":
        one.attributes[name] = name
    for name in reversed("abcdefgh"):
        other.attributes[name] = name
    assert request_hash(one) == request_hash(other)
    assert len(request_hash(one)) == 16


def test_every_field_of_a_request_changes_its_hash() -> None:
    hashes = {request_hash(REQUEST)}
    for field in AwardPointsRequest.DESCRIPTOR.fields:
        changed = AwardPointsRequest()
        changed.CopyFrom(REQUEST)
        changed.ClearField(field.name)  # type: ignore[arg-type]
        hashes.add(request_hash(changed))
    assert len(hashes) == 1 + len(AwardPointsRequest.DESCRIPTOR.fields)


def written() -> dict[str, Any]:
    """Return the sample answer as its message has it."""
    response = AwardPointsResponse()
    write_award(response, ANSWER)
    return MessageToDict(response, preserving_proto_field_name=True)


def test_an_answer_becomes_a_message() -> None:
    message = written()
    assert set(message) == {
        *("transaction", "rewards", "ranks", "tier_change", "breakdown"),
        *("replayed", "rank_state", "closed_period_ids"),
    }
    assert message["replayed"] is True
    assert message["rank_state"] == "RANK_STATE_FRESH"
    assert message["closed_period_ids"] == ["2026-11-22"]


def test_the_entry_of_an_answer() -> None:
    assert written()["transaction"] == {
        "transaction_id": str(ENTRY.transaction_id),
        "request_id": "r-1",
        "user_id": "user:1",
        "action": "PURCHASE",
        "points": "149",
        "base_points": "99.9",
        "multiplier": "1.5",
        "order_id": "o-1",
        "referral_id": "f-1",
        "reference_id": "n-1",
        "reason": "because",
        "created_by": "shop",
        "transaction_time": "2026-11-23T10:30:15.123456Z",
        "occurred_at": "2026-11-23T09:30:15.123456Z",
        "expires_at": "2027-11-23T10:30:15.123456Z",
        "reversed_points": "7",
        "balance_after": str(ENTRY.balance_after),
        "reverses_transaction_id": str(ENTRY.reverses_transaction_id),
    }


def test_the_rewards_of_an_answer() -> None:
    assert written()["rewards"] == {
        "user_id": "user:1",
        "total_points": "1",
        "lifetime_points": "2",
        "redeemed_points": "3",
        "expired_points": "4",
        "held_points": "5",
        "pending_points": "6",
        "tier": "TIER_GOLD",
        "last_reward_at": "2026-11-23T10:30:15.123456Z",
        "version": "140737488355328",
    }


def test_the_ranks_of_an_answer() -> None:
    assert written()["ranks"] == [
        {
            "board": {"scope": "global", "period": "PERIOD_DAILY", "period_id": "2026-11-23"},
            "rank": "1",
            "previous_rank": "2",
            "score": "3",
            "total": "4",
        },
        {
            "board": {"scope": "tier:gold", "period": "PERIOD_ALL_TIME", "period_id": "all"},
            "rank": "5",
            "score": "9007199254740992",
            "total": "8",
        },
    ]


def test_the_tier_change_and_the_breakdown_of_an_answer() -> None:
    message = written()
    assert message["tier_change"] == {
        "user_id": "user:1",
        "from_tier": "TIER_SILVER",
        "to_tier": "TIER_GOLD",
        "changed_at": "2026-11-23T10:30:15.123456Z",
    }
    assert message["breakdown"] == {
        "base_points": "99.9",
        "tier_multiplier": "1.5",
        "campaigns": [{"campaign_id": "black-friday", "multiplier": "2"}],
        "uncapped_points": "299",
        "capped": True,
        "cap": "PER_ACTION",
    }


def test_the_parts_that_an_answer_lacks_stay_unset() -> None:
    response = AwardPointsResponse()
    plain = replace(ANSWER, tier_change=None, ranks=(), rank_state=RankState.PENDING, closed_period_ids=())
    write_award(response, plain)
    assert not response.HasField("tier_change")
    assert not response.ranks
    assert RankState(response.rank_state) is RankState.PENDING


def test_an_entry_that_never_expires_and_reverses_nothing() -> None:
    target = Transaction()
    write_entry(target, replace(ENTRY, expires_at=None, reverses_transaction_id=0))
    assert not target.HasField("expires_at")
    assert target.reverses_transaction_id == ""


def test_rewards_of_a_user_without_any() -> None:
    target = UserRewards()
    write_rewards(target, replace(REWARDS, last_reward_at=None))
    assert not target.HasField("last_reward_at")


def test_decimals_have_neither_exponent_nor_trailing_zeros() -> None:
    target = AwardBreakdown()
    breakdown = replace(BREAKDOWN, base_points=Decimal("1E+10"), tier_multiplier=Decimal("1.50"))
    write_breakdown(target, breakdown)
    assert (target.base_points, target.tier_multiplier) == ("10000000000", "1.5")


def test_no_field_of_the_domain_is_forgotten() -> None:
    sent = {field.name for field in Transaction.DESCRIPTOR.fields}
    assert {field.name for field in fields(ENTRY)} - sent == {"activates_at"}
    sent = {field.name for field in UserRewards.DESCRIPTOR.fields}
    assert {field.name for field in fields(REWARDS)} == sent
