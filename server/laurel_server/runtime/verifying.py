"""The whole comparison: what VerifyIntegrity, the nightly job and `laurel verify` do."""

import asyncio
from time import monotonic
from typing import Final

from laurel_server.domain.views import Check
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.verify import verify_boards
from laurel_server.postgres.pool import Pool
from laurel_server.redis.connection import RedisConnection
from laurel_server.rewards.explaining import Explaining
from laurel_server.rewards.findings import Progress, unnoticed
from laurel_server.rewards.verify import verify_ledger
from laurel_server.rewards.verify_chain import verify_chain
from laurel_server.rewards.verify_records import verify_records

CALM: Final = 3
"""A comparison that nobody waits for pauses so many times as long as it works: the service has better things to do."""

LONGEST_PAUSE_SECONDS: Final = 1.0


class Pauses:
    """Progress that lets a comparison go on after a pause."""

    def __init__(self) -> None:
        self._since = monotonic()

    async def __call__(self, _part: str, _more: int, _total: int) -> None:
        """Pause in proportion to the time since the last pause."""
        await asyncio.sleep(min(CALM * (monotonic() - self._since), LONGEST_PAUSE_SECONDS))
        self._since = monotonic()


async def verify(
    pool: Pool, redis: RedisConnection, catalogue: Catalogue, scope: str, progress: Progress = unnoticed
) -> list[Check]:
    """Compare what must be equal in `ledger`, `chain` or `boards`, "" for all, while the service goes on.

    It goes in chunks: each is one short statement, or some milliseconds of computing. LEDGER_UNAVAILABLE,
    BOARDS_REBUILDING.
    """
    checks: list[Check] = []
    if scope in {"", "ledger"}:
        checks += await verify_ledger(pool, progress)
        checks.append(await Explaining(pool).verify(progress))
        checks += await verify_records(pool, progress)
    if scope in {"", "chain"}:
        checks += await verify_chain(pool, progress)
    if scope in {"", "boards"}:
        checks += await verify_boards(pool, redis, catalogue, progress)
    return checks
