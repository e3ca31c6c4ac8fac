from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from laurel_server.domain.actions import ActionConfig
from laurel_server.domain.explain import Recorded, explain
from laurel_server.domain.lots import Debit
from tests.unit.rpc.samples import ENTRY

CONFIG = ActionConfig("PURCHASE", points_formula="order_value * 0.1", max_points_per_action=200)
INPUTS = {
    "attributes": {"order_value": "999.99"},
    "config": 1,
    "tier": "SILVER",
    "tier_multiplier": "1.5",
    "campaigns": [],
    "uncapped": 149,
    "cap": "",
    "periods": [],
}
AWARD = structs.replace(ENTRY, base_points=Decimal("99.999"), multiplier=Decimal("1.5"), points=149)


def recorded(
    inputs: dict[str, Any] | None = None, config: ActionConfig | None = CONFIG, **entry: Any
) -> Recorded:
    return Recorded(structs.replace(AWARD, **entry), {**INPUTS, **(inputs or {})}, config)


def test_an_award_step_by_step() -> None:
    explanation = explain(recorded())
    assert [(step.name, step.value) for step in explanation.steps] == [
        ("base", "99.999"),
        ("tier", "1.5"),
        ("product", "149.9985"),
        ("rounded", "149"),
    ]
    assert explanation.steps[0].text == "order_value * 0.1 with order_value = 999.99"
    assert explanation.differences == ()


def test_campaigns_and_caps_are_steps() -> None:
    inputs = {"campaigns": [("double", "2")], "uncapped": 299, "cap": "PER_ACTION"}
    explanation = explain(recorded(inputs, multiplier=Decimal(3), points=200))
    assert [(step.name, step.value) for step in explanation.steps[2:]] == [
        ("campaign", "2"),
        ("product", "299.997"),
        ("rounded", "299"),
        ("capped", "200"),
    ]
    assert explanation.differences == ()


@pytest.mark.parametrize(
    ("inputs", "entry", "difference"),
    [
        ({}, {"points": 150}, "points is 150 and must be 149"),
        ({}, {"base_points": Decimal(1)}, "base_points is 1 and must be 99.999"),
        ({"tier": "GOLD"}, {}, "tier_multiplier is 1.5 and must be 2"),
        ({"uncapped": 150}, {}, "uncapped_points is 150 and must be 149"),
        ({"attributes": {"order_value": "10"}}, {}, "base_points is 99.999 and must be 1"),
        ({"attributes": {}}, {}, "it cannot be computed any more"),
        ({"cap": "DAILY"}, {"points": 149}, "points are 149, which no cap makes of 149"),
        ({"cap": "CAMPAIGN_BUDGET"}, {"points": -1}, "points are -1, which no cap makes of 149"),
    ],
)
def test_what_does_not_follow(inputs: dict[str, Any], entry: dict[str, Any], difference: str) -> None:
    assert any(each.startswith(difference) for each in explain(recorded(inputs, **entry)).differences)


def test_a_daily_cap_leaves_less() -> None:
    daily = replace(CONFIG, max_daily_points=100)
    assert explain(recorded({"cap": "DAILY"}, daily, points=60)).differences == ()
    assert explain(recorded({"cap": "DAILY"}, daily, points=110)).differences == (
        "points are 110, above the daily cap of 100",
    )


def test_what_a_daily_cap_left_is_computed_again() -> None:
    daily = replace(CONFIG, max_daily_points=100)
    inputs = {"cap": "DAILY", "used_today": 40}
    explanation = explain(recorded(inputs, daily, points=60))
    assert explanation.differences == ()
    assert explanation.steps[-1].text == "cut to what the daily cap left: 40 of 100 were used"
    assert explain(recorded(inputs, daily, points=59)).differences == ("points is 59 and must be 60",)
    (refused,) = explain(recorded({"cap": "DAILY", "used_today": 100}, daily, points=0)).differences
    assert refused.startswith("it cannot be computed any more")


def test_what_budgets_left_is_computed_again() -> None:
    inputs = {"campaigns": [("double", "2")], "uncapped": 299, "cap": "CAMPAIGN_BUDGET"}
    left = inputs | {"budgets": [["double", 30]]}
    explanation = explain(recorded(left, multiplier=Decimal(3), points=179))
    assert explanation.differences == ()
    assert explanation.steps[-1].text == "cut to what the budgets of the campaigns left: 30 of double"
    assert explain(recorded(left, multiplier=Decimal(3), points=180)).differences == (
        "points is 180 and must be 179",
    )


def test_what_a_daily_cap_left_of_what_budgets_had_left() -> None:
    daily = replace(CONFIG, max_daily_points=170)
    inputs = {
        "campaigns": [("double", "2")],
        "uncapped": 299,
        "cap": "DAILY",
        "budgets": [["double", 30]],
        "used_today": 0,
    }
    assert explain(recorded(inputs, daily, multiplier=Decimal(3), points=170)).differences == ()


def test_a_rule_that_is_gone() -> None:
    assert explain(recorded(config=None)).differences == ("version 1 of PURCHASE is gone",)


def test_what_laurel_gave_itself() -> None:
    assert explain(recorded({"granted": 149}, None)).differences == ()
    assert explain(recorded({"granted": 500}, None)).differences == ("points is 149 and must be 500",)


def test_a_redemption_takes_from_lots() -> None:
    entry = structs.replace(ENTRY, points=-50, base_points=Decimal(-50), multiplier=Decimal(1))
    movement = Recorded(
        entry, {"tier": "BRONZE", "periods": []}, None, (Debit(7, 20, None, None), Debit(8, 30, None, None))
    )
    explanation = explain(movement)
    assert [(step.name, step.value) for step in explanation.steps] == [("lot", "-20"), ("lot", "-30")]
    assert explanation.differences == ()
    taken = replace(movement, lots=(Debit(7, 60, None, None),))
    assert explain(taken).differences == ("60 points were taken from lots for 50",)
    assert explain(replace(movement, entry=structs.replace(entry, multiplier=Decimal(2)))).differences == (
        "multiplier is 2 and must be 1",
    )
