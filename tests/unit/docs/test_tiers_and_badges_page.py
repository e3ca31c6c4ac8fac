"""The numbers in docs/explanation/tiers-and-badges.md are those of the rules."""

from decimal import Decimal
from pathlib import Path

from laurel_server.domain.actions import SEEDED_ACTIONS
from laurel_server.domain.badge_rules import Facts, compiled, standing_facts
from laurel_server.domain.points import base_points, calculate
from laurel_server.domain.tiers import DEFAULT_TIERS, Tier, tier_for

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "tiers-and-badges.md"
ACTIONS = {config.action: config for config in SEEDED_ACTIONS}


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table whose first column is called so."""
    lines = PAGE.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    assert rows
    return rows


def test_tiers_and_their_multipliers() -> None:
    told = [(Tier[name], int(points), Decimal(multiplier)) for name, points, multiplier in table("tier")]
    assert told == [(each.tier, each.threshold, each.multiplier) for each in DEFAULT_TIERS]


def test_awards_across_a_threshold() -> None:
    lifetime = 4_900
    for _, before, points, after, tier_after in table("award"):
        breakdown = calculate(ACTIONS["REVIEW"], {}, tier_for(lifetime))
        assert (tier_for(lifetime).name, str(breakdown.points)) == (before, points)
        lifetime += breakdown.points
        assert (str(lifetime), tier_for(lifetime).name) == (after, tier_after)


def test_who_is_in_the_top_percent() -> None:
    for rank, total, *answers in table("rank"):
        facts = Facts(standing_facts(int(rank), int(total)), {})
        holds = [compiled(f"top_percent <= {percent}").holds(facts) for percent in (1, 5, 10)]
        assert ["yes" if each else "no" for each in holds] == answers, (rank, total)


def test_the_growth_of_a_streak() -> None:
    for days, base in table("day in a row"):
        assert base_points(ACTIONS["LOGIN_STREAK"], {}, int(days)) == int(base)
