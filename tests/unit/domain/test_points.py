import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_server.domain.actions import SEEDED_ACTIONS, ActionConfig, CapMode
from laurel_server.domain.campaigns import AppliedCampaign, Campaign
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.points import (
    Breakdown,
    apply_budget,
    apply_daily_cap,
    calculate,
    campaign_spending,
    check_cooldown,
)
from laurel_server.domain.tiers import DEFAULT_TIERS, Tier, TierDefinition
from tests.unit.domain.refusals import refused

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PURCHASE = next(config for config in SEEDED_ACTIONS if config.action == "PURCHASE")
REVIEW = ActionConfig("REVIEW", base_points=Decimal(20))

MULTIPLIERS = st.sampled_from(["1", "1.1", "1.15", "1.5", "2", "3", "1.333"]).map(Decimal)
AMOUNTS = st.decimals(min_value=0, max_value=10**6, places=2)


def campaigns_of(*budgets: tuple[str, int]) -> list[Campaign]:
    """Return campaigns a, b, c, ... with such multipliers and budgets (0: no limit)."""
    return [
        Campaign(name, "", frozenset(), Decimal(multiplier), None, None, budget_points=budget)
        for name, (multiplier, budget) in zip("abcdef", budgets, strict=False)
    ]


def applied(campaigns: Sequence[Campaign]) -> tuple[AppliedCampaign, ...]:
    return tuple(AppliedCampaign(one.campaign_id, one.multiplier) for one in campaigns)


def fixed(points: str, *campaigns: Campaign, cap: int = 0) -> Breakdown:
    config = ActionConfig("REVIEW", base_points=Decimal(points), max_points_per_action=cap)
    return calculate(config, {}, Tier.BRONZE, applied(campaigns))


@pytest.mark.parametrize(
    ("order_value", "tier", "multiplier", "points"),
    [
        ("100", Tier.GOLD, "2", 4),  # 1 point x 2 for gold x 2 of the promotion
        ("100", Tier.BRONZE, "1", 1),
        ("99.99", Tier.BRONZE, "1", 0),
        ("199.99", Tier.SILVER, "1", 2),  # 1.9999 x 1.5 = 2.99985
        ("33.33", Tier.PLATINUM, "1", 0),  # 0.9999: rounded once, at the end
        ("66.67", Tier.SILVER, "1", 1),  # rounded first it would be 0
        ("11500", Tier.BRONZE, "1", 115),
        ("0", Tier.DIAMOND, "1", 0),
    ],
)
def test_a_purchase(order_value: str, tier: Tier, multiplier: str, points: int) -> None:
    promotion = (AppliedCampaign("promotion", Decimal(multiplier)),)
    assert calculate(PURCHASE, {"order_value": order_value}, tier, promotion).points == points


def test_a_product_that_floats_get_wrong() -> None:
    config = replace(PURCHASE, points_formula="1.15 * order_value")
    assert calculate(config, {"order_value": "100"}, Tier.BRONZE).points == 115


def test_a_third_times_three_is_whole() -> None:
    config = replace(PURCHASE, points_formula="order_value / 3")
    assert calculate(config, {"order_value": "100"}, Tier.PLATINUM).points == 100


def test_the_breakdown_tells_each_factor() -> None:
    campaigns = campaigns_of(("1.5", 0), ("2", 0))
    breakdown = calculate(PURCHASE, {"order_value": "12345"}, Tier.GOLD, applied(campaigns))
    assert breakdown == Breakdown(
        points=740,
        base_points=Decimal("123.45"),
        tier_multiplier=Decimal(2),
        campaigns=applied(campaigns),
        multiplier=Decimal(6),
        uncapped_points=740,
        capped=False,
        cap="",
    )


