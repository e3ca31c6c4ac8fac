"""The ledger compared with itself, in chunks of users."""

from collections.abc import AsyncIterator
from typing import NamedTuple

from laurel_server.postgres.pool import Pool
from laurel_server.postgres.sql import load

CHUNK = 5000
"""Users compared in one statement: short enough not to hold back vacuum or a migration."""


class Difference(NamedTuple):
    """What the named check found for one user, and what it should have found."""

    check: str
    user_id: str
    found: int
    expected: int


async def count_users(pool: Pool) -> int:
    """Return how many users the ledger has."""
    users: int = (await pool.fetch(load("verify_bounds")))[0]["users"]
    return users


async def differences(pool: Pool) -> AsyncIterator[Difference]:
    """Yield what is not equal and must be."""
    bounds = (await pool.fetch(load("verify_bounds")))[0]
    for start in range(bounds["low"] or 0, bounds["high"] or 0, CHUNK):
        for row in await pool.fetch(load("verify_ledger"), start, start + CHUNK):
            yield Difference(*row)
