"""Watches of ranks on real engines: what one caller's stream says while others move."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import TypeAlias

import grpc
import pytest

from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchRankRequest, WatchRankResponse
from laurel.leaderboard.v1.leaderboard_service_pb2_grpc import LeaderboardServiceStub
from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import TiePolicy, Visibility
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.people import Order
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
    """Read one message within a minute."""
    async with asyncio.timeout(60):
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


async def test_a_shadow_user_hears_nothing_of_being_one(parts: Parts, watch: Watch) -> None:
    for user_id, points in {"ann": 30, "bob": 20, "cleo": 10}.items():
        await give(parts, user_id, points)
    stream = watch("bob")
    first = (await read(stream)).update
    await see(parts, "bob", Visibility.SHADOW)
    await give(parts, "cleo", 5)  # has the board read, in which nothing has changed for him
    await give(parts, "bob", 20)  # changes no board
    moved = (await read(stream)).update
    again = (await read(watch("bob"))).update

    assert (first.rank, first.total) == (2, 3)
    assert (moved.rank, moved.previous_rank, moved.score, moved.total) == (1, 2, 40, 3)
    assert moved.message == "You moved up 1 rank!"
    assert (again.rank, again.score, again.total) == (1, 40, 3)
    places = await parts.queries.all_places("bob")
    assert {(place.board.key.scope, place.rank, place.total) for place in places} >= {("global", 1, 3)}
    assert len(places) == len(await parts.queries.all_places("ann"))


async def test_a_hidden_user_who_becomes_a_shadow_user_sees_himself_again(parts: Parts, watch: Watch) -> None:
    await give(parts, "ann", 30)
    await give(parts, "bob", 20)
    await see(parts, "bob", Visibility.HIDDEN)
    stream = watch("bob")
    hidden = (await read(stream)).update
    await see(parts, "bob", Visibility.SHADOW)
    shadow = (await read(stream)).update

    assert (hidden.rank, hidden.total) == (0, 1)
    assert (shadow.rank, shadow.previous_rank, shadow.score, shadow.total) == (2, 0, 20, 2)


async def test_a_watch_follows_a_board_that_ranks_otherwise(parts: Parts, watch: Watch) -> None:
    for user_id, points in {"ann": 20, "bob": 10, "cleo": 10}.items():
        await give(parts, user_id, points)
    stream = watch("cleo")
    await read(stream)
    config = await parts.boards.board("global-all")
    await parts.boards.update(replace(config, tie_policy=TiePolicy.COMPETITION), ["tie_policy"])
    shared = (await read(stream)).update
    await parts.boards.update(replace(config, slots=5), ["slots"])
    await give(parts, "dan", 30)
    split = (await read(stream)).update

    assert (shared.rank, shared.previous_rank, shared.total) == (2, 3, 3)
    assert (split.rank, split.previous_rank, split.total) == (3, 2, 4)


async def test_a_watch_follows_a_board_that_is_reset_otherwise(parts: Parts, watch: Watch) -> None:
    config = BoardConfig("race", BoardKind.SCORES, "race")
    await parts.boards.create(config, RequestKey("tests", "race", b""))
    await give(parts, "ann", 1)
    stream = watch("ann", boards=[{"scope": "race"}])
    first = (await read(stream)).update
    await parts.boards.update(replace(config, reset_cron="0 0 * * *"), ["reset_cron"])
    then = (await read(stream)).update

    assert [first.board.period_id, then.board.period_id] == ["all", "2026-11-25T00:00Z"]


async def test_a_hidden_user_leaves_the_board(parts: Parts, watch: Watch) -> None:
    await give(parts, "ann", 10)
    stream = watch("ann")
    await read(stream)
    await see(parts, "ann", Visibility.HIDDEN)
    assert (await read(stream)).update.message == "You left the board"
    assert await parts.queries.all_places("ann") == []


async def see(parts: Parts, user_id: str, visibility: Visibility) -> None:
    name = f"{user_id} {visibility.name}"
    order = Order(user_id, name, name.encode().ljust(16), b"", "tests")
    await parts.people.set_visibility(order, visibility)


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
