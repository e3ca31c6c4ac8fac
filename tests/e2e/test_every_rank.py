"""Rank = position in the list: by draw, through a running server, in every call and stream, under every tie policy."""

import random
from collections.abc import AsyncIterator

import pytest

from tests.e2e.compared_boards import Laurel, check_all_ranks
from tests.e2e.compared_streams import Streams
from tests.e2e.conftest import StartServe
from tests.e2e.rank_play import NOW, USERS, Play


@pytest.fixture
async def laurel(start_serve: StartServe) -> AsyncIterator[Laurel]:
    """A server whose first pages are never old."""
    serve = start_serve(LAUREL_SANDBOX="1", LAUREL_SANDBOX_NOW=NOW, LAUREL_READS_CACHE_MAX_AGE_MS="0")
    async with Laurel.at(serve.run["grpc"]) as laurel:
        yield laurel


async def test_all_that_tells_ranks_agrees_with_brute_force(laurel: Laurel) -> None:
    play = Play(laurel, random.Random(4))
    await play.prepare()
    streams = Streams(laurel, play.boards, USERS)
    try:
        for _ in range(12):
            for _ in range(12):
                await play.step()
            for board in play.boards:
                await board.check(USERS)
            for user_id in USERS:
                await check_all_ranks(laurel, play.boards, user_id)
            await streams.agree()
        await play.check_the_past()
        await streams.agree()
    finally:
        await streams.close()
