from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_server.domain.campaigns import AppliedCampaign, Campaign, StackMode, applicable
from laurel_server.domain.errors import Reason
from laurel_server.domain.tiers import Tier
from tests.unit.domain.refusals import refused

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def campaign(campaign_id: str = "autumn", multiplier: str = "2", **fields: Any) -> Campaign:
    plain = Campaign(campaign_id, "Autumn", frozenset(), Decimal(multiplier), starts_at=None, ends_at=None)
    return replace(plain, **fields)


def applies(one: Campaign, now: datetime = NOW) -> bool:
    return one.applies_to("PURCHASE", Tier.GOLD, "US", ("vip", "beta"), now)


def applied(*campaigns: Campaign, action: str = "PURCHASE") -> list[str]:
    found = applicable(campaigns, action, Tier.GOLD, "US", (), NOW)
    return [one.campaign_id for one in found]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"active": False}, False),
        ({"actions": frozenset({"PURCHASE", "REVIEW"})}, True),
        ({"actions": frozenset({"REVIEW"})}, False),
        ({"tiers": frozenset({Tier.GOLD})}, True),
        ({"tiers": frozenset({Tier.SILVER, Tier.DIAMOND})}, False),
        ({"countries": frozenset({"US", "CA"})}, True),
        ({"countries": frozenset({"CA"})}, False),
        ({"segments": frozenset({"beta", "staff"})}, True),
        ({"segments": frozenset({"staff"})}, False),
        ({"budget_points": 100, "spent_points": 99}, True),
        ({"budget_points": 100, "spent_points": 100}, False),
        ({"budget_points": 100, "spent_points": 101}, False),
        ({"budget_points": 0, "spent_points": 100}, True),
    ],
)
def test_whom_a_campaign_reaches(fields: dict[str, Any], expected: bool) -> None:
    assert applies(campaign(**fields)) is expected


def test_the_window_of_a_campaign_is_half_open() -> None:
    one = campaign(starts_at=NOW, ends_at=NOW + timedelta(hours=1))
    assert [applies(one, NOW + shift) for shift in (-TICK, TICK * 0)] == [False, True]
    assert [applies(one, NOW + timedelta(hours=1) + shift) for shift in (-TICK, TICK * 0)] == [True, False]


@pytest.mark.parametrize(
    ("budget", "spent", "left"), [(0, 50, None), (100, 0, 100), (100, 99, 1), (100, 120, 0)]
)
def test_what_is_left_of_a_budget(budget: int, spent: int, left: int | None) -> None:
    assert campaign(budget_points=budget, spent_points=spent).budget_left == left


def test_multiplying_campaigns_all_join_in_the_order_of_their_ids() -> None:
    assert applied(campaign("c"), campaign("a"), campaign("b")) == ["a", "b", "c"]


def test_of_the_exclusive_campaigns_the_best_joins_the_others() -> None:
    best_only = {"stack_mode": StackMode.BEST_ONLY}
    weak, strong = campaign("a", "2", **best_only), campaign("z", "3", **best_only)
    assert applied(weak, strong, campaign("m")) == ["m", "z"]


def test_among_equally_good_exclusive_campaigns_the_first_id_wins() -> None:
    best_only = {"stack_mode": StackMode.BEST_ONLY}
    assert applied(campaign("b", "2", **best_only), campaign("a", "2.0", **best_only)) == ["a"]


def test_an_exclusive_campaign_without_budget_gives_way_to_the_next_best() -> None:
    best_only = {"stack_mode": StackMode.BEST_ONLY}
    spent = campaign("a", "5", budget_points=10, spent_points=10, **best_only)
    assert applied(spent, campaign("b", "2", **best_only)) == ["b"]


def test_campaigns_do_not_multiply_prizes() -> None:
    named = campaign(actions=frozenset({"WEEKLY_WINNER"}))
    assert applied(campaign("all"), named, action="WEEKLY_WINNER") == []


def test_an_applied_campaign_tells_its_multiplier() -> None:
    found = applicable([campaign(multiplier="1.5")], "PURCHASE", Tier.GOLD, "", (), NOW)
    assert found == (AppliedCampaign("autumn", Decimal("1.5")),)


CAMPAIGNS = st.lists(
    st.builds(
        campaign,
        st.sampled_from("abcdefgh"),
        st.sampled_from(["1", "1.5", "2", "3"]),
        stack_mode=st.sampled_from(StackMode),
        active=st.booleans(),
    ),
    unique_by=lambda one: one.campaign_id,
)


@given(CAMPAIGNS, st.randoms())
def test_stacking_does_not_depend_on_the_order_of_the_campaigns(
    campaigns: list[Campaign], random: Any
) -> None:
    expected = applied(*campaigns)
    random.shuffle(campaigns)
    assert applied(*campaigns) == expected == sorted(expected)


@given(CAMPAIGNS)
def test_all_multiplying_and_at_most_one_exclusive_campaign_join(campaigns: Sequence[Campaign]) -> None:
    joined = set(applied(*campaigns))
    active = [one for one in campaigns if one.active]
    rivals = [one for one in active if one.stack_mode is StackMode.BEST_ONLY]
    winners = [one for one in rivals if one.campaign_id in joined]
    assert {one.campaign_id for one in active} - {one.campaign_id for one in rivals} <= joined
    assert len(winners) == min(1, len(rivals))
    assert all(winner.multiplier >= rival.multiplier for winner in winners for rival in rivals)
    assert joined <= {one.campaign_id for one in active}


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("campaign_id", {"campaign_id": ""}),
        ("campaign_id", {"campaign_id": "c" * 65}),
        ("campaign_id", {"campaign_id": "a b"}),
        ("multiplier", {"multiplier": Decimal("0.99")}),
        ("multiplier", {"multiplier": Decimal("1e7")}),
        ("ends_at", {"starts_at": NOW, "ends_at": NOW}),
        ("budget_points", {"budget_points": -1}),
        ("budget_points", {"budget_points": 2**53 + 1}),
    ],
)
def test_a_campaign_that_could_not_be_applied_is_refused(field: str, change: dict[str, Any]) -> None:
    campaign().validate()
    with refused(Reason.INVALID_FIELD, f"campaign.{field}"):
        replace(campaign(), **change).validate()
