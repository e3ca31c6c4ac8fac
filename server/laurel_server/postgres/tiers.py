"""Tiers of users between rows and domain objects."""

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from laurel_server.domain.tiers import Tier
from laurel_server.postgres.pool import Connection, Pool
from laurel_server.postgres.sql import load


class TierRow(NamedTuple):
    """A user's tier, since when he is in it, and what he has earned over his life."""

    user_no: int
    tier: Tier
    since: datetime
    lifetime_points: int


async def read_tier(pool: Pool, user_id: str) -> TierRow | None:
    """Return the tier of a user; None if he is unknown."""
    row = await pool.fetchrow(load("tiers_read"), user_id)
    return (
        None
        if row is None
        else TierRow(row["user_no"], Tier(row["tier"]), row["since"], row["lifetime_points"])
    )


class Reviewed(NamedTuple):
    """What a review looks at of a user; `at_risk_since` is when one first saw that his points do not reach his tier."""

    user_no: int
    user_id: str
    tier: Tier
    lifetime_points: int
    at_risk_since: datetime | None


async def read_windows(
    connection: "Connection | Pool", user_nos: Collection[int], since: int
) -> dict[int, int]:
    """Return what users, who are known, had earned before the window that begins with the transaction id `since`."""
    earned: dict[int, int] = {}
    while unread := [user_no for user_no in user_nos if user_no not in earned]:
        rows = await connection.fetch(load("tiers_windows"), unread, since)
        earned |= {row["user_no"]: row["earned_before"] for row in rows}
    return earned


async def write_windows(connection: Connection, earned_before: Mapping[int, int]) -> None:
    """Keep what users had earned before the window, by number; `read_windows` has read it in the same transaction."""
    await connection.execute(load("tiers_write_windows"), list(earned_before), list(earned_before.values()))


async def scan_tiers(pool: Pool, chunk: int, lowest_threshold: int) -> AsyncIterator[list[Reviewed]]:
    """Yield the users who may be in another tier than the first, in chunks by number."""
    after = 0
    while rows := await pool.fetch(load("tiers_scan"), after, chunk, lowest_threshold):
        yield [
            Reviewed(
                row["user_no"],
                row["user_id"],
                Tier(row["tier"]),
                row["lifetime_points"],
                row["at_risk_since"],
            )
            for row in rows
        ]
        after = rows[-1]["user_no"]


async def note_risk(pool: Pool, user_nos: Collection[int], now: datetime) -> None:
    """Note users whose points do not reach their tier any more."""
    await pool.execute(load("tiers_note_risk"), list(user_nos), now)


async def forget_risk(pool: Pool, user_nos: Collection[int]) -> None:
    """Forget that users were at risk."""
    await pool.execute(load("tiers_forget_risk"), list(user_nos))
