"""What an award is worth: floor(base x tier multiplier x campaign multipliers), then budgets and caps."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from laurel_server.domain.actions import ActionConfig, CapMode
from laurel_server.domain.campaigns import AppliedCampaign, Campaign
from laurel_server.domain.decimals import EXACT, MAX_EXACT, ONE, product, round_down
from laurel_server.domain.errors import LaurelError, Reason, invalid_field
from laurel_server.domain.tiers import DEFAULT_TIERS, Tier, TierDefinition, definition_of
from laurel_server.domain.wording import counted

PER_ACTION: Final = "PER_ACTION"
DAILY: Final = "DAILY"
CAMPAIGN_BUDGET: Final = "CAMPAIGN_BUDGET"


class Breakdown(Struct, frozen=True):
    """How the points of an award came about.

    `multiplier` is that of the tier and of all campaigns together; `uncapped_points` is what it led to. `cap`
    names what cut it last: "", PER_ACTION, DAILY or CAMPAIGN_BUDGET. `streak` counts days in a row, 0: no streak.
    `budgets` has what was left for each campaign, where that cut it, and `used_today` the points that the user had of
    the action on that day, where the daily cap did: with them the cut can be computed again.
    """

    points: int
    base_points: Decimal
    tier_multiplier: Decimal
    campaigns: tuple[AppliedCampaign, ...]
    multiplier: Decimal
    uncapped_points: int
    capped: bool = False
    cap: str = ""
    streak: int = 0
    budgets: tuple[tuple[str, int], ...] = ()
    used_today: int = 0


def calculate(
    config: ActionConfig,
    attributes: Mapping[str, str],
    tier: Tier,
    campaigns: tuple[AppliedCampaign, ...] = (),
    streak: int = 0,
    tier_definitions: Sequence[TierDefinition] = DEFAULT_TIERS,
) -> Breakdown:
    """Return the worth of one award to a user of `tier`, cut to the cap per action.

    Rounding happens once, at the end, down. INVALID_FIELD `attributes` where the formula has no value, and
    beyond 2^53 points.
    """
    base = base_points(config, attributes, streak)
    tier_multiplier = tier_multiplier_of(config, tier, tier_definitions)
    multiplier = EXACT.multiply(tier_multiplier, product(campaign.multiplier for campaign in campaigns))
    uncapped = _whole_points(EXACT.multiply(base, multiplier))
    breakdown = Breakdown(uncapped, base, tier_multiplier, campaigns, multiplier, uncapped, streak=streak)
    return _cut(breakdown, config.max_points_per_action or MAX_EXACT, PER_ACTION)


def granted(points: int) -> Breakdown:
    """Return the worth of an award whose points are given, not computed."""
    return Breakdown(points, Decimal(points), ONE, (), ONE, points)


def base_points(config: ActionConfig, attributes: Mapping[str, str], streak: int = 0) -> Decimal:
    """Return the base of the action: its formula over `attributes`, otherwise its fixed points, grown by a streak."""
    formula = config.formula
    base = formula.evaluate(attributes) if formula else config.base_points or Decimal(0)
    if config.streak_step is None or not streak:
        return base
    grown = EXACT.add(base, EXACT.multiply(config.streak_step, Decimal(streak - 1)))
    return grown if config.streak_maximum is None else min(grown, config.streak_maximum)


def tier_multiplier_of(
    config: ActionConfig, tier: Tier, tier_definitions: Sequence[TierDefinition] = DEFAULT_TIERS
) -> Decimal:
    """Return the multiplier that the action sets for `tier`, otherwise the tier's own."""
    own = config.tier_multipliers.get(tier)
    return definition_of(tier, tier_definitions).multiplier if own is None else own


def apply_budget(breakdown: Breakdown, campaigns: Iterable[Campaign]) -> Breakdown:
    """Cut what the campaigns add to what is left of their budgets; the plain award is not touched."""
    return cut_to_budgets(breakdown, _budgets(campaigns)) if breakdown.campaigns else breakdown


