"""Opening balances of many at once are what awards one by one would be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_server.domain.accounts import Account
from laurel_server.domain.awards import AwardCommand, Rules, award
from laurel_server.domain.badge_rules import Facts
from laurel_server.domain.badges import SEEDED_BADGES, BadgeBook, BadgeDefinition
from laurel_server.domain.boards import BoardMatrix
from laurel_server.domain.campaigns import Campaign
from laurel_server.domain.openings import (
    ACTION,
    OPENING_BALANCE,
    OpeningBadges,
    leaves_nothing_open,
    post_opening,
)

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
RULES = Rules(
    1, {ACTION: OPENING_BALANCE}, (), BoardMatrix(), UTC, timedelta(hours=1), BadgeBook(SEEDED_BADGES, 1024)
)


@given(st.one_of(st.integers(1, 2**53), st.sampled_from([4999, 5000, 10_000, 49_999, 50_000])), st.booleans())
def test_a_balance_is_posted_as_an_award_would_be(points: int, has_country: bool) -> None:
    command = AwardCommand("laurel import", "file:2", "ann", ACTION, {"points": str(points)}, b"hash")
    country = "US" if has_country else ""
    together, alone = (Account(7, "ann", is_new=True, country=country) for _ in range(2))
    posting = post_opening(command, points, together, RULES, 2048, NOW)
    assert posting == award(command, alone, RULES, 2048, NOW)
    assert together == alone


@given(st.integers(1, 60_000), st.integers(1, 2000))
def test_badges_are_those_whose_rules_hold(points: int, user_no: int) -> None:
    pair = BadgeDefinition(
        "PAIR", rule="points >= 300 and member_number <= 1500", level_rules=("points > 400",)
    )
    book = BadgeBook((*SEEDED_BADGES, pair), 1024)
    facts = Facts({"points": points, "member_number": user_no}, {})
    badges = OpeningBadges(book)
    badges.unlocked(points - 1, user_no)
    expected = {(each.badge_type, each.level) for each in book.by_award if each.rule.holds(facts)}
    assert {(each.badge_type, each.level) for each in badges.unlocked(points, user_no)} == expected


def test_the_seeded_rules_leave_nothing_open() -> None:
    assert leaves_nothing_open(RULES, NOW)
    assert leaves_nothing_open(
        replace(
            RULES, actions={ACTION: replace(OPENING_BALANCE, version=3, description="from our old shop")}
        ),
        NOW,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"points_formula": "points * 2"},
        {"max_points_per_action": 10},
        {"expires_after": "P1Y"},
        {"active": False},
        {"effective_until": NOW},
        {"pending_for": timedelta(days=1)},
        {"streak_step": Decimal(1)},
    ],
)
def test_a_changed_action_is_looked_at_person_by_person(changes: dict[str, Any]) -> None:
    assert not leaves_nothing_open(replace(RULES, actions={ACTION: replace(OPENING_BALANCE, **changes)}), NOW)


@pytest.mark.parametrize(
    "rules",
    [
        replace(RULES, actions={}),
        replace(RULES, campaigns=(Campaign("double", "", frozenset(), Decimal(2), None, None),)),
        replace(RULES, badges=BadgeBook((BadgeDefinition("B", rule=f'count("{ACTION}") >= 1'),), 1024)),
        replace(RULES, badges=BadgeBook((BadgeDefinition("B", rule="daily_points >= 1"),), 1024)),
        replace(RULES, badges=BadgeBook(SEEDED_BADGES, 0)),
    ],
)
def test_rules_that_may_add_something_are_looked_at_person_by_person(rules: Rules) -> None:
    assert not leaves_nothing_open(rules, NOW)


def test_campaigns_of_other_actions_do_not_matter() -> None:
    other = Campaign("double", "", frozenset({"PURCHASE"}), Decimal(2), None, None)
    assert leaves_nothing_open(
        replace(RULES, campaigns=(other, replace(other, actions=frozenset(), active=False))), NOW
    )
