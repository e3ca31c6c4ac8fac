"""Campaigns: promotions that multiply awards for a time."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum

from laurel_server.domain.actions import BONUS_ACTIONS, MAX_MULTIPLIER
from laurel_server.domain.decimals import MAX_EXACT
from laurel_server.domain.errors import invalid_field
from laurel_server.domain.tiers import Tier

_CAMPAIGN_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class StackMode(IntEnum):
    """How a campaign joins others that apply to the same award."""

    MULTIPLY = 1
    BEST_ONLY = 2


@dataclass(frozen=True, slots=True)
class AppliedCampaign:
    """A campaign that multiplies one award."""

    campaign_id: str
    multiplier: Decimal


@dataclass(frozen=True, slots=True)
class Campaign:
    """A promotion over `[starts_at, ends_at)`; an empty set of actions, tiers, countries, segments means all.

    `budget_points` bounds the points granted on top of plain awards; 0 = no limit.
    """

    campaign_id: str
    display_name: str
    actions: frozenset[str]
    multiplier: Decimal
    starts_at: datetime | None
    ends_at: datetime | None
    tiers: frozenset[Tier] = frozenset()
    countries: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    stack_mode: StackMode = StackMode.MULTIPLY
    budget_points: int = 0
    spent_points: int = 0
    active: bool = True
    version: int = 1

    @property
    def budget_left(self) -> int | None:
        """Points that may still be granted on top; None without a budget."""
        return max(0, self.budget_points - self.spent_points) if self.budget_points else None

    def validate(self) -> None:
        """Refuse a campaign that could not be applied: INVALID_FIELD, naming the field."""
        if not _CAMPAIGN_ID.fullmatch(self.campaign_id):
            raise invalid_field("campaign.campaign_id", "must be 1 to 64 of A-Z a-z 0-9 _ . -")
        if not 1 <= self.multiplier <= MAX_MULTIPLIER:
            raise invalid_field("campaign.multiplier", f"must lie between 1 and {MAX_MULTIPLIER}")
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise invalid_field("campaign.ends_at", "must be later than starts_at")
        if not 0 <= self.budget_points <= MAX_EXACT:
            raise invalid_field("campaign.budget_points", "must lie between 0 and 2^53")

    def runs_at(self, now: datetime) -> bool:
        """Whether the campaign is switched on and `now` lies in `[starts_at, ends_at)`."""
        return (
            self.active
            and (self.starts_at is None or self.starts_at <= now)
            and (self.ends_at is None or now < self.ends_at)
        )

    def applies_to(
        self, action: str, tier: Tier, country: str, segments: Collection[str], now: datetime
    ) -> bool:
        """Whether an award of `action` to such a user is multiplied `now`."""
        return (
            self.runs_at(now)
            and self.budget_left != 0
            and (not self.actions or action in self.actions)
            and (not self.tiers or tier in self.tiers)
            and (not self.countries or country in self.countries)
            and (not self.segments or not self.segments.isdisjoint(segments))
        )


def applicable(
    campaigns: Iterable[Campaign],
    action: str,
    tier: Tier,
    country: str,
    segments: Collection[str],
    now: datetime,
) -> tuple[AppliedCampaign, ...]:
    """Return the campaigns that multiply such an award, in order of their ids.

    All MULTIPLY ones join; of the BEST_ONLY ones only the highest multiplier, the first id among equals.
    Winner bonuses are never multiplied.
    """
    if action in BONUS_ACTIONS:
        return ()
    applying = [c for c in campaigns if c.applies_to(action, tier, country, segments, now)]
    if not applying:
        return ()
    applying.sort(key=lambda campaign: campaign.campaign_id)
    rivals = [campaign for campaign in applying if campaign.stack_mode is StackMode.BEST_ONLY]
    best = max(rivals, key=lambda campaign: campaign.multiplier, default=None)
    return tuple(
        AppliedCampaign(campaign.campaign_id, campaign.multiplier)
        for campaign in applying
        if campaign.stack_mode is StackMode.MULTIPLY or campaign is best
    )
