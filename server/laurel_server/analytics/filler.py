"""Fills ClickHouse: once with the whole ledger, then with what events say is new."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

import structlog

from laurel_server.analytics.engine import AWAY
from laurel_server.analytics.news import News, news_of
from laurel_server.analytics.store import EntryFact, RankFact, ResultFact, Store, TierChangeFact
from laurel_server.domain.ledger import BoardRank
from laurel_server.events.outbox import UNREADABLE
from laurel_server.events.relay import READER as RELAY
from laurel_server.events.source import Heard, Polled, SetAside
from laurel_server.events.topics import (
    LEADERBOARD_UPDATED,
    PERIOD_CLOSED,
    REWARDS_CHANGED,
    REWARDS_EARNED,
    TIER_CHANGED,
)
from laurel_server.postgres.facts import (
    latest_ranks,
    numbers_of,
    read_facts,
    read_results,
    scan_facts,
    scan_ranks,
)
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.outbox import count_gaps
from laurel_server.postgres.pool import Pool

log = structlog.get_logger()

READER: Final = "analytics"
"""The name of the consumer."""
LOOK_AGAIN_ROUNDS: Final = 50
"""Rounds after which it is looked whether ClickHouse still has what was written, and whether days are missing."""


class RankReader(Protocol):
    """Where users stand now."""

    async def everywhere(self, user_nos: Collection[int]) -> dict[str, Sequence[BoardRank]] | None:
        """Return present ranks by user id, on points and score boards; None while some are being rebuilt."""


class Filler:
    """The consumer that writes to ClickHouse. The leading server writes what the ledger already has."""

    name = READER
    topics = (REWARDS_EARNED, REWARDS_CHANGED, LEADERBOARD_UPDATED, TIER_CHANGED, PERIOD_CLOSED)
    away = AWAY

    def __init__(
        self,
        pool: Pool,
        leadership: Leadership,
        ranks: RankReader,
        store: Store,
        now: Callable[[], datetime],
    ) -> None:
        self._pool = pool
        self._leadership = leadership
        self._ranks = ranks
        self._store = store
        self._now = now
        self._rounds = 0

    async def prepare(self) -> bool:
        """Write the whole ledger if ClickHouse does not have it or has missed events; False: another server does.

        Raises one of AWAY or UNAVAILABLE, and then begins again.
        """
        if self._rounds % LOOK_AGAIN_ROUNDS == 0 and not await self._is_whole():
            return False
        self._rounds += 1
        return True

    def forget_all(self) -> None:
        """It remembers nobody."""

    async def handle(self, polled: Polled, set_aside: SetAside) -> None:
        """Write what is new. What is written twice is there once."""
        try:
            await self._write(polled, set_aside)
        except AWAY:
            self._rounds = 0  # perhaps ClickHouse comes back empty
            raise

    async def backfill(self) -> int:
        """Write the whole ledger and return how many entries that were; awards go on meanwhile."""
        gaps, written = await self._gaps(), 0
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
        await self._store.note_filled(self._now(), written, gaps)
        log.info("analytics.filled", entries=written)
        return written

    async def _is_whole(self) -> bool:
        leads = await self._leadership.held()
        if leads:
            await self._store.make_tables()
        elif not await self._store.is_made():
            return False
        if await self._store.gaps_when_filled() != await self._gaps():
            if not leads:
                return False
            await self.backfill()
        if leads:
            await self._write_days()
        return True

    async def _gaps(self) -> int:
        """Return how often events have been dropped on their way here; it only grows."""
        return await count_gaps(self._pool, (READER, RELAY))

    async def _write_days(self) -> None:
        """Write where everybody stood at the ends of days that ClickHouse does not have yet."""
        latest = await latest_ranks(self._pool)
        written = await self._store.days_until()
        if latest is None or (written is not None and latest <= written):
            return
        async for rows in scan_ranks(self._pool, written, latest):
            await self._store.add_ranks([RankFact(*row) for row in rows])
        await self._store.note_days(latest)

    async def _write(self, polled: Polled, set_aside: SetAside) -> None:
        news = [each for heard in polled.events if (each := await self._read(heard, set_aside)) is not None]
        tiers = {each.transaction_id: each.tier for each in news if each.transaction_id}
        rows = await read_facts(self._pool, tiers) if tiers else []
        await self._store.add_entries(
            [_entry(row)._replace(tier=tiers[row["transaction_id"]]) for row in rows]
        )
        changes, moved = [each for each in news if each.change], {each.moved for each in news} - {""}
        unnumbered = {each.change.user_id for each in changes if each.change and not each.user_no}
        numbers = await numbers_of(self._pool, unnumbered | moved)
        await self._store.add_tier_changes(
            [
                TierChangeFact(change.changed_at, user_no, change.from_tier.name, change.to_tier.name)
                for each in changes
                if (change := each.change) and (user_no := each.user_no or numbers.get(change.user_id))
            ]
        )
        if polled.ranked and moved:
            found = {user_id: number for user_id, number in numbers.items() if user_id in moved}
            await self._store.add_ranks(await self._rank_facts(found))
        if closed := [each.closed for each in news if each.closed]:
            results = await read_results(self._pool, closed)
            await self._store.add_results([ResultFact(*row) for row in results])

    async def _read(self, heard: Heard, set_aside: SetAside) -> News | None:
        try:
            return news_of(heard.body)
        except UNREADABLE as error:
            log.warning("analytics.set_aside", event_id=heard.id, error=repr(error))
            await set_aside(heard, error)
            return None

    async def _rank_facts(self, numbers: Mapping[str, int]) -> list[RankFact]:
        """Return where the users stand now: ranks of the past are gone."""
        ranks = await self._ranks.everywhere(frozenset(numbers.values()))
        now = self._now()
        return [
            RankFact(numbers[user_id], *rank.board, now, rank.rank, rank.score, rank.total)
            for user_id, places in (ranks or {}).items()
            if user_id in numbers
            for rank in places
        ]


def _entry(row: Iterable[Any]) -> EntryFact:
    return EntryFact(*tuple(row)[: len(EntryFact._fields)])