@given(AMOUNTS, st.sampled_from(Tier), st.lists(MULTIPLIERS, max_size=4))
def test_points_are_the_floor_of_the_exact_product(
    amount: Decimal, tier: Tier, factors: list[Decimal]
) -> None:
    campaigns = tuple(AppliedCampaign(str(index), factor) for index, factor in enumerate(factors))
    breakdown = calculate(PURCHASE, {"order_value": f"{amount:f}"}, tier, campaigns)
    exact = Fraction(amount) / 100 * Fraction(breakdown.tier_multiplier) * math.prod(map(Fraction, factors))
    assert breakdown.points == breakdown.uncapped_points == math.floor(exact)
    assert Fraction(breakdown.base_points) * Fraction(breakdown.multiplier) == exact


def test_the_action_may_set_the_multiplier_of_a_tier() -> None:
    config = replace(REVIEW, tier_multipliers={Tier.GOLD: Decimal("2.5"), Tier.DIAMOND: Decimal(0)})
    points = {tier: calculate(config, {}, tier).points for tier in Tier}
    assert points == {Tier.BRONZE: 20, Tier.SILVER: 30, Tier.GOLD: 50, Tier.PLATINUM: 60, Tier.DIAMOND: 0}


def test_tiers_may_be_defined_otherwise() -> None:
    definitions = (*DEFAULT_TIERS[:4], TierDefinition(Tier.DIAMOND, 50_000, Decimal(10)))
    assert calculate(REVIEW, {}, Tier.DIAMOND, tier_definitions=definitions).points == 200


@pytest.mark.parametrize(
    ("cap", "points", "capped"), [(0, 20, False), (20, 20, False), (19, 19, True), (1, 1, True)]
)
def test_the_cap_per_action_cuts(cap: int, points: int, capped: bool) -> None:
    breakdown = fixed("20", cap=cap)
    assert (breakdown.points, breakdown.capped) == (points, capped)
    assert breakdown.cap == ("PER_ACTION" if capped else "")
    assert breakdown.uncapped_points == 20


def test_more_points_than_scores_can_hold_are_refused() -> None:
    largest = ActionConfig("X", base_points=Decimal(2**53))
    assert calculate(largest, {}, Tier.BRONZE).points == 2**53
    with refused(Reason.INVALID_FIELD, "attributes"):
        calculate(largest, {}, Tier.SILVER)


@pytest.mark.parametrize(
    ("earned_today", "mode", "points"),
    [
        (0, CapMode.PARTIAL, 20),
        (80, CapMode.PARTIAL, 20),
        (81, CapMode.PARTIAL, 19),
        (80, CapMode.REJECT, 20),
    ],
)
def test_the_daily_cap_leaves_what_is_left_of_the_day(earned_today: int, mode: CapMode, points: int) -> None:
    config = replace(REVIEW, max_daily_points=100, cap_mode=mode)
    breakdown = apply_daily_cap(fixed("20"), config, earned_today)
    assert breakdown.points == points
    assert (breakdown.capped, breakdown.cap) == ((True, "DAILY") if points < 20 else (False, ""))
    assert breakdown.used_today == (earned_today if points < 20 else 0)


@pytest.mark.parametrize(
    ("earned_today", "mode", "remaining"),
    [
        (100, CapMode.PARTIAL, "0"),
        (150, CapMode.PARTIAL, "0"),
        (81, CapMode.REJECT, "19"),
        (100, CapMode.REJECT, "0"),
    ],
)
def test_the_daily_cap_refuses_what_does_not_fit(earned_today: int, mode: CapMode, remaining: str) -> None:
    config = replace(REVIEW, max_daily_points=100, cap_mode=mode)
    metadata = {"action": "REVIEW", "limit": "100", "remaining": remaining, "requested": "20"}
    with refused(Reason.DAILY_CAP_REACHED, **metadata):
        apply_daily_cap(fixed("20"), config, earned_today)


def test_without_a_daily_cap_there_is_no_limit() -> None:
    assert apply_daily_cap(fixed("20"), REVIEW, 10**9) == fixed("20")


