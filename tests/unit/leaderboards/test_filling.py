import asyncio
from collections.abc import AsyncIterator

import pytest

from laurel_server.leaderboards.ahead import ahead
from laurel_server.leaderboards.fill_progress import FillProgress
from laurel_server.metrics import BOARDS_FILL_PROGRESS


def test_progress_goes_by_numbers_over_all_scans() -> None:
    progress = FillProgress(2, 1000)
    shares = []
    for number in (100, 1000, 500, 1000):
        progress.read(number, 3)
        shares.append(progress.share)
    assert shares == [0.05, 0.5, 0.75, 1.0]
    assert BOARDS_FILL_PROGRESS._value.get() == 1.0


def test_users_who_come_meanwhile_do_not_make_it_more_than_all() -> None:
    progress = FillProgress(1, 10)
    progress.read(12, 1)
    assert progress.share == 1.0


async def numbers(until: int, fetched: list[int], failing: bool = False) -> AsyncIterator[int]:
    for number in range(until):
        fetched.append(number)
        yield number
    if failing:
        raise RuntimeError("lost")


async def test_chunks_come_in_order_and_some_are_fetched_ahead() -> None:
    fetched: list[int] = []
    seen = []
    async for number in ahead(numbers(10, fetched), 3):
        seen.append(number)
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(fetched) == min(10, number + 5)  # asked for, three in the queue, one that waits to get in
    assert seen == list(range(10))


async def test_what_ends_the_fetching_is_raised() -> None:
    chunks = ahead(numbers(2, [], failing=True), 3)
    assert [await anext(chunks), await anext(chunks)] == [0, 1]
    with pytest.raises(RuntimeError, match="lost"):
        await anext(chunks)


async def test_who_stops_early_stops_the_fetching() -> None:
    fetched: list[int] = []
    before = asyncio.all_tasks()
    chunks = ahead(numbers(1000, fetched), 2)
    assert await anext(chunks) == 0
    await chunks.aclose()  # type: ignore[attr-defined]
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(fetched) < 10
    assert asyncio.all_tasks() <= before
