import asyncio

import grpc
import pytest

from laurel.leaderboard.v1.leaderboard_service_pb2 import (
    WatchLeaderboardRequest,
    WatchRankRequest,
    WatchRankResponse,
)
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.rpc.context import CallContext
from tests.integration.rpc.harness import Served, refused

REQUEST = WatchRankRequest(user_id="u")


async def test_messages_and_serialized_messages_arrive_in_order(served: Served) -> None:
    async def two(call: CallContext) -> None:
        await call.write(WatchRankResponse(sequence=1))
        await call.write(WatchRankResponse(sequence=2).SerializeToString())

    served.watches.run = two
    watch = served.leaderboards.WatchRank(REQUEST)
    assert [message.sequence async for message in watch] == [1, 2]
    assert await watch.code() is grpc.StatusCode.OK


async def test_an_error_after_messages_ends_the_stream_with_its_reason(served: Served) -> None:
    async def one_and_fail(call: CallContext) -> None:
        await call.write(WatchRankResponse(sequence=1))
        raise LaurelError(Reason.READER_TOO_SLOW, "Too slow.")

    served.watches.run = one_and_fail
    watch = served.leaderboards.WatchRank(REQUEST)
    assert await watch.read() == WatchRankResponse(sequence=1)
    with refused(Reason.READER_TOO_SLOW):
        await watch.read()


async def test_a_reader_who_leaves_ends_the_stream(served: Served) -> None:
    ended = asyncio.Event()

    async def endless(call: CallContext) -> None:
        try:
            await call.write(WatchRankResponse(sequence=1))
            await asyncio.Event().wait()
        finally:
            ended.set()

    served.watches.run = endless
    watch = served.leaderboards.WatchRank(REQUEST)
    await watch.read()
    watch.cancel()
    await asyncio.wait_for(ended.wait(), 60)


async def test_a_reader_who_leaves_while_messages_are_written(served: Served) -> None:
    ended = asyncio.Event()

    async def flood(call: CallContext) -> None:
        try:
            while True:
                await call.write(WatchRankResponse(resume_token="x" * 10_000))
        finally:
            ended.set()

    served.watches.run = flood
    watch = served.leaderboards.WatchRank(REQUEST)
    await watch.read()
    watch.cancel()
    await asyncio.wait_for(ended.wait(), 60)


async def test_both_streams_carry_the_request_id(served: Served) -> None:
    metadata = (("x-request-id", "w-1"),)
    for watch in (
        served.leaderboards.WatchRank(REQUEST, metadata=metadata),
        served.leaderboards.WatchLeaderboard(WatchLeaderboardRequest(), metadata=metadata),
    ):
        assert await watch.read() is grpc.aio.EOF
        assert dict(await watch.trailing_metadata() or ())["x-request-id"] == "w-1"


@pytest.mark.parametrize("count", [200])
async def test_many_streams_open_at_once(served: Served, count: int) -> None:
    everybody = asyncio.Barrier(count)

    async def meet(call: CallContext) -> None:
        await everybody.wait()
        await call.write(WatchRankResponse(sequence=1))

    served.watches.run = meet
    watches = [served.leaderboards.WatchRank(REQUEST) for _ in range(count)]
    messages = await asyncio.gather(*(watch.read() for watch in watches))
    assert messages == [WatchRankResponse(sequence=1)] * count
