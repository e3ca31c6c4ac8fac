"""What becomes of requests that no servicer should see."""

import grpc
import pytest

from laurel.admin.v1.admin_service_pb2 import BatchUpsertUsersRequest
from laurel.leaderboard.v1.leaderboard_service_pb2 import GetRankRequest, WatchRankRequest
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
