"""Tiers: how much a user earned over his life decides by how much the next award is multiplied."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from typing import Final

from laurel_server.domain.clock import EPOCH


class Tier(IntEnum):
    """The levels of the program, lowest first; the numbers are those of the contract and the ledger."""

    BRONZE = 1
    SILVER = 2
    GOLD = 3
    PLATINUM = 4
    DIAMOND = 5


@dataclass(frozen=True, slots=True)
class TierDefinition:
    """A tier starts at `threshold` qualifying points, inclusive, and multiplies awards by `multiplier`."""

    tier: Tier
    threshold: int
    multiplier: Decimal


DEFAULT_TIERS: Final = (
    TierDefinition(Tier.BRONZE, 0, Decimal(1)),
    TierDefinition(Tier.SILVER, 5_000, Decimal("1.5")),
    TierDefinition(Tier.GOLD, 10_000, Decimal(2)),
    TierDefinition(Tier.PLATINUM, 20_000, Decimal(3)),
    TierDefinition(Tier.DIAMOND, 50_000, Decimal(5)),
)


@dataclass(frozen=True, slots=True)
class TierPolicy:
    """Which points decide the tier: those of a whole life or, with `window_months`, those of a window.

    The window is the current month (UTC) and so many before it. Who falls below his tier with time keeps it for `grace`
    after a review has seen that; a reversal that takes him below it demotes him at once.
    """

    window_months: int = 0
    grace: timedelta = timedelta()

    def window_start(self, now: datetime) -> datetime | None:
        """Return when the window began; None: it is a whole life."""
        if not self.window_months:
            return None
        year, month = divmod(now.year * 12 + now.month - 1 - self.window_months, 12)
        return datetime(max(year, EPOCH.year), month + 1, 1, tzinfo=UTC)


LIFETIME: Final = TierPolicy()


@dataclass(frozen=True, slots=True)
class TierChange:
    """A promotion or demotion, which happens in the transaction of the entry that caused it."""

    user_id: str
    from_tier: Tier
    to_tier: Tier
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class TierStatus:
    """A user's tier and the way to the next one.

    `points_to_next` is 0 in the highest tier, where `next_tier` is None. `reviewed_at` is the last review of all tiers.
    """

    tier: Tier
    qualifying_points: int
    next_tier: Tier | None
    points_to_next: int
    multiplier: Decimal
    tier_since: datetime
    reviewed_at: datetime | None


def tier_status(
    tier: Tier,
    qualifying_points: int,
    tier_since: datetime,
    reviewed_at: datetime | None,
    definitions: Sequence[TierDefinition] = DEFAULT_TIERS,
) -> TierStatus:
    """Return what a tier is worth, and what is missing to the next."""
    above = next_tier(tier, definitions)
    return TierStatus(
        tier,
        qualifying_points,
        above.tier if above else None,
        max(0, above.threshold - qualifying_points) if above else 0,
        definition_of(tier, definitions).multiplier,
        tier_since,
        reviewed_at,
    )


def tier_for(lifetime_points: int, definitions: Sequence[TierDefinition] = DEFAULT_TIERS) -> Tier:
    """Return the highest tier whose threshold is reached; the lowest one even below its threshold.

    `definitions` go from the lowest threshold to the highest.
    """
    for definition in reversed(definitions):
        if lifetime_points >= definition.threshold:
            return definition.tier
    return definitions[0].tier


def definition_of(tier: Tier, definitions: Sequence[TierDefinition] = DEFAULT_TIERS) -> TierDefinition:
    """Return the definition of `tier`."""
    return next(definition for definition in definitions if definition.tier == tier)


def next_tier(tier: Tier, definitions: Sequence[TierDefinition] = DEFAULT_TIERS) -> TierDefinition | None:
    """Return the definition of the tier above; None above the highest."""
    return next((definition for definition in definitions if definition.tier > tier), None)


def tier_change(user_id: str, before: Tier, after: Tier, changed_at: datetime) -> TierChange | None:
    """Return the change between two tiers; None if they are the same."""
    return None if before == after else TierChange(user_id, before, after, changed_at)
