"""The one place that makes the parts of a server process and joins them."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from laurel_server.analytics.trends import Trends
from laurel_server.domain.clock import Clock, SandboxClock, SystemClock
from laurel_server.domain.periods import parse_period_id
from laurel_server.domain.tiers import LIFETIME, TierPolicy
from laurel_server.events.preferences import NotificationPreferences
from laurel_server.jobs.award_badges import award_badges
from laurel_server.jobs.birthday_bonus import birthday_bonus
from laurel_server.jobs.close_periods import close_periods
from laurel_server.jobs.expire_points import expire_points
from laurel_server.jobs.housekeeping import housekeeping
from laurel_server.jobs.job import Job
from laurel_server.jobs.make_partitions import make_partitions
from laurel_server.jobs.review_tiers import review_tiers
from laurel_server.jobs.runner import JobRunner
from laurel_server.jobs.snapshot_ranks import snapshot_ranks
from laurel_server.jobs.verify import verify
from laurel_server.leaderboards.administration import BoardAdministration
from laurel_server.leaderboards.archive import Archive
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.fill_turns import FillTurns
from laurel_server.leaderboards.live.hub import Hub
from laurel_server.leaderboards.live.ports import Pace
from laurel_server.leaderboards.present import PresentRanks
from laurel_server.leaderboards.profile_cache import ProfileCache
from laurel_server.leaderboards.projection import Projection
from laurel_server.leaderboards.queries import BoardQueries
from laurel_server.leaderboards.reading import BoardScripts
from laurel_server.leaderboards.rebuild import Rebuild
from laurel_server.leaderboards.registry import BoardRegistry
from laurel_server.leaderboards.repair import Confirmations, Repair
from laurel_server.leaderboards.score_batch import ScoreWriter
from laurel_server.leaderboards.scores import Scores
from laurel_server.periods.close import PeriodClose
from laurel_server.periods.history import PeriodHistory
from laurel_server.periods.ranks import RankHistory
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.leases import Leases
from laurel_server.postgres.pool import LaneConnection, Pool, connect_lane, create_pool
from laurel_server.ranking.badges import Badges
from laurel_server.ranking.feed import AchievementFeed
from laurel_server.ranking.standing import Standing
from laurel_server.ranking.tier_review import TierReview
from laurel_server.redis.connection import RedisConnection, connection
from laurel_server.redis.signals import ProfileSignals, Signals
from laurel_server.rewards.birthdays import Birthdays
from laurel_server.rewards.commands import Commands
from laurel_server.rewards.corrections import Corrections
from laurel_server.rewards.expiry import Expiry
from laurel_server.rewards.explaining import Explaining
from laurel_server.rewards.holds import Holds
from laurel_server.rewards.ledger_batch import LedgerWriter
from laurel_server.rewards.rule_book import RuleBook
from laurel_server.rewards.sealing import Sealing
from laurel_server.rewards.spending import Spending
from laurel_server.rewards.statement import Statement
from laurel_server.runtime.config import Settings
from laurel_server.runtime.maintenance import Maintenance, now
from laurel_server.runtime.sandbox import StoredClock
from laurel_server.runtime.wiring_events import wire_events
from laurel_server.users.moves import Moves
from laurel_server.users.people import People
from laurel_server.users.profiles import Profiles


@dataclass(slots=True)
class Parts:
    """A server process, whole but for its transport."""

    awards: Commands
    spending: Spending
    holds: Holds
    corrections: Corrections
    expiry: Expiry
    statement: Statement
    explaining: Explaining
    profiles: Profiles
    people: People
    rule_book: RuleBook
    queries: BoardQueries
    boards: BoardAdministration
    scores: Scores
    maintenance: Maintenance
    hub: Hub
    standing: Standing
    badges: Badges
    feed: AchievementFeed
    trends: Trends | None
    preferences: NotificationPreferences
    business_clock: Clock
    zone: ZoneInfo
    periods: PeriodHistory
    ranks: RankHistory
    faces: ProfileCache
    clock: StoredClock | None
    confirmations: Confirmations
    pool: Pool
    redis: RedisConnection
    leadership: Leadership
    jobs: JobRunner
    loops: Sequence[Coroutine[Any, Any, None]]
    """What runs beside the calls until the process ends: signals, repair, confirmations, jobs."""


@dataclass(slots=True)
class _Boards:
    """What projects to the boards and repairs them."""

    projection: Projection
    confirmations: Confirmations
    rebuild: Rebuild
    leadership: Leadership
    repair: Repair


async def wire(settings: Settings, pg_dsn: str, redis_url: str) -> Parts:
    """Make all parts. Raises one of `postgres.errors.UNAVAILABLE` without a ledger; Redis may come later."""
    ledger = settings.ledger
    pool = await create_pool(pg_dsn, ledger.pool_min, ledger.pool_max, ledger.statement_timeout_seconds)
    redis = connection(
        redis_url, settings.boards.read_timeout_ms / 1000, cluster=settings.boards.redis_cluster
    )
    catalogue, zone = Catalogue(), ZoneInfo(settings.program.time_zone)
    sandbox = await _sandbox(settings, pool)
    clock: Clock = sandbox or SystemClock()
    tier_policy = _tier_policy(settings)
    rule_book = RuleBook(pool, clock, catalogue, zone, settings.program.grace, tier_policy)
    await rule_book.seed()
    turns = FillTurns(pool)
    is_open = _is_open(clock, zone, settings.program.grace)
    boards = _boards(settings, pg_dsn, pool, redis, catalogue, turns, is_open)
    faces = ProfileCache(pool, clock)
    faces_changed = ProfileSignals(redis, faces.forget).changed
    registry = BoardRegistry(pool, catalogue)
    archive = Archive(pool, redis, boards.projection, catalogue, turns, settings.repair.chunk)
    scripts = BoardScripts(redis, registry, catalogue, boards.repair.wake, archive.bring_back)
    queries = BoardQueries(scripts, registry, faces, clock, catalogue, zone, rule_book.current)
    hub = _hub(settings, queries, clock)
    if sandbox is not None:
        sandbox.changed = lambda: _clock_changed(hub, faces)
    signals = Signals(redis, hub.note_changes, faces.forget, hub.note_loss, faces.forget_all)

    async def connect() -> LaneConnection:
        return await connect_lane(pg_dsn, ledger.statement_timeout_seconds)

    commands = Commands(
        pool,
        connect,
        LedgerWriter(rule_book, clock),
        redis,
        boards.projection,
        boards.confirmations,
        faces_changed,
        lanes=ledger.lanes,
        max_batch=ledger.max_batch,
        max_waiting=ledger.max_waiting,
        linger_max=ledger.linger_max_ms / 1000,
    )
    maintenance = Maintenance(settings, pool, redis, boards.rebuild, catalogue, now())
    feed = AchievementFeed(pool, hub, settings.watch.tick_ms / 1000)
    badges = Badges(pool, clock, rule_book, queries, faces_changed)
    close = PeriodClose(pool, redis, rule_book, commands, badges, clock)
    ranks = RankHistory(pool, queries, rule_book, clock, zone)
    expiry = Expiry(commands, pool, clock, settings.expiry.warning_days)
    present = PresentRanks(pool, queries, catalogue)
    events = await wire_events(settings, pg_dsn, pool, present, badges, clock, zone)
    all_jobs = (
        snapshot_ranks(ranks.take),  # a day ends before its periods are closed and paid for
        *_jobs(settings, pool, clock, maintenance, close),
        expire_points(expiry),
        *_ranking_jobs(badges),
        review_tiers(TierReview(commands, pool, clock, tier_policy).run),
        birthday_bonus(Birthdays(commands.award_batch, pool, clock, zone).run),
        *events.jobs,
    )
    jobs = _job_runner(settings, pg_dsn, pool, clock, zone, all_jobs)
    if sandbox is not None:
        sandbox.settle = jobs.run_due
    moves = Moves(clock, rule_book, catalogue, redis, boards.projection, boards.confirmations)
    statement = Statement(pool, clock)
    return Parts(
        awards=commands,
        spending=Spending(commands, statement, pool),
        holds=Holds(commands, pool),
        corrections=Corrections(commands, statement, pool),
        expiry=expiry,
        statement=statement,
        explaining=Explaining(pool),
        profiles=Profiles(pool, clock, moves, faces_changed),
        people=People(pool, clock, moves, faces_changed),
        rule_book=rule_book,
        queries=queries,
        boards=BoardAdministration(pool, rule_book, boards.rebuild),
        scores=_scores(settings, connect, ScoreWriter(rule_book, clock), redis, boards.confirmations),
        maintenance=maintenance,
        hub=hub,
        standing=Standing(pool, clock, tier_policy),
        badges=badges,
        feed=feed,
        trends=events.trends,
        preferences=events.preferences,
        business_clock=clock,
        zone=zone,
        ranks=ranks,
        periods=PeriodHistory(pool, queries, clock, zone, settings.program.grace),
        faces=faces,
        clock=sandbox,
        confirmations=boards.confirmations,
        pool=pool,
        redis=redis,
        leadership=boards.leadership,
        jobs=jobs,
        loops=(
            signals.run(),
            boards.repair.run(),
            boards.confirmations.run(),
            rule_book.follow(),
            jobs.run(),
            events.loops.run(),
            _sealing(settings, pg_dsn, pool).run(),
            feed.run(),
        ),
    )


def _tier_policy(settings: Settings) -> TierPolicy:
    tiers = settings.tiers
    if tiers.policy == "lifetime":
        return LIFETIME
    return TierPolicy(tiers.window_months, timedelta(days=tiers.grace_days))


def _clock_changed(hub: Hub, faces: ProfileCache) -> None:
    """Follow a clock that was set: periods may be over, badges may have expired."""
    faces.forget_all()
    hub.clock_changed()


async def _sandbox(settings: Settings, pool: Pool) -> StoredClock | None:
    if not settings.sandbox.enabled:
        return None
    clock = StoredClock(pool, SandboxClock())
    await clock.restore(settings.sandbox.now)
    return clock


def _boards(
    settings: Settings,
    pg_dsn: str,
    pool: Pool,
    redis: RedisConnection,
    catalogue: Catalogue,
    turns: FillTurns,
    is_open: Callable[[str], bool],
) -> _Boards:
    projection = Projection(redis, settings.boards.project_budget_ms / 1000, catalogue)
    rebuild = Rebuild(
        pool,
        redis,
        projection,
        catalogue,
        turns,
        is_open,
        ZoneInfo(settings.program.time_zone),
        settings.repair.chunk,
    )
    leadership = Leadership(pg_dsn, "repair")
    interval = settings.repair.interval_ms / 1000
    confirmations = Confirmations(pool)
    repair = Repair(pool, leadership, redis, projection, rebuild, catalogue, confirmations, interval)
    return _Boards(projection, confirmations, rebuild, leadership, repair)


def _sealing(settings: Settings, pg_dsn: str, pool: Pool) -> Sealing:
    return Sealing(pool, Leadership(pg_dsn, "sealing"), settings.ledger.seal_interval_ms / 1000)


def _is_open(clock: Clock, zone: ZoneInfo, grace: timedelta) -> Callable[[str], bool]:
    def is_open(period_id: str) -> bool:
        return parse_period_id(period_id, zone=zone).open_at(clock.now(), grace)

    return is_open


def _scores(
    settings: Settings,
    connect: Callable[[], Awaitable[LaneConnection]],
    writer: ScoreWriter,
    redis: RedisConnection,
    confirmations: Confirmations,
) -> Scores:
    ledger = settings.ledger
    return Scores(
        connect,
        writer,
        redis,
        confirmations,
        budget=settings.boards.project_budget_ms / 1000,
        max_batch=ledger.max_batch,
        max_waiting=ledger.max_waiting,
        linger_max=ledger.linger_max_ms / 1000,
    )


def _hub(settings: Settings, queries: BoardQueries, clock: Clock) -> Hub:
    watch = settings.watch
    return Hub(
        queries, clock, Pace(watch.tick_ms / 1000, watch.heartbeat_seconds, watch.write_timeout_seconds)
    )


def _jobs(
    settings: Settings, pool: Pool, clock: Clock, maintenance: Maintenance, close: PeriodClose
) -> Sequence[Job]:
    """Return all jobs; those that are due together run in this order."""
    ages = settings.jobs
    return (
        close_periods(close.run),
        make_partitions(pool, clock, ages.partitions_ahead_months),
        verify(maintenance.verify),
        housekeeping(pool, clock, timedelta(days=ages.request_ids_days), timedelta(days=ages.runs_days)),
    )


def _ranking_jobs(badges: Badges) -> Sequence[Job]:
    """Return the jobs about tiers and badges."""
    return (award_badges(badges),)


def _job_runner(
    settings: Settings, pg_dsn: str, pool: Pool, clock: Clock, zone: ZoneInfo, jobs: Sequence[Job]
) -> JobRunner:
    return JobRunner(
        jobs,
        pool,
        Leases(pg_dsn),
        clock,
        zone,
        scheduled=settings.jobs.scheduled,
        interval=settings.jobs.interval_ms / 1000,
    )
