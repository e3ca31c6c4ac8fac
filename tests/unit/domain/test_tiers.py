from datetime import UTC, datetime
from decimal import Decimal

import pytest

from laurel_server.domain.tiers import (
    DEFAULT_TIERS,
    Tier,
    TierChange,
    definition_of,
    next_tier,
    tier_change,
    tier_for,
    tier_status,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("points", "tier"),
    [
        (-1, Tier.BRONZE),
        (0, Tier.BRONZE),
        (4_999, Tier.BRONZE),
        (5_000, Tier.SILVER),
        (9_999, Tier.SILVER),
        (10_000, Tier.GOLD),
        (19_999, Tier.GOLD),
        (20_000, Tier.PLATINUM),
        (49_999, Tier.PLATINUM),
        (50_000, Tier.DIAMOND),
        (2**53, Tier.DIAMOND),
    ],
)
def test_a_tier_starts_at_its_threshold(points: int, tier: Tier) -> None:
    assert tier_for(points) is tier


@pytest.mark.parametrize("definition", DEFAULT_TIERS)
def test_every_default_tier_can_be_reached(definition: object) -> None:
    assert definition in {definition_of(tier_for(d.threshold)) for d in DEFAULT_TIERS}


def test_the_default_multipliers() -> None:
    assert [definition_of(tier).multiplier for tier in Tier] == [1, Decimal("1.5"), 2, 3, 5]


def test_the_next_tier_is_the_one_above() -> None:
    following = next_tier(Tier.GOLD)
    assert following is not None
    assert (following.tier, following.threshold) == (Tier.PLATINUM, 20_000)


def test_nothing_is_above_the_highest_tier() -> None:
    assert next_tier(Tier.DIAMOND) is None


def test_a_change_is_reported_only_where_there_is_one() -> None:
    assert tier_change("ann", Tier.GOLD, Tier.GOLD, NOW) is None
    assert tier_change("ann", Tier.GOLD, Tier.SILVER, NOW) == TierChange("ann", Tier.GOLD, Tier.SILVER, NOW)


@pytest.mark.parametrize(
    ("tier", "points", "above", "missing", "multiplier"),
    [
        (Tier.BRONZE, 0, Tier.SILVER, 5_000, "1"),
        (Tier.BRONZE, 4_999, Tier.SILVER, 1, "1"),
        (Tier.SILVER, 6_000, Tier.GOLD, 4_000, "1.5"),
        (Tier.SILVER, 12_000, Tier.GOLD, 0, "1.5"),  # not promoted yet: nothing is missing
        (Tier.PLATINUM, 20_000, Tier.DIAMOND, 30_000, "3"),
        (Tier.DIAMOND, 60_000, None, 0, "5"),
    ],
)
def test_the_way_to_the_next_tier(
    tier: Tier, points: int, above: Tier | None, missing: int, multiplier: str
) -> None:
    status = tier_status(tier, points, NOW, None)
    assert (status.next_tier, status.points_to_next) == (above, missing)
    assert status.multiplier == Decimal(multiplier)
