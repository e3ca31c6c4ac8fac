"""Trends on a real ClickHouse: what each metric tells, after replays and refills too."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from laurel_server.analytics.engine import Engine
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import User
from laurel_server.domain.people import Order
from laurel_server.domain.trends import Granularity, Metric, TrendQuery
from laurel_server.runtime.wiring import Parts
from tests.integration.analytics.conftest import Analysed
from tests.integration.leaderboards.scoring import board, report
from tests.integration.wired import START, give, run_job, until

TODAY = datetime(2026, 11, 25, tzinfo=UTC)
DAY = timedelta(days=1)


async def trend(parts: Parts, metric: Metric, **more: Any) -> list[tuple[Any, ...]]:
    """Return the points of the last three days, today last, with the day as a number: 0 is today."""
    asked = {
        "granularity": Granularity.DAY,
        "from_time": TODAY - 2 * DAY,
        "to_time": TODAY + DAY,
        "zone": UTC,
        **more,
    }
    assert parts.trends is not None
    points = await parts.trends.trend(TrendQuery(metric, **asked))
    return [
        ((each.time - TODAY) // DAY, *([each.series] if each.series else []), each.value) for each in points
    ]


@pytest.fixture
async def three_days(analysed: Analysed) -> Any:
    """Awards on three days: 10 and 20 by a, 5 by b; nothing; 5,000 by b."""
    async with analysed() as parts:
        clock = parts.clock
        assert clock is not None
        await clock.set(START - 2 * DAY)
        await give(parts, "a", 10)
        await give(parts, "a", 20)
        await give(parts, "b", 5)
        await trend(parts, Metric.POINTS)  # which waits until ranks of that day are kept
        await clock.set(START)
        await give(parts, "b", 5000)
        yield parts


async def test_points_awards_and_active_users_by_day(three_days: Parts) -> None:
    assert await trend(three_days, Metric.POINTS) == [(-2, 35), (-1, 0), (0, 5000)]
    assert await trend(three_days, Metric.AWARDS) == [(-2, 3), (-1, 0), (0, 1)]
    assert await trend(three_days, Metric.ACTIVE_USERS) == [(-2, 2), (-1, 0), (0, 1)]


async def test_only_one_user_or_action(three_days: Parts) -> None:
    assert await trend(three_days, Metric.POINTS, user_id="a") == [(-2, 30), (-1, 0), (0, 0)]
    await give(three_days, "a", action="REVIEW", attributes={})
    assert await trend(three_days, Metric.POINTS, action="REVIEW") == [(-2, 0), (-1, 0), (0, 20)]
    split = await trend(three_days, Metric.AWARDS, by_series=True)
    assert split == [
        (-2, "GIVE", 3), (-2, "REVIEW", 0), (-1, "GIVE", 0), (-1, "REVIEW", 0), (0, "GIVE", 1), (0, "REVIEW", 1)
    ]  # fmt: skip


async def test_points_by_scope(three_days: Parts) -> None:
    await three_days.profiles.upsert([User("us", country="US"), User("de", country="DE", segments=("vip",))])
    await give(three_days, "us", 7)
    await give(three_days, "de", 9)
    assert (await trend(three_days, Metric.POINTS, scope="country:US"))[-1] == (0, 7)
    assert (await trend(three_days, Metric.POINTS, scope="segment:vip"))[-1] == (0, 9)
    assert (await trend(three_days, Metric.POINTS, scope="tier:silver"))[-1] == (0, 5000)


async def test_the_rank_of_a_user_stays_until_it_is_known_anew(three_days: Parts) -> None:
    rank = {"scope": "global", "period_id": "all", "user_id": "b"}
    assert await trend(three_days, Metric.RANK, **rank) == [(-2, 2), (-1, 2), (0, 1)]


async def test_the_rank_on_a_score_board_is_told_too(three_days: Parts) -> None:
    await board(three_days)
    await report(three_days, "a", 5)
    await report(three_days, "nobody-else", 9)
    rank = {"scope": "race", "period_id": "all", "user_id": "a"}
    assert await trend(three_days, Metric.RANK, **rank) == [(0, 2)]
    assert three_days.clock is not None
    await three_days.clock.set(START + DAY)
    await report(three_days, "a", 10)
    assert await trend(three_days, Metric.RANK, **rank, to_time=TODAY + 2 * DAY) == [(0, 2), (1, 1)]


async def test_an_unknown_or_erased_user_is_not_found(three_days: Parts) -> None:
    for metric in (Metric.POINTS, Metric.RANK):
        with pytest.raises(LaurelError) as refused:
            await trend(three_days, metric, user_id="nobody")
        assert refused.value.reason is Reason.USER_NOT_FOUND
    before = await trend(three_days, Metric.POINTS)
    await three_days.people.erase(Order("a", "erase-1", b"e" * 16, b"h" * 16, "tests"))
    with pytest.raises(LaurelError) as refused:
        await trend(three_days, Metric.POINTS, user_id="a")
    assert refused.value.reason is Reason.USER_NOT_FOUND
    assert await trend(three_days, Metric.POINTS) == before, "his points were earned all the same"


async def test_ranks_that_the_ledger_noted_by_day_count_too(three_days: Parts) -> None:
    assert three_days.clock is not None
    rank = {"scope": "global", "period_id": "all", "user_id": "a"}
    assert await trend(three_days, Metric.RANK, **rank) == [(-2, 1), (-1, 1), (0, 1)], "b has passed him"
    await three_days.clock.set(START + DAY)
    await run_job(three_days, "snapshot_ranks")

    async def noted() -> bool:
        return await trend(three_days, Metric.RANK, **rank, to_time=TODAY + 2 * DAY) == [
            (-2, 1), (-1, 1), (0, 1), (1, 2)
        ]  # fmt: skip

    await until(noted, "the ranks of the day are written", seconds=40)


async def test_results_of_periods_are_kept(three_days: Parts, engine: Engine) -> None:
    assert three_days.clock is not None
    await three_days.clock.set(START + 2 * DAY)
    await run_job(three_days, "close_periods")
    await trend(three_days, Metric.POINTS)  # which waits until it is all written
    rows = await engine.query(
        "SELECT rank, score, bonus_points, participants FROM period_results FINAL"
        " WHERE scope = 'global' AND period_id = '2026-11-23' ORDER BY rank"
    )
    assert [tuple(row) for row in rows] == [(1, 30, 100, 2), (2, 5, 50, 2)]


async def test_tier_mix_and_liability_are_levels(three_days: Parts) -> None:
    assert await trend(three_days, Metric.TIER_MIX) == [
        (-2, "BRONZE", 2), (-2, "SILVER", 0), (-1, "BRONZE", 2), (-1, "SILVER", 0), (0, "BRONZE", 1), (0, "SILVER", 1)
    ]  # fmt: skip
    assert await trend(three_days, Metric.LIABILITY) == [(-2, 35), (-1, 35), (0, 5035)]
    later = await trend(three_days, Metric.LIABILITY, from_time=TODAY)
    assert later == [(0, 5035)], "what was before the first stretch counts"


async def test_liability_split_tells_what_is_pending_and_what_will_expire(three_days: Parts) -> None:
    await give(
        three_days, "c", action="PURCHASE", attributes={"order_value": "1000"}, activates_at=START + 30 * DAY
    )
    assert three_days.trends is not None
    query = TrendQuery(Metric.LIABILITY, Granularity.DAY, TODAY, TODAY + DAY, UTC, by_series=True)
    found = {(each.series, each.time): each.value for each in await three_days.trends.trend(query)}
    assert found == {
        ("", TODAY): 5045,
        ("PENDING", TODAY): 10,
        ("EXPIRING", datetime(2027, 12, 1, tzinfo=UTC)): 10,
    }


LEVELS = (Metric.POINTS, Metric.LIABILITY, Metric.TIER_MIX)


async def some_awards(parts: Parts) -> list[Any]:
    """Award on two days and return what the trends of them are."""
    assert parts.clock is not None
    await parts.clock.set(START - DAY)
    await give(parts, "a", 4000)
    await give(parts, "a", 2000)
    await give(parts, "b", 5)
    await parts.clock.set(START)
    await give(parts, "a", 1)
    return [await trend(parts, metric) for metric in LEVELS]


async def test_nothing_is_counted_twice_after_replays_and_refills(analysed: Analysed, engine: Engine) -> None:
    async with analysed() as parts:
        expected = await some_awards(parts)
        await parts.pool.execute("DELETE FROM event_positions")
    await engine.command("DROP TABLE fills")
    async with analysed() as parts:
        assert [await trend(parts, metric) for metric in LEVELS] == expected
    assert expected[0] == [(-2, 0), (-1, 6005), (0, 1)]


async def test_an_empty_clickhouse_is_filled_from_the_ledger(analysed: Analysed, engine: Engine) -> None:
    async with analysed() as parts:
        expected = await some_awards(parts)
        await parts.pool.execute("DELETE FROM outbox WHERE batch_no < (SELECT max(batch_no) FROM outbox)")
    for table in ("entries", "tier_changes", "fills"):
        await engine.command(f"DROP TABLE {table}")
    async with analysed() as parts:
        assert [await trend(parts, metric) for metric in LEVELS] == expected


async def test_too_many_points_and_wrong_questions_are_refused(three_days: Parts) -> None:
    for wrong in (
        {"from_time": TODAY - 1000 * DAY, "granularity": Granularity.HOUR},
        {"from_time": TODAY + 9 * DAY},
        {"scope": "some-score-board"},
    ):
        with pytest.raises(LaurelError) as refused:
            await trend(three_days, Metric.POINTS, **wrong)
        assert refused.value.reason is Reason.INVALID_FIELD
    with pytest.raises(LaurelError) as refused:
        await trend(three_days, Metric.RANK)
    assert refused.value.field == "user_id"


_MILLION = """
INSERT INTO entries
SELECT number + 1, number % 50000, ['PURCHASE', 'REVIEW'][number % 2 + 1], number % 100, true,
       'BRONZE', 'US', '', [], moment, moment, NULL, NULL
  FROM (SELECT number, toDateTime64('2026-11-25 00:00:00', 6, 'UTC') - number % 31536000 AS moment
          FROM numbers(1000000))
"""


@pytest.mark.parametrize("metric", [Metric.POINTS, Metric.ACTIVE_USERS, Metric.TIER_MIX, Metric.LIABILITY])
async def test_a_trend_over_a_million_entries_takes_less_than_a_second(
    analysed: Analysed, engine: Engine, metric: Metric
) -> None:
    async with analysed() as parts:
        await trend(parts, metric)  # the tables are there
        await engine.command(_MILLION)
        took = []
        for _ in range(3):  # of which a busy machine may spoil one or two
            began = time.monotonic()
            assert len(await trend(parts, metric, from_time=TODAY - 365 * DAY)) >= 366
            took.append(time.monotonic() - began)
    assert min(took) < 1
