"""Ranks day by day."""

from datetime import UTC, datetime, timedelta

import pytest

from laurel_server.domain.boards import SortOrder
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import User
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.periods.ranks import RankHistory
from laurel_server.rewards.rule_book import RuleBook
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import board, report
from tests.integration.wired import ALL, DAY, WEEK, board_at, give, run_job, running

EVENING = datetime(2026, 11, 25, 23, 50, tzinfo=UTC)
NO_BOUNDS = (None, None)


async def points(
    parts: Parts, user_id: str, scope: str = "global", period_id: str = ALL, *, all_periods: bool = False
) -> list[tuple[str, int, int, int]]:
    found = await parts.ranks.points(
        board_at(parts, scope, period_id), user_id, NO_BOUNDS, 0, 100, all_periods=all_periods
    )
    return [(each.period_id, each.rank, each.score, each.total) for each in found]


async def at(parts: Parts, moment: datetime) -> None:
    assert parts.clock is not None
    await parts.clock.set(moment)
    await run_job(parts, "snapshot_ranks")


async def test_everybody_has_a_point_a_day_on_every_board(parts: Parts) -> None:
    await parts.profiles.upsert([User("ann", country="US", segments=("vip", "vip")), User("bob")])
    await give(parts, "ann", 30)
    await give(parts, "bob", 20)
    await at(parts, EVENING)
    assert parts.clock is not None
    await parts.clock.set(EVENING + timedelta(hours=1, minutes=9))
    await give(parts, "bob", 20)
    await parts.clock.set(EVENING + timedelta(hours=2))
    closed = await run_job(parts, "close_periods")
    assert closed["paid"] == 2
    await at(parts, EVENING + timedelta(days=1))
    assert await points(parts, "ann") == [(ALL, 1, 30, 2), (ALL, 1, 130, 2)]
    assert await points(parts, "bob") == [(ALL, 2, 20, 2), (ALL, 2, 90, 2)]
    assert await points(parts, "ann", "country:US") == [(ALL, 1, 30, 1), (ALL, 1, 130, 1)]
    assert await points(parts, "bob", "tier:bronze") == [(ALL, 2, 20, 2), (ALL, 2, 90, 2)]
    assert await points(parts, "bob", period_id=WEEK) == [(WEEK, 2, 20, 2), (WEEK, 1, 40, 2)]
    assert await points(parts, "bob", period_id=DAY) == [(DAY, 2, 20, 2)]
    assert await points(parts, "bob", period_id="2026-11-26") == [("2026-11-26", 1, 20, 1)]


async def test_ranks_agree_with_the_board(parts: Parts) -> None:
    for n in range(40):
        await give(parts, f"user-{n}", 10 * (n % 7 + 1))
    await at(parts, EVENING)
    page = await parts.queries.page(board_at(parts), "", 100)
    assert [await points(parts, line.user_id) for line in page.lines] == [
        [(ALL, line.rank, line.score, 40)] for line in page.lines
    ]


async def test_a_second_time_on_a_day_replaces_the_first(parts: Parts) -> None:
    await give(parts, "ann", 30)
    await at(parts, EVENING)
    await give(parts, "bob", 40)
    await at(parts, EVENING + timedelta(minutes=5))
    assert await points(parts, "ann") == [(ALL, 2, 30, 2)]


async def test_weeks_follow_each_other_where_no_period_is_named(parts: Parts) -> None:
    await give(parts, "ann", 30)
    await at(parts, EVENING)
    assert parts.clock is not None
    await parts.clock.set(EVENING + timedelta(days=6))
    await give(parts, "ann", 10)
    await at(parts, EVENING + timedelta(days=7))
    found = await points(parts, "ann", period_id="2026-W49", all_periods=True)
    assert next(each for each in found if each[0] == WEEK) == (WEEK, 1, 30, 1)
    assert found[-1] == ("2026-W49", 1, 10, 1)


async def test_points_lie_in_the_time_asked_for(parts: Parts) -> None:
    await give(parts, "ann", 30)
    for day in range(3):
        await at(parts, EVENING + timedelta(days=day))
    between = (EVENING + timedelta(days=1), EVENING + timedelta(days=2))
    (point,) = await parts.ranks.points(board_at(parts), "ann", between, 0, 10, all_periods=False)
    assert point.taken_at == EVENING + timedelta(days=1)
    page = await parts.ranks.points(board_at(parts), "ann", NO_BOUNDS, 1, 1, all_periods=False)
    assert page == [point]


