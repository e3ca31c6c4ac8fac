from datetime import UTC, datetime, timedelta

import pytest

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import ALL, DAY, MONTH, WEEK, give, listed, running, wrongs

MIDNIGHT = datetime(2026, 11, 26, tzinfo=UTC)
YESTERDAY = MIDNIGHT - timedelta(minutes=5)


async def go_to(parts: Parts, moment: datetime) -> None:
    """Set the test clock."""
    assert parts.clock is not None
    await parts.clock.set(moment)


async def test_an_award_of_yesterday_counts_there_while_the_day_is_in_grace(parts: Parts) -> None:
    await give(parts, "ann", 10)
    await go_to(parts, MIDNIGHT + timedelta(minutes=59))

    answer = await give(parts, "ann", 5, occurred_at=YESTERDAY)

    assert answer.closed_period_ids == ()
    assert await listed(parts, period_id=DAY) == [("ann", 15)]
    assert await listed(parts, period_id="2026-11-26") == []
    assert await wrongs(parts) == []


async def test_an_award_that_is_too_late_for_its_day_counts_in_what_is_open(parts: Parts) -> None:
    await give(parts, "ann", 10)
    await go_to(parts, MIDNIGHT + timedelta(minutes=60))

    answer = await give(parts, "ann", 5, occurred_at=YESTERDAY, request_id="r-1")

    assert answer.closed_period_ids == (DAY,)
    assert (await give(parts, "ann", 5, occurred_at=YESTERDAY, request_id="r-1")).closed_period_ids == (DAY,)
    boards = {rank.board.period_id for rank in answer.ranks if rank.board.scope == "global"}
    assert boards == {WEEK, MONTH, ALL}
    assert await listed(parts, period_id=DAY) == [("ann", 10)]
    assert await listed(parts, period_id=WEEK) == [("ann", 15)]
    assert await wrongs(parts) == []


@pytest.mark.parametrize("away", [timedelta(days=400), timedelta(minutes=-10)])
async def test_an_award_from_long_ago_or_from_the_future_is_refused(parts: Parts, away: timedelta) -> None:
    assert parts.clock is not None
    try:
        answer = await give(parts, "ann", 5, occurred_at=parts.clock.now() - away)
    except LaurelError as refused:
        assert refused.reason is Reason.INVALID_FIELD  # noqa: PT017
    else:
        assert away > timedelta()
        assert set(answer.closed_period_ids) == {each for each in answer.closed_period_ids if each != ALL}


async def test_totals_of_days_that_are_over_leave_the_hot_row(parts: Parts) -> None:
    await give(parts, "ann", 10)
    await give(parts, "bob", 20)
    await go_to(parts, MIDNIGHT + timedelta(days=2))

    await give(parts, "ann", 1)

    kept = await parts.pool.fetch("SELECT period_id, score FROM period_totals ORDER BY period_id")
    assert [tuple(row) for row in kept] == [(DAY, 10)]
    assert "2026-11-25" not in await parts.pool.fetchval(
        "SELECT open_totals::text FROM user_rewards JOIN users USING (user_no) WHERE user_id = 'ann'"
    )
    assert await listed(parts, period_id=DAY) == [("bob", 20), ("ann", 10)]
    await parts.maintenance.rebuild(None)
    assert await listed(parts, period_id=DAY) == [("bob", 20), ("ann", 10)]
    assert await wrongs(parts) == []


async def test_a_new_month_makes_its_partition_on_the_way(ledger_dsn: str, redis_url: str) -> None:
    end = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    async with running(ledger_dsn, redis_url, now=end) as parts:
        await give(parts, "ann", 10)
        await go_to(parts, end + timedelta(seconds=1))
        await give(parts, "ann", 5)

        rows = await parts.pool.fetch(
            "SELECT tableoid::regclass::text AS name, points FROM reward_transactions"
        )
        assert sorted(tuple(row) for row in rows) == [
            ("reward_transactions_2026_12", 10),
            ("reward_transactions_2027_01", 5),
        ]
        assert await listed(parts, period_id="2026-W53") == [("ann", 15)]
        assert await listed(parts, period_id="2027-01") == [("ann", 5)]
        assert await wrongs(parts) == []


async def test_equal_scores_rank_in_the_order_they_were_reached_in_every_period(parts: Parts) -> None:
    await give(parts, "ann", 10)
    await give(parts, "bob", 5)
    await go_to(parts, MIDNIGHT + timedelta(days=7))
    await give(parts, "bob", 5)
    await give(parts, "ann", 5)

    assert await listed(parts) == [("ann", 15), ("bob", 10)]
    assert await listed(parts, period_id="2026-W49") == [("bob", 5), ("ann", 5)]
    await give(parts, "bob", 5)
    assert await listed(parts) == [("ann", 15), ("bob", 15)]
    await parts.maintenance.rebuild(None)
    assert await listed(parts) == [("ann", 15), ("bob", 15)]
    assert await listed(parts, period_id="2026-W49") == [("bob", 10), ("ann", 5)]
