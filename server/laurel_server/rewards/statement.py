"""What a user has and how he came to it: balances and entries."""

from collections.abc import Sequence
from datetime import datetime

from laurel_server.domain.clock import Clock
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import LedgerEntry, Rewards
from laurel_server.postgres import entries
from laurel_server.postgres.pool import Pool, ledger_errors

AFTER_ALL = (1 << 63) - 1
"""Above every transaction id."""


class Statement:
    """Reads balances and entries from the ledger itself, so that they are always current."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def rewards(self, user_id: str) -> Rewards:
        """Return the user's balances now. USER_NOT_FOUND."""
        async with ledger_errors():
            found = await entries.read_rewards(self._pool, [user_id], self._clock.now())
        if user_id not in found:
            raise user_not_found(user_id)
        return found[user_id]

    async def transaction(self, transaction_id: int) -> LedgerEntry:
        """Return one entry. TRANSACTION_NOT_FOUND."""
        async with ledger_errors():
            found = await entries.read_entries(self._pool, [transaction_id])
        if transaction_id not in found:
            raise LaurelError(
                Reason.TRANSACTION_NOT_FOUND,
                "no such transaction",
                metadata={"transaction_id": str(transaction_id)},
            )
        return found[transaction_id].entry

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
            page = await entries.list_entries(
                self._pool,
                user_id,
                actions,
                from_time,
                to_time,
                AFTER_ALL if before is None else before,
                limit,
            )
            if not page and not await entries.user_exists(self._pool, user_id):
                raise user_not_found(user_id)
        return page


def user_not_found(user_id: str) -> LaurelError:
    """Return the error for a user that the ledger does not know."""
    return LaurelError(Reason.USER_NOT_FOUND, f"no user {user_id}", metadata={"user_id": user_id})
