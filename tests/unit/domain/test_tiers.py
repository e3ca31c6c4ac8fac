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
