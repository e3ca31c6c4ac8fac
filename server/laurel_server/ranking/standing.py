"""What a user has reached so far."""

from laurel_server.domain.clock import Clock
from laurel_server.domain.errors import user_not_found
from laurel_server.domain.identifiers import transaction_id
from laurel_server.domain.tiers import TierPolicy, TierStatus, tier_status
from laurel_server.postgres.jobs import covered_until
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.postgres.tiers import read_tier, read_windows


class Standing:
    """Reads tiers from the ledger, so that they are always current. Each read is two round trips."""

    def __init__(self, pool: Pool, clock: Clock, policy: TierPolicy) -> None:
        self._pool = pool
        self._clock = clock
        self._policy = policy

    async def tier(self, user_id: str) -> TierStatus:
        """Return the user's tier and what is missing to the next. USER_NOT_FOUND."""
        now = self._clock.now()
        async with ledger_errors():
            row = await read_tier(self._pool, user_id)
            reviewed_at = await covered_until(self._pool, "review_tiers", now)
        if row is None:
            raise user_not_found(user_id)
        points = row.lifetime_points
        start = self._policy.window_start(now)
        if start is not None:
            async with ledger_errors():
                earned = await read_windows(self._pool, [row.user_no], transaction_id(start, 0))
            points -= earned[row.user_no]
        return tier_status(row.tier, points, row.since, reviewed_at)
