"""Tokens: who may call what, and as whom."""

from collections.abc import AsyncIterator
from typing import cast

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckResponse
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from laurel.admin.v1.admin_service_pb2 import GetServerInfoRequest
from laurel.leaderboard.v1.leaderboard_service_pb2 import GetLeaderboardRequest, WatchRankRequest
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest, GetRewardsRequest
from laurel_server.domain.errors import Reason
from laurel_server.rpc.callers import Callers, Grant
from laurel_server.rpc.methods import Scope
from tests.integration.rpc.harness import Served, refused, serving

GRANTS = {
    "reader": Grant("dashboard", frozenset({Scope.READ})),
    "writer": Grant("shop", frozenset({Scope.WRITE})),
    "operator": Grant("ops", frozenset(Scope)),
}
AWARD = AwardPointsRequest(request_id="r-1", user_id="ada", action="REVIEW")


def bearing(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


@pytest.fixture
async def guarded() -> AsyncIterator[Served]:
    async with serving(Served(callers=Callers(GRANTS))) as running:
        yield running


async def test_the_caller_is_that_of_the_token(guarded: Served) -> None:
    await guarded.rewards.AwardPoints(AWARD, metadata=bearing("writer"))
    await guarded.rewards.AwardPoints(AWARD, metadata=bearing("operator"))
    assert [command.caller for command in guarded.awards.commands] == ["shop", "ops"]


async def test_the_scheme_is_written_in_any_case(guarded: Served) -> None:
    await guarded.rewards.GetRewards(
        GetRewardsRequest(user_id="ada"), metadata=(("authorization", "bearer reader"),)
    )


@pytest.mark.parametrize("metadata", [(), (("authorization", ""),)])
async def test_without_credentials(guarded: Served, metadata: tuple[tuple[str, str], ...]) -> None:
    with refused(Reason.CREDENTIALS_MISSING) as refusal:
        await guarded.rewards.AwardPoints(AWARD, metadata=metadata)
    assert refusal.code is grpc.StatusCode.UNAUTHENTICATED
    assert guarded.awards.commands == []


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer  reader", "Bearer readers", "Bearer READER", "Basic reader", "reader"]
)
async def test_with_credentials_that_are_none(guarded: Served, value: str) -> None:
    with refused(Reason.CREDENTIALS_INVALID) as refusal:
        await guarded.rewards.GetRewards(
            GetRewardsRequest(user_id="ada"), metadata=(("authorization", value),)
        )
    assert "reader" not in refusal.status.message.lower()


async def test_two_credentials_are_none(guarded: Served) -> None:
    with refused(Reason.CREDENTIALS_INVALID):
        await guarded.rewards.GetRewards(
            GetRewardsRequest(user_id="ada"), metadata=bearing("reader") + bearing("writer")
        )


@pytest.mark.parametrize(("token", "needed"), [("reader", "write"), ("writer", "read"), ("writer", "admin")])
async def test_a_scope_that_is_missing_is_named(guarded: Served, token: str, needed: str) -> None:
    with refused(Reason.SCOPE_MISSING) as refusal:
        if needed == "write":
            await guarded.rewards.AwardPoints(AWARD, metadata=bearing(token))
        elif needed == "read":
            await guarded.leaderboards.GetLeaderboard(GetLeaderboardRequest(), metadata=bearing(token))
        else:
            await guarded.admin.GetServerInfo(GetServerInfoRequest(), metadata=bearing(token))
    assert refusal.info is not None
    assert refusal.info.metadata["scope"] == needed
    assert refusal.code is grpc.StatusCode.PERMISSION_DENIED


async def test_streams_ask_too(guarded: Served) -> None:
    with refused(Reason.CREDENTIALS_MISSING):
        await guarded.leaderboards.WatchRank(WatchRankRequest(user_id="ada")).read()


async def test_an_answer_that_is_known_is_not_told_to_strangers(guarded: Served) -> None:
    await guarded.leaderboards.GetLeaderboard(GetLeaderboardRequest(), metadata=bearing("reader"))
    with refused(Reason.CREDENTIALS_MISSING):
        await guarded.leaderboards.GetLeaderboard(GetLeaderboardRequest())


async def test_what_is_malformed_is_not_even_parsed_for_strangers(guarded: Served) -> None:
    with refused(Reason.CREDENTIALS_MISSING):
        await guarded.call("/laurel.rewards.v1.RewardsService/AwardPoints", b"\xff")


async def test_reflection_needs_no_token(guarded: Served) -> None:
    method: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = guarded.channel.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    )
    asked = ServerReflectionRequest(list_services="*").SerializeToString()
    answer = ServerReflectionResponse.FromString(cast("bytes", await method(iter([asked])).read()))
    names = {service.name for service in answer.list_services_response.service}
    assert "laurel.rewards.v1.RewardsService" in names


async def test_health_needs_no_token(guarded: Served) -> None:
    answer = HealthCheckResponse.FromString(await guarded.call("/grpc.health.v1.Health/Check", b""))
    assert answer.status == HealthCheckResponse.NOT_SERVING
