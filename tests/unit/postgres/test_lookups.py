"""Look-ups that go together."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from laurel_server.postgres.lookups import AT_ONCE, Lookups


class Store:
    """Has the even numbers; a statement waits until the test lets it go on."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.go_on = asyncio.Event()
        self.begun = asyncio.Event()
        self.fault: Exception | None = None

    async def read(self, numbers: Sequence[int]) -> Mapping[int, str]:
        self.asked.append(list(numbers))
        self.begun.set()
        await self.go_on.wait()
        if self.fault is not None:
            raise self.fault
        return {number: f"number {number}" for number in numbers if number % 2 == 0}


async def test_what_is_asked_while_a_statement_runs_goes_together_into_the_next() -> None:
    store = Store()
    lookups = Lookups(store.read)
    first = asyncio.create_task(lookups.find(1))
    await store.begun.wait()
    others = [asyncio.create_task(lookups.find(number)) for number in (2, 3, 2, 1)]
    await asyncio.sleep(0)
    store.go_on.set()
    assert await first is None
    assert await asyncio.gather(*others) == ["number 2", None, "number 2", None]
    assert store.asked == [
        [1],
        [2, 3, 1],
    ]  # 1 again: the statement that was under way may have seen too little


async def test_a_fault_is_told_to_all_who_asked_and_the_next_is_answered() -> None:
    store = Store()
    lookups = Lookups(store.read)
    store.go_on.set()
    store.fault = OSError("away")
    answers = await asyncio.gather(lookups.find(2), lookups.find(4), return_exceptions=True)
    assert [*answers] == [store.fault, store.fault]
    store.fault = None
    assert await lookups.find(2) == "number 2"


async def test_who_gives_up_takes_nothing_from_the_others() -> None:
    store = Store()
    lookups = Lookups(store.read)
    impatient, patient = (asyncio.create_task(lookups.find(2)) for _ in range(2))
    await store.begun.wait()
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    store.go_on.set()
    assert await patient == "number 2"


async def test_more_than_one_statement_takes() -> None:
    store = Store()
    lookups = Lookups(store.read)
    store.go_on.set()
    found = await asyncio.gather(*(lookups.find(number) for number in range(2 * AT_ONCE + 1)))
    assert found[-3:] == [f"number {2 * AT_ONCE - 2}", None, f"number {2 * AT_ONCE}"]
    assert [len(numbers) for numbers in store.asked] == [AT_ONCE, AT_ONCE, 1]
