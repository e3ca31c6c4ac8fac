"""Makes what deals with events beside the calls: the relay, retention, analytics, notifications."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from laurel_server.analytics.engine import Engine
from laurel_server.analytics.filler import Filler
from laurel_server.analytics.store import Store
from laurel_server.analytics.trends import READER as ANALYTICS
from laurel_server.analytics.trends import Trends
from laurel_server.domain.clock import Clock
from laurel_server.events.delivery import Delivery
from laurel_server.events.kafka import KafkaProducer, make_topics_early
from laurel_server.events.loops import EventLoops
from laurel_server.events.notifier import READER as NOTIFICATIONS
from laurel_server.events.notifier import Notifier
from laurel_server.events.outbox import OutboxReader
from laurel_server.events.preferences import NotificationPreferences
from laurel_server.events.relay import READER as RELAY
from laurel_server.events.relay import Relay
from laurel_server.events.retention import Retention
from laurel_server.events.sinks import AllSinks, KafkaSink, LogSink, Sink, WebhookSink
from laurel_server.jobs.dispatch_notifications import dispatch_notifications
from laurel_server.jobs.job import Job
from laurel_server.leaderboards.present import PresentRanks
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.pool import Pool
from laurel_server.runtime.config import Events, Settings


@dataclass(slots=True)
class EventParts:
    """The loops, and what answers from what they have collected."""

    loops: EventLoops
    trends: Trends | None
    preferences: NotificationPreferences
    jobs: Sequence[Job]


@dataclass(slots=True)
class _Maker:
    """What the loops are made of."""

    settings: Settings
    pool: Pool
    leadership: Leadership
    ranks: PresentRanks
    clock: Clock
    zone: ZoneInfo
    loops: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)


async def wire_events(
    settings: Settings, pg_dsn: str, pool: Pool, ranks: PresentRanks, clock: Clock, zone: ZoneInfo
) -> EventParts:
    """Make all of it. A Kafka or ClickHouse that is away keeps nothing from starting."""
    events = settings.events
    made = _Maker(settings, pool, Leadership(pg_dsn, "events"), ranks, clock, zone)
    made.loops.append(Retention(pool, events.retention, events.retention_batches).run)
    await _relay(made)
    trends = _analytics(made)
    job = _notifications(made)
    loops = EventLoops(made.leadership, made.loops, made.closers)
    return EventParts(loops, trends, NotificationPreferences(pool, zone), (job,))


async def _relay(made: _Maker) -> None:
    events = made.settings.events
    if events.kafka_bootstrap is None:
        return
    producer = _producer(events, events.kafka_bootstrap)
    await make_topics_early(producer)
    reader = OutboxReader(made.pool, RELAY, events.ranks_patience_seconds)
    made.loops.append(Relay(made.leadership, reader, made.ranks, producer, events.interval_ms / 1000).run)


def _producer(events: Events, bootstrap: str) -> KafkaProducer:
    return KafkaProducer(
        bootstrap, events.kafka_timeout_seconds, events.kafka_partitions, events.kafka_replication
    )


def _notifications(made: _Maker) -> Job:
    told = made.settings.notifications
    notifier = Notifier(
        made.pool,
        OutboxReader(made.pool, NOTIFICATIONS, made.settings.events.ranks_patience_seconds),
        made.ranks,
        made.clock,
        made.zone,
        timedelta(minutes=told.rank_every_minutes),
    )
    sink = AllSinks(_sinks(made.settings))
    made.closers.append(sink.close)
    return dispatch_notifications(notifier, Delivery(made.pool, sink, made.clock, told.max_attempts))


def _sinks(settings: Settings) -> list[Sink]:
    events, told = settings.events, settings.notifications
    sinks: list[Sink] = []
    if told.webhook_url is not None and told.webhook_key is not None:
        secret = told.webhook_key.get_secret_value().encode()
        sinks.append(WebhookSink(told.webhook_url.get_secret_value(), secret, told.webhook_timeout_seconds))
    if events.kafka_bootstrap is not None:
        sinks.append(KafkaSink(_producer(events, events.kafka_bootstrap)))
    return sinks or [LogSink()]


def _analytics(made: _Maker) -> Trends | None:
    analytics = made.settings.analytics
    if analytics.clickhouse_url is None:
        return None
    url, timeout = analytics.clickhouse_url.get_secret_value(), analytics.clickhouse_timeout_seconds
    writing, asking = Engine(url, timeout), Engine(url, timeout)
    reader = OutboxReader(made.pool, ANALYTICS, made.settings.events.ranks_patience_seconds)
    filler = Filler(made.pool, made.leadership, reader, made.ranks, Store(writing), made.clock.now)
    made.loops.append(filler.run)
    made.closers += [writing.close, asking.close]
    return Trends(asking, made.pool)
