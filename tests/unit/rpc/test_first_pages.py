import asyncio
from math import inf

import pytest

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.views import Board
from laurel_server.rpc.convert.pages import SerializedPage
from laurel_server.rpc.pages import FirstPages
from tests.unit.domain.refusals import refused
from tests.unit.rpc.samples import BOARD, WEEK

OTHER = Board(BoardKey("global", "2026-W49"), WEEK)


class Reader:
    """Reads pages when it is told to, and counts."""

    def __init__(self) -> None:
        self.reads: list[tuple[str, int]] = []
        self.begun: asyncio.Queue[int] = asyncio.Queue()
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.seconds_left = inf

    async def __call__(self, board: Board, size: int) -> SerializedPage:
        self.reads.append((board.key.period_id, size))
        number = len(self.reads)
        self.begun.put_nowait(number)
        await self.gate.wait()
        if self.error:
            raise self.error
        return SerializedPage(f"read {number}".encode(), self.seconds_left, {})


class Time:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def pages(reader: Reader, time: Time) -> FirstPages:
    return FirstPages(reader, max_age=1.0, max_pages=3, now=time)


async def body(pages: FirstPages, board: Board = BOARD, size: int = 10) -> str:
    return (await pages.get(board, size)).page.body.decode()


async def test_a_second_look_costs_no_reading(pages: FirstPages, reader: Reader) -> None:
    assert await body(pages) == await body(pages) == "read 1"
    assert len(reader.reads) == 1


async def test_a_page_is_never_older_than_its_age(pages: FirstPages, time: Time) -> None:
    await body(pages)
    time.now += 0.999
    assert await body(pages) == "read 1"
    time.now += 0.001
    assert await body(pages) == "read 2"


async def test_age_counts_from_before_the_reading(pages: FirstPages, reader: Reader, time: Time) -> None:
    reader.gate.clear()
    first = asyncio.ensure_future(body(pages))
    await reader.begun.get()
    time.now += 0.9
    reader.gate.set()
    assert await first == "read 1"
    time.now += 0.1
    assert await body(pages) == "read 2"


async def test_boards_periods_and_sizes_are_pages_of_their_own(pages: FirstPages, reader: Reader) -> None:
    bodies = [await body(pages), await body(pages, OTHER), await body(pages, BOARD, 20)]
    assert len(set(bodies)) == 3
    assert reader.reads == [("2026-W48", 10), ("2026-W49", 10), ("2026-W48", 20)]


async def test_those_who_miss_together_share_one_reading(pages: FirstPages, reader: Reader) -> None:
    reader.gate.clear()
    callers = [asyncio.ensure_future(body(pages)) for _ in range(50)]
    await reader.begun.get()
    reader.gate.set()
    assert set(await asyncio.gather(*callers)) == {"read 1"}


async def test_a_reading_that_is_under_way_for_too_long_is_not_joined(
    pages: FirstPages, reader: Reader, time: Time
) -> None:
    reader.gate.clear()
    early = asyncio.ensure_future(body(pages))
    await reader.begun.get()
    time.now += 1.0
    late = asyncio.ensure_future(body(pages))
    await reader.begun.get()
    reader.gate.set()
    assert (await early, await late) == ("read 1", "read 2")
    assert await body(pages) == "read 2"


async def test_a_caller_who_gives_up_takes_nobody_along(pages: FirstPages, reader: Reader) -> None:
    reader.gate.clear()
    first, second = (asyncio.ensure_future(body(pages)) for _ in range(2))
    await reader.begun.get()
    first.cancel()
    await asyncio.wait([first])
    reader.gate.set()
    assert await second == "read 1"
    assert first.cancelled()


async def test_an_error_reaches_all_who_wait_and_is_not_kept(pages: FirstPages, reader: Reader) -> None:
    reader.error = LaurelError(Reason.BOARDS_REBUILDING, "later")
    results = await asyncio.gather(*(body(pages) for _ in range(3)), return_exceptions=True)
    assert results == [reader.error] * 3
    reader.error = None
    assert await body(pages) == "read 2"


async def test_an_error_leaves_no_page_behind_that_was_there_before(
    pages: FirstPages, reader: Reader, time: Time
) -> None:
    await body(pages)
    time.now += 1
    reader.error = LaurelError(Reason.BOARDS_REBUILDING, "later")
    with refused(Reason.BOARDS_REBUILDING):
        await body(pages)


async def test_the_least_recently_used_page_goes_first(pages: FirstPages, reader: Reader) -> None:
    for size in (1, 2, 3):
        await body(pages, BOARD, size)
    await body(pages, BOARD, 1)
    await body(pages, BOARD, 4)
    reader.reads.clear()
    for size in (1, 3, 4):
        await body(pages, BOARD, size)
    assert reader.reads == []
    await body(pages, BOARD, 2)
    assert reader.reads == [("2026-W48", 2)]


async def test_large_pages_are_bounded_by_their_bytes(time: Time) -> None:
    sizes: list[int] = []

    async def read(_board: Board, size: int) -> SerializedPage:
        sizes.append(size)
        return SerializedPage(bytes(30 << 20), inf, {})

    pages = FirstPages(read, max_age=1.0, max_pages=100, now=time)
    for size in (1, 2, 3, 3, 2, 1):
        await pages.get(BOARD, size)
    assert sizes == [1, 2, 3, 1]


async def test_without_an_age_every_call_reads(reader: Reader, time: Time) -> None:
    pages = FirstPages(reader, max_age=0, max_pages=3, now=time)
    assert [await body(pages), await body(pages)] == ["read 1", "read 2"]


async def test_a_page_ends_with_its_period(pages: FirstPages, reader: Reader, time: Time) -> None:
    reader.seconds_left = 0.4
    assert (await pages.get(BOARD, 10)).fresh_until == time.now + 0.4
    time.now += 0.39
    assert await body(pages) == "read 1"
    time.now += 0.02
    assert await body(pages) == "read 2"


async def test_it_is_told_how_long_a_page_may_be_shown(pages: FirstPages, time: Time) -> None:
    read_at = time.now
    assert (await pages.get(BOARD, 10)).fresh_until == read_at + 1
    time.now += 0.5
    assert (await pages.get(BOARD, 10)).fresh_until == read_at + 1


async def test_a_page_of_a_period_that_is_over_is_kept_like_others(
    pages: FirstPages, reader: Reader, time: Time
) -> None:
    reader.seconds_left = 0
    assert (await pages.get(BOARD, 10)).fresh_until == time.now + 1
