"""Watches of a board's top on real engines."""

import asyncio

from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchLeaderboardRequest, WatchLeaderboardResponse
from laurel.leaderboard.v1.leaderboard_service_pb2_grpc import LeaderboardServiceStub
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import give


async def test_a_snapshot_then_what_changed(parts: Parts, boards: LeaderboardServiceStub) -> None:
    await give(parts, "ann", 10)
    await give(parts, "bob", 5)
    stream = boards.WatchLeaderboard(WatchLeaderboardRequest(top_n=2))
    async with asyncio.timeout(60):
        first = await stream.read()
        await give(parts, "eve", 20)
        then = await stream.read()
    stream.cancel()

    assert isinstance(first, WatchLeaderboardResponse)
    assert isinstance(then, WatchLeaderboardResponse)
    assert [(each.rank, each.user_id) for each in first.snapshot.entries] == [(1, "ann"), (2, "bob")]
    assert first.snapshot.total_participants == 2
    assert sorted((each.rank, each.user_id) for each in then.delta.changed) == [(1, "eve"), (2, "ann")]
    assert list(then.delta.removed) == ["bob"]
    assert then.delta.total_participants == 3
