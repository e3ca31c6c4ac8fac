"""Badges: what they take, and who has earned one with an award."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from laurel_server.domain.badge_rules import (
    ACCOUNT_NAMES,
    BOARD_NAMES,
    BadgeRule,
    compiled,
)
from laurel_server.domain.clock import MAX_WAIT
from laurel_server.domain.errors import invalid_field

MAX_LEVELS: Final = 10

_BADGE_TYPE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class BadgeDefinition:
    """What a badge takes. Every Put appends a version; the latest counts.

    `rule` unlocks level 1, each of `level_rules` the next one. Without those, who earns a badge for the final rank of a
    period again gets its next level. A badge is valid for `valid_for`; zero: for ever.
    """

    badge_type: str
    display_name: str = ""
    description: str = ""
    rule: str = ""
    level_rules: tuple[str, ...] = ()
    active: bool = True
    valid_for: timedelta = timedelta()
    version: int = 1

    def validate(self) -> None:
        """Refuse a definition that could not be applied: INVALID_FIELD or FORMULA_INVALID, naming the field."""
        if not _BADGE_TYPE.fullmatch(self.badge_type):
            raise invalid_field("definition.badge_type", "must be 1 to 64 of A-Z 0-9 _, a letter first")
        if not timedelta() <= self.valid_for <= MAX_WAIT:
            raise invalid_field("definition.valid_for", f"must lie between 0 and {MAX_WAIT.days} days")
        if len(self.level_rules) >= MAX_LEVELS:
            raise invalid_field("definition.level_rules", f"must be at most {MAX_LEVELS - 1}")
        BadgeRule.compile(self.rule, "definition.rule")
        for index, rule in enumerate(self.level_rules):
            BadgeRule.compile(rule, f"definition.level_rules[{index}]")

    def levels(self) -> "list[Unlock]":
        """Return what there is to unlock, the first level first."""
        return [
            Unlock(self.badge_type, level, compiled(rule), self.valid_for)
            for level, rule in enumerate((self.rule, *self.level_rules), start=1)
        ]


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge that a user holds; None in `expires_at`: for ever."""

    user_id: str
    badge_type: str
    level: int
    earned_at: datetime
    expires_at: datetime | None

    def active_at(self, now: datetime) -> bool:
        """Whether the badge counts."""
        return self.expires_at is None or now < self.expires_at


def unlock_event(badge: Badge, user_no: int, transaction_id: int | None = None) -> dict[str, object]:
    """Return the `achievements.unlocked` event of a user's badge, with the award that unlocked it if one did."""
    return {
        "type": "achievements.unlocked",
        "transaction_id": str(transaction_id or ""),
        "user_id": badge.user_id,
        "user_no": user_no,
        "badge_type": badge.badge_type,
        "level": badge.level,
        "earned_at": badge.earned_at,
        "expires_at": badge.expires_at,
    }


class Unlock(NamedTuple):
    """One level of a badge, with what it takes."""

    badge_type: str
    level: int
    rule: BadgeRule
    valid_for: timedelta

    def expires_at(self, earned_at: datetime) -> datetime | None:
        """Return when the badge ends that was earned at that moment; None for never."""
        return earned_at + self.valid_for if self.valid_for else None


class Before(NamedTuple):
    """What an award may change of an account, as far as rules read it, before it was made."""

    points: int
    version: int
    awards: int
    periods: Mapping[str, int]


