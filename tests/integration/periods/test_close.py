"""The end of periods on a real ledger: what freezes when, who is paid what, and what late awards still do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from laurel_server.domain.tiers import Tier
from laurel_server.runtime.wiring import Parts
from tests.integration.spend import reverse
from tests.integration.wired import (
    ALL,
    DAY,
    MONTH,
    WEEK,
    entries_of,
    gift,
    give,
    listed,
    run_job,
    running,
    wrongs,
)

MIDNIGHT = datetime(2026, 11, 26, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
GRACE = timedelta(hours=1)
ACTIVE, CLOSING, COMPLETED, ARCHIVED = 1, 2, 3, 4


async def go_to(parts: Parts, moment: datetime) -> dict[str, int]:
    """Set the clock and close what is due, as the job does."""
    assert parts.clock is not None
    await parts.clock.set(moment)
    return await run_job(parts, "close_periods")


async def state_of(parts: Parts, period_id: str, scope: str = "global") -> int | None:
    state: int | None = await parts.pool.fetchval(
        "SELECT state FROM leaderboard_periods WHERE scope = $1 AND period_id = $2", scope, period_id
    )
    return state


async def prizes(parts: Parts) -> list[tuple[Any, ...]]:
    rows = await parts.pool.fetch(
        "SELECT user_id, action, points, multiplier::int, reference_id FROM reward_transactions"
        " JOIN users USING (user_no) WHERE created_by = 'laurel' ORDER BY transaction_id"
    )
    return [tuple(row) for row in rows]


async def test_a_day_goes_through_its_states(parts: Parts) -> None:
    await give(parts, "ann", 30)
    assert await go_to(parts, MIDNIGHT - timedelta(seconds=1)) == {"closed": 0, "paid": 0, "archived": 0}
    assert await state_of(parts, DAY) == ACTIVE
    await go_to(parts, MIDNIGHT)
    assert await state_of(parts, DAY) == CLOSING
    await go_to(parts, MIDNIGHT + GRACE - timedelta(seconds=1))
    assert await state_of(parts, DAY) == CLOSING
    assert await prizes(parts) == []
    assert await go_to(parts, MIDNIGHT + GRACE) == {"closed": 1, "paid": 1, "archived": 0}
    assert await state_of(parts, DAY) == COMPLETED
    assert [await state_of(parts, period) for period in (WEEK, MONTH, ALL)] == [ACTIVE] * 3
    assert await go_to(parts, MIDNIGHT + timedelta(days=14)) == {"closed": 3, "paid": 2, "archived": 1}
    assert await state_of(parts, DAY) == ARCHIVED
    assert await wrongs(parts) == []


async def test_winners_of_the_day_get_what_the_board_says(parts: Parts) -> None:
    for name, points in (("ann", 30), ("bob", 20), ("cid", 40), ("dot", 10)):
        await give(parts, name, points)
    await go_to(parts, MIDNIGHT + GRACE)
    reference = f"global/{DAY}"
    assert await prizes(parts) == [
        ("cid", "DAILY_WINNER", 100, 1, reference),
        ("ann", "DAILY_WINNER", 50, 1, reference),
        ("bob", "DAILY_WINNER", 25, 1, reference),
    ]
    assert await listed(parts, period_id=DAY) == [("cid", 40), ("ann", 30), ("bob", 20), ("dot", 10)]
    assert await listed(parts) == [("cid", 140), ("ann", 80), ("bob", 45), ("dot", 10)]
    assert await listed(parts, period_id=WEEK) == [("cid", 40), ("ann", 30), ("bob", 20), ("dot", 10)]
    assert await wrongs(parts) == []


async def test_a_week_that_ends_with_a_day_is_closed_with_it(parts: Parts) -> None:
    assert parts.clock is not None
    await parts.clock.set(MONDAY - timedelta(hours=1))
    await give(parts, "ann", 10)
    await give(parts, "bob", 5)
    assert (await go_to(parts, MONDAY + GRACE))["paid"] == 4
    assert await entries_of(parts, "ann") == [10, 100, 1000]
    assert await entries_of(parts, "bob") == [5, 50, 500]


async def test_neither_tier_nor_campaign_nor_cap_changes_a_bonus(parts: Parts) -> None:
    await parts.rule_book.put_action(
        gift("DAILY_WINNER", max_daily_points=10, max_points_per_action=7, active=False), "tests"
    )
    await give(parts, "ann", 60_000)  # DIAMOND: x5
    assert (await parts.statement.rewards("ann")).tier is Tier.DIAMOND
    await go_to(parts, MIDNIGHT + GRACE)
    assert await entries_of(parts, "ann") == [60_000, 100]


async def test_nobody_is_paid_twice_however_often_it_runs(parts: Parts) -> None:
    await give(parts, "ann", 30)
    for _ in range(3):
        await go_to(parts, MIDNIGHT + GRACE)
    assert await entries_of(parts, "ann") == [30, 100]


async def test_periods_missed_during_downtime_are_closed_at_start_oldest_first(
    ledger_dsn: str, redis_url: str
) -> None:
    async with running(ledger_dsn, redis_url) as parts:
        await give(parts, "ann", 30)
        assert parts.clock is not None
        await parts.clock.set(MONDAY)
        await give(parts, "bob", 20)
    later = datetime(2027, 1, 2, tzinfo=UTC)
    async with running(ledger_dsn, redis_url, now=later, jobs=True) as parts:
        await parts.jobs.run_due()
        assert [(row[0], row[4].removeprefix("global/"), row[2]) for row in await prizes(parts)] == [
            ("ann", DAY, 100),
            ("ann", WEEK, 1000),
            ("bob", "2026-11-30", 100),
            ("ann", MONTH, 5000),
            ("bob", MONTH, 2500),
            ("bob", "2026-W49", 1000),
        ]
        assert await wrongs(parts) == []


async def test_setting_the_clock_closes_before_it_returns(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, jobs=True) as parts:
        await give(parts, "ann", 30)
        assert parts.clock is not None
        await parts.clock.set(MIDNIGHT + GRACE)
        assert await entries_of(parts, "ann") == [30, 100]


async def test_an_award_in_grace_counts_for_the_winner(parts: Parts) -> None:
    await give(parts, "ann", 30)
    await give(parts, "bob", 20)
    await go_to(parts, MIDNIGHT + timedelta(minutes=30))
    late = await give(parts, "bob", 15, occurred_at=MIDNIGHT - timedelta(minutes=1))
    assert late.closed_period_ids == ()
    await go_to(parts, MIDNIGHT + GRACE)
    assert [row[:3] for row in await prizes(parts)] == [
        ("bob", "DAILY_WINNER", 100),
        ("ann", "DAILY_WINNER", 50),
    ]


async def test_a_closed_standing_never_changes_again(parts: Parts) -> None:
    await give(parts, "ann", 30)
    await give(parts, "bob", 20)
    await go_to(parts, MIDNIGHT + GRACE)
    before = await listed(parts, period_id=DAY)
    late = await give(parts, "bob", 500, occurred_at=MIDNIGHT - timedelta(minutes=1))
    assert late.closed_period_ids == (DAY,)
    assert await listed(parts, period_id=DAY) == before
    await parts.maintenance.rebuild(None)
    assert await listed(parts, period_id=DAY) == before
    assert await wrongs(parts) == []


async def test_a_reversal_lowers_a_period_in_grace_and_none_that_is_closed(parts: Parts) -> None:
    given = await give(parts, "ann", 30)
    await give(parts, "bob", 25)
    await go_to(parts, MIDNIGHT + timedelta(minutes=30))
    await reverse(parts, given.entry.transaction_id, 10)
    assert await listed(parts, period_id=DAY) == [("bob", 25), ("ann", 20)]
    await go_to(parts, MIDNIGHT + GRACE)
    await reverse(parts, given.entry.transaction_id, 5)
    assert await listed(parts, period_id=DAY) == [("bob", 25), ("ann", 20)]
    assert await listed(parts, period_id=WEEK) == [("bob", 25), ("ann", 15)]
    assert await wrongs(parts, "boards") == []


async def test_a_server_whose_clock_is_behind_cannot_change_what_is_closed(
    ledger_dsn: str, redis_url: str
) -> None:
    behind = MIDNIGHT + GRACE - timedelta(seconds=30)
    async with running(ledger_dsn, redis_url) as ahead:
        await give(ahead, "ann", 30)
        async with running(ledger_dsn, redis_url, now=MIDNIGHT) as other:
            await go_to(ahead, MIDNIGHT + GRACE)
            assert other.clock is not None
            other.clock._clock.set(
                behind
            )  # as a machine's clock would be; the ledger refuses it from a caller
            late = await give(other, "bob", 500, occurred_at=MIDNIGHT - timedelta(minutes=1))
            assert late.closed_period_ids == (DAY,)
            (given,) = await ahead.pool.fetch("SELECT min(transaction_id) AS id FROM reward_transactions")
            await reverse(other, given["id"], 10)
            assert await listed(other, period_id=DAY) == [("ann", 30)]


async def test_who_is_hidden_takes_no_position_and_wins_nothing(parts: Parts) -> None:
    for name, points in (("ann", 30), ("bob", 20)):
        await give(parts, name, points)
    await parts.pool.execute("UPDATE users SET visibility = 2 WHERE user_id = 'ann'")
    await go_to(parts, MIDNIGHT + GRACE)
    assert [row[:3] for row in await prizes(parts)] == [("bob", "DAILY_WINNER", 100)]
    (snapshot,) = await parts.pool.fetch("SELECT * FROM leaderboard_snapshots WHERE scope = 'global'")
    assert (snapshot["participants"], snapshot["total_points"]) == (1, 20)


async def test_a_snapshot_has_the_numbers_and_the_best(parts: Parts) -> None:
    points = [10 * n for n in range(1, 105)]
    for n, each in enumerate(points):
        await give(parts, f"user-{n}", each)
    await go_to(parts, MIDNIGHT + GRACE)
    (row,) = await parts.pool.fetch(
        "SELECT * FROM leaderboard_snapshots WHERE scope = 'global' AND period_id = $1", DAY
    )
    assert (row["participants"], row["total_points"], row["median_points"]) == (104, sum(points), 525)
    assert row["average_points"] == pytest.approx(sum(points) / 104)
    assert (row["ranks"], row["scores"]) == (list(range(1, 101)), sorted(points, reverse=True)[:100])
    assert row["taken_at"] == MIDNIGHT + GRACE


async def test_the_outbox_tells_of_each_close_and_each_winner_once(parts: Parts) -> None:
    await give(parts, "ann", 30)
    for _ in range(2):
        await go_to(parts, MIDNIGHT + GRACE)
    rows = await parts.pool.fetch(
        "SELECT e.event ->> 'type' AS type, e.event ->> 'user_id' AS user_id, e.event ->> 'period_id' AS period"
        " FROM outbox, json_array_elements(events) AS e(event) WHERE e.event ->> 'type' LIKE 'period.%'"
    )
    assert [tuple(row) for row in rows] == [("period.closed", None, DAY), ("period.won", "ann", DAY)]


async def test_who_moves_after_the_close_stays_on_the_boards_of_the_past(parts: Parts) -> None:
    await give(parts, "ann", 4_000)
    await give(parts, "bob", 30)
    await go_to(parts, MONDAY + GRACE)
    assert await listed(parts, "tier:bronze", WEEK) == [("ann", 4_000), ("bob", 30)]
    await give(parts, "ann", 4_000)
    assert (await parts.statement.rewards("ann")).tier is not Tier.BRONZE
    assert await listed(parts, "tier:bronze", WEEK) == [("ann", 4_000), ("bob", 30)]
    assert await wrongs(parts) == []


@pytest.mark.parametrize(
    ("zone", "given_at", "closed_at", "day", "week"),
    [
        ("UTC", "2026-12-31T12:00", "2027-01-04T01:00", "2026-12-31", "2026-W53"),
        ("UTC", "2028-02-29T23:59", "2028-03-06T01:00", "2028-02-29", "2028-W09"),
        ("UTC", "2024-12-30T00:00", "2025-01-06T01:00", "2024-12-30", "2025-W01"),
        ("Europe/Berlin", "2026-03-29T01:30", "2026-03-29T23:00", "2026-03-29", "2026-W13"),
        ("America/New_York", "2026-11-02T04:30", "2026-11-02T06:00", "2026-11-01", "2026-W44"),
        ("Pacific/Kiritimati", "2026-12-31T10:30", "2027-01-03T11:00", "2027-01-01", "2026-W53"),
    ],
)
async def test_days_and_weeks_end_where_the_calendar_of_the_program_says(
    ledger_dsn: str,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    zone: str,
    given_at: str,
    closed_at: str,
    day: str,
    week: str,
) -> None:
    monkeypatch.setenv("LAUREL_PROGRAM_TIME_ZONE", zone)
    given, closed = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (given_at, closed_at))
    async with running(ledger_dsn, redis_url, now=given) as parts:
        await give(parts, "ann", 10)
        await go_to(parts, closed - timedelta(microseconds=1))
        assert await state_of(parts, week) == CLOSING
        await go_to(parts, closed)
        assert (await state_of(parts, day), await state_of(parts, week)) == (COMPLETED, COMPLETED)
        bonuses = [
            points for points in await entries_of(parts, "ann") if points != 5000
        ]  # a month may end too
        assert bonuses == [10, 100, 1000]
        assert await wrongs(parts) == []


async def test_the_months_of_a_leap_year(parts: Parts) -> None:
    assert parts.clock is not None
    await parts.clock.set(datetime(2028, 2, 29, 12, tzinfo=UTC))
    await give(parts, "ann", 10)
    await go_to(parts, datetime(2028, 3, 1, 0, 59, 59, tzinfo=UTC))
    assert await entries_of(parts, "ann") == [10]
    await go_to(parts, datetime(2028, 3, 1, 1, tzinfo=UTC))
    assert await entries_of(parts, "ann") == [10, 100, 5000]
