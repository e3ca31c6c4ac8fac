"""The relay reads ahead: what trouble there leaves neither gaps nor another order."""

import asyncio
import random
from collections.abc import Collection, Sequence
from typing import cast

import pytest

from laurel_server.domain.views import RanksOnBoard
from laurel_server.events.kafka import KafkaProducer
from laurel_server.events.outbox import OutboxEvent, OutboxReader, Page
from laurel_server.events.relay import PAGES_AHEAD, Relay
from laurel_server.events.topics import Record
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.outbox import Position

PAGES = 30
EVENTS = 3


class Trouble:
    """Fails now and then, from a seed on."""

    def __init__(self, seed: int, share: float) -> None:
        self._random = random.Random(seed)
        self._share = share

    async def may_come(self) -> None:
        """Give others their turn, some times, and fail or do not."""
        for _ in range(self._random.randrange(3)):
            await asyncio.sleep(0)
        if self._random.random() < self._share:
            raise OSError("away")


class Book(OutboxReader):
    """A reader of so many pages, numbered from 1; the last is not full."""

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self.at = 0
        self.read: list[int] = []

    async def next_page(self) -> Page | None:
        """Return the page after those that are done."""
        return await self._numbered(self.at + 1)

    async def page_after(self, page: Page) -> Page | None:
        """Return the page after one."""
        return await self._numbered(page.end.batch_no + 1)

    async def done(self, page: Page) -> None:
        """Note it."""
        await self._trouble.may_come()
        assert page.end.batch_no == self.at + 1, "no page is left out"
        self.at += 1

    async def _numbered(self, number: int) -> Page | None:
        await self._trouble.may_come()
        self.read.append(number)
        if number > PAGES:
            return None
        events = [OutboxEvent(number, place, earned(number, place)) for place in range(EVENTS)]
        return Page(events, frozenset({1}), True, 0.0, number < PAGES, Position(1, 2, number))


def earned(number: int, place: int) -> dict[str, object]:
    moment = "2026-11-30T12:00:00+00:00"
    return {
        "type": "rewards.earned",
        "transaction_id": f"{number}.{place}",
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


class Ranks:
    """Boards without anybody, or being rebuilt for a moment."""

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble

    async def by_board(self, _user_nos: Collection[int]) -> Sequence[RanksOnBoard] | None:
        """Return nothing, late."""
        await self._trouble.may_come()
        return []


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


def relay_of(book: Book, topic: Topic, trouble: Trouble) -> Relay:
    return Relay(Leadership("", ""), book, Ranks(trouble), cast("KafkaProducer", topic), 0)


async def published(book: Book, relay: Relay) -> None:
    """Let the relay publish until all is done, whatever fails."""
    while book.at < PAGES:
        try:
            await relay.publish()
        except OSError:
            continue


@pytest.mark.parametrize("seed", range(20))
def test_whatever_fails_all_is_published_in_order(seed: int) -> None:
    trouble = Trouble(seed, 0.15)
    book, topic = Book(trouble), Topic(trouble)
    asyncio.run(published(book, relay_of(book, topic, trouble)))
    wanted = [[f"{number}.{place}" for place in range(EVENTS)] for number in range(1, PAGES + 1)]
    anew = [page for page, before in zip(topic.pages, [None, *topic.pages], strict=False) if page != before]
    assert anew == wanted, "a page may come again before the next, and none is left out or comes later"


def test_each_page_is_read_once_and_no_more_ahead_than_is_allowed() -> None:
    trouble = Trouble(0, 0)
    book, topic = Book(trouble), Topic(trouble)
    relay = relay_of(book, topic, trouble)

    async def one_by_one() -> None:
        while book.at < PAGES:
            await relay.publish()
            await asyncio.sleep(0)
            assert max(book.read) <= book.at + 1 + PAGES_AHEAD

    asyncio.run(one_by_one())
    assert [number for number in book.read if number <= PAGES] == list(range(1, PAGES + 1))
