"""The numbers in docs/explanation/periods.md."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from laurel_server.domain.boards import SortOrder, WinnerBonus
from laurel_server.domain.tiers import Tier
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import board, report
from tests.integration.wired import board_at, entries_of, give, run_job

PAGE = (Path(__file__).parents[3] / "docs" / "explanation" / "periods.md").read_text()
SUNDAY = datetime(2026, 11, 29, 12, tzinfo=UTC)
CLOSED = datetime(2026, 11, 30, 1, tzinfo=UTC)


def table(heading: str) -> list[tuple[str, int, int, int]]:
    """Return the rows of users below a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (\d*) ?\|$", section, re.MULTILINE)
    return [(name, int(points), int(rank), int(bonus or 0)) for name, points, rank, bonus in rows]


async def test_the_week_ends_as_the_page_says(parts: Parts) -> None:
    assert parts.clock is not None
    lines = table("A week with numbers")
    assert len(lines) == 4
    await parts.clock.set(SUNDAY - timedelta(days=20))
    await give(parts, "ann", 10_000)
    assert (await parts.statement.rewards("ann")).tier is Tier.GOLD
    await parts.clock.set(SUNDAY)
    for name, points, _, _ in lines:
        await give(parts, name, points)
    await parts.clock.set(CLOSED)
    await run_job(parts, "close_periods")

    week = board_at(parts, period_id="2026-W48")
    snapshot = await parts.periods.snapshot(week, 0, 100)
    assert [(line.user_id, line.score, line.rank) for line in snapshot.lines] == [line[:3] for line in lines]
    winners = {winner.user_id: winner for winner in (await parts.periods.period(week)).winners}
    assert {name: winners[name].bonus_points for name in winners} == {
        name: bonus for name, _, _, bonus in lines if bonus
    }
    entry = await parts.statement.transaction(winners["ann"].transaction_id)
    assert (entry.action, entry.reference_id, entry.points) == ("WEEKLY_WINNER", "global/2026-W48", 1000)
    numbers = snapshot.statistics
    assert (
        f"{numbers.participants} participants, {numbers.total_points} points, {numbers.average_points:.0f} on average"
        in PAGE
    )
    assert f"median of {numbers.median_points}" in PAGE
    assert (await entries_of(parts, "bob"))[1:] == [50, 500]  # the day before the week


async def test_a_score_board_ends_as_the_page_says(parts: Parts) -> None:
    assert parts.clock is not None
    laps = table("A score board with numbers")
    bonuses = tuple(WinnerBonus(rank, bonus) for _, _, rank, bonus in laps if bonus)
    assert [bonus.points for bonus in bonuses] == [90, 70]
    await board(
        parts,
        "lap-times",
        sort_order=SortOrder.ASCENDING,
        reset_cron="0 0 * * 1",
        winner_bonuses=bonuses,
    )
    for name, lap, _, _ in laps:
        await report(parts, name, lap, scope="lap-times")
    await parts.clock.set(CLOSED)
    await run_job(parts, "close_periods")

    found = parts.queries.resolve("lap-times", None, "2026-11-23T00:00Z")
    snapshot = await parts.periods.snapshot(found, 0, 100)
    assert [(line.user_id, line.score, line.rank) for line in snapshot.lines] == [line[:3] for line in laps]
    first, second = (await parts.periods.period(found)).winners
    assert [(first.user_id, first.bonus_points), (second.user_id, second.bonus_points)] == [
        ("ann", 90),
        ("bob", 70),
    ]
    entry = await parts.statement.transaction(first.transaction_id)
    assert (entry.action, entry.reference_id) == ("BOARD_WINNER", "lap-times/2026-11-23T00:00Z")
    numbers = snapshot.statistics
    assert f"{numbers.participants} participants" in PAGE
    assert f"total of {numbers.total_points}, {numbers.average_points:.2f} on average" in PAGE
    assert f"median of {numbers.median_points}." in PAGE
