"""What becomes of requests that no servicer should see."""

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from laurel.admin.v1.admin_service_pb2 import (
    BatchUpsertUsersRequest,
    PutActionConfigRequest,
    PutCampaignRequest,
)
from laurel.admin.v1.notifications_pb2 import NotificationPreferences, PutNotificationPreferencesRequest
from laurel.admin.v1.rules_pb2 import ActionConfig, Campaign
from laurel.leaderboard.v1.leaderboard_service_pb2 import GetRankRequest, WatchRankRequest
from laurel.rewards.v1.corrections_pb2 import AdjustPointsRequest
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest
from laurel.type.v1.user_pb2 import User
from laurel_server.domain.errors import Reason
from tests.integration.rpc.harness import Served, refused

AWARD = "/laurel.rewards.v1.RewardsService/AwardPoints"
VALID = AwardPointsRequest(request_id="r-1", user_id="u", action="PURCHASE")


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"\xff\xff\xff\xff", id="no message"),
        pytest.param(b"\x0a\x05abc", id="cut off"),
    ],
)
async def test_a_request_that_cannot_be_parsed(served: Served, garbage: bytes) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.call(AWARD, garbage)
    assert "laurel.rewards.v1.AwardPointsRequest" in refusal.status.message
    assert "Decode" not in refusal.status.message
    assert served.awards.commands == []


@pytest.mark.parametrize(
    ("garbage", "field"),
    [
        pytest.param(b"\x0a\x02\xc3\x28", "request_id", id="no UTF-8"),
        pytest.param(b"\x0a\x03\xed\xa0\x80", "request_id", id="a surrogate"),
        pytest.param(b"\x22\x03\x0a\x05a", "attributes", id="a part that is cut off"),
        pytest.param(b"\x0a\x01r\x22\x04\x0a\x02\xc3\x28", "attributes", id="no UTF-8 in a key"),
    ],
)
async def test_a_field_that_cannot_be_parsed_is_named(served: Served, garbage: bytes, field: str) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.call(AWARD, garbage)
    assert list(refusal.fields) == [field]


async def test_a_stream_request_that_cannot_be_parsed(served: Served) -> None:
    watch: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = served.channel.unary_stream(
        "/laurel.leaderboard.v1.LeaderboardService/WatchRank"
    )
    with refused(Reason.INVALID_FIELD):
        async for _ in watch(b"\xff\xff"):
            pass


FIRST, LAST = Timestamp(seconds=-62_135_596_800), Timestamp(seconds=253_402_300_799, nanos=999_999_999)
"""What PostgreSQL's infinite moments are to asyncpg: whoever stored one could compare it with no other again."""


@pytest.mark.parametrize("moment", [FIRST, LAST])
@pytest.mark.parametrize(
    ("method", "field"),
    [
        ("rewards.v1.RewardsService/AwardPoints", "activates_at"),
        ("rewards.v1.RewardsService/AdjustPoints", "expires_at"),
        ("admin.v1.AdminService/PutActionConfig", "config.effective_from"),
        ("admin.v1.AdminService/PutActionConfig", "config.effective_until"),
        ("admin.v1.AdminService/PutCampaign", "campaign.starts_at"),
        ("admin.v1.AdminService/PutCampaign", "campaign.ends_at"),
        ("admin.v1.AdminService/PutNotificationPreferences", "preferences.paused_until"),
    ],
)
async def test_no_moment_is_kept_that_is_infinite_to_the_ledger(
    served: Served, method: str, field: str, moment: Timestamp
) -> None:
    request = {
        "activates_at": AwardPointsRequest(request_id="r-1", user_id="u", action="PURCHASE"),
        "expires_at": AdjustPointsRequest(request_id="r-1", user_id="u", points=1, actor="me", reason="test"),
        "config": PutActionConfigRequest(config=ActionConfig(action="A", base_points="1")),
        "campaign": PutCampaignRequest(campaign=Campaign(campaign_id="c", multiplier="2")),
        "preferences": PutNotificationPreferencesRequest(preferences=NotificationPreferences(user_id="u")),
    }[field.partition(".")[0]]
    part, _, name = field.rpartition(".")
    getattr(getattr(request, part) if part else request, name).CopyFrom(moment)
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.call(f"/laurel.{method}", request.SerializeToString())
    assert list(refusal.fields) == [field]


async def test_a_broken_rule_names_its_field(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.rewards.AwardPoints(AwardPointsRequest(request_id="r-1", user_id="u u"))
    assert refusal.info is not None
    assert refusal.info.metadata == {"field": "user_id"}
    assert refusal.fields.keys() == {"user_id", "action"}
    assert served.awards.commands == []


async def test_a_nested_field_is_named_by_its_path(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.admin.BatchUpsertUsers(
            BatchUpsertUsersRequest(users=[User(user_id="u"), User(user_id="")])
        )
    assert refusal.fields.keys() == {"users[1].user_id"}


async def test_a_stream_is_validated_too(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        async for _ in served.leaderboards.WatchRank(WatchRankRequest(user_id="u u")):
            pass
    assert refusal.fields.keys() == {"user_id"}


async def test_a_thousand_faults_still_make_a_readable_error(served: Served) -> None:
    users = [User(user_id="!" * 200, username="ü" * 200) for _ in range(1000)]
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.admin.BatchUpsertUsers(BatchUpsertUsersRequest(users=users))
    assert "users[0].user_id" in refusal.fields


async def test_a_huge_name_in_a_fault_still_makes_a_readable_error(served: Served) -> None:
    request = AwardPointsRequest(request_id="r", user_id="u", action="A", attributes={"ü" * 500_000: "1"})
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.rewards.AwardPoints(request)
    assert all(path.startswith('attributes["ü') for path in refusal.fields)


async def test_nul_in_a_text(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.leaderboards.GetRank(GetRankRequest(user_id="u", board={"scope": "a\0b"}))  # type: ignore[arg-type]
    assert refusal.fields.keys() == {"board.scope"}


async def test_a_message_of_4_mib_is_taken_and_a_larger_one_is_not(served: Served) -> None:
    room = (4 << 20) - 100
    with refused(Reason.INVALID_FIELD):
        await served.call(AWARD, AwardPointsRequest(reason="x" * room).SerializeToString())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.call(AWARD, bytes((4 << 20) + 1), timeout=5)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_an_unknown_method_is_unimplemented(served: Served) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.call("/laurel.rewards.v1.RewardsService/StealPoints", b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_fields_of_a_later_version_are_ignored(served: Served) -> None:
    unknown = b"\xf8\x07\x01"  # field 127
    await served.call(AWARD, VALID.SerializeToString() + unknown)
    assert len(served.awards.commands) == 1
