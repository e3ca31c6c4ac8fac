"""The close of a week, cut before each of its statements in turn, and then run again by another server."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from redis.asyncio import Redis

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import WinnerBonus
from laurel_server.domain.closing import PeriodState
from laurel_server.domain.commands import RequestKey
from laurel_server.periods.close import PeriodClose
from laurel_server.postgres.pool import Pool
from laurel_server.runtime.wiring import Parts
from tests.integration.conftest import new_ledger
from tests.integration.engines import Engine
from tests.integration.leaderboards.scoring import report
from tests.integration.periods.cuts import Cut, CuttingPool
from tests.integration.wired import DAY, START, WEEK, entries_of, give, listed, run_job, running, wrongs

MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
GRACE = timedelta(hours=1)
MONTH_LATER = MONDAY + timedelta(days=31)
STANDING = [("ann", 30), ("bob", 20), ("cid", 10), ("dot", 10), ("eve", 5)]
RACE, LAPS = "2026-11-23T00:00Z", [("eve", 300), ("dot", -4)]


def close_of(parts: Parts, pool: Pool) -> PeriodClose:
    assert parts.clock is not None
    return PeriodClose(pool, parts.redis, parts.rule_book, parts.awards, parts.badges, parts.clock)


async def closed_but_for_the_end(parts: Parts, cut_before: int) -> bool:
    """Close up to that statement; False: there were fewer."""
    pool = cast("Pool", CuttingPool(parts.pool, cut_before))
    try:
        await close_of(parts, pool).run(lambda _closed: None)
    except Cut:
        return True
    return False


@pytest.mark.timeout(600)  # two servers for each of some forty statements
async def test_every_winner_is_paid_once_wherever_the_close_is_cut(
    postgres: Engine, template: str, redis_url: str
) -> None:
    cut_before, cuts = 1, 0
    while True:
        async with Redis.from_url(redis_url) as client:
            await client.flushall()  # what it has of the ledger before would pass for newer
        async with new_ledger(postgres, template) as dsn:
            async with running(dsn, redis_url, now=START) as parts:
                for name, points in STANDING:
                    await give(parts, name, points)
                await race(parts)
                assert parts.clock is not None
                await parts.clock.set(MONDAY + GRACE)
                was_cut = await closed_but_for_the_end(parts, cut_before)
            async with running(dsn, redis_url, now=MONDAY + GRACE) as parts:
                await run_job(parts, "close_periods")
                await check(parts)
        if not was_cut:
            break
        cut_before, cuts = cut_before + 1, cuts + 1
    assert cuts > 30


async def race(parts: Parts) -> None:
    """Let some compete on a score board that resets when the week ends."""
    bonuses = (WinnerBonus(1, 9), WinnerBonus(2, 7))
    config = BoardConfig("race", BoardKind.SCORES, "race", reset_cron="0 0 * * 1", winner_bonuses=bonuses)
    await parts.boards.create(config, RequestKey("tests", "race", b""))
    for name, score in LAPS:
        await report(parts, name, score)


async def check(parts: Parts) -> None:
    assert [await entries_of(parts, name) for name, _ in STANDING] == [
        [30, 100, 1000],
        [20, 50, 500],
        [10, 25, 250],
        [10, 7],
        [5, 9],
    ]
    found = parts.queries.resolve("race", None, RACE)
    assert [(line.user_id, line.score) for line in (await parts.queries.page(found, "", 9)).lines] == LAPS
    summary = await parts.periods.period(found)
    assert (summary.state, summary.participants) == (PeriodState.COMPLETED, 2)
    assert [(winner.user_id, winner.bonus_points) for winner in summary.winners] == [("eve", 9), ("dot", 7)]
    assert await listed(parts, period_id=DAY) == STANDING
    assert await listed(parts, period_id=WEEK) == STANDING
    unpaid = "SELECT count(*) FROM period_winners WHERE transaction_id IS NULL"
    assert await parts.pool.fetchval(unpaid) == 0
    told = "SELECT count(*) FROM outbox, json_array_elements(events) AS e WHERE e ->> 'type' = 'period.won'"
    assert await parts.pool.fetchval(told) == 8
    assert await wrongs(parts) == []


async def test_a_payment_is_found_by_its_entry_when_its_request_id_is_forgotten(parts: Parts) -> None:
    for name, points in STANDING:
        await give(parts, name, points)
    assert parts.clock is not None
    await parts.clock.set(MONDAY + GRACE)
    await run_job(parts, "close_periods")
    await parts.pool.execute(
        "UPDATE period_winners SET transaction_id = NULL WHERE scope = 'global';"
        "UPDATE leaderboard_periods SET state = 2 WHERE state = 3; DELETE FROM idempotency_keys;"
        "UPDATE outbox SET created_at = created_at - interval '1 year'"  # so long ago that ids are forgotten
    )
    await parts.clock.set(MONTH_LATER)
    await run_job(parts, "close_periods")
    assert [points for points in await entries_of(parts, "ann") if points != 5000] == [30, 100, 1000]
    assert await wrongs(parts) == []
