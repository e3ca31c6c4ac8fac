import asyncio

import pytest

from laurel_server.leaderboards.window import Window


async def test_the_next_call_begins_when_the_oldest_has_ended() -> None:
    under_way, most, done = 0, 0, 0
    window = Window(3)

    async def call() -> None:
        nonlocal under_way, most, done
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        done += 1

    for _ in range(20):
        await window.add(call())
    await window.end()
    assert (most, done) == (3, 20)


async def test_an_error_is_raised_and_the_others_are_given_up() -> None:
    window, given_up = Window(2), asyncio.Event()

    async def fail() -> None:
        raise LookupError

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    await window.add(fail())
    with pytest.raises(LookupError):
        await window.add(wait())
    window.cancel()
    await asyncio.wait_for(given_up.wait(), 60)
