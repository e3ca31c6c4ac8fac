from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import IntEnum

import pytest
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from laurel.admin.v1 import rules_pb2
from laurel.type.v1 import tier_pb2
from laurel_server.domain.actions import ActionConfig, CapMode
from laurel_server.domain.boards import BoardEffect
from laurel_server.domain.campaigns import Campaign, StackMode
from laurel_server.domain.tiers import Tier
from laurel_server.rpc.convert.rules import (
    read_action_config,
    read_campaign,
    write_action_config,
    write_campaign,
)

START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)

CONFIG = ActionConfig(
    action="PURCHASE",
    display_name="Purchase",
    description="An order was paid.",
    points_formula="order_value * 0.01",
    base_points=Decimal("10.5"),
    tier_multipliers={Tier.GOLD: Decimal("2.5"), Tier.BRONZE: Decimal(1)},
    max_points_per_action=100,
    max_daily_points=500,
    cap_mode=CapMode.REJECT,
    cooldown=timedelta(minutes=5),
    expires_after="P1Y",
    board_effect=BoardEffect.ALL_TIME_ONLY,
    active=True,
    effective_from=START,
    effective_until=END,
    pending_for=timedelta(days=14),
    expires_at_month_end=True,
)
CAMPAIGN = Campaign(
    campaign_id="black-friday",
    display_name="Black Friday",
    actions=frozenset({"PURCHASE", "REVIEW"}),
    multiplier=Decimal("2.5"),
    starts_at=START,
    ends_at=END,
    tiers=frozenset({Tier.GOLD, Tier.SILVER}),
    countries=frozenset({"US", "DE"}),
    segments=frozenset({"vip"}),
    stack_mode=StackMode.BEST_ONLY,
    budget_points=10_000,
    active=True,
)


def test_a_config_goes_both_ways() -> None:
    message = rules_pb2.ActionConfig()
    write_action_config(message, CONFIG)
    assert read_action_config(message) == CONFIG


def test_a_config_in_words_of_the_contract() -> None:
    message = rules_pb2.ActionConfig()
    write_action_config(message, CONFIG)
    assert dict(message.tier_multipliers) == {"GOLD": "2.5", "BRONZE": "1"}
    assert (message.base_points, message.version) == ("10.5", 1)
    assert (message.cap_mode, message.board_effect) == (
        rules_pb2.CAP_MODE_REJECT,
        rules_pb2.BOARD_EFFECT_ALL_TIME_ONLY,
    )


def test_an_empty_config_gets_the_defaults() -> None:
    assert read_action_config(rules_pb2.ActionConfig(action="REVIEW")) == ActionConfig(
        action="REVIEW", active=False
    )


def test_a_config_without_extras_leaves_them_unset() -> None:
    message = rules_pb2.ActionConfig()
    write_action_config(message, ActionConfig("REVIEW"))
    assert message.base_points == ""
    assert not any(message.HasField(name) for name in ("cooldown", "effective_from", "effective_until"))


def test_the_version_of_a_config_is_not_for_callers_to_set() -> None:
    assert read_action_config(rules_pb2.ActionConfig(action="REVIEW", version=7)).version == 1


def test_a_campaign_goes_both_ways() -> None:
    message = rules_pb2.Campaign()
    write_campaign(message, CAMPAIGN)
    assert read_campaign(message) == CAMPAIGN


def test_sets_of_a_campaign_are_listed_in_order() -> None:
    message = rules_pb2.Campaign()
    write_campaign(message, CAMPAIGN)
    assert list(message.actions) == ["PURCHASE", "REVIEW"]
    assert list(message.countries) == ["DE", "US"]
    assert list(message.tiers) == [tier_pb2.TIER_SILVER, tier_pb2.TIER_GOLD]


def test_what_a_campaign_has_spent_is_not_for_callers_to_set() -> None:
    message = rules_pb2.Campaign(campaign_id="c", multiplier="2", spent_points=5, version=7)
    campaign = read_campaign(message)
    assert (campaign.spent_points, campaign.version) == (0, 1)
    assert campaign.stack_mode is StackMode.MULTIPLY
    assert (campaign.starts_at, campaign.ends_at) == (None, None)


@pytest.mark.parametrize(
    ("domain", "contract", "prefix"),
    [
        (CapMode, rules_pb2.CapMode, "CAP_MODE_"),
        (BoardEffect, rules_pb2.BoardEffect, "BOARD_EFFECT_"),
        (StackMode, rules_pb2.StackMode, "STACK_MODE_"),
    ],
)
def test_choices_have_the_numbers_of_the_contract(
    domain: type[IntEnum], contract: EnumTypeWrapper, prefix: str
) -> None:
    named = {prefix + choice.name: choice.value for choice in domain}
    assert {f"{prefix}UNSPECIFIED": 0} | named == dict(contract.items())
