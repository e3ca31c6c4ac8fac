from datetime import UTC, datetime, timedelta

import pytest

from laurel_server.domain.badges import (
    MAX_LEVELS,
    SEEDED_BADGES,
    Badge,
    BadgeBook,
    BadgeDefinition,
    Before,
    unlock_event,
)
from laurel_server.domain.clock import MAX_WAIT
from laurel_server.domain.errors import LaurelError, Reason

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
BOOK = BadgeBook(SEEDED_BADGES, since=100)


def concerned(
    book: BadgeBook, before: int, after: int, action: str = "PURCHASE", version: int = 500
) -> list[str]:
    state = Before(before, version, 0, {})
    unlocks = book.concerned(state, after, action)
    assert book.may_unlock(state, after, action) or not unlocks
    return [unlock.badge_type for unlock in unlocks]


def test_the_seeded_badges_are_valid_and_decided_at_one_moment_each() -> None:
    for definition in SEEDED_BADGES:
        definition.validate()
    assert {unlock.badge_type for unlock in BOOK.by_standing} == {
        "TOP_10",
        "TOP_20",
        "TOP_100",
        "TOP_1_PERCENT",
        "TOP_5_PERCENT",
        "TOP_10_PERCENT",
    }
    assert {unlock.badge_type for unlock in BOOK.by_closing} == {
        "DAILY_CHAMPION",
        "WEEKLY_CHAMPION",
        "MONTHLY_CHAMPION",
    }
    assert len(BOOK.by_award) + len(BOOK.by_standing) + len(BOOK.by_closing) == len(SEEDED_BADGES)
    assert BOOK.counted == {"REFERRAL"}


def test_an_award_looks_only_at_rules_whose_outcome_it_may_change() -> None:
    assert concerned(BOOK, 990, 999) == []
    assert concerned(BOOK, 999, 1000) == ["POINTS_1K"]
    assert concerned(BOOK, 10, 1600) == ["POINTS_1K", "POINTS_1_5K"]
    assert concerned(BOOK, 10, 20, action="REFERRAL") == ["REFERRAL_MASTER"]


def test_an_account_that_has_not_seen_the_definitions_looks_at_all_rules() -> None:
    assert len(concerned(BOOK, 10, 20, version=99)) == len(BOOK.by_award)
    assert concerned(BOOK, 10, 20, version=100) == []


def test_a_rule_whose_marks_are_unknown_is_looked_at_with_every_award() -> None:
    odd = BadgeDefinition("ODD", rule="points * 2 >= 777")
    weekly = BadgeDefinition("BUSY", rule="weekly_points >= 100")
    assert concerned(BadgeBook([odd, weekly]), 10, 20) == ["ODD", "BUSY"]


def test_an_inactive_badge_cannot_be_unlocked() -> None:
    book = BadgeBook([BadgeDefinition("OLD", rule="points >= 5", active=False)])
    assert concerned(book, 0, 10) == []


def test_each_level_has_a_rule_of_its_own() -> None:
    definition = BadgeDefinition("STAR", rule="points >= 10", level_rules=("points >= 20", "points >= 30"))
    levels = [(unlock.level, unlock.rule.text) for unlock in definition.levels()]
    assert levels == [(1, "points >= 10"), (2, "points >= 20"), (3, "points >= 30")]


@pytest.mark.parametrize(
    ("definition", "field", "reason"),
    [
        (BadgeDefinition("lower", rule="points >= 1"), "definition.badge_type", Reason.INVALID_FIELD),
        (BadgeDefinition("A", rule="points"), "definition.rule", Reason.FORMULA_INVALID),
        (
            BadgeDefinition("A", rule="points >= 1", level_rules=("points >= 2", "nonsense")),
            "definition.level_rules[1]",
            Reason.FORMULA_INVALID,
        ),
        (
            BadgeDefinition("A", rule="points >= 1", level_rules=("points >= 2",) * MAX_LEVELS),
            "definition.level_rules",
            Reason.INVALID_FIELD,
        ),
        (
            BadgeDefinition("A", rule="points >= 1", valid_for=timedelta(seconds=-1)),
            "definition.valid_for",
            Reason.INVALID_FIELD,
        ),
        (
            BadgeDefinition("A", rule="points >= 1", valid_for=MAX_WAIT + timedelta(microseconds=1)),
            "definition.valid_for",
            Reason.INVALID_FIELD,
        ),
    ],
)
def test_a_definition_that_could_not_be_applied_is_refused(
    definition: BadgeDefinition, field: str, reason: Reason
) -> None:
    with pytest.raises(LaurelError) as refused:
        definition.validate()
    assert (refused.value.field, refused.value.reason) == (field, reason)


def test_a_badge_counts_until_it_ends() -> None:
    (unlock,) = BadgeDefinition("A", rule="points >= 1", valid_for=timedelta(days=1)).levels()
    badge = Badge("ann", "A", 1, NOW, unlock.expires_at(NOW))
    assert badge.active_at(NOW + timedelta(days=1, microseconds=-1))
    assert not badge.active_at(NOW + timedelta(days=1))
    assert unlock_event(badge, 3, 7)["transaction_id"] == "7"
    assert unlock_event(badge, 3)["transaction_id"] == ""