class BadgeBook:
    """The definitions in force, prepared so that an award that unlocks nothing costs next to nothing.

    `since` is the ledger sequence at which a definition changed last: of accounts not touched since then every rule is
    looked at with their next award, of all others only rules whose outcome the award may have changed.
    """

    def __init__(self, definitions: Iterable[BadgeDefinition] = (), since: int = 0) -> None:
        self.since = since
        unlocks = [level for definition in definitions if definition.active for level in definition.levels()]
        self.by_award = [unlock for unlock in unlocks if _reads_only(unlock.rule, ACCOUNT_NAMES)]
        self.by_standing = [
            unlock
            for unlock in unlocks
            if _reads_only(unlock.rule, ACCOUNT_NAMES | BOARD_NAMES) and unlock not in self.by_award
        ]
        self.by_place = [
            unlock
            for unlock in self.by_standing
            if _reads_only(unlock.rule, BOARD_NAMES) and not unlock.rule.actions
        ]
        """Those of `by_standing` that nothing but the place decides."""
        self.by_closing = [unlock for unlock in unlocks if unlock.rule.closing]
        self.levelled = frozenset(unlock.badge_type for unlock in unlocks if unlock.level > 1)
        """Badges with rules for further levels; of others each closed period that unlocks them gives one more."""
        self.counted = frozenset(action for unlock in unlocks for action in unlock.rule.actions)
        names = {name for unlock in self.by_award for name in unlock.rule.names}
        self.reads_periods = bool(names - {"points", "member_number"})
        self._watched = [(unlock, _marks(unlock.rule)) for unlock in self.by_award]
        self._looks_always = any(marks is None for _, marks in self._watched)
        self._marks = sorted({mark for _, marks in self._watched for mark in marks or ()})

    def may_unlock(self, before: Before, points: int, action: str) -> bool:
        """Whether an award may have unlocked anything. Cost: two look-ups in a list of some 20 numbers."""
        return (
            bisect_right(self._marks, before.points) != bisect_right(self._marks, points)
            or before.version < self.since
            or action in self.counted
            or self._looks_always
        )

    def concerned(self, before: Before, points: int, action: str) -> list[Unlock]:
        """Return the unlocks whose rules may hold after an award and did not before."""
        if before.version < self.since:
            return self.by_award
        return [
            unlock
            for unlock, marks in self._watched
            if marks is None
            or action in unlock.rule.actions
            or any(before.points < mark <= points for mark in marks)
        ]


NO_BADGES: Final = BadgeBook()


def _marks(rule: BadgeRule) -> frozenset[int] | None:
    """Return the points at which an award must look at the rule; None: it must look at every award."""
    return None if rule.names - {"points", "member_number"} else rule.marks()


def _reads_only(rule: BadgeRule, names: frozenset[str]) -> bool:
    return rule.names <= names


def _seed(badge_type: str, display_name: str, rule: str, description: str) -> BadgeDefinition:
    return BadgeDefinition(badge_type, display_name, description, rule)


SEEDED_BADGES: Final = (
    _seed("TOP_10", "Top 10", "rank <= 10", "Among the best 10 of all time."),
    _seed("TOP_20", "Top 20", "rank <= 20", "Among the best 20 of all time."),
    _seed("TOP_100", "Top 100", "rank <= 100", "Among the best 100 of all time."),
    _seed("TOP_1_PERCENT", "Champion", "top_percent <= 1", "In the top 1 % of all time."),
    _seed("TOP_5_PERCENT", "Master", "top_percent <= 5", "In the top 5 % of all time."),
    _seed("TOP_10_PERCENT", "Expert", "top_percent <= 10", "In the top 10 % of all time."),
    _seed("DAILY_CHAMPION", "Champion of the day", "daily_rank == 1", "First on a day's global board."),
    _seed("WEEKLY_CHAMPION", "Champion of the week", "weekly_rank == 1", "First on a week's global board."),
    _seed(
        "MONTHLY_CHAMPION", "Champion of the month", "monthly_rank == 1", "First on a month's global board."
    ),
    _seed("POINTS_1K", "1,000 points", "points >= 1000", "1,000 lifetime points."),
    _seed("POINTS_1_5K", "1,500 points", "points >= 1500", "1,500 lifetime points."),
    _seed("POINTS_5K", "5,000 points", "points >= 5000", "5,000 lifetime points."),
    _seed("POINTS_10K", "10,000 points", "points >= 10000", "10,000 lifetime points."),
    _seed("REFERRAL_MASTER", "Referral master", 'count("REFERRAL") >= 10', "Ten referrals."),
    _seed("EARLY_ADOPTER", "Early adopter", "member_number <= 1000", "Among the first 1,000 users."),
)
"""The badges a new ledger starts with; operators edit them."""
