"""Makes what deals with events beside the calls: the relay, retention, analytics."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from laurel_server.analytics.engine import Engine
from laurel_server.analytics.filler import READER as ANALYTICS
from laurel_server.analytics.filler import Filler
from laurel_server.analytics.store import Store
from laurel_server.analytics.trends import Trends
from laurel_server.domain.clock import Clock
from laurel_server.events.kafka import KafkaProducer, make_topics_early
from laurel_server.events.loops import EventLoops
from laurel_server.events.outbox import OutboxReader
from laurel_server.events.relay import READER as RELAY
from laurel_server.events.relay import Relay
from laurel_server.events.retention import Retention
from laurel_server.leaderboards.present import PresentRanks
from laurel_server.postgres.facts import read_expiring
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.outbox import has_unread
from laurel_server.postgres.pool import Pool
from laurel_server.runtime.config import Settings


@dataclass(slots=True)
class EventParts:
    """The loops, and what answers from what they have collected."""

    loops: EventLoops
    trends: Trends | None


@dataclass(slots=True)
class _Maker:
    """What the loops are made of."""

    settings: Settings
    pool: Pool
    leadership: Leadership
    ranks: PresentRanks
    clock: Clock
    loops: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)


async def wire_events(
    settings: Settings, pg_dsn: str, pool: Pool, ranks: PresentRanks, clock: Clock
) -> EventParts:
    """Make all of it. A Kafka or ClickHouse that is away keeps nothing from starting."""
    events = settings.events
    made = _Maker(settings, pool, Leadership(pg_dsn, "events"), ranks, clock)
    made.loops.append(Retention(pool, events.retention, events.retention_batches).run)
    await _relay(made)
    trends = _analytics(made)
    return EventParts(EventLoops(made.leadership, made.loops, made.closers), trends)


async def _relay(made: _Maker) -> None:
    events = made.settings.events
    if events.kafka_bootstrap is None:
        return
    producer = KafkaProducer(
        events.kafka_bootstrap,
        events.kafka_timeout_seconds,
        events.kafka_partitions,
        events.kafka_replication,
    )
    await make_topics_early(producer)
    reader = OutboxReader(made.pool, RELAY, events.ranks_patience_seconds)
    made.loops.append(Relay(made.leadership, reader, made.ranks, producer, events.interval_ms / 1000).run)


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
    return Trends(asking, partial(has_unread, made.pool, ANALYTICS), partial(read_expiring, made.pool))
