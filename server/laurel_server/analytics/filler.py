"""Fills ClickHouse: once with the whole ledger, then with what the outbox says is new."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

import structlog

from laurel_server.analytics.engine import AWAY
from laurel_server.analytics.news import News, news_of
from laurel_server.analytics.store import EntryFact, RankFact, ResultFact, Store, TierChangeFact
from laurel_server.domain.ledger import BoardRank
from laurel_server.domain.tiers import TierChange
from laurel_server.events.outbox import UNREADABLE, OutboxEvent, OutboxReader, Page
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.facts import number_of, read_facts, read_results, scan_facts
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.pool import Pool

log = structlog.get_logger()

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
            await self._store.add_entries([_entry(row) for row in rows])
            await self._store.add_tier_changes(
                [
                    TierChangeFact(row["recorded_at"], row["user_no"], row["tier_before"], row["tier"])
                    for row in rows
                    if row["tier"] != row["tier_before"]
                ]
            )
            written += len(rows)
        await self._store.add_results([ResultFact(*row) for row in await read_results(self._pool, None)])
        await self._store.note_filled(self._now(), written)
        log.info("analytics.filled", entries=written)
        return written

    async def _write(self, page: Page) -> None:
        news = [each for event in page.events if (each := await self._read(event)) is not None]
        tiers = {each.transaction_id: each.tier for each in news if each.transaction_id}
        rows = await read_facts(self._pool, tiers)
        await self._store.add_entries(
            [_entry(row)._replace(tier=tiers[row["transaction_id"]]) for row in rows]
        )
        numbers = {row["user_id"]: row["user_no"] for row in rows}
        await self._write_changes([each.change for each in news if each.change], numbers)
        await self._store.add_ranks(await self._rank_facts(page, numbers))
        if closed := [each.closed for each in news if each.closed]:
            results = await read_results(self._pool, closed)
            await self._store.add_results([ResultFact(*row) for row in results])

    async def _write_changes(self, changes: Sequence[TierChange], numbers: Mapping[str, int]) -> None:
        facts: list[TierChangeFact] = []
        for change in changes:
            number = numbers.get(change.user_id) or await number_of(self._pool, change.user_id)
            if number is not None:
                tiers = change.from_tier.name, change.to_tier.name
                facts.append(TierChangeFact(change.changed_at, number, *tiers))
        await self._store.add_tier_changes(facts)

    async def _read(self, event: OutboxEvent) -> News | None:
        try:
            return news_of(event.body)
        except UNREADABLE as error:
            log.warning("analytics.set_aside", event_id=event.id, error=repr(error))
            await self._reader.set_aside(event, repr(error))
            return None

    async def _rank_facts(self, page: Page, numbers: Mapping[str, int]) -> list[RankFact]:
        """Return where the users of the page stand now: ranks of the past are gone."""
        ranks = await self._ranks.of(page.user_nos) if page.ranked and numbers else None
        now = self._now()
        return [
            RankFact(numbers[user_id], *rank.board, now, rank.rank, rank.score, rank.total)
            for user_id, places in (ranks or {}).items()
            if user_id in numbers
            for rank in places
        ]


def _entry(row: Iterable[Any]) -> EntryFact:
    return EntryFact(*tuple(row)[: len(EntryFact._fields)])
