"""The one place that makes the parts of a server process and joins them."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from laurel_server.analytics.trends import Trends
from laurel_server.domain.clock import Clock
from laurel_server.events.preferences import NotificationPreferences
from laurel_server.jobs.award_badges import award_badges
from laurel_server.jobs.birthday_bonus import birthday_bonus
from laurel_server.jobs.close_periods import close_periods
from laurel_server.jobs.expire_points import expire_points
from laurel_server.jobs.housekeeping import Ages, housekeeping
from laurel_server.jobs.job import Job
from laurel_server.jobs.make_partitions import make_partitions
from laurel_server.jobs.review_tiers import review_tiers
from laurel_server.jobs.runner import JobRunner
from laurel_server.jobs.snapshot_ranks import snapshot_ranks
from laurel_server.jobs.verify import verify
from laurel_server.leaderboards.administration import BoardAdministration
from laurel_server.leaderboards.archive import Archive
from laurel_server.leaderboards.live.hub import Hub
from laurel_server.leaderboards.live.ports import Pace
from laurel_server.leaderboards.present_boards import PresentBoards
from laurel_server.leaderboards.present_ranks import PresentRanks
from laurel_server.leaderboards.profile_cache import ProfileCache
from laurel_server.leaderboards.projection import Projection
from laurel_server.leaderboards.queries import BoardQueries
from laurel_server.leaderboards.reading import BoardScripts
from laurel_server.leaderboards.rebuild import Rebuild
from laurel_server.leaderboards.registry import BoardRegistry
from laurel_server.leaderboards.remains import BoardRemains
from laurel_server.leaderboards.repair import Confirmations, Repair
from laurel_server.leaderboards.resets import Resets
from laurel_server.leaderboards.score_batch import ScoreWriter
from laurel_server.leaderboards.scores import Scores
from laurel_server.leaderboards.size_caps import SizeCaps
from laurel_server.periods.close import PeriodClose
from laurel_server.periods.history import PeriodHistory
from laurel_server.periods.ranks import RankHistory
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.leases import Leases
from laurel_server.postgres.pool import Pool
from laurel_server.ranking.badges import Badges
from laurel_server.ranking.feed import AchievementFeed
from laurel_server.ranking.standing import Standing
from laurel_server.ranking.tier_review import TierReview
from laurel_server.redis.connection import RedisConnection
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
from laurel_server.runtime.config_outside import Events
from laurel_server.runtime.config_program import Jobs
from laurel_server.runtime.ground import Ground, lay_ground
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


@dataclass(slots=True, frozen=True)
class _Boards:
    """What projects to the boards and repairs them."""

    projection: Projection
    confirmations: Confirmations
    rebuild: Rebuild
    remains: BoardRemains
    leadership: Leadership
    repair: Repair


@dataclass(slots=True, frozen=True)
class _Reading:
    """What reads the boards, once and live."""

    faces: ProfileCache
    faces_changed: Callable[[Sequence[str]], None]
    queries: BoardQueries
    hub: Hub
    signals: Signals


async def wire(settings: Settings, pg_dsn: str, redis_url: str) -> Parts:
    """Make all parts. Raises one of `postgres.errors.UNAVAILABLE` without a ledger; Redis may come later."""
    ground = await lay_ground(settings, pg_dsn, redis_url)
    pool, clock, zone = ground.pool, ground.clock, ground.zone
    boards = _boards(ground)
    reading = _reading(ground, boards)
    queries, faces_changed = reading.queries, reading.faces_changed
    commands = _commands(ground, boards, faces_changed)
    maintenance = Maintenance(settings, pool, ground.redis, boards.rebuild, ground.catalogue, now())
    feed = AchievementFeed(pool, reading.hub, settings.watch.tick_ms / 1000)
    badges = Badges(pool, clock, ground.rule_book, queries, faces_changed)
    ranks = RankHistory(pool, queries, ground.rule_book, clock, zone)
    expiry = Expiry(commands, pool, clock, settings.expiry.warning_days)
    score_boards = PresentBoards(ground.catalogue, queries, clock)
    present = PresentRanks(pool, queries, ground.catalogue, score_boards)
    resets = partial(Resets, pool, score_boards, clock)
    events = await wire_events(settings, pg_dsn, pool, present, badges, clock, zone, resets)
    jobs = _job_runner(ground, (*_jobs(ground, commands, maintenance, badges, ranks, expiry), *events.jobs))
    size_caps = SizeCaps(pool, ground.redis, ground.catalogue, clock, zone, boards.confirmations)
    moves = _moves(ground, boards, size_caps)
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
        rule_book=ground.rule_book,
        queries=queries,
        boards=BoardAdministration(pool, ground.rule_book, boards.rebuild, boards.remains, size_caps, clock),
        scores=_scores(ground, boards.confirmations),
        maintenance=maintenance,
        hub=reading.hub,
        standing=Standing(pool, clock, ground.tier_policy),
        badges=badges,
        feed=feed,
        trends=events.trends,
        preferences=events.preferences,
        business_clock=clock,
        zone=zone,
        ranks=ranks,
        periods=PeriodHistory(pool, queries, clock, settings.program.grace),
        faces=reading.faces,
        clock=ground.sandbox,
        confirmations=boards.confirmations,
        pool=pool,
        redis=ground.redis,
        leadership=boards.leadership,
        jobs=jobs,
        loops=(*_loops(ground, boards, reading), jobs.run(), events.loops.run(), feed.run()),
    )


def _moves(ground: Ground, boards: _Boards, size_caps: SizeCaps) -> Moves:
    return Moves(
        ground.clock,
        ground.rule_book,
        ground.catalogue,
        ground.redis,
        boards.projection,
        boards.confirmations,
        size_caps,
    )


def _clock_changed(hub: Hub, faces: ProfileCache) -> None:
    """Follow a clock that was set: periods may be over, badges may have expired."""
    faces.forget_all()
    hub.clock_changed()


def _boards(ground: Ground) -> _Boards:
    settings, pool, redis, catalogue = ground.settings, ground.pool, ground.redis, ground.catalogue
    projection = Projection(redis, settings.boards.project_budget_ms / 1000, catalogue)
    rebuild = Rebuild(
        pool,
        redis,
        projection,
        catalogue,
        ground.turns,
        ground.is_open,
        ground.zone,
        settings.repair.chunk,
    )
    leadership = Leadership(ground.pg_dsn, "repair")
    interval = settings.repair.interval_ms / 1000
    confirmations = Confirmations(pool)
    repair = Repair(pool, leadership, redis, projection, rebuild, catalogue, confirmations, interval)
    remains = BoardRemains(pool, rebuild, leadership)
    return _Boards(projection, confirmations, rebuild, remains, leadership, repair)


def _reading(ground: Ground, boards: _Boards) -> _Reading:
    pool, redis, catalogue, clock = ground.pool, ground.redis, ground.catalogue, ground.clock
    faces = ProfileCache(pool, clock)
    registry = BoardRegistry(pool, catalogue)
    chunk = ground.settings.repair.chunk
    archive = Archive(pool, redis, boards.projection, catalogue, ground.turns, chunk)
    scripts = BoardScripts(redis, registry, catalogue, boards.repair.wake, archive.bring_back)
    rules = ground.rule_book.current
    queries = BoardQueries(scripts, registry, faces, clock, catalogue, ground.zone, rules)
    hub = _hub(ground.settings, queries, clock)
    if ground.sandbox is not None:
        ground.sandbox.changed = lambda: _clock_changed(hub, faces)

    def hear_of_profiles(user_ids: Sequence[str]) -> None:
        faces.forget(user_ids)
        hub.note_profiles(user_ids)

    signals = Signals(redis, hub.note_changes, hear_of_profiles, hub.note_loss, faces.forget_all)
    return _Reading(faces, ProfileSignals(redis, faces.forget).changed, queries, hub, signals)


def _commands(ground: Ground, boards: _Boards, faces_changed: Callable[[Sequence[str]], None]) -> Commands:
    ledger = ground.settings.ledger
    return Commands(
        ground.pool,
        ground.connect,
        LedgerWriter(ground.rule_book, ground.clock),
        ground.redis,
        boards.projection,
        boards.confirmations,
        faces_changed,
        lanes=ledger.lanes,
        max_batch=ledger.max_batch,
        max_waiting=ledger.max_waiting,
        linger_max=ledger.linger_max_ms / 1000,
    )


def _scores(ground: Ground, confirmations: Confirmations) -> Scores:
    ledger = ground.settings.ledger
    return Scores(
        ground.connect,
        ground.pool,
        ScoreWriter(ground.rule_book, ground.clock),
        ground.redis,
        confirmations,
        budget=ground.settings.boards.project_budget_ms / 1000,
        max_waiting=ledger.max_waiting,
        linger_max=ledger.linger_max_ms / 1000,
    )


def _hub(settings: Settings, queries: BoardQueries, clock: Clock) -> Hub:
    watch = settings.watch
    return Hub(
        queries, clock, Pace(watch.tick_ms / 1000, watch.heartbeat_seconds, watch.write_timeout_seconds)
    )


def _jobs(
    ground: Ground,
    commands: Commands,
    maintenance: Maintenance,
    badges: Badges,
    ranks: RankHistory,
    expiry: Expiry,
) -> Sequence[Job]:
    """Return the jobs; those that are due together run in this order."""
    pool, clock, ages = ground.pool, ground.clock, ground.settings.jobs
    close = PeriodClose(pool, ground.redis, ground.rule_book, commands, badges, clock)
    return (
        make_partitions(pool, clock, ages.partitions_ahead_months),  # what all others write needs a place
        snapshot_ranks(ranks.take),  # a day ends before its periods are closed and paid for
        close_periods(close.run),
        expire_points(expiry),
        birthday_bonus(Birthdays(commands.award_batch, pool, clock, ground.zone).run),
        review_tiers(TierReview(commands, pool, clock, ground.tier_policy).run),
        award_badges(badges),
        housekeeping(pool, clock, ground.zone, _ages(ages, ground.settings.events)),
        verify(maintenance.verify_calmly),
    )


def _ages(jobs: Jobs, events: Events) -> Ages:
    # An event that is heard again must find what was made of it.
    notifications = max(timedelta(days=jobs.notifications_days), events.retention)
    days = (jobs.request_ids_days, jobs.runs_days, jobs.ranks_days)
    answers, runs, ranks = (timedelta(days=each) for each in days)
    return Ages(answers, runs, ranks, notifications)


def _job_runner(ground: Ground, jobs: Sequence[Job]) -> JobRunner:
    runner = JobRunner(
        jobs,
        ground.pool,
        Leases(ground.pg_dsn),
        ground.clock,
        ground.zone,
        scheduled=ground.settings.jobs.scheduled,
        interval=ground.settings.jobs.interval_ms / 1000,
    )
    if ground.sandbox is not None:
        ground.sandbox.settle = runner.run_due
    return runner


def _loops(ground: Ground, boards: _Boards, reading: _Reading) -> Sequence[Coroutine[Any, Any, None]]:
    interval = ground.settings.ledger.seal_interval_ms / 1000
    sealing = Sealing(ground.pool, Leadership(ground.pg_dsn, "sealing"), interval)
    return (
        reading.signals.run(),
        boards.repair.run(),
        boards.remains.run(),
        boards.confirmations.run(),
        ground.rule_book.follow(),
        sealing.run(),
    )
