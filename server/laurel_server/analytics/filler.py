"""Fills ClickHouse: once with the whole ledger, then with what the outbox says is new."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

import structlog

from laurel_server.analytics.engine import AWAY
from laurel_server.analytics.store import EntryFact, RankFact, Store, TierChangeFact
from laurel_server.domain.ledger import BoardRank
from laurel_server.events.outbox import UNREADABLE, OutboxEvent, OutboxReader, Page
from laurel_server.events.topics import ENTRY_EVENTS, TIER_CHANGED
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.facts import read_facts, scan_facts
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.pool import Pool

log = structlog.get_logger()

READER: Final = "analytics"
"""The name as a reader of the outbox."""
WAIT_SECONDS: Final = 0.2
AWAY_SECONDS: Final = 2.0
LOOK_AGAIN_ROUNDS: Final = 50
"""Rounds without news after which it is looked whether ClickHouse still has what was written."""


class RankReader(Protocol):
    """Where users stand now."""

    async def of(self, user_nos: Collection[int]) -> dict[str, Sequence[BoardRank]] | None:
        """Return present ranks by user id; None while the boards are being rebuilt."""


class Filler:
    """The loop of the leading server."""

    def __init__(
        self,
        pool: Pool,
        leadership: Leadership,
        reader: OutboxReader,
        ranks: RankReader,
        store: Store,
        now: Callable[[], datetime],
    ) -> None:
        self._pool = pool
        self._leadership = leadership
        self._reader = reader
        self._ranks = ranks
        self._store = store
        self._now = now
        self._is_filled = False
        self._idle = 0

    async def run(self) -> None:
        """Fill until cancelled."""
        while True:
            seconds = await self._round()
            await asyncio.sleep(seconds)

    async def _round(self) -> float:
        try:
            if not await self._leadership.held():
                self._reader.start_over()
                return WAIT_SECONDS
            return 0.0 if await self.fill() else WAIT_SECONDS
        except (*AWAY, *UNAVAILABLE) as away:
            log.warning("analytics.postponed", error=f"{type(away).__name__}: {away}"[:300])
        except Exception:  # without this loop trends would end here
            log.exception("analytics.failed")
        self._is_filled = False  # perhaps ClickHouse came back empty
        return AWAY_SECONDS

    async def fill(self) -> bool:
        """Write the next page of the outbox, the first time the whole ledger; return whether there was anything.

        Raises one of AWAY or UNAVAILABLE, and then repeats.
        """
        if not self._is_filled:
            await self._store.make_tables()
            if not await self._store.is_filled():
                await self.backfill()
            self._is_filled = True
        page = await self._reader.next_page()
        if page is None:
            self._idle += 1
            self._is_filled = self._idle % LOOK_AGAIN_ROUNDS != 0
            return False
        await self._write(page)
        await self._reader.done(page)
        return True

    async def backfill(self) -> int:
        """Write the whole ledger and return how many entries that were; awards go on meanwhile."""
        written = 0
        async for rows in scan_facts(self._pool):
            entries = [EntryFact(*row[: len(EntryFact._fields)]) for row in map(tuple, rows)]
            await self._store.add_entries(entries)
            await self._store.add_tier_changes(
                [
                    TierChangeFact(entry.recorded_at, entry.user_id, row["tier_before"], entry.tier)
                    for entry, row in zip(entries, rows, strict=True)
                    if entry.tier != row["tier_before"]
                ]
            )
            written += len(entries)
        await self._store.note_filled(self._now(), written)
        log.info("analytics.filled", entries=written)
        return written

    async def _write(self, page: Page) -> None:
        news = [each for event in page.events if (each := await self._read(event)) is not None]
        tiers = {each.transaction_id: each.tier for each in news if each.transaction_id}
        facts = [
            EntryFact(*row)._replace(tier=tiers[row["transaction_id"]])
            for row in await read_facts(self._pool, tiers)
        ]
        await self._store.add_entries(facts)
        await self._store.add_tier_changes([each.tier_change for each in news if each.tier_change])
        await self._store.add_ranks(await self._rank_facts(page, facts))

    async def _read(self, event: OutboxEvent) -> "News | None":
        try:
            return _news(event.body)
        except UNREADABLE as error:
            log.warning("analytics.set_aside", event_id=event.id, error=repr(error))
            await self._reader.set_aside(event, repr(error))
            return None

    async def _rank_facts(self, page: Page, facts: Sequence[EntryFact]) -> list[RankFact]:
        """Return where the users who had an entry in the page stand now: ranks of the past are gone."""
        moved = {fact.user_id for fact in facts}
        ranks = await self._ranks.of(page.user_nos) if page.ranked and moved else None
        now = self._now()
        return [
            RankFact(user_id, *rank.board, now, rank.rank, rank.score, rank.total)
            for user_id, places in (ranks or {}).items()
            if user_id in moved
            for rank in places
        ]


class News(NamedTuple):
    """What an event says: the entry it is about (0: none), the tier after it, and a change of tier."""

    transaction_id: int
    tier: str
    tier_change: TierChangeFact | None


def _news(body: Mapping[str, Any]) -> News | None:
    """Return what an event says that is of interest here. One of UNREADABLE."""
    if body["type"] == TIER_CHANGED:
        moment = datetime.fromisoformat(body["changed_at"])
        change = TierChangeFact(moment, body["user_id"], body["from_tier"], body["to_tier"])
        return News(0, body["to_tier"], change)
    if body["type"] not in ENTRY_EVENTS:
        return None
    moment, before, after = datetime.fromisoformat(body["recorded_at"]), body["tier_before"], body["tier"]
    promoted = TierChangeFact(moment, body["user_id"], before, after) if before != after else None
    return News(int(body["transaction_id"]), after, promoted)
