"""The ledger compared with itself, in chunks of users."""

from typing import NamedTuple

from laurel_server.postgres.pool import Pool
from laurel_server.postgres.sql import load


class Bounds(NamedTuple):
    """The numbers of all users who are mentioned anywhere lie in `[low, high)`; `users` counts those who exist."""

    low: int
    high: int
    users: int


class Difference(NamedTuple):
    """What the named check found for one user, and what it should have found."""

    check: str
    user_id: str
    found: int
    expected: int


async def bounds_of_users(pool: Pool) -> Bounds:
    """Return whom to compare."""
    return Bounds(*(await pool.fetch(load("verify_bounds")))[0])


async def differences(pool: Pool, start: int, end: int) -> list[Difference]:
    """Return what is not equal and must be, for the users numbered `[start, end)`."""
    return [Difference(*row) for row in await pool.fetch(load("verify_ledger"), start, end)]
