"""Makes what deals with events beside the calls: the relay, retention, and the consumers with their sources."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from laurel_server.analytics.engine import Engine
from laurel_server.analytics.filler import Filler
from laurel_server.analytics.store import Store
from laurel_server.analytics.trends import Trends
from laurel_server.domain.clock import Clock
from laurel_server.events.consumers import Consumer, ConsumerLoop
from laurel_server.events.delivery import Delivery
from laurel_server.events.kafka import KafkaProducer, Topics, make_topics_early
from laurel_server.events.kafka_source import KafkaSource
from laurel_server.events.loops import EventLoops
from laurel_server.events.notifier import Notifier
from laurel_server.events.outbox import EVENTS_AT_ONCE, OutboxReader
from laurel_server.events.outbox_source import MANY_EVENTS, OutboxSource
from laurel_server.events.preferences import NotificationPreferences
from laurel_server.events.relay import EVENTS_A_PAGE, Relay
from laurel_server.events.relay import READER as RELAY
from laurel_server.events.retention import Bounds, Retention
from laurel_server.events.sinks import KafkaSink, LogSink, Sink, WebhookSink
from laurel_server.events.source import Source
from laurel_server.jobs.dispatch_notifications import dispatch_notifications
from laurel_server.jobs.job import Job
from laurel_server.leaderboards.present_ranks import PresentRanks
from laurel_server.leaderboards.resets import Resets
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.outbox import last_batch
from laurel_server.postgres.pool import Pool
from laurel_server.ranking.badges import Badges
from laurel_server.ranking.rank_badges import RankBadges
from laurel_server.runtime.config import Settings
from laurel_server.runtime.config_outside import Events

_ANALYTICS_SECONDS: Final = 0.2
_SECONDS: Final = 0.5
"""Pauses of the consumers: rarer looks find more at once, which costs less."""
_DISPATCH_WAITS_SECONDS: Final = 3.0
_KAFKA_ANSWERS: Final = 3
"""What a notification may wait for at worst, one after the other: the topics, a connection, and that it is taken."""


@dataclass(slots=True)
class EventParts:
    """The loops, and what answers from what they have collected."""

    loops: EventLoops
    trends: Trends | None
    preferences: NotificationPreferences
    jobs: Sequence[Job]


@dataclass(slots=True)
class _Maker:
    """What the loops are made of. `readers` are those of the outbox."""

    settings: Settings
    pool: Pool
    leadership: Leadership
    ranks: PresentRanks
    clock: Clock
    zone: ZoneInfo
    topics: Topics | None
    readers: list[str] = field(default_factory=list)
    loops: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)


async def wire_events(
    settings: Settings,
    pg_dsn: str,
    pool: Pool,
    ranks: PresentRanks,
    badges: Badges,
    clock: Clock,
    zone: ZoneInfo,
    resets: Callable[[Leadership], Resets],
) -> EventParts:
    """Make all of it. A Kafka or ClickHouse that is away keeps nothing from starting."""
    events = settings.events
    made = _Maker(settings, pool, Leadership(pg_dsn, "events"), ranks, clock, zone, _topics(events))
    await _relay(made)
    _consume(made, RankBadges(badges, ranks), _SECONDS)
    trends = _analytics(made)
    job = _notifications(made)
    bounds = Bounds(events.retention, events.retention_batches, events.retention_bytes)
    made.loops.append(Retention(pool, bounds, made.readers).run)
    made.loops.append(resets(made.leadership).run)
    loops = EventLoops(made.leadership, made.loops, made.closers)
    return EventParts(loops, trends, NotificationPreferences(pool, zone), (job,))


def _topics(events: Events) -> Topics | None:
    if events.kafka_bootstrap is None:
        return None
    return Topics(
        events.kafka_bootstrap,
        events.kafka_timeout_seconds,
        events.kafka_partitions,
        events.kafka_replication,
    )


async def _relay(made: _Maker) -> None:
    if made.topics is None:
        return
    events = made.settings.events
    await make_topics_early(made.topics)
    reader = OutboxReader(made.pool, RELAY, events.ranks_patience_seconds, EVENTS_A_PAGE)
    made.readers.append(RELAY)
    producer = KafkaProducer(made.topics, events.kafka_timeout_seconds)
    made.loops.append(Relay(made.leadership, reader, made.ranks, producer, events.interval_ms / 1000).run)


def _consume(made: _Maker, consumer: Consumer, interval: float, events_at_once: int = MANY_EVENTS) -> Source:
    """Let a consumer hear events, if any is to in this process, and return what it hears."""
    source = _source(made, consumer, events_at_once)
    if made.settings.events.consumers_source != "off":
        made.loops.append(ConsumerLoop(consumer, source, interval).run)
    return source


def _source(made: _Maker, consumer: Consumer, events_at_once: int) -> Source:
    events = made.settings.events
    if made.topics is not None and events.consumers_source == "kafka":
        return KafkaSource(
            made.pool,
            made.topics,
            consumer.name,
            consumer.topics,
            events.kafka_timeout_seconds,
            consumer.forget_all,
        )
    made.readers.append(consumer.name)
    return OutboxSource(
        made.pool,
        made.leadership,
        consumer.name,
        events.ranks_patience_seconds,
        events_at_once,
        consumer.forget_all,
    )


def _notifications(made: _Maker) -> Job:
    told = made.settings.notifications
    every = timedelta(minutes=told.rank_every_minutes)
    source = _consume(made, Notifier(made.pool, made.ranks, made.clock, made.zone, every), _SECONDS)
    sinks = _sinks(made)
    made.closers += [sink.close for sink in sinks]

    async def heard_all() -> bool:
        if made.settings.events.consumers_source == "off":
            return False
        return await source.caught_up(await last_batch(made.pool), _DISPATCH_WAITS_SECONDS)

    return dispatch_notifications(
        heard_all, Delivery(made.pool, sinks, made.clock, made.zone, told.max_attempts)
    )


def _sinks(made: _Maker) -> list[Sink]:
    told = made.settings.notifications
    sinks: list[Sink] = []
    if told.webhook_url is not None and told.webhook_key is not None:
        secret = told.webhook_key.get_secret_value().encode()
        sinks.append(WebhookSink(told.webhook_url.get_secret_value(), secret, told.webhook_timeout_seconds))
    if made.topics is not None:
        timeout = made.settings.events.kafka_timeout_seconds
        sinks.append(KafkaSink(KafkaProducer(made.topics, timeout), _KAFKA_ANSWERS * timeout))
    return sinks or [LogSink()]


def _analytics(made: _Maker) -> Trends | None:
    analytics = made.settings.analytics
    if analytics.clickhouse_url is None:
        return None
    url, timeout = analytics.clickhouse_url.get_secret_value(), analytics.clickhouse_timeout_seconds
    writing, asking = Engine(url, timeout), Engine(url, timeout)
    filler = Filler(made.pool, made.leadership, made.ranks, Store(writing), made.clock.now)
    source = _consume(made, filler, _ANALYTICS_SECONDS, EVENTS_AT_ONCE)
    made.closers += [writing.close, asking.close]
    return Trends(asking, made.pool, source)