def cut_to_budgets(breakdown: Breakdown, budgets: Mapping[str, int]) -> Breakdown:
    """Cut what the campaigns add to `budgets`, which have what is left for each that has a bound."""
    plain, extras = _steps(breakdown, budgets)
    cut = _cut(breakdown, plain + sum(extras.values()), CAMPAIGN_BUDGET)
    if cut is breakdown:
        return breakdown
    return replace(cut, budgets=tuple((name, budgets[name]) for name in extras if name in budgets))


def apply_daily_cap(breakdown: Breakdown, config: ActionConfig, earned_today: int) -> Breakdown:
    """Cut the award to what the cap of the day leaves, given the points of the action `earned_today`.

    DAILY_CAP_REACHED with nothing left, and in mode REJECT when the award does not fit.
    """
    if not config.max_daily_points:
        return breakdown
    left = config.max_daily_points - earned_today
    if left <= 0 or (config.cap_mode is CapMode.REJECT and breakdown.points > left):
        raise _daily_cap_reached(config, max(0, left), breakdown.points)
    cut = _cut(breakdown, left, DAILY)
    return cut if cut is breakdown else replace(cut, used_today=earned_today)


def campaign_spending(breakdown: Breakdown, campaigns: Iterable[Campaign]) -> dict[str, int]:
    """Return what each campaign added to the points granted in the end, by its id.

    `campaigns` are those before this award. What caps took counts for the last campaigns first.
    """
    plain, spending = _steps(breakdown, _budgets(campaigns))
    left = breakdown.points - plain
    for campaign_id, extra in spending.items():
        spending[campaign_id] = max(0, min(extra, left))
        left -= extra
    return {campaign_id: points for campaign_id, points in spending.items() if points}


def check_cooldown(config: ActionConfig, last_awarded_at: datetime | None, now: datetime) -> None:
    """Refuse the action until `cooldown` has passed since the last time: COOLDOWN_ACTIVE, `retry_after`."""
    if last_awarded_at is None or not config.cooldown:
        return
    available_at = last_awarded_at + config.cooldown
    if now < available_at:
        raise LaurelError(
            Reason.COOLDOWN_ACTIVE,
            f"{config.action} is available again at {available_at.isoformat()}",
            metadata={"action": config.action, "available_at": available_at.isoformat()},
            retry_after=available_at - now,
        )


def _budgets(campaigns: Iterable[Campaign]) -> dict[str, int]:
    """Return what is left for each campaign that has a budget."""
    left = ((campaign.campaign_id, campaign.budget_left) for campaign in campaigns)
    return {campaign_id: points for campaign_id, points in left if points is not None}


def _steps(breakdown: Breakdown, budgets: Mapping[str, int]) -> tuple[int, dict[str, int]]:
    """Return the points without campaigns, and what each campaign adds in turn, within its budget."""
    worth = EXACT.multiply(breakdown.base_points, breakdown.tier_multiplier)
    plain = reached = _whole_points(worth)
    extras = {}
    for campaign in breakdown.campaigns:
        worth = EXACT.multiply(worth, campaign.multiplier)
        before, reached = reached, _whole_points(worth)
        left = budgets.get(campaign.campaign_id)
        extras[campaign.campaign_id] = reached - before if left is None else min(reached - before, left)
    return plain, extras


def _whole_points(worth: Decimal) -> int:
    if worth > MAX_EXACT:
        raise invalid_field("attributes", "lead to more than 2^53 points")
    return round_down(worth)


def _cut(breakdown: Breakdown, limit: int, cap: str) -> Breakdown:
    if breakdown.points <= limit:
        return breakdown
    return replace(breakdown, points=limit, capped=True, cap=cap)


def _daily_cap_reached(config: ActionConfig, left: int, requested: int) -> LaurelError:
    return LaurelError(
        Reason.DAILY_CAP_REACHED,
        f"{config.action} earns at most {counted(config.max_daily_points, 'point')} a day; left: {left:,}",
        metadata={
            "action": config.action,
            "limit": str(config.max_daily_points),
            "remaining": str(left),
            "requested": str(requested),
        },
    )
