"""Opening balances: what people have who are taken over from another program."""

from bisect import bisect_right
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from laurel_server.domain.accounts import Account
from laurel_server.domain.actions import ActionConfig
from laurel_server.domain.awards import AwardCommand, Posting, Rules, moved_boards
from laurel_server.domain.badge_rules import Facts
from laurel_server.domain.badges import BadgeBook, Unlock
from laurel_server.domain.boards import BoardEffect
from laurel_server.domain.decimals import ONE
from laurel_server.domain.identifiers import transaction_id
from laurel_server.domain.ledger import LedgerEntry
from laurel_server.domain.periods import ALL_TIME
from laurel_server.domain.points import Breakdown
from laurel_server.domain.tiers import Tier

ACTION: Final = "OPENING_BALANCE"

OPENING_BALANCE: Final = ActionConfig(
    ACTION,
    display_name="Opening balance",
    points_formula="points",
    tier_multipliers=dict.fromkeys(Tier, ONE),
    board_effect=BoardEffect.ALL_TIME_ONLY,
)
"""The rule that opening balances are posted by; they count on all-time boards alone."""


def leaves_nothing_open(rules: Rules, now: datetime) -> bool:
    """Whether the rules make exactly the points of the file of an opening balance, for everybody who had nothing yet.

    Then `post_opening` does what `award` would. It is so unless somebody has changed the action, made a campaign that
    multiplies it, or a badge that counts it or goes by periods.
    """
    config = rules.actions.get(ACTION)
    if config is None or not config.active_at(now):
        return False
    seeded = replace(
        OPENING_BALANCE,
        display_name=config.display_name,
        description=config.description,
        effective_from=config.effective_from,
        effective_until=config.effective_until,
        version=config.version,
    )
    multiplied = any(each.active and (not each.actions or ACTION in each.actions) for each in rules.campaigns)
    badges = rules.badges
    return (
        config == seeded
        and not multiplied
        and badges.since > 0  # every badge is looked at, as of each account that had nothing
        and not badges.reads_periods
        and ACTION not in badges.counted
    )


def post_opening(
    command: AwardCommand, points: int, account: Account, rules: Rules, sequence: int, now: datetime
) -> Posting:
    """Post `points`, at least 1, to an account that had nothing, where the rules leave nothing open."""
    base = Decimal(points)
    entry = LedgerEntry(
        transaction_id=transaction_id(now, sequence),
        request_id=command.request_id,
        user_id=command.user_id,
        action=ACTION,
        points=points,
        base_points=base,
        multiplier=ONE,
        order_id="",
        referral_id="",
        reference_id="",
        reason="",
        created_by=command.caller,
        transaction_time=now,
        occurred_at=now,
        balance_after=points,
    )
    lot = account.post_award(entry, now)
    account.count_in(_COUNTED, points, sequence)
    tier_before, change = account.tier, account.promote(now)
    return Posting(
        entry,
        lot,
        account.rewards(),
        Breakdown(points, base, ONE, (), ONE, points),
        tier_before,
        change,
        _COUNTED,
        (),
        moved_boards(account, _COUNTED, change, rules),
        rules.actions[ACTION].version,
    )


_COUNTED: Final = (ALL_TIME,)


class OpeningBadges:
    """Which badges opening balances unlock. What goes by points alone is worked out once a span between marks."""

    def __init__(self, book: BadgeBook) -> None:
        self._by_points = [each for each in book.by_award if _goes_by_points(each)]
        self._by_person = [each for each in book.by_award if not _goes_by_points(each)]
        self._marks = sorted({mark for each in self._by_points for mark in each.rule.marks() or ()})
        self._spans: dict[int, tuple[Unlock, ...]] = {}

    def unlocked(self, points: int, user_no: int) -> tuple[Unlock, ...]:
        """Return what so many points unlock for the user with that number."""
        span = bisect_right(self._marks, points)
        unlocked = self._spans.get(span)
        if unlocked is None:
            unlocked = self._spans[span] = _holding(self._by_points, Facts({"points": points}, {}))
        if not self._by_person:
            return unlocked
        return unlocked + _holding(self._by_person, Facts({"points": points, "member_number": user_no}, {}))


def _goes_by_points(unlock: Unlock) -> bool:
    return unlock.rule.names <= {"points"} and unlock.rule.marks() is not None


def _holding(unlocks: list[Unlock], facts: Facts) -> tuple[Unlock, ...]:
    return tuple(unlock for unlock in unlocks if unlock.rule.holds(facts))
