"""Badges for places in periods that are over."""

from datetime import timedelta

from laurel_server.domain.badges import BadgeDefinition
from laurel_server.runtime.wiring import Parts
from tests.integration.ranking.badging import MONDAY, announced, held
from tests.integration.wired import command, give, run_job


async def end_week(parts: Parts, weeks: int = 1) -> None:
    """Close the week in which the clock was at START, or one of the next."""
    assert parts.clock is not None
    await parts.clock.set(MONDAY + timedelta(weeks=weeks - 1, hours=1))
    for _ in range(2):
        await run_job(parts, "close_periods")


async def test_the_first_of_a_closed_period_is_its_champion_once_a_period(parts: Parts) -> None:
    await give(parts, "ann", 5)
    await give(parts, "bob", 3)
    await end_week(parts)
    await give(parts, "ann", 5)
    await end_week(parts, 2)
    await give(parts, "bob", 5)
    await end_week(parts, 3)
    assert (await held(parts, "ann"))["WEEKLY_CHAMPION"] == 2
    assert (await held(parts, "bob"))["WEEKLY_CHAMPION"] == 1
    assert [each for each in await announced(parts) if each[1] == "WEEKLY_CHAMPION"] == [
        ("ann", "WEEKLY_CHAMPION", 1),
        ("ann", "WEEKLY_CHAMPION", 2),
        ("bob", "WEEKLY_CHAMPION", 1),
    ]


async def test_a_final_rank_may_be_joined_with_points_and_counts(parts: Parts) -> None:
    rule = 'weekly_rank <= 2 and weekly_points >= 5 and count("GIVE") >= 2'
    await parts.rule_book.put_badge(BadgeDefinition("LOYAL", rule=rule), "tests")
    for name, points in (("ann", 3), ("ann", 3), ("bob", 5), ("cid", 2), ("cid", 2)):
        await give(parts, name, points)
    await end_week(parts)
    assert "LOYAL" in await held(parts, "ann")
    assert "LOYAL" not in {*await held(parts, "bob"), *await held(parts, "cid")}


async def test_rules_on_a_final_rank_reach_as_far_down_as_they_say_level_by_level(parts: Parts) -> None:
    await parts.rule_book.put_badge(
        BadgeDefinition(
            "WEEK", rule="weekly_rank <= 1200", level_rules=("weekly_percentile >= 90", "weekly_rank <= 3")
        ),
        "tests",
    )
    await parts.rule_book.put_badge(BadgeDefinition("HALF", rule="weekly_top_percent <= 50"), "tests")
    await parts.awards.award_batch([command(f"user-{n}", 10_000 - n) for n in range(1300)], None)
    await end_week(parts)
    rows = await parts.pool.fetch(
        "SELECT badge_type, level, count(*), max(substr(user_id, 6)::int) AS last FROM user_badges"
        " JOIN users USING (user_no) WHERE badge_type IN ('WEEK', 'HALF') GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert [tuple(row) for row in rows] == [
        ("HALF", 1, 650, 649),
        ("WEEK", 1, 1200, 1199),
        ("WEEK", 2, 130, 129),
        ("WEEK", 3, 3, 2),
    ]
    assert len([each for each in await announced(parts) if each[1] in {"WEEK", "HALF"}]) == 650 + 1333
    await parts.awards.award_batch([command(f"user-{n}", 10_000 - n) for n in range(3)], None)
    await end_week(parts, 2)
    assert await held(parts, "user-0") == await held(parts, "user-0") | {"WEEK": 3, "HALF": 2}
