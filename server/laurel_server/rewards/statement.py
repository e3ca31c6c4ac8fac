"""What a user has and how he came to it: balances and entries."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from laurel_server.domain.clock import Clock, moment_after
from laurel_server.domain.errors import transaction_not_found, user_not_found
from laurel_server.domain.ledger import ExpiringPoints, LedgerEntry, Rewards
from laurel_server.postgres import entries
from laurel_server.postgres.lookups import Lookups
from laurel_server.postgres.pool import Pool, ledger_errors

MAX_EXPIRING_LOTS = 10_000
"""Lots that one answer lists."""


class Statement:
    """Reads balances and entries from the ledger itself, so that they are always current."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._entries = Lookups[entries.StoredEntry](partial(entries.read_entries, pool))

    async def rewards(self, user_id: str, as_of: datetime | None = None) -> Rewards:
        """Return the user's balances, now or after all that was recorded up to `as_of`. USER_NOT_FOUND."""
        now = self._clock.now()
        async with ledger_errors():
            if as_of is None or as_of >= now:
                found = (await entries.read_rewards(self._pool, [user_id], now)).get(user_id)
            else:
                found = await entries.read_rewards_as_of(self._pool, user_id, as_of)
        if found is None:
            raise user_not_found(user_id)
        return found

    async def rewards_of(self, user_ids: Collection[str]) -> Mapping[str, Rewards]:
        """Return the balances now of those users who are known, by user id; all of one moment."""
        async with ledger_errors():
            return await entries.read_rewards(self._pool, user_ids, self._clock.now())

    async def expiring(self, user_id: str, within: timedelta | None) -> ExpiringPoints:
        """Return what the user loses within that time, or ever, unless he spends it. USER_NOT_FOUND."""
        now = self._clock.now()
        until = None if within is None else moment_after(now, within)
        async with ledger_errors():
            found = await entries.list_expiring(self._pool, user_id, now, until, MAX_EXPIRING_LOTS)
            if not found.lots and not await entries.user_exists(self._pool, user_id):
                raise user_not_found(user_id)
        return found

    async def transaction(self, transaction_id: int) -> LedgerEntry:
        """Return one entry. TRANSACTION_NOT_FOUND."""
        return (await self.stored(transaction_id)).entry

    async def stored(self, transaction_id: int) -> entries.StoredEntry:
        """Return one entry with what it was made from. TRANSACTION_NOT_FOUND."""
        async with ledger_errors():
            found = await self._entries.find(transaction_id)
        if found is None:
            raise transaction_not_found(transaction_id)
        return found

    async def transactions(
        self,
        user_id: str,
        actions: Sequence[str],
        from_time: datetime | None,
        to_time: datetime | None,
        before: int | None,
        limit: int,
    ) -> list[LedgerEntry]:
        """Return up to `limit` entries, newest first, with ids below `before`. USER_NOT_FOUND.

        New entries have higher ids, so that a walk from page to page repeats and skips nothing.
        """
        async with ledger_errors():
            page = await entries.list_entries(self._pool, user_id, actions, from_time, to_time, before, limit)
            if not page and not await entries.user_exists(self._pool, user_id):
                raise user_not_found(user_id)
        return page
