"""Watches of ranks on real engines: what one caller's stream says while others move."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

import grpc
import pytest

from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchRankRequest, WatchRankResponse
from laurel.leaderboard.v1.leaderboard_service_pb2_grpc import LeaderboardServiceStub
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import give

Stream: TypeAlias = "grpc.aio.UnaryStreamCall[WatchRankRequest, WatchRankResponse]"
Watch: TypeAlias = Callable[..., Stream]


@pytest.fixture
async def watch(boards: LeaderboardServiceStub) -> AsyncIterator[Watch]:
    """Open a watch; it is cancelled after the test."""
    streams: list[Stream] = []

    def open_stream(user_id: str, **fields: object) -> Stream:
        streams.append(boards.WatchRank(WatchRankRequest(user_id=user_id, **fields)))  # type: ignore[arg-type]
        return streams[-1]

    yield open_stream
    for stream in streams:
        stream.cancel()


async def read(stream: Stream) -> WatchRankResponse:
    """Read one message within 10 s."""
    async with asyncio.timeout(10):
        message = await stream.read()
    assert isinstance(message, WatchRankResponse)
    return message


async def test_tells_of_moves_that_others_cause(parts: Parts, watch: Watch) -> None:
    await give(parts, "ann", 10)
    stream = watch("ann")
    first = await read(stream)
    await give(parts, "bob", 20)
    moved = await read(stream)

    assert (first.update.rank, first.update.previous_rank, first.update.score) == (1, 0, 10)
    assert (moved.update.rank, moved.update.previous_rank, moved.update.points_earned) == (2, 1, 0)
    assert moved.update.message == "You moved down 1 rank"
    assert moved.sequence > first.sequence


async def test_tells_of_points_that_leave_the_rank_as_it_was(parts: Parts, watch: Watch) -> None:
    await give(parts, "ann", 10)
    stream = watch("ann")
    await read(stream)
    await give(parts, "ann", 5)
    moved = (await read(stream)).update

    assert (moved.rank, moved.previous_rank, moved.score, moved.points_earned) == (1, 1, 15, 5)


async def test_a_user_who_is_not_on_the_board_has_rank_0(parts: Parts, watch: Watch) -> None:
    await give(parts, "ann", 10)
    stream = watch("ann", boards=[{"scope": "country:US"}])
    first = (await read(stream)).update

    assert (first.rank, first.score, first.board.scope) == (0, 0, "country:US")


async def test_a_watch_that_resumes_says_what_has_changed_since(parts: Parts, watch: Watch) -> None:
    await give(parts, "ann", 10)
    stream = watch("ann")
    token = (await read(stream)).resume_token
    stream.cancel()
    await give(parts, "bob", 20)
    again = (await read(watch("ann", resume_token=token))).update

    assert (again.rank, again.previous_rank) == (2, 1)


async def test_an_unknown_user_ends_the_stream_with_not_found(watch: Watch) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await read(watch("nobody"))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
