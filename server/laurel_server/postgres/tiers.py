"""Tiers of users between rows and domain objects."""

from datetime import datetime
from typing import NamedTuple

from laurel_server.domain.tiers import Tier
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.sql import load


class TierRow(NamedTuple):
    """A user's tier, since when he is in it, and what he has earned over his life."""

    tier: Tier
    since: datetime
    lifetime_points: int


async def read_tier(pool: Pool, user_id: str) -> TierRow | None:
    """Return the tier of a user; None if he is unknown."""
    row = await pool.fetchrow(load("tiers_read"), user_id)
    return None if row is None else TierRow(Tier(row["tier"]), row["since"], row["lifetime_points"])
