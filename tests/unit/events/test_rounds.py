"""Rounds: how long they wait, and that nothing ends them."""

import asyncio
from collections.abc import Iterator

import pytest

from laurel_server.events.rounds import FIRST_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS, Rounds


class Work:
    """Work that raises what it is given, or waits so long."""

    def __init__(self, *outcomes: float | Exception) -> None:
        self._outcomes: Iterator[float | Exception] = iter(outcomes)
        self.postponed = 0

    async def do(self) -> float:
        """Do the next round."""
        outcome = next(self._outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def postpone(self) -> None:
        """Count errors."""
        self.postponed += 1


def rounds(work: Work) -> Rounds:
    return Rounds("tests", work.do, (OSError,), work.postpone)


async def test_work_says_how_long_to_wait() -> None:
    work = rounds(Work(0.0, 7.5))
    assert [await work.once() for _ in range(2)] == [0.0, 7.5]


@pytest.mark.parametrize("error", [OSError("away"), ValueError("a bug")])
async def test_waits_double_after_errors_up_to_a_bound_and_begin_short_again(error: Exception) -> None:
    work = Work(*[error] * 9, 1.0, error)
    each = rounds(work)
    waits = [await each.once() for _ in range(9)]
    for number, seconds in enumerate(waits):
        longest = min(MAX_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2**number)
        assert longest / 2 <= seconds <= longest
    assert await each.once() == 1.0
    assert await each.once() <= FIRST_BACKOFF_SECONDS
    assert work.postponed == 10


async def test_a_fault_in_what_follows_an_error_does_not_end_them_either() -> None:
    async def fail() -> None:
        raise KeyError("a bug")

    each = Rounds("tests", Work(OSError("away"), 3.0).do, (OSError,), fail)
    assert await each.once() <= FIRST_BACKOFF_SECONDS
    assert await each.once() == 3.0


async def test_a_loop_ends_only_when_it_is_cancelled() -> None:
    done = asyncio.Event()

    async def work() -> float:
        if done.is_set():
            await asyncio.Event().wait()
        done.set()
        raise ValueError("a bug")

    task = asyncio.create_task(Rounds("tests", work, (OSError,)).run())
    await done.wait()
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
