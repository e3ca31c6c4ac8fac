"""The relay: publishes the outbox to Kafka, each event at least once and each user's events in order."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple, Protocol

import structlog

from laurel_server.domain.ledger import BoardRank
from laurel_server.events.kafka import AWAY, KafkaProducer
from laurel_server.events.messages import board_updates, mover_of, records_of
from laurel_server.events.outbox import UNREADABLE, OutboxEvent, OutboxReader, Page
from laurel_server.events.rounds import Rounds
from laurel_server.events.standings import Standings, standings_of
from laurel_server.events.topics import Record
from laurel_server.metrics import EVENTS_PUBLISH_FAILURES
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.leadership import Leadership

log = structlog.get_logger()

READER: Final = "kafka"
"""The relay's name as a reader of the outbox."""

TURN: Final = 64
"""Events that are turned into records before others get their turn of the event loop: some milliseconds."""


class RankReader(Protocol):
    """Where users stand now."""

    async def everywhere(self, user_nos: Collection[int]) -> dict[str, Sequence[BoardRank]] | None:
        """Return present ranks by user id, on points and score boards; None while some are being rebuilt."""


class Ready(NamedTuple):
    """A page and what Kafka gets of it."""

    page: Page
    records: list[Record]


class Relay:
    """The loop of the leading server; the others stand by. `interval` (seconds) is the pause when nothing is new.

    While Kafka takes a page, the next one is made ready.
    """

    def __init__(
        self,
        leadership: Leadership,
        reader: OutboxReader,
        ranks: RankReader,
        producer: KafkaProducer,
        interval: float,
    ) -> None:
        self._leadership = leadership
        self._reader = reader
        self._ranks = ranks
        self._producer = producer
        self._interval = interval
        self._rounds = Rounds(READER, self._round, (*AWAY, *UNAVAILABLE), _count_failure)
        self._ahead: asyncio.Task[Ready | None] | None = None

    async def run(self) -> None:
        """Publish until cancelled."""
        try:
            await self._rounds.run()
        finally:
            await self._drop_ahead()
            await self._producer.close()

    async def _round(self) -> float:
        """Publish a page and return how long to wait, in seconds."""
        if not await self._leadership.held():
            await self._drop_ahead()
            self._reader.start_over()
            return self._interval
        return 0.0 if await self.publish() else self._interval

    async def publish(self) -> bool:
        """Publish the next page; return whether there are more to come at once: few are published together.

        Raises one of AWAY or UNAVAILABLE, and then repeats.
        """
        ready = await self._next()
        if ready is None:
            return False
        page, records = ready
        if page.is_full:
            self._ahead = asyncio.create_task(self._prepared_after(page))
        try:
            for refused in await self._producer.publish(records):
                await self._set_aside(page, refused)
            await self._reader.done(page)
        except BaseException:
            await self._drop_ahead()
            raise
        return page.is_full

    async def _next(self) -> Ready | None:
        ahead, self._ahead = self._ahead, None
        return (await ahead if ahead else None) or await self._prepared(await self._reader.next_page())

    async def _prepared_after(self, page: Page) -> Ready | None:
        return await self._prepared(await self._reader.page_after(page))

    async def _prepared(self, page: Page | None) -> Ready | None:
        """Return a page with its records; None if there is nothing, or nothing yet, to publish."""
        if page is None:
            return None
        ranks = await self._ranks.everywhere(page.user_nos) if page.ranked else None
        if ranks is None and self._reader.may_wait(page):
            return None  # the boards are being filled; a moment later there may be ranks to tell
        return Ready(page, await self._records(page, None if ranks is None else standings_of(ranks)))

    async def _drop_ahead(self) -> None:
        """Forget what was made ready: it does not follow what was published."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    async def _records(self, page: Page, standings: Standings | None) -> list[Record]:
        records: list[Record] = []
        moved: dict[str, OutboxEvent] = {}
        for number, event in enumerate(page.events, start=1):
            try:
                records += records_of(event, standings)
                if user_id := mover_of(event):
                    moved[user_id] = event
            except UNREADABLE as error:
                log.warning("events.set_aside", event_id=event.id, error=repr(error))
                await self._reader.set_aside(event, repr(error))
            if number % TURN == 0:
                await asyncio.sleep(0)
        return records if standings is None else records + board_updates(moved, standings)

    async def _set_aside(self, page: Page, record: Record) -> None:
        log.warning("events.set_aside", event_id=record.id, error="too large for Kafka")
        for event in page.events:
            if record.id == event.id or record.id.startswith(f"{event.id}."):
                await self._reader.set_aside(event, f"{record.topic}: too large for Kafka")
                return


async def _count_failure() -> None:
    EVENTS_PUBLISH_FAILURES.inc()
