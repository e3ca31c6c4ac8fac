"""Calls: deadlines, retries, errors, pages."""

import asyncio
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from laurel.admin.v1.admin_service_pb2 import VerifyIntegrityResponse
from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchRankResponse
from laurel.rewards.v1.rewards_service_pb2 import (
    AwardPointsResponse,
    AwardResult,
    BatchAwardPointsResponse,
    GetRewardsResponse,
    ListTransactionsResponse,
)
from laurel.sandbox.v1.sandbox_service_pb2 import AdvanceClockResponse, GetClockResponse
from laurel_client import Laurel, LaurelCallError, RankUpdate, Transaction, UserRewards, award
from tests.unit.client.standin import Refusal, Standin, Then, connected

Code = grpc.StatusCode
AWARDED = AwardPointsResponse(transaction=Transaction(points=19))


async def test_an_answer_is_returned_without_its_wrapping(laurel: Laurel, server: Standin) -> None:
    server.answer("GetRewards", GetRewardsResponse(rewards=UserRewards(user_id="ada", total_points=19)))
    assert (await laurel.rewards.get_rewards("ada")).total_points == 19


async def test_a_server_that_is_gone_for_a_moment_is_asked_again_under_the_same_id(
    laurel: Laurel, server: Standin
) -> None:
    server.answer("AwardPoints", Refusal(Code.UNAVAILABLE), Refusal(Code.UNAVAILABLE, "DRAINING"), AWARDED)
    answer = await laurel.rewards.award_points("ada", "PURCHASE", {"order_value": "1999.00"})
    assert answer.transaction.points == 19
    sent = [request.request_id for request in server.requests["AwardPoints"]]
    assert len(sent) == 3
    assert len(set(sent)) == 1


async def test_an_overloaded_server_is_asked_again_when_it_said(laurel: Laurel, server: Standin) -> None:
    server.answer("AwardPoints", Refusal(Code.RESOURCE_EXHAUSTED, "OVERLOADED", 0.05), AWARDED)
    started = asyncio.get_running_loop().time()
    await laurel.rewards.award_points("ada", "REVIEW")
    assert asyncio.get_running_loop().time() - started >= 0.05
    first, second = server.requests["AwardPoints"]
    assert first == second


async def test_nobody_waits_beyond_his_deadline_for_an_overloaded_server(
    laurel: Laurel, server: Standin
) -> None:
    server.answer("AwardPoints", Refusal(Code.RESOURCE_EXHAUSTED, "OVERLOADED", 60))
    with pytest.raises(LaurelCallError) as raised:
        await laurel.rewards.award_points("ada", "REVIEW")
    assert raised.value.retry_after == timedelta(seconds=60)
    assert len(server.requests["AwardPoints"]) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(Code.RESOURCE_EXHAUSTED, "COOLDOWN_ACTIVE", 0.01),
        Refusal(Code.RESOURCE_EXHAUSTED, "DAILY_CAP_REACHED"),
        Refusal(Code.INVALID_ARGUMENT, "INVALID_FIELD", fields={"user_id": "must be set"}),
        Refusal(Code.INTERNAL, "INTERNAL"),
    ],
    ids=lambda refusal: refusal.reason,
)
async def test_an_answer_that_would_be_the_same_is_not_asked_for_again(
    laurel: Laurel, server: Standin, refusal: Refusal
) -> None:
    server.answer("AwardPoints", refusal)
    with pytest.raises(LaurelCallError) as raised:
        await laurel.rewards.award_points("ada", "REVIEW")
    assert raised.value.reason == refusal.reason
    assert len(server.requests["AwardPoints"]) == 1


async def test_what_would_count_twice_is_not_asked_for_again(laurel: Laurel, server: Standin) -> None:
    server.answer("AdvanceClock", Refusal(Code.UNAVAILABLE), AdvanceClockResponse())
    with pytest.raises(LaurelCallError):
        await laurel.sandbox.advance_clock(timedelta(hours=1))
    assert len(server.requests["AdvanceClock"]) == 1


async def test_the_server_knows_the_deadline(laurel: Laurel, server: Standin) -> None:
    server.answer("GetClock", GetClockResponse(frozen=True))
    await laurel.with_timeout(12.5).sandbox.get_clock()
    await laurel.sandbox.get_clock()
    shorter, usual = server.deadlines["GetClock"]
    assert 0 < shorter <= 12.6
    assert 15 < usual <= 30.1


