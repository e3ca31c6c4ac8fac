"""The ledger compared with itself, in chunks of users."""

from collections.abc import Sequence
from typing import NamedTuple

from laurel_server.domain.tiers import DEFAULT_TIERS
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.sql import load


class Bounds(NamedTuple):
    """The numbers of all users who are mentioned anywhere lie in `[low, high)`; `users` counts those who exist."""

    low: int
    high: int
    users: int


class Difference(NamedTuple):
    """What the named check found for one user, `what` of his, and what it should have found."""

    check: str
    user_id: str
    what: str
    found: str
    expected: str

    def __str__(self) -> str:
        """Return it in words."""
        whose = f"{self.user_id}, {self.what}" if self.what else self.user_id
        return f"{whose}: {self.found} instead of {self.expected}"


class Strays(NamedTuple):
    """What fits no entry, in words, among `rows` that were looked at; `last` None: none were left."""

    last: int | None
    rows: int
    strays: Sequence[str]


async def bounds_of_users(pool: Pool) -> Bounds:
    """Return whom to compare."""
    return Bounds(*(await pool.fetch(load("verify_bounds")))[0])


async def differences(pool: Pool, start: int, end: int) -> list[Difference]:
    """Return what is not equal and must be, for the users numbered `[start, end)`."""
    thresholds = [step.threshold for step in DEFAULT_TIERS]
    rows = [
        *await pool.fetch(load("verify_ledger"), start, end),
        *await pool.fetch(load("verify_lots"), start, end),
        *await pool.fetch(load("verify_tiers"), start, end, thresholds),
    ]
    return [Difference(*row) for row in rows]


async def strays_after(pool: Pool, after: int, limit: int) -> Strays:
    """Return which of the next debits and reversals, those behind entry `after`, belong to no entry."""
    return Strays(*(await pool.fetch(load("verify_strays"), after, limit))[0])


async def outbox_after(pool: Pool, after: int, limit: int) -> Strays:
    """Return where the outbox tells something else than the entries of the next batches, those behind batch `after`."""
    return Strays(*(await pool.fetch(load("verify_outbox"), after, limit))[0])


async def answers_of(pool: Pool, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return the outcomes that are kept under these keys."""
    return {row["key"]: row["outcome"] for row in await pool.fetch(load("verify_answers"), keys)}


async def answered_since(pool: Pool) -> int | None:
    """Return the batch since which every answer is kept; None where none is that young."""
    batch_no: int | None = await pool.fetchval(load("verify_answered_since"))
    return batch_no
