"""Action configs and campaigns."""

from decimal import Decimal

from laurel.admin.v1 import rules_pb2
from laurel.type.v1.tier_pb2 import Tier as TierMessage
from laurel_server.domain.actions import ActionConfig, CapMode
from laurel_server.domain.boards import BoardEffect
from laurel_server.domain.campaigns import Campaign, StackMode
from laurel_server.domain.decimals import decimal_text
from laurel_server.domain.tiers import Tier
from laurel_server.rpc.convert.times import read_duration, read_ledger_moment, write_duration, write_moment


def read_action_config(message: rules_pb2.ActionConfig) -> ActionConfig:
    """Return the config in a valid `message`; unspecified choices get their defaults."""
    return ActionConfig(
        action=message.action,
        display_name=message.display_name,
        description=message.description,
        points_formula=message.points_formula,
        base_points=Decimal(message.base_points) if message.base_points else None,
        tier_multipliers={Tier[name]: Decimal(text) for name, text in message.tier_multipliers.items()},
        max_points_per_action=message.max_points_per_action,
        max_daily_points=message.max_daily_points,
        cap_mode=CapMode(message.cap_mode or CapMode.PARTIAL),
        cooldown=read_duration(message, "cooldown", parent="config."),
        expires_after=message.expires_after,
        board_effect=BoardEffect(message.board_effect or BoardEffect.ALL),
        active=message.active,
        effective_from=read_ledger_moment(message, "effective_from", parent="config."),
        effective_until=read_ledger_moment(message, "effective_until", parent="config."),
        pending_for=read_duration(message, "pending_for", parent="config."),
        expires_at_month_end=message.expires_at_month_end,
        streak_step=Decimal(message.streak_step) if message.streak_step else None,
        streak_maximum=Decimal(message.streak_maximum) if message.streak_maximum else None,
        referral_points=message.referral_points,
    )


def write_action_config(target: rules_pb2.ActionConfig, config: ActionConfig) -> None:
    """Fill the empty `target` with a config as stored."""
    target.action = config.action
    target.display_name = config.display_name
    target.description = config.description
    target.points_formula = config.points_formula
    target.base_points = "" if config.base_points is None else decimal_text(config.base_points)
    for tier, multiplier in config.tier_multipliers.items():
        target.tier_multipliers[tier.name] = decimal_text(multiplier)
    target.max_points_per_action = config.max_points_per_action
    target.max_daily_points = config.max_daily_points
    target.cap_mode = rules_pb2.CapMode.ValueType(config.cap_mode)
    if config.cooldown:
        write_duration(target.cooldown, config.cooldown)
    target.expires_after = config.expires_after
    target.board_effect = rules_pb2.BoardEffect.ValueType(config.board_effect)
    target.active = config.active
    write_moment(target.effective_from, config.effective_from)
    write_moment(target.effective_until, config.effective_until)
    if config.pending_for:
        write_duration(target.pending_for, config.pending_for)
    target.expires_at_month_end = config.expires_at_month_end
    target.streak_step = "" if config.streak_step is None else decimal_text(config.streak_step)
    target.streak_maximum = "" if config.streak_maximum is None else decimal_text(config.streak_maximum)
    target.referral_points = config.referral_points
    target.version = config.version


def read_campaign(message: rules_pb2.Campaign) -> Campaign:
    """Return the campaign in a valid `message`; what Laurel counts itself is left out."""
    return Campaign(
        campaign_id=message.campaign_id,
        display_name=message.display_name,
        actions=frozenset(message.actions),
        multiplier=Decimal(message.multiplier),
        starts_at=read_ledger_moment(message, "starts_at", parent="campaign."),
        ends_at=read_ledger_moment(message, "ends_at", parent="campaign."),
        tiers=frozenset(Tier(tier) for tier in message.tiers),
        countries=frozenset(message.countries),
        segments=frozenset(message.segments),
        stack_mode=StackMode(message.stack_mode or StackMode.MULTIPLY),
        budget_points=message.budget_points,
        active=message.active,
    )


def write_campaign(target: rules_pb2.Campaign, campaign: Campaign) -> None:
    """Fill the empty `target` with a campaign as stored; sets are listed in order."""
    target.campaign_id = campaign.campaign_id
    target.display_name = campaign.display_name
    target.actions.extend(sorted(campaign.actions))
    target.multiplier = decimal_text(campaign.multiplier)
    write_moment(target.starts_at, campaign.starts_at)
    write_moment(target.ends_at, campaign.ends_at)
    target.tiers.extend(TierMessage.ValueType(tier) for tier in sorted(campaign.tiers))
    target.countries.extend(sorted(campaign.countries))
    target.segments.extend(sorted(campaign.segments))
    target.stack_mode = rules_pb2.StackMode.ValueType(campaign.stack_mode)
    target.budget_points = campaign.budget_points
    target.active = campaign.active
    target.spent_points = campaign.spent_points
    target.version = campaign.version
