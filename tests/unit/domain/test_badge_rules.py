from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_server.domain.badge_rules import BadgeRule, Facts, standing_facts
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ranks import in_top_percent


def holds(rule: str, numbers: dict[str, int | Decimal], **counts: int) -> bool:
    return BadgeRule.compile(rule).holds(Facts(numbers, counts))


@pytest.mark.parametrize(
    ("rule", "points", "reviews", "met"),
    [
        ("points >= 777", 776, 0, False),
        ("points >= 777", 777, 0, True),
        ('points >= 777 and count("REVIEW") >= 3', 777, 2, False),
        ('points >= 777 and count("REVIEW") >= 3', 777, 3, True),
        ('points >= 777 or count("REVIEW") >= 3', 0, 3, True),
        ('not count("REVIEW")  < 3', 0, 3, True),
        ("500 < points <= 700", 700, 0, True),
        ("500 < points <= 700", 500, 0, False),
        ('points >= 10 if count("REVIEW") > 0 else points >= 100', 10, 1, True),
        ('points >= 10 if count("REVIEW") > 0 else points >= 100', 10, 0, False),
        ('points / count("REVIEW") >= 5', 10, 0, False),  # no value
        ("weekly_points >= 1", 10, 0, False),  # nothing known is 0
    ],
)
def test_a_rule_over_points_and_counts(rule: str, points: int, reviews: int, met: bool) -> None:
    assert holds(rule, {"points": points}, REVIEW=reviews) is met


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "points",
        "points >",
        "points + 1",
        "7",
        "lifetime >= 5",
        "points >= 1 and 5",
        "points >= 'a'",
        "count(REVIEW) > 1",
        'count("review") > 1',
        'count("A", "B") > 1',
        'count(action="REVIEW") > 1',
        "__import__('os').system('true') == 0",
        "points.real > 1",
        "[points][0] > 1",
        "(lambda: points)() > 1",
        "points ** 2 > 1",
        "daily_rank == 1 and rank == 1",
        "daily_rank == 1 and weekly_rank == 1",
        "daily_rank == 1 and weekly_percentile >= 9",
        "daily_top_percent <= 1 and percentile > 1",
        "points >= " + "1" * 500,
    ],
)
def test_a_bad_rule_is_refused_by_the_name_of_its_field(rule: str) -> None:
    with pytest.raises(LaurelError) as refused:
        BadgeRule.compile(rule)
    assert (refused.value.reason, refused.value.field) == (Reason.FORMULA_INVALID, "definition.rule")


@given(st.integers(1, 300_000), st.data(), st.sampled_from([1, 5, 10, Decimal("0.5"), 50, 100]))
def test_the_top_percent_are_those_of_the_brackets(
    total: int, data: st.DataObject, percent: int | Decimal
) -> None:
    rank = data.draw(st.integers(1, total) | st.just(max(1, int(total * percent / 100))))
    facts = standing_facts(rank, total)
    inside = in_top_percent(rank, total, percent)
    assert holds(f"top_percent <= {percent}", facts) is inside
    assert holds(f"percentile >= {100 - Decimal(percent)}", facts) is inside
    assert holds(f"top_percent > {percent}", facts) is not inside


@pytest.mark.parametrize(
    ("rule", "marks"),
    [
        ("points >= 777", {777, 778}),
        ("777 <= points and points < 900.5", {777, 778, 901}),
        ('count("REVIEW") >= 3', set()),
        ("points * 2 >= 777", None),
        ("points >= member_number", None),
        ("points >= 1 and min(points, 5) > 2", None),
    ],
)
def test_a_rule_knows_the_points_at_which_its_outcome_may_change(rule: str, marks: set[int] | None) -> None:
    assert BadgeRule.compile(rule).marks() == marks


@pytest.mark.parametrize(
    ("rule", "reach"),
    [
        ("rank <= 10", 10),
        ("10 >= rank", 10),
        ("rank == 3", 3),
        ("rank >= 3", 1000),
        ("rank <= 5000", 1000),
        ("top_percent <= 1", 10),
        ("percentile >= 99.5", 5),
        ("rank <= 10 and points >= 5", 10),
        ("rank <= 10 or top_percent <= 5", 50),
        ("rank <= 10 or points >= 5", 1000),
        ("not rank > 10", 1000),
        ("weekly_rank <= 10 and weekly_percentile >= 1", 10),
        ("monthly_top_percent <= 2.5", 25),
        ("daily_participants > 5", 1000),
    ],
)
def test_a_rule_knows_how_far_down_a_board_it_may_hold(rule: str, reach: int) -> None:
    assert BadgeRule.compile(rule).reach(1000) == reach


@given(
    st.integers(1, 2000), st.sampled_from(["rank <= 7", "top_percent <= 3", "percentile > 91", "rank < 2"])
)
def test_nobody_below_the_reach_meets_the_rule(total: int, rule: str) -> None:
    reach = BadgeRule.compile(rule).reach(total)
    below = [rank for rank in (reach + 1, reach + 2, total) if reach < rank <= total]
    assert not any(holds(rule, standing_facts(rank, total)) for rank in below)


def test_a_rule_on_a_final_standing_names_its_period() -> None:
    assert BadgeRule.compile("weekly_percentile >= 90 and weekly_points > 5").closing == "weekly_"
    assert BadgeRule.compile("weekly_points > 5").closing == ""
    assert holds("weekly_percentile >= 90 and weekly_rank <= 10", standing_facts(10, 100, "weekly_"))
