from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from laurel_server.domain.actions import SEEDED_ACTIONS, SYSTEM_ACTIONS, ActionConfig
from laurel_server.domain.boards import BoardEffect
from laurel_server.domain.clock import MAX_WAIT
from laurel_server.domain.errors import Reason
from laurel_server.domain.identifiers import check_action
from laurel_server.domain.tiers import Tier
from tests.unit.domain.refusals import refused

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
SEEDED = {config.action: config for config in SEEDED_ACTIONS}
REVIEW = SEEDED["REVIEW"]


def test_the_seeded_actions() -> None:
    assert {action: (config.points_formula, config.base_points) for action, config in SEEDED.items()} == {
        "PURCHASE": ("order_value * 0.01", None),
        "REFERRAL": ("", 100),
        "REVIEW": ("", 20),
        "SOCIAL_SHARE": ("", 10),
        "BIRTHDAY_BONUS": ("", 500),
        "LOGIN_STREAK": ("", 5),
        "DAILY_WINNER": ("", 100),
        "WEEKLY_WINNER": ("", 1000),
        "MONTHLY_WINNER": ("", 5000),
        "MANUAL_ADJUSTMENT": ("", 0),
        "REDEMPTION": ("", 0),
        "EXPIRATION": ("", 0),
        "REVERSAL": ("", 0),
    }


@pytest.mark.parametrize("config", SEEDED_ACTIONS, ids=lambda config: config.action)
def test_every_seeded_action_is_valid_and_active(config: ActionConfig) -> None:
    config.validate()
    assert check_action(config.action)
    assert config.active_at(NOW)


def test_only_purchases_expire() -> None:
    expiring = {action: config.expires_after for action, config in SEEDED.items() if config.expires_after}
    assert expiring == {"PURCHASE": "P1Y"}
    assert SEEDED["PURCHASE"].expires_at(datetime(2024, 2, 29, tzinfo=UTC), UTC) == datetime(
        2025, 2, 28, tzinfo=UTC
    )
    assert REVIEW.expires_at(NOW, UTC) is None


def test_which_boards_the_seeded_actions_move() -> None:
    effects = {action: config.board_effect for action, config in SEEDED.items()}
    winners = {action for action, effect in effects.items() if effect is BoardEffect.ALL_TIME_ONLY}
    none = {action for action, effect in effects.items() if effect is BoardEffect.NONE}
    assert winners == {"DAILY_WINNER", "WEEKLY_WINNER", "MONTHLY_WINNER"}
    assert none == SYSTEM_ACTIONS


@pytest.mark.parametrize("action", ["DAILY_WINNER", "WEEKLY_WINNER", "MONTHLY_WINNER"])
def test_no_tier_multiplies_a_prize(action: str) -> None:
    assert SEEDED[action].tier_multipliers == dict.fromkeys(Tier, 1)


def test_a_formula_is_compiled_once_for_all_versions_of_a_rule() -> None:
    config = SEEDED["PURCHASE"]
    assert config.formula is not None
    assert config.formula is replace(config, version=2).formula
    assert REVIEW.formula is None


def test_the_active_window_is_half_open() -> None:
    config = replace(REVIEW, effective_from=NOW, effective_until=NOW + timedelta(days=1))
    assert not config.active_at(NOW - TICK)
    assert config.active_at(NOW)
    assert config.active_at(NOW + timedelta(days=1) - TICK)
    assert not config.active_at(NOW + timedelta(days=1))
    assert not replace(REVIEW, active=False).active_at(NOW)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("action", {"action": "review"}),
        ("base_points", {"base_points": None}),
        ("base_points", {"base_points": Decimal("-0.01")}),
        ("base_points", {"base_points": Decimal(2**53 + 1)}),
        ("tier_multipliers", {"tier_multipliers": {Tier.GOLD: Decimal(-1)}}),
        ("tier_multipliers", {"tier_multipliers": {Tier.GOLD: Decimal("1e7")}}),
        ("max_points_per_action", {"max_points_per_action": -1}),
        ("max_daily_points", {"max_daily_points": 2**53 + 1}),
        ("cooldown", {"cooldown": timedelta(seconds=-1)}),
        ("cooldown", {"cooldown": MAX_WAIT + TICK}),
        ("expires_after", {"expires_after": "1 year"}),
        ("effective_until", {"effective_from": NOW, "effective_until": NOW}),
    ],
)
def test_a_rule_that_could_not_be_applied_is_refused(field: str, change: dict[str, Any]) -> None:
    with refused(Reason.INVALID_FIELD, f"config.{field}"):
        replace(REVIEW, **change).validate()


def test_a_bad_formula_is_refused() -> None:
    with refused(Reason.FORMULA_INVALID, "config.points_formula"):
        replace(REVIEW, points_formula="order_value ** 2").validate()


def test_a_formula_needs_no_base() -> None:
    replace(REVIEW, points_formula="order_value", base_points=None).validate()
