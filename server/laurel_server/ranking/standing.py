"""What a user has reached so far."""

from laurel_server.domain.errors import user_not_found
from laurel_server.domain.tiers import TierStatus, tier_status
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.postgres.tiers import read_tier


class Standing:
    """Reads tiers from the ledger, so that they are always current. Each read is one round trip."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def tier(self, user_id: str) -> TierStatus:
        """Return the user's tier and what is missing to the next. USER_NOT_FOUND."""
        async with ledger_errors():
            row = await read_tier(self._pool, user_id)
        if row is None:
            raise user_not_found(user_id)
        return tier_status(row.tier, row.lifetime_points, row.since, None)