async def test_the_movement_is_against_yesterday_and_last_week(parts: Parts) -> None:
    for name, score in (("ann", 30), ("bob", 20), ("cid", 10)):
        await give(parts, name, score)
    await at(parts, EVENING)
    await at(parts, EVENING + timedelta(days=6))
    assert parts.clock is not None
    await parts.clock.set(EVENING + timedelta(days=6, hours=20))
    await give(parts, "cid", 100)
    up = await parts.ranks.movement(board_at(parts), "cid", all_periods=True)
    assert (up.rank, up.yesterday, up.last_week) == (1, 3, 3)
    assert (up.since_yesterday, up.since_last_week, up.message) == (2, 2, "You moved up 2 ranks!")
    down = await parts.ranks.movement(board_at(parts), "ann", all_periods=True)
    assert (down.since_yesterday, down.message) == (-1, "You moved down 1 rank")
    new = await parts.ranks.movement(board_at(parts, period_id="2026-12-02"), "cid", all_periods=False)
    assert (new.rank, new.yesterday, new.since_yesterday, new.message) == (1, 0, 0, "")
    off = await parts.ranks.movement(board_at(parts, period_id="2026-12-02"), "bob", all_periods=False)
    assert (off.rank, off.since_last_week) == (0, 0)


async def test_who_is_hidden_has_no_rank_and_who_is_unknown_no_history(parts: Parts) -> None:
    for name, score in (("ann", 30), ("bob", 20)):
        await give(parts, name, score)
    await parts.pool.execute("UPDATE users SET visibility = 2 WHERE user_id = 'ann'")
    await at(parts, EVENING)
    assert await points(parts, "ann") == []
    assert await points(parts, "bob") == [(ALL, 1, 20, 1)]
    with pytest.raises(LaurelError) as refused:
        await points(parts, "nobody")
    assert refused.value.reason is Reason.USER_NOT_FOUND


async def test_days_that_were_missed_are_made_up_for(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, jobs=True) as parts:
        assert parts.clock is not None
        await parts.clock.advance(timedelta())
        for name, score in (("ann", 30), ("bob", 20), ("cid", 10)):
            await give(parts, name, score)
        await parts.clock.advance(timedelta(days=7))
        await give(parts, "bob", 50_000)
        assert await points(parts, "bob", period_id=DAY) == [(DAY, 2, 20, 3)]
        assert await points(parts, "bob", period_id=WEEK) == [(WEEK, 2, 20, 3)] * 5
        assert await points(parts, "bob") == [(ALL, 2, 20, 3)] * 7
        moved = await parts.ranks.movement(board_at(parts), "bob", all_periods=True)
        assert (moved.rank, moved.yesterday, moved.last_week) == (1, 2, 2)


async def test_without_a_period_the_movement_is_against_the_periods_of_those_days(parts: Parts) -> None:
    await give(parts, "ann", 30)
    await give(parts, "bob", 20)
    await at(parts, EVENING)
    assert parts.clock is not None
    await parts.clock.set(EVENING + timedelta(days=7))
    await give(parts, "bob", 5)
    board = board_at(parts, period_id="2026-W49")
    moved = await parts.ranks.movement(board, "bob", all_periods=True)
    assert (moved.rank, moved.last_week, moved.since_last_week) == (1, 2, 1)
    alone = await parts.ranks.movement(board, "bob", all_periods=False)
    assert (alone.rank, alone.last_week) == (1, 0)


async def test_of_a_board_that_another_server_created_just_now_the_order_is_known(parts: Parts) -> None:
    before = RuleBook(parts.pool, parts.business_clock, Catalogue(), UTC, timedelta(hours=1))
    await before.current()
    await board(parts, sort_order=SortOrder.ASCENDING)
    for name, score in (("ann", 30), ("bob", 20)):
        await report(parts, name, score)
    ranks = RankHistory(parts.pool, parts.queries, before, parts.business_clock, UTC)
    await ranks.take(lambda _lines: None)
    race = await parts.queries.find("race", None, "")
    (found,) = await parts.ranks.points(race, "bob", NO_BOUNDS, 0, 9, all_periods=True)
    assert (found.rank, found.score) == (1, 20)
