"""The relay reads ahead: what trouble there leaves neither gaps nor another order."""

import asyncio
import random
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import cast

import pytest

from laurel_server.domain.views import RanksOnBoard
from laurel_server.events import rounds
from laurel_server.events.kafka import KafkaProducer
from laurel_server.events.outbox import OutboxEvent, OutboxReader, OvertakenError, Page
from laurel_server.events.relay import PAGES_AHEAD, Relay
from laurel_server.events.topics import Record
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.outbox import Position

PAGES = 30
EVENTS = 3
POISONED = "2.1"
"""The id of an event that cannot be read."""


class Trouble:
    """Fails now and then, from a seed on."""

    def __init__(self, seed: int, share: float) -> None:
        self._random = random.Random(seed)
        self._share = share

    async def may_come(self) -> None:
        """Give others their turn, some times, and fail or do not."""
        for _ in range(self._random.randrange(3)):
            await asyncio.sleep(0)
        if self.strikes():
            raise OSError("away")

    def strikes(self) -> bool:
        """Return whether something goes wrong now."""
        return self._random.random() < self._share


class Book(OutboxReader):
    """A reader of so many pages, numbered from 1; the last is not full. `kept` is the position that all leaders see."""

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self._patience = 1.0
        self._at: int | None = None
        self.kept = 0
        self.all_done = asyncio.Event()
        self.found_poison = asyncio.Event()
        self.read: list[int] = []
        self.aside: list[str] = []

    async def next_page(self) -> Page | None:
        """Return the page after those that are done."""
        self._at = self.kept if self._at is None else self._at
        return await self._numbered(self._at + 1)

    async def page_after(self, page: Page) -> Page | None:
        """Return the page after one."""
        return await self._numbered(page.end.batch_no + 1)

    async def done(self, page: Page) -> None:
        """Keep it, if it is the next."""
        await self._trouble.may_come()
        if page.end.batch_no != self.kept + 1:
            raise OvertakenError
        self.kept = self._at = page.end.batch_no
        if self.kept == PAGES:
            self.all_done.set()

    def start_over(self, *, leads: bool) -> None:  # noqa: ARG002 - there are no metrics
        """Go by what is kept."""
        self._at = None

    async def set_aside(self, event: OutboxEvent, _error: str) -> None:
        """Note it."""
        await self._trouble.may_come()
        self.aside.append(event.id)
        self.found_poison.set()

    async def _numbered(self, number: int) -> Page | None:
        await self._trouble.may_come()
        self.read.append(number)
        if number > PAGES:
            return None
        events = [OutboxEvent(number, place, earned(number, place)) for place in range(EVENTS)]
        return Page(events, frozenset({number}), True, 0.0, number < PAGES, Position(1, 2, number))


def earned(number: int, place: int) -> dict[str, object]:
    event_id = f"{number}.{place}"
    if event_id == POISONED:
        return {"type": "rewards.earned", "transaction_id": event_id}
    moment = "2026-11-30T12:00:00+00:00"
    return {
        "type": "rewards.earned",
        "transaction_id": event_id,
        "user_id": "ada",
        "action": "REVIEW",
        "points": 1,
        "total_points": 1,
        "lifetime_points": 1,
        "tier": "BRONZE",
        "tier_before": "BRONZE",
        "occurred_at": moment,
        "recorded_at": moment,
    }


def ids_of(number: int) -> list[str]:
    """Return the ids of the events of a page that can be read."""
    ids = (f"{number}.{place}" for place in range(EVENTS))
    return [event_id for event_id in ids if event_id != POISONED]


WANTED = [ids_of(number) for number in range(1, PAGES + 1)]


class Ranks:
    """Boards without anybody, or being rebuilt: at any moment, and so many times when asked for a page."""

    def __init__(self, trouble: Trouble, rebuilt: Mapping[int, int] | None = None) -> None:
        self._trouble = trouble
        self._rebuilt = Counter(rebuilt)

    async def by_board(self, user_nos: Collection[int]) -> Sequence[RanksOnBoard] | None:
        """Return nothing, late."""
        await self._trouble.may_come()
        (page,) = user_nos
        self._rebuilt[page] -= 1
        return None if self._rebuilt[page] >= 0 or self._trouble.strikes() else []


class Topic:
    """Keeps the ids that it has taken; what failed may have been taken too."""

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self.pages: list[list[str]] = []

    async def publish(self, records: Sequence[Record]) -> list[Record]:
        """Take records."""
        self.pages.append([record.id for record in records])
        await self._trouble.may_come()
        return []

    async def close(self) -> None:
        """Nothing."""


