"""The loop that feeds a consumer: how long it rests."""

import asyncio
from collections.abc import Sequence

import pytest

from laurel_server.events import consumers
from laurel_server.events.consumers import ConsumerLoop
from laurel_server.events.source import Heard, Polled, SetAside

INTERVAL = 0.5
WAITED = 0.2


class Worker:
    """A consumer for whom time passes with each event, in seconds."""

    name = "worker"
    topics: Sequence[str] = ()
    away = ()

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.now = 0.0

    async def prepare(self) -> bool:
        """Nothing."""
        return True

    def forget_all(self) -> None:
        """It remembers nobody."""

    async def handle(self, polled: Polled, _set_aside: SetAside) -> None:
        """Take time."""
        self.now += self._seconds * len(polled.events)


class Pages:
    """A source of pages that are given, which come when the worker has waited for a while."""

    def __init__(self, worker: Worker, *pages: Polled | None) -> None:
        self._worker = worker
        self._pages = list(pages)

    async def poll(self) -> Polled | None:
        """Return the next."""
        self._worker.now += WAITED
        return self._pages.pop(0)

    async def commit(self, _polled: Polled) -> None:
        """Nothing."""

    async def set_aside(self, _heard: Heard, _error: Exception) -> None:
        """Nothing."""

    async def start_over(self) -> None:
        """Nothing."""

    async def caught_up(self, _batch_no: int, _seconds: float) -> bool:
        """Nobody asks."""
        return True

    async def close(self) -> None:
        """Nothing."""


def page(events: int, *, is_full: bool) -> Polled:
    return Polled([Heard(str(number), {}, None) for number in range(events)], True, is_full, None)


def rest_after(polled: Polled | None, monkeypatch: pytest.MonkeyPatch) -> float:
    """Return how long the loop rests after a page of which each event takes a millisecond."""
    worker = Worker(0.001)
    monkeypatch.setattr(consumers, "monotonic", lambda: worker.now)
    return asyncio.run(ConsumerLoop(worker, Pages(worker, polled), INTERVAL).hear())


@pytest.mark.parametrize("polled", [None, page(1, is_full=False), page(50, is_full=False)])
def test_it_looks_again_after_the_interval_when_there_is_little(
    polled: Polled | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rest_after(polled, monkeypatch) == INTERVAL


def test_it_rests_ten_times_its_work_when_there_is_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rest_after(page(80, is_full=False), monkeypatch) == pytest.approx(0.8)


def test_it_rests_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rest_after(page(3000, is_full=False), monkeypatch) == 1


def test_it_works_half_of_the_time_when_it_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rest_after(page(300, is_full=True), monkeypatch) == pytest.approx(0.3)