async def test_a_call_over_all_data_has_more_time(laurel: Laurel, server: Standin) -> None:
    server.answer("VerifyIntegrity", VerifyIntegrityResponse(ok=True))
    await laurel.admin.verify_integrity()
    assert server.deadlines["VerifyIntegrity"][0] > 800


async def test_a_call_ends_at_its_deadline(laurel: Laurel, server: Standin) -> None:
    server.answer("GetRewards", Then.SILENCE)
    for seconds in (0.1, 1, 10):  # until it has come to the server in time, also on a busy machine
        with pytest.raises(LaurelCallError) as raised:
            await laurel.with_timeout(seconds).rewards.get_rewards("ada")
        assert raised.value.code is Code.DEADLINE_EXCEEDED
        assert raised.value.may_pass
        if server.requests["GetRewards"]:
            break
    await server.hung_up.wait()


async def test_a_cancelled_call_is_cancelled_at_the_server(laurel: Laurel, server: Standin) -> None:
    server.answer("GetRewards", Then.SILENCE)
    call = asyncio.create_task(laurel.rewards.get_rewards("ada"))
    await server.asked("GetRewards")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await server.hung_up.wait()


async def test_closing_the_client_fails_its_calls_instead_of_cancelling_their_tasks(
    laurel: Laurel, server: Standin
) -> None:
    server.answer("GetRewards", Then.SILENCE)
    call = asyncio.create_task(laurel.rewards.get_rewards("ada"))
    await server.asked("GetRewards")
    await laurel.close()
    with pytest.raises(LaurelCallError, match="the client was closed"):
        await call


async def test_each_item_of_a_batch_has_its_own_outcome(laurel: Laurel, server: Standin) -> None:
    refusal = Refusal(Code.NOT_FOUND, "ACTION_NOT_FOUND")
    server.answer(
        "BatchAwardPoints",
        BatchAwardPointsResponse(
            results=[AwardResult(index=0, award=AWARDED), AwardResult(index=1, error=refusal.status())]
        ),
    )
    first, second = await laurel.rewards.batch_award_points(
        [award("ada", "REVIEW"), award("bob", "JUGGLING")]
    )
    assert first == AWARDED
    assert isinstance(second, LaurelCallError)
    assert second.reason == "ACTION_NOT_FOUND"


async def test_a_list_is_fetched_page_by_page(laurel: Laurel, server: Standin) -> None:
    server.answer(
        "ListTransactions",
        ListTransactionsResponse(transactions=[Transaction(points=3)], next_page_token="more"),
        ListTransactionsResponse(transactions=[Transaction(points=2), Transaction(points=1)]),
    )
    points = [each.points async for each in laurel.rewards.list_transactions("ada", actions=["REVIEW"])]
    assert points == [3, 2, 1]
    first, second = server.requests["ListTransactions"]
    assert (first.page_token, second.page_token) == ("", "more")
    assert list(second.actions) == ["REVIEW"]


async def test_the_clock_is_told_in_utc(laurel: Laurel, server: Standin) -> None:
    answer = GetClockResponse(frozen=True)
    answer.now.FromDatetime(datetime(2011, 12, 9, 12, 50))  # noqa: DTZ001 - protobuf takes it for UTC
    server.answer("GetClock", answer)
    assert await laurel.sandbox.get_clock() == (datetime(2011, 12, 9, 12, 50, tzinfo=UTC), True)


async def test_a_token_travels_with_every_call_and_watch(server: Standin) -> None:
    server.answer("GetRewards", GetRewardsResponse())
    server.answer("WatchRank", [WatchRankResponse(update=RankUpdate(rank=1)), Then.SILENCE])
    async with connected(server, token="s3cret") as laurel:
        await laurel.with_timeout(3).rewards.get_rewards("ada")
        await anext(laurel.leaderboards.watch_rank("ada"))
    assert server.credentials == {"GetRewards": ["Bearer s3cret"], "WatchRank": ["Bearer s3cret"]}


async def test_without_a_token_nothing_is_said_of_the_caller(laurel: Laurel, server: Standin) -> None:
    server.answer("GetRewards", GetRewardsResponse())
    await laurel.rewards.get_rewards("ada")
    assert server.credentials["GetRewards"] == [""]