class Lease(Leadership):
    """Is lost in some rounds, when another leader publishes two pages; who asks is not always answered then."""

    def __init__(self, book: Book, topic: Topic, losses: Iterator[bool], *, answered: Iterator[bool]) -> None:
        super().__init__("", "tests")
        self._book = book
        self._topic = topic
        self._losses = losses
        self._answered = answered

    async def held(self) -> bool:
        """Return whether it is."""
        if not next(self._losses, False):
            return True
        for number in range(self._book.kept + 1, min(self._book.kept + 3, PAGES)):
            self._topic.pages.append(ids_of(number))
            self._book.kept = number
        if next(self._answered):
            return False
        raise OSError("away")


class Leads(Leadership):
    """Is never lost."""

    def __init__(self) -> None:
        super().__init__("", "tests")

    async def held(self) -> bool:
        """Return that it is."""
        return True


def relay_of(leadership: Leadership, book: Book, topic: Topic, ranks: Ranks) -> Relay:
    return Relay(leadership, book, ranks, cast("KafkaProducer", topic), 0)


async def all_published(book: Book, relay: Relay) -> None:
    """Let the relay run until all is done, whatever fails."""
    running = asyncio.create_task(relay.run())
    async with asyncio.timeout(60):
        await book.all_done.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "MAX_BACKOFF_SECONDS", 0)


def strikes(trouble: Trouble) -> Iterator[bool]:
    while True:
        yield trouble.strikes()


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_fails_all_is_published_in_order(seed: int) -> None:
    trouble = Trouble(seed, 0.15)
    book, topic = Book(trouble), Topic(trouble)
    lease = Lease(book, topic, strikes(trouble), answered=strikes(Trouble(seed, 0.5)))
    await all_published(book, relay_of(lease, book, topic, Ranks(trouble)))
    anew = [page for page, before in zip(topic.pages, [None, *topic.pages], strict=False) if page != before]
    assert anew == WANTED, "a page may come again before the next, and none is left out or comes later"
    assert set(book.aside) <= {POISONED}


@pytest.mark.parametrize("answered", [True, False])
async def test_what_another_leader_has_published_is_not_published_again(*, answered: bool) -> None:
    calm = Trouble(0, 0)
    book, topic = Book(calm), Topic(calm)
    lease = Lease(book, topic, iter([False, True]), answered=iter([answered]))
    await all_published(book, relay_of(lease, book, topic, Ranks(calm)))
    assert topic.pages == WANTED


async def test_a_page_ahead_waits_for_its_boards_and_those_behind_it_too() -> None:
    calm = Trouble(0, 0)
    book, topic = Book(calm), Topic(calm)
    relay = relay_of(Leads(), book, topic, Ranks(calm, rebuilt={2: 2}))
    assert await relay.publish()
    assert not await relay.publish(), "asked for ahead, and once more"
    assert topic.pages == WANTED[:1]
    assert await relay.publish()
    for _ in range(50):
        await asyncio.sleep(0)
    assert max(book.read) == 2 + PAGES_AHEAD, "it reads ahead again"
    await all_published(book, relay)
    assert topic.pages == WANTED


async def test_what_cannot_be_read_is_set_aside_however_often_its_page_is_made_ready() -> None:
    calm = Trouble(0, 0)
    book = Book(calm)

    class FailsOnce(Topic):
        async def publish(self, records: Sequence[Record]) -> list[Record]:
            await super().publish(records)
            await book.found_poison.wait()  # the page ahead is made ready
            if len(self.pages) == 1:
                raise OSError("away")
            return []

    topic = FailsOnce(calm)
    await all_published(book, relay_of(Leads(), book, topic, Ranks(calm)))
    assert topic.pages == [WANTED[0], *WANTED]
    assert book.aside == [POISONED, POISONED], "the second changes nothing in the table"


async def test_each_page_is_read_once_and_no_more_ahead_than_is_allowed() -> None:
    calm = Trouble(0, 0)
    book, topic = Book(calm), Topic(calm)
    relay = relay_of(Leads(), book, topic, Ranks(calm))
    while book.kept < PAGES:
        await relay.publish()
        await asyncio.sleep(0)
        assert max(book.read) <= book.kept + 1 + PAGES_AHEAD
    assert [number for number in book.read if number <= PAGES] == list(range(1, PAGES + 1))
