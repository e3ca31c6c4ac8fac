"""The relay: publishes the outbox to Kafka, each event at least once and each user's events in order."""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple, Protocol

import structlog

from laurel_server.domain.views import RanksOnBoard
from laurel_server.events.kafka import AWAY, KafkaProducer
from laurel_server.events.messages import board_updates, mover_of, records_of
from laurel_server.events.origins import origins_of
from laurel_server.events.outbox import UNREADABLE, OutboxEvent, OutboxReader, OvertakenError, Page
from laurel_server.events.rounds import Rounds
from laurel_server.events.standings import Standings, standings_of
from laurel_server.events.topics import Record
from laurel_server.metrics import EVENTS_PUBLISH_FAILURES
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.leadership import Leadership

log = structlog.get_logger()

READER: Final = "kafka"
"""The relay's name as a reader of the outbox."""

EVENTS_A_PAGE: Final = 3000
"""Users who return within a page have their ranks read and told once; three pages are held at most."""

PAGES_AHEAD: Final = 2
"""How many pages are made ready while Kafka takes one."""

TURN: Final = 64
"""Events that are turned into records before others get their turn of the event loop: some milliseconds."""


class RankReader(Protocol):
    """Where users stand now."""

    async def by_board(self, user_nos: Collection[int]) -> Sequence[RanksOnBoard] | None:
        """Return present ranks on points and score boards; None while some are being rebuilt."""


class Ready(NamedTuple):
    """A page and what Kafka gets of it."""

    page: Page
    records: list[Record]


class Ahead(NamedTuple):
    """A page that follows others that are not published yet, being read and then made ready."""

    page: asyncio.Task[Page | None]
    ready: asyncio.Task[Ready | None]


class Relay:
    """The loop of the leading server; the others stand by. `interval` (seconds) is the pause when nothing is new.

    While Kafka takes a page, the next ones are made ready: of one ranks are read while another is written down.
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
        self._rounds = Rounds(READER, self._round, (*AWAY, *UNAVAILABLE, OvertakenError), self._failed)
        self._ahead: deque[Ahead] = deque()

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
            await self._start_over()
            return self._interval
        return 0.0 if await self.publish() else self._interval

    async def _failed(self) -> None:
        EVENTS_PUBLISH_FAILURES.inc()
        await self._start_over()

    async def _start_over(self) -> None:
        """Go by the position that is kept: another leader may have published more than this one knows of."""
        await self._drop_ahead()
        self._reader.start_over(leads=self._leadership.is_held)

    async def publish(self) -> bool:
        """Publish the next page; return whether there are more to come at once: few are published together.

        Raises one of AWAY or UNAVAILABLE, or OvertakenError; the pages ahead are of no use then.
        """
        ready = await self._next()
        if ready is None:
            return False
        page, records = ready
        if page.is_full:
            self._look_ahead(page)
        if refused := await self._producer.publish(records):
            await self._set_aside(page, refused)
        await self._reader.done(page)
        return page.is_full

    async def _next(self) -> Ready | None:
        if self._ahead:
            ready = await self._ahead[0].ready
            if ready is not None:
                self._ahead.popleft()
                return ready
            await self._drop_ahead()
        return await self._prepared(await self._reader.next_page())

    def _look_ahead(self, page: Page) -> None:
        """Begin with the pages after one that is to be published, up to a number of them.

        Ranks of a page may so be older than those of the page before it. Whoever has moved himself meanwhile has an
        event further on, whose ranks are read when the boards have followed it.
        """
        while len(self._ahead) < PAGES_AHEAD:
            before = self._ahead[-1].page if self._ahead else page
            following = asyncio.create_task(self._following(before))
            self._ahead.append(Ahead(following, asyncio.create_task(self._prepared(following))))

    async def _following(self, before: Page | asyncio.Task[Page | None]) -> Page | None:
        page = before if isinstance(before, Page) else await before
        return await self._reader.page_after(page) if page is not None and page.is_full else None

    async def _prepared(self, found: Page | asyncio.Task[Page | None] | None) -> Ready | None:
        """Return a page with its records; None if there is nothing, or nothing yet, to publish."""
        page = await found if isinstance(found, asyncio.Task) else found
        if page is None:
            return None
        ranks = await self._ranks.by_board(page.user_nos) if page.ranked else None
        if ranks is None and self._reader.may_wait(page):
            return None  # the boards are being filled; a moment later there may be ranks to tell
        return Ready(page, await self._records(page, None if ranks is None else standings_of(ranks)))

    async def _drop_ahead(self) -> None:
        """Forget what was made ready: it does not follow what was published."""
        tasks = [task for ahead in self._ahead for task in ahead]
        self._ahead.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

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

    async def _set_aside(self, page: Page, refused: Sequence[Record]) -> None:
        origins = origins_of(page.events)
        for record in refused:
            log.warning("events.set_aside", event_id=record.id, error="too large for Kafka")
            event = origins[record.topic, record.id]
            await self._reader.set_aside(event, f"{record.topic}: too large for Kafka")
