"""The ground that all parts of a server process stand on: settings, engines, clock and rules."""

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from laurel_server.domain.clock import Clock, SandboxClock, SystemClock
from laurel_server.domain.periods import parse_period_id
from laurel_server.domain.tiers import LIFETIME, TierPolicy
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.postgres.pool import LaneConnection, Pool, connect_lane, create_pool
from laurel_server.postgres.turns import REBUILD, Turns
from laurel_server.redis.connection import RedisConnection, connection
from laurel_server.rewards.rule_book import RuleBook
from laurel_server.runtime.config import Settings
from laurel_server.runtime.sandbox import StoredClock


@dataclass(slots=True, frozen=True)
class Ground:
    """What everything else stands on."""

    settings: Settings
    pg_dsn: str
    pool: Pool
    redis: RedisConnection
    catalogue: Catalogue
    turns: Turns
    zone: ZoneInfo
    sandbox: StoredClock | None
    clock: Clock
    tier_policy: TierPolicy
    rule_book: RuleBook

    async def connect(self) -> LaneConnection:
        """Open a connection for a lane of the group commit."""
        return await connect_lane(self.pg_dsn, self.settings.ledger.statement_timeout_seconds)

    def is_open(self, period_id: str) -> bool:
        """Tell whether awards still count in the period."""
        period = parse_period_id(period_id, self.zone)
        return period.open_at(self.clock.now(), self.settings.program.grace)


async def lay_ground(settings: Settings, pg_dsn: str, redis_url: str) -> Ground:
    """Connect, and read the clock and the rules. Raises one of `postgres.errors.UNAVAILABLE` without a ledger."""
    ledger = settings.ledger
    pool = await create_pool(pg_dsn, ledger.pool_min, ledger.pool_max, ledger.statement_timeout_seconds)
    redis = connection(
        redis_url, settings.boards.read_timeout_ms / 1000, cluster=settings.boards.redis_cluster
    )
    catalogue, zone = Catalogue(), ZoneInfo(settings.program.time_zone)
    sandbox, tier_policy = await _sandbox(settings, pool), _tier_policy(settings)
    clock: Clock = sandbox or SystemClock()
    rule_book = RuleBook(pool, clock, catalogue, zone, settings.program.grace, tier_policy)
    await rule_book.seed()
    turns = Turns(pool, REBUILD)
    return Ground(
        settings, pg_dsn, pool, redis, catalogue, turns, zone, sandbox, clock, tier_policy, rule_book
    )


async def _sandbox(settings: Settings, pool: Pool) -> StoredClock | None:
    if not settings.sandbox.enabled:
        return None
    clock = StoredClock(pool, SandboxClock())
    await clock.restore(settings.sandbox.now)
    return clock


def _tier_policy(settings: Settings) -> TierPolicy:
    tiers = settings.tiers
    if tiers.policy == "lifetime":
        return LIFETIME
    return TierPolicy(tiers.window_months, timedelta(days=tiers.grace_days))