@pytest.mark.parametrize(
    ("budgets", "cap", "points", "reason", "spending"),
    [
        ([("2", 0)], 0, 200, "", {"a": 100}),
        ([("2", 100)], 0, 200, "", {"a": 100}),
        ([("2", 30)], 0, 130, "CAMPAIGN_BUDGET", {"a": 30}),
        ([("2", 30)], 120, 120, "PER_ACTION", {"a": 20}),
        ([("2", 30)], 140, 130, "CAMPAIGN_BUDGET", {"a": 30}),
        ([("2", 30)], 50, 50, "PER_ACTION", {}),
        ([("2", 0), ("3", 0)], 0, 600, "", {"a": 100, "b": 400}),
        ([("2", 10), ("3", 0)], 0, 510, "CAMPAIGN_BUDGET", {"a": 10, "b": 400}),
        ([("2", 0), ("3", 10)], 0, 210, "CAMPAIGN_BUDGET", {"a": 100, "b": 10}),
        ([("2", 40), ("3", 10)], 145, 145, "PER_ACTION", {"a": 40, "b": 5}),
        ([("1", 5)], 0, 100, "", {}),
    ],
)
def test_budgets_cut_what_campaigns_add(
    budgets: list[tuple[str, int]], cap: int, points: int, reason: str, spending: dict[str, int]
) -> None:
    campaigns = campaigns_of(*budgets)
    breakdown = apply_budget(fixed("100", *campaigns, cap=cap), campaigns)
    assert (breakdown.points, breakdown.cap, breakdown.capped) == (points, reason, bool(reason))
    assert campaign_spending(breakdown, campaigns) == spending


def test_what_was_spent_before_is_not_left() -> None:
    campaigns = [replace(one, spent_points=25) for one in campaigns_of(("2", 30))]
    breakdown = apply_budget(fixed("100", *campaigns), campaigns)
    assert (breakdown.points, breakdown.budgets) == (105, (("a", 5),))
    assert apply_budget(fixed("5", *campaigns), campaigns).budgets == ()


def test_what_the_daily_cap_took_is_not_spent() -> None:
    campaigns = campaigns_of(("2", 0), ("2", 0))
    daily = replace(REVIEW, max_daily_points=250)
    breakdown = apply_daily_cap(apply_budget(fixed("100", *campaigns), campaigns), daily, 100)
    assert breakdown.points == 150
    assert campaign_spending(breakdown, campaigns) == {"a": 50}


@given(
    AMOUNTS,
    st.lists(st.tuples(MULTIPLIERS.map(str), st.integers(0, 10**6)), max_size=4),
    st.integers(0, 10**6),
)
def test_no_budget_is_exceeded_and_nothing_is_spent_twice(
    amount: Decimal, budgets: list[tuple[str, int]], cap: int
) -> None:
    campaigns = campaigns_of(*budgets)
    breakdown = apply_budget(fixed(str(amount), *campaigns, cap=cap), campaigns)
    spending = campaign_spending(breakdown, campaigns)
    plain = math.floor(amount)
    assert breakdown.points >= min(plain, cap or plain)
    assert sum(spending.values()) == max(0, breakdown.points - plain)
    assert all(spending.get(one.campaign_id, 0) <= (one.budget_points or 10**12) for one in campaigns)


def test_an_action_rests_for_its_cooldown() -> None:
    config = replace(REVIEW, cooldown=timedelta(hours=1))
    check_cooldown(config, None, NOW)
    check_cooldown(config, NOW - timedelta(hours=1), NOW)
    check_cooldown(REVIEW, NOW, NOW)
    with pytest.raises(LaurelError) as caught:
        check_cooldown(config, NOW - timedelta(minutes=50), NOW)
    assert caught.value.reason is Reason.COOLDOWN_ACTIVE
    assert caught.value.retry_after == timedelta(minutes=10)
    assert caught.value.metadata == {"action": "REVIEW", "available_at": "2026-11-23T12:10:00+00:00"}
