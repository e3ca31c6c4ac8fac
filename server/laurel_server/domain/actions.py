"""Actions: what can be rewarded, and by which rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from laurel_server.domain.boards import BoardEffect
from laurel_server.domain.clock import MAX_WAIT
from laurel_server.domain.decimals import MAX_EXACT, ONE
from laurel_server.domain.durations import CalendarDuration
from laurel_server.domain.errors import invalid_field
from laurel_server.domain.formulas import Formula
from laurel_server.domain.identifiers import check_action
from laurel_server.domain.tiers import Tier

BONUS_ACTIONS: Final = frozenset({"DAILY_WINNER", "WEEKLY_WINNER", "MONTHLY_WINNER"})
"""Prizes are paid as announced: neither tier nor campaign multiplies them."""

SYSTEM_ACTIONS: Final = frozenset({"MANUAL_ADJUSTMENT", "REDEMPTION", "EXPIRATION", "REVERSAL"})
"""Written by calls of their own or by jobs; AwardPoints refuses them."""

MAX_MULTIPLIER: Final = 1_000_000
"""What a tier or a campaign multiplies by at most."""


class CapMode(IntEnum):
    """What the daily cap does to an award that exceeds it."""

    PARTIAL = 1  # cuts it to what is left
    REJECT = 2  # refuses it


@dataclass(frozen=True, slots=True)
class ActionConfig:
    """The rule of one action. Every Put appends a version; the latest counts.

    The base is `points_formula` over the attributes or, where that is empty, `base_points`. A tier missing in
    `tier_multipliers` has its own multiplier. Caps of 0 are no limit, an empty `expires_after` is never. Points are
    pending for `pending_for` after they were earned.
    """

    action: str
    display_name: str = ""
    description: str = ""
    points_formula: str = ""
    base_points: Decimal | None = None
    tier_multipliers: Mapping[Tier, Decimal] = field(default_factory=lambda: MappingProxyType({}))
    max_points_per_action: int = 0
    max_daily_points: int = 0
    cap_mode: CapMode = CapMode.PARTIAL
    cooldown: timedelta = timedelta()
    expires_after: str = ""
    board_effect: BoardEffect = BoardEffect.ALL
    active: bool = True
    effective_from: datetime | None = None
    effective_until: datetime | None = None
    pending_for: timedelta = timedelta()
    expires_at_month_end: bool = False
    streak_step: Decimal | None = None
    """What each day in a row adds to the base; None: the action has no streak."""
    streak_maximum: Decimal | None = None
    """What the base of a streak grows to at most; None: no bound."""
    referral_points: int = 0
    """What the user named by `referral_id` gets, multiplied by nothing."""
    version: int = 1

    @property
    def formula(self) -> Formula | None:
        """The compiled formula; None for a fixed base. FORMULA_INVALID."""
        return _compiled(self.points_formula) if self.points_formula else None

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit over time: a daily cap or a cooldown."""
        return bool(self.max_daily_points or self.cooldown)

    def active_at(self, now: datetime) -> bool:
        """Whether the action is switched on and `now` lies in `[effective_from, effective_until)`."""
        return (
            self.active
            and (self.effective_from is None or self.effective_from <= now)
            and (self.effective_until is None or now < self.effective_until)
        )

    def expires_at(self, earned_at: datetime, zone: tzinfo) -> datetime | None:
        """Return when points earned at that moment expire; None for never. Months end by `zone`."""
        if not self.expires_after:
            return None
        duration = CalendarDuration.parse(self.expires_after)
        return (
            duration.month_end_after(earned_at, zone)
            if self.expires_at_month_end
            else duration.after(earned_at)
        )

    def validate(self) -> None:
        """Refuse a rule that could not be applied: INVALID_FIELD or FORMULA_INVALID, naming the field."""
        check_action(self.action, "config.action")
        self._validate_base()
        self._validate_limits()
        self._validate_streak()
        if self.expires_after:
            CalendarDuration.parse(self.expires_after, "config.expires_after")
        if self.effective_from and self.effective_until and self.effective_until <= self.effective_from:
            raise invalid_field("config.effective_until", "must be later than effective_from")

    def _validate_base(self) -> None:
        if self.points_formula:
            Formula.compile(self.points_formula)
        elif self.base_points is None:
            raise invalid_field("config.base_points", "must be set where there is no points_formula")
        if self.base_points is not None and not 0 <= self.base_points <= MAX_EXACT:
            raise invalid_field("config.base_points", "must lie between 0 and 2^53")

    def _validate_limits(self) -> None:
        for tier, multiplier in self.tier_multipliers.items():
            if not 0 <= multiplier <= MAX_MULTIPLIER:
                raise invalid_field(
                    "config.tier_multipliers", f"{tier.name} must lie between 0 and {MAX_MULTIPLIER}"
                )
        for name in ("max_points_per_action", "max_daily_points", "referral_points"):
            if not 0 <= getattr(self, name) <= MAX_EXACT:
                raise invalid_field(f"config.{name}", "must lie between 0 and 2^53")
        for name in ("cooldown", "pending_for"):
            if not timedelta() <= getattr(self, name) <= MAX_WAIT:
                raise invalid_field(f"config.{name}", f"must lie between 0 and {MAX_WAIT.days} days")
        if self.expires_at_month_end and not self.expires_after:
            raise invalid_field("config.expires_at_month_end", "needs expires_after")

    def _validate_streak(self) -> None:
        for name, amount in (("streak_step", self.streak_step), ("streak_maximum", self.streak_maximum)):
            if amount is not None and not 0 <= amount <= MAX_EXACT:
                raise invalid_field(f"config.{name}", "must lie between 0 and 2^53")
        if self.streak_maximum is not None and self.streak_step is None:
            raise invalid_field("config.streak_step", "must be set where there is a streak_maximum")


