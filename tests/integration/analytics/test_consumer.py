"""ClickHouse as a consumer: in a group of a real Kafka too, and when events were dropped before it heard them."""

from datetime import timedelta
from pathlib import Path

import pytest

from laurel_server.analytics.engine import Engine
from laurel_server.domain.trends import Metric
from laurel_server.events.retention import Bounds, Retention
from laurel_server.runtime.config_outside import Events
from laurel_server.runtime.wiring import Parts
from tests.integration.analytics.conftest import Analysed
from tests.integration.analytics.test_trends import trend
from tests.integration.events.reading import forget_positions
from tests.integration.leaderboards.scoring import board, report
from tests.integration.spend import redeem
from tests.integration.wired import give, running, until
from tests.kafka import Broker, why_no_broker


async def tells(parts: Parts, points: int, liability: int, silver: int) -> bool:
    """Return whether today's trends tell that."""
    return (
        (await trend(parts, Metric.POINTS))[-1] == (0, points)
        and (await trend(parts, Metric.LIABILITY))[-1] == (0, liability)
        and (0, "SILVER", silver) in await trend(parts, Metric.TIER_MIX)
    )


@pytest.mark.skipif(bool(why_no_broker()), reason=why_no_broker())
async def test_as_a_group_of_kafka_it_counts_everything_once(
    analysed: Analysed, engine: Engine, tmp_path: Path, ledger_dsn: str
) -> None:
    with Broker(tmp_path) as broker:
        events = Events(kafka_bootstrap=broker.bootstrap, interval_ms=20)
        async with analysed(events) as parts:
            await give(parts, "a", 10)
            await trend(parts, Metric.POINTS)  # the whole ledger is written; what follows has to be heard
            await give(parts, "a", 5000)
            await redeem(parts, "a", 300)
            await until(lambda: tells(parts, 5010, 4710, 1), "what was heard is told", seconds=60)
        await forget_positions(ledger_dsn)  # the relay publishes all of it again
        async with analysed(events) as parts:
            await give(parts, "b", 1)
            await until(lambda: tells(parts, 5011, 4711, 1), "all of it, once", seconds=60)
            await board(parts)
            await report(parts, "a", 7)
            rank = {"scope": "race", "period_id": "all", "user_id": "a"}

            async def ranked() -> bool:
                return await trend(parts, Metric.RANK, **rank) == [(0, 1)]

            await until(ranked, "the place on a score board is told", seconds=60)
        ranks = await engine.query("SELECT DISTINCT user_no FROM rank_snapshots WHERE scope = 'global'")
    assert len(ranks) == 2


async def test_events_that_were_dropped_before_it_heard_them_come_from_the_ledger(
    analysed: Analysed, ledger_dsn: str, redis_url: str
) -> None:
    async with analysed() as parts:
        await give(parts, "a", 10)
        await until(lambda: tells_points(parts, 10), "the first is told")
    async with running(ledger_dsn, redis_url) as parts:  # ClickHouse is away for longer than the outbox keeps
        await give(parts, "a", 20)
        await give(parts, "a", 30)
        await parts.confirmations.flush()
        assert (await Retention(parts.pool, Bounds(timedelta(0), 1000, 1 << 40)).trim()).removed >= 2
    async with analysed() as parts:
        await give(parts, "a", 40)
        await until(lambda: tells_points(parts, 100), "what was dropped is told", seconds=60)


async def tells_points(parts: Parts, points: int) -> bool:
    return (await trend(parts, Metric.POINTS))[-1] == (0, points)
