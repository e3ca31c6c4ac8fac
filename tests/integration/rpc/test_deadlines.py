import asyncio
import time

import grpc
import pytest

from laurel.admin.v1.admin_service_pb2 import RebuildBoardsRequest
from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchRankRequest, WatchRankResponse
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.interceptors.deadline import DeadlineBounds
from tests.integration.rpc.harness import Served, serving

VALID = AwardPointsRequest(request_id="r-1", user_id="u", action="PURCHASE")


class Endless:
    """A use case that never ends, and tells how it was ended."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, _command: AwardCommand, _deadline: float | None) -> AwardAnswer:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        raise AssertionError


@pytest.mark.parametrize(("asked", "given"), [(None, 10), (5, 5), (30, 30), (600, 60)])
async def test_the_use_case_knows_how_long_it_may_take(
    served: Served, asked: float | None, given: float
) -> None:
    await served.channel.channel_ready()
    before = time.monotonic()
    await served.rewards.AwardPoints(VALID, timeout=asked)
    took = time.monotonic() - before
    (deadline,) = served.awards.deadlines
    assert deadline is not None
    assert given - 0.5 < deadline - before < given + took + 0.5


async def test_without_a_deadline_of_the_caller_the_default_ends_the_call() -> None:
    endless = Endless()
    async with serving(Served(deadlines=DeadlineBounds(default=0.1, maximum=1))) as served:
        served.awards.make = endless
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await served.rewards.AwardPoints(VALID)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert caught.value.details() == "the deadline of the call has passed"
    assert endless.cancelled.is_set()


async def test_a_caller_cannot_ask_for_more_than_the_maximum() -> None:
    async with serving(Served(deadlines=DeadlineBounds(default=0.05, maximum=0.1))) as served:
        served.awards.make = Endless()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await served.rewards.AwardPoints(VALID, timeout=60)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert caught.value.details() == "the deadline of the call has passed"


async def test_the_deadline_of_the_caller_cancels_the_use_case(served: Served) -> None:
    served.awards.make = endless = Endless()
    for seconds in (0.2, 2, 20):  # until it has come to the server in time, also on a busy machine
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await served.rewards.AwardPoints(VALID, timeout=seconds)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        if endless.begun.is_set():
            break
    await asyncio.wait_for(endless.cancelled.wait(), 60)


async def test_a_use_case_that_notices_the_deadline_itself() -> None:
    async def late(_command: AwardCommand, deadline: float | None) -> AwardAnswer:
        assert deadline is not None
        await asyncio.sleep(deadline - time.monotonic() - 0.02)
        raise TimeoutError

    async with serving(Served(deadlines=DeadlineBounds(default=0.1))) as served:
        served.awards.make = late
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await served.rewards.AwardPoints(VALID)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_an_answer_at_the_last_moment_counts() -> None:
    async def stubborn(command: AwardCommand, deadline: float | None) -> AwardAnswer:
        try:
            return await Endless()(command, deadline)
        except asyncio.CancelledError:
            return await answer(command, deadline)

    async with serving(Served(deadlines=DeadlineBounds(default=0.1))) as served:
        answer = served.awards.make
        served.awards.make = stubborn
        response = await served.rewards.AwardPoints(VALID)
    assert response.transaction.user_id == "u"


async def test_methods_that_go_over_all_data_get_longer() -> None:
    long_calls = {"laurel.admin.v1.AdminService.RebuildBoards": 30.0}
    bounds = DeadlineBounds(default=0.01, maximum=0.02, by_method=long_calls)
    async with serving(Served(deadlines=bounds)) as served:
        rebuild = served.maintenance.rebuild

        async def slow(board: object) -> object:
            await asyncio.sleep(0.1)
            return await rebuild(board)  # type: ignore[arg-type]

        served.maintenance.rebuild = slow  # type: ignore[method-assign,assignment]
        response = await served.admin.RebuildBoards(RebuildBoardsRequest(request_id="r"))
    assert response.members == 250


async def test_a_stream_outlives_the_bounds_of_unary_calls() -> None:
    async def late(call: CallContext) -> None:
        await asyncio.sleep(0.1)
        await call.write(WatchRankResponse(sequence=1))
        assert call.deadline is None

    async with serving(Served(deadlines=DeadlineBounds(default=0.01, maximum=0.02))) as served:
        served.watches.run = late
        watch = served.leaderboards.WatchRank(WatchRankRequest(user_id="u"))
        assert [message.sequence async for message in watch] == [1]


async def test_a_stream_has_the_deadline_of_its_caller(served: Served) -> None:
    remaining: list[float | None] = []

    async def wait(call: CallContext) -> None:
        remaining.append(call.time_remaining)
        await asyncio.Event().wait()

    served.watches.run = wait
    for seconds in (0.3, 3, 30):  # until it has come to the server in time, also on a busy machine
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in served.leaderboards.WatchRank(WatchRankRequest(user_id="u"), timeout=seconds):
                pass
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        if remaining:
            assert remaining[0] is not None
            assert remaining[0] < seconds + 0.05
            return
    raise AssertionError("the watch never came to the server")
