"""The whole comparison: what VerifyIntegrity, the nightly job and `laurel verify` do."""

from laurel_server.domain.views import Check
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.verify import verify_boards
from laurel_server.postgres.pool import Pool
from laurel_server.redis.connection import RedisConnection
from laurel_server.rewards.explaining import Explaining
from laurel_server.rewards.findings import Progress, unnoticed
from laurel_server.rewards.verify import verify_ledger
from laurel_server.rewards.verify_chain import verify_chain


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
    if scope in {"", "chain"}:
        checks += await verify_chain(pool, progress)
    if scope in {"", "boards"}:
        checks += await verify_boards(pool, redis, catalogue, progress)
    return checks