_compiled = lru_cache(maxsize=1024)(Formula.compile)

_UNMULTIPLIED = MappingProxyType(dict.fromkeys(Tier, ONE))


def _fixed(action: str, display_name: str, points: int) -> ActionConfig:
    return ActionConfig(action, display_name, base_points=Decimal(points))


def prize(action: str, display_name: str = "", first_prize: int = 0) -> ActionConfig:
    """Return the rule of an action that pays winners; it holds for those that are not configured, too."""
    return ActionConfig(
        action,
        display_name,
        "Paid to the winners when a period is closed; the amount follows the rank.",
        base_points=Decimal(first_prize),
        tier_multipliers=_UNMULTIPLIED,
        board_effect=BoardEffect.ALL_TIME_ONLY,
    )


def _system(action: str, display_name: str) -> ActionConfig:
    return ActionConfig(
        action,
        display_name,
        base_points=Decimal(0),
        tier_multipliers=_UNMULTIPLIED,
        board_effect=BoardEffect.NONE,
    )


SEEDED_ACTIONS: Final = (
    ActionConfig("PURCHASE", "Purchase", points_formula="order_value * 0.01", expires_after="P1Y"),
    _fixed("REFERRAL", "Referral", 100),
    _fixed("REVIEW", "Review", 20),
    _fixed("SOCIAL_SHARE", "Social share", 10),
    _fixed("BIRTHDAY_BONUS", "Birthday bonus", 500),
    ActionConfig(
        "LOGIN_STREAK",
        "Login streak",
        "Once a day; each day in a row gives 5 points more, up to 50.",
        base_points=Decimal(5),
        streak_step=Decimal(5),
        streak_maximum=Decimal(50),
    ),
    prize("DAILY_WINNER", "Winner of the day", 100),
    prize("WEEKLY_WINNER", "Winner of the week", 1000),
    prize("MONTHLY_WINNER", "Winner of the month", 5000),
    _system("MANUAL_ADJUSTMENT", "Manual adjustment"),
    _system("REDEMPTION", "Redemption"),
    _system("EXPIRATION", "Expiration"),
    _system("REVERSAL", "Reversal"),
)
"""The actions a new ledger starts with; operators edit them."""
