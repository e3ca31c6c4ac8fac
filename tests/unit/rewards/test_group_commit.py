"""The queue in front of the ledger: who goes together, who waits, and what each is told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import cast

import pytest

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.postgres.errors import MonthTurnedError
from laurel_server.postgres.pool import LaneConnection
from laurel_server.rewards import group_commit
from laurel_server.rewards.group_commit import GroupCommit, Waiting

PATIENCE = 60
"""Seconds after which something that should happen has not."""


class Connection:
    """A connection that stays open."""

    def is_closed(self) -> bool:
        return False

    async def close(self) -> None:
        """Close nothing."""


class Ledger:
    """Notes the batches; each waits until `open` is set. A batch with "bad" in it fails, one with "busy" clashes."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.begun = asyncio.Event()

    async def commit(self, connection: LaneConnection, items: Sequence[str]) -> list[str]:
        del connection
        self.batches.append(list(items))
        self.begun.set()
        await self.open.wait()
        if "bad" in items:
            raise ValueError("bad")
        if "busy" in items:
            raise MonthTurnedError
        return [f"{item} is made" for item in items]


async def _finish(batch: list[str], waiting: Sequence[Waiting[str]]) -> None:
    for each, result in zip(waiting, batch, strict=True):
        each.answer(result)


Finish = Callable[[list[str], Sequence[Waiting[str]]], Coroutine[None, None, None]]


async def _connect() -> LaneConnection:
    return cast("LaneConnection", Connection())


@asynccontextmanager
async def lanes(
    ledger: Ledger, *, max_waiting: int = 100, finish: Finish = _finish
) -> AsyncIterator[GroupCommit[str, list[str]]]:
    group = GroupCommit(_connect, ledger, finish, 2, 50, max_waiting, linger_max=PATIENCE * 2)
    group.start()
    async with asyncio.timeout(PATIENCE):
        yield group
        await group.close()


async def test_who_comes_under_concurrency_waits_for_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "LINGER_PER_AWARD", 0.001)
    ledger = Ledger()
    async with lanes(ledger) as group:
        names = [f"award {number}" for number in range(10)]
        answers = await asyncio.gather(*(group.submit([name], None) for name in names))
    assert ledger.batches == [names]
    assert answers == [[f"{name} is made"] for name in names]


async def test_nobody_waits_for_company_who_is_alone_or_brought_his_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(group_commit, "LINGER_PER_AWARD", PATIENCE * 2)
    ledger = Ledger()
    async with lanes(ledger) as group:
        assert await group.submit(["alone"], None) == ["alone is made"]
        assert len(await group.submit(["one", "two", "three"], None)) == 3
    assert ledger.batches == [["alone"], ["one", "two", "three"]]


async def test_an_award_whose_deadline_passes_in_the_queue_is_not_begun() -> None:
    ledger = Ledger()
    async with lanes(ledger) as group:
        ledger.open.clear()
        first = asyncio.create_task(group.submit(["first"], None))
        await ledger.begun.wait()
        late = asyncio.create_task(group.submit(["late", "too late"], monotonic()))
        await asyncio.sleep(0)
        ledger.open.set()
        await first
        assert [type(result) for result in await late] == [TimeoutError, TimeoutError]
    assert ledger.batches == [["first"]]


async def test_a_full_queue_refuses_with_a_time_to_come_back() -> None:
    ledger = Ledger()
    async with lanes(ledger, max_waiting=3) as group:
        with pytest.raises(LaurelError) as refusal:
            await group.submit(["award"] * 4, None)
    assert refusal.value.reason is Reason.OVERLOADED
    assert refusal.value.retry_after is not None
    assert ledger.batches == []


async def test_a_faulty_award_does_not_hurt_its_neighbours() -> None:
    ledger = Ledger()
    async with lanes(ledger) as group:
        good, bad, also_good = await group.submit(["good", "bad", "also good"], None)
    assert (good, also_good) == ("good is made", "also good is made")
    assert isinstance(bad, ValueError)
    assert ledger.batches == [["good", "bad", "also good"], ["good"], ["bad"], ["also good"]]


async def test_who_is_in_the_way_of_somebody_else_through_all_retries_may_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(group_commit, "RETRIES", 1)
    ledger = Ledger()
    async with lanes(ledger) as group:
        good, busy = await group.submit(["good", "busy"], None)
    assert good == "good is made"
    assert isinstance(busy, LaurelError)
    assert busy.reason is Reason.LEDGER_UNAVAILABLE
    assert ledger.batches == [["good", "busy"]] * 2 + [["good"]] + [["busy"]] * 2


async def test_a_fault_after_the_commit_leaves_no_caller_without_an_answer() -> None:
    async def finish(_batch: list[str], waiting: Sequence[Waiting[str]]) -> None:
        waiting[1].answer("answered")
        raise ValueError("no more")

    async with lanes(Ledger(), finish=finish) as group:
        first, second, third = await group.submit(["one", "two", "three"], None)
    assert second == "answered"
    assert isinstance(first, ValueError)
    assert isinstance(third, ValueError)


async def test_nothing_is_taken_once_it_is_closed() -> None:
    async with lanes(Ledger()) as group:
        pass
    with pytest.raises(LaurelError) as refusal:
        await group.submit(["award"], None)
    assert refusal.value.reason is Reason.DRAINING


async def test_a_call_is_split_between_batches_only_where_it_is_larger_than_one() -> None:
    ledger = Ledger()
    ledger.open.clear()
    async with lanes(ledger, max_waiting=500) as group:
        first = asyncio.create_task(group.submit(["first"], None))
        await ledger.begun.wait()
        sizes = (30, 30, 50, 120)
        calls = [asyncio.create_task(group.submit([f"{n}"] * size, None)) for n, size in enumerate(sizes)]
        await asyncio.sleep(0)
        ledger.open.set()
        await asyncio.gather(first, *calls)
    taken = [{name: batch.count(name) for name in dict.fromkeys(batch)} for batch in ledger.batches]
    assert taken == [{"first": 1}, {"0": 30}, {"1": 30}, {"2": 50}, {"3": 50}, {"3": 50}, {"3": 20}]
