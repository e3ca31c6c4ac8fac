"""Reading periods: the current one, those in grace, those that are closed, and those that never had a member."""

from datetime import UTC, datetime, timedelta

import pytest

from laurel_server.domain.closing import PeriodState, PeriodSummary
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.periods import PeriodType
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import DAY, WEEK, board_at, give, run_job

MIDNIGHT = datetime(2026, 11, 26, tzinfo=UTC)
CLOSED = MIDNIGHT + timedelta(hours=1)


async def go_to(parts: Parts, moment: datetime) -> None:
    assert parts.clock is not None
    await parts.clock.set(moment)
    await run_job(parts, "close_periods")


async def period(parts: Parts, period_id: str, scope: str = "global") -> PeriodSummary:
    return await parts.periods.period(board_at(parts, scope, period_id))


async def test_a_period_is_told_in_each_of_its_states(parts: Parts) -> None:
    assert parts.clock is not None
    await give(parts, "ann", 30)
    now = await period(parts, DAY)
    assert (now.state, now.winners, now.participants) == (PeriodState.ACTIVE, (), 1)
    await parts.clock.set(MIDNIGHT)  # before the job has noticed
    assert (await period(parts, DAY)).state is PeriodState.CLOSING
    await go_to(parts, CLOSED)
    closed = await period(parts, DAY)
    assert (closed.state, closed.participants) == (PeriodState.COMPLETED, 1)
    (winner,) = closed.winners
    assert (winner.rank, winner.user_id, winner.score, winner.bonus_points) == (1, "ann", 30, 100)
    entry = await parts.statement.transaction(winner.transaction_id)
    assert (entry.user_id, entry.action, entry.points) == ("ann", "DAILY_WINNER", 100)
    await go_to(parts, MIDNIGHT + timedelta(days=14))
    assert await period(parts, DAY) == PeriodSummary(
        closed.board, closed.period, PeriodState.ARCHIVED, closed.winners, 1
    )


@pytest.mark.parametrize(
    ("period_id", "state"),
    [
        ("2026-11-25", PeriodState.ACTIVE),
        ("2026-11-24", PeriodState.COMPLETED),
        ("2026-11-01", PeriodState.ARCHIVED),
        ("all", PeriodState.ACTIVE),
    ],
)
async def test_a_period_that_nobody_was_in_is_as_old_as_time_makes_it(
    parts: Parts, period_id: str, state: PeriodState
) -> None:
    found = await period(parts, period_id)
    assert (found.state, found.winners, found.participants) == (state, (), 0)


async def test_periods_are_listed_newest_first_with_the_current_one(parts: Parts) -> None:
    await give(parts, "ann", 30)
    await go_to(parts, CLOSED)
    await give(parts, "bob", 10)
    await go_to(parts, MIDNIGHT + timedelta(days=3))
    listed = await parts.periods.periods("", PeriodType.DAILY, None, 10)
    assert [(each.board.period_id, each.state, each.participants) for each in listed] == [
        ("2026-11-29", PeriodState.ACTIVE, 0),
        ("2026-11-26", PeriodState.COMPLETED, 1),
        (DAY, PeriodState.COMPLETED, 1),
    ]
    assert [each.user_id for each in listed[1].winners] == ["bob"]
    older = await parts.periods.periods("global", PeriodType.DAILY, listed[1].period.starts_at, 10)
    assert [each.board.period_id for each in older] == [DAY]
    weeks = await parts.periods.periods("tier:bronze", PeriodType.WEEKLY, None, 10)
    assert [each.board.period_id for each in weeks] == [WEEK]
    (ever,) = await parts.periods.periods("global", PeriodType.ALL_TIME, None, 10)
    assert (ever.board.period_id, ever.participants) == ("all", 2)
    assert (ever.period.starts_at, ever.period.ends_at) == (None, None)
    with pytest.raises(LaurelError) as refused:
        await parts.periods.periods("country:US", PeriodType.DAILY, None, 10)
    assert refused.value.reason is Reason.BOARD_NOT_FOUND


async def test_a_snapshot_is_there_once_the_period_is_frozen(parts: Parts) -> None:
    for name, points in (("ann", 30), ("bob", 20), ("cid", 10), ("dot", 5)):
        await give(parts, name, points)
    await go_to(parts, CLOSED - timedelta(seconds=1))
    with pytest.raises(LaurelError) as refused:
        await parts.periods.snapshot(board_at(parts, period_id=DAY), 0, 100)
    assert refused.value.reason is Reason.PERIOD_NOT_FOUND
    await go_to(parts, CLOSED)
    snapshot = await parts.periods.snapshot(board_at(parts, period_id=DAY), 0, 2)
    assert snapshot.statistics == (4, 65, 16.25, 15)
    assert [(line.rank, line.user_id, line.score) for line in snapshot.lines] == [
        (1, "ann", 30),
        (2, "bob", 20),
    ]
    rest = await parts.periods.snapshot(board_at(parts, period_id=DAY), 2, 100)
    assert [line.user_id for line in rest.lines] == ["cid", "dot"]
    beyond = await parts.periods.snapshot(board_at(parts, period_id=DAY), 100, 100)
    assert (beyond.lines, beyond.statistics) == ((), snapshot.statistics)
    nobody = await parts.periods.snapshot(board_at(parts, period_id="2026-11-24"), 0, 100)
    assert (nobody.lines, nobody.taken_at) == ((), None)


async def test_the_first_of_a_period_gets_its_badge(parts: Parts) -> None:
    for name, points in (("ann", 30), ("bob", 20)):
        await give(parts, name, points)
    for _ in range(2):
        await go_to(parts, datetime(2026, 12, 1, 1, tzinfo=UTC))
    badges = {badge.badge_type: badge.level for badge, _ in await parts.badges.of("ann")}
    assert {"DAILY_CHAMPION": 1, "WEEKLY_CHAMPION": 1, "MONTHLY_CHAMPION": 1}.items() <= badges.items()
    assert not any("CHAMPION" in badge.badge_type for badge, _ in await parts.badges.of("bob"))
