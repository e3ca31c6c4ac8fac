"""One award, computed: which rules hold, how many points, what moves. The ledger calls it under the row lock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from laurel_server.domain.accounts import Account, Usage, check_exact
from laurel_server.domain.actions import SYSTEM_ACTIONS, ActionConfig, prize
from laurel_server.domain.badges import NO_BADGES, Badge, BadgeBook
from laurel_server.domain.board_configs import BoardConfig
from laurel_server.domain.boards import BoardEffect, BoardKey, BoardMatrix, Membership, Visibility
from laurel_server.domain.campaigns import Campaign, applicable
from laurel_server.domain.errors import LaurelError, Reason, invalid_field, user_not_found
from laurel_server.domain.identifiers import is_user_id, transaction_id
from laurel_server.domain.ledger import BoardRank, LedgerEntry, RankState, Rewards
from laurel_server.domain.lots import Lot
from laurel_server.domain.periods import (
    ALL_TIME,
    FIRST_MOMENT,
    MAX_CLOCK_SKEW,
    Period,
    PeriodType,
    check_occurred_at,
    period_at,
    period_type_of,
)
from laurel_server.domain.points import (
    Breakdown,
    apply_budget,
    apply_daily_cap,
    calculate,
    check_cooldown,
    granted,
)
from laurel_server.domain.streaks import day_of, next_streak
from laurel_server.domain.tiers import LIFETIME, Tier, TierChange, TierPolicy


class AwardCommand(Struct, frozen=True):
    """What a caller asks for. `request_hash` is a digest of the whole request; empty strings mean "not given"."""

    caller: str
    request_id: str
    user_id: str
    action: str
    attributes: Mapping[str, str]
    request_hash: bytes
    order_id: str = ""
    referral_id: str = ""
    reference_id: str = ""
    reason: str = ""
    occurred_at: datetime | None = None
    activates_at: datetime | None = None
    validate_only: bool = False
    granted_points: int | None = None
    """What Laurel itself gives, exactly: no formula, multiplier, cap, cooldown or window of the action changes it."""

    user_no: int = 0
    """The ledger's number of who is meant, where Laurel itself has found him: by now somebody else may have the id."""


class AwardAnswer(Struct, frozen=True):
    """What a caller learns. `ranks` has exactly the boards that moved; it is empty unless `rank_state` is FRESH."""

    entry: LedgerEntry
    rewards: Rewards
    breakdown: Breakdown
    tier_change: TierChange | None
    ranks: tuple[BoardRank, ...]
    rank_state: RankState
    replayed: bool
    closed_period_ids: tuple[str, ...]
    badges: tuple[Badge, ...] = ()
    referral: LedgerEntry | None = None
    """The entry of the other side of a referral."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules at one version, as one batch sees them.

    `closed_through`: periods that ended then or before are closed for good, whatever a server's clock says.
    """

    version: int
    actions: Mapping[str, ActionConfig]
    campaigns: Sequence[Campaign]
    matrix: BoardMatrix
    zone: tzinfo
    grace: timedelta
    badges: BadgeBook = NO_BADGES
    tiers: TierPolicy = LIFETIME
    closed_through: datetime = FIRST_MOMENT
    boards: Mapping[str, BoardConfig] = field(default_factory=dict)
    """All configured boards by id; the matrix has the points boards among them."""

    def action(self, name: str, now: datetime) -> ActionConfig:
        """Return the config of an action that can be awarded now. ACTION_NOT_FOUND, ACTION_INACTIVE."""
        config = self.actions.get(name)
        if config is None:
            raise LaurelError(
                Reason.ACTION_NOT_FOUND, f"no action config is named {name}", metadata={"action": name}
            )
        if name in SYSTEM_ACTIONS or not config.active_at(now):
            raise LaurelError(
                Reason.ACTION_INACTIVE, f"{name} cannot be awarded now", metadata={"action": name}
            )
        return config

    def takes(self, period: Period, now: datetime) -> bool:
        """Whether points still count in the period: until its end and the grace have passed and it is closed."""
        return takes(period, now, self.grace, self.closed_through)


def takes(period: Period, now: datetime, grace: timedelta, closed_through: datetime) -> bool:
    """Whether points still count in a period."""
    return period.open_at(now, grace) and (period.ends_at is None or period.ends_at > closed_through)


class Posting(Struct, frozen=True):
    """What one award does to the ledger and the boards; `boards` are those on which the user moved."""

    entry: LedgerEntry
    lot: Lot | None
    rewards: Rewards
    breakdown: Breakdown
    tier_before: Tier
    tier_change: TierChange | None
    counted: tuple[Period, ...]
    closed_period_ids: tuple[str, ...]
    boards: tuple[BoardKey, ...]
    config_version: int
    badges: tuple[Badge, ...] = ()
    referral: "Posting | None" = None
    """What the other side of a referral got."""


def award(command: AwardCommand, account: Account, rules: Rules, sequence: int, now: datetime) -> Posting:
    """Post `command` to `account` and return what happened. Raises LaurelError and then changes nothing.

    The tier that multiplies is the one before the award. `sequence` orders the ledger.
    """
    if command.user_no and command.user_no != account.user_no:
        raise user_not_found(command.user_id)
    config = _config(command, rules, now)
    occurred_at = command.occurred_at or now
    if command.occurred_at is not None:
        check_occurred_at(occurred_at, now)
    tier_before = account.tier
    breakdown = _points(command, config, account, rules, occurred_at, now)
    check_exact(max(account.lifetime_points, account.balance) + breakdown.points)
    counted, closed = periods_counted(config, rules, occurred_at, now)
    new_id = transaction_id(now, sequence)
    entry = _entry(command, config, breakdown, new_id, occurred_at, now, account.balance, rules.zone)
    account.count_in(counted, entry.points, sequence)
    lot = account.post_award(entry, now)
    if command.granted_points is None:
        _note_usage(account, config, breakdown, rules, occurred_at, now)
    change = account.promote(now)
    return Posting(
        entry,
        lot,
        account.rewards(),
        breakdown,
        tier_before,
        change,
        counted,
        closed,
        moved_boards(account, counted if entry.points else (), change, rules),
        config.version,
    )


def referral_of(command: AwardCommand, rules: Rules, now: datetime) -> AwardCommand | None:
    """Return the award to the other side, if the action rewards both. INVALID_FIELD for a user that cannot be."""
    if command.granted_points is not None or not command.referral_id:
        return None
    config = rules.actions.get(command.action)
    if config is None or not config.referral_points or not config.active_at(now):
        return None
    if not is_user_id(command.referral_id) or command.referral_id == command.user_id:
        raise invalid_field(
            "referral_id", f"must be the id of another user, because {config.action} rewards him too"
        )
    return replace(
        command,
        user_id=command.referral_id,
        referral_id=command.user_id,
        attributes={},
        granted_points=config.referral_points,
    )


def moved_boards(
    account: Account, counted: Sequence[Period], change: TierChange | None, rules: Rules
) -> tuple[BoardKey, ...]:
    """Return the boards on which the user's place may have changed: those of `counted`, and the new tier's."""
    boards = _boards_of(rules.matrix, account.membership, tuple(counted))
    if change and account.visibility is Visibility.PUBLIC:
        promoted_to = open_boards(account, rules, f"tier:{change.to_tier.name.lower()}")
        boards = tuple(dict.fromkeys((*boards, *promoted_to)))
    return boards


# Both caches hit for almost every award: users share memberships, and the awards of a batch their moment.
@lru_cache(maxsize=16_384)
def _boards_of(matrix: BoardMatrix, member: Membership, counted: tuple[Period, ...]) -> tuple[BoardKey, ...]:
    return tuple(
        BoardKey(scope, period.id) for period in counted for scope in matrix.boards_of(member, period.type)
    )


@lru_cache(maxsize=1024)
def _counted_and_closed(
    matrix: BoardMatrix,
    occurred_at: datetime,
    now: datetime,
    grace: timedelta,
    zone: tzinfo,
    closed_through: datetime,
) -> tuple[tuple[Period, ...], tuple[str, ...]]:
    """Return the periods of all types that are open, and the ids of those that are not and that a board counts in.

    Every type is counted, whether a board shows it or not: so a board that is created later has all totals.
    """
    periods = [period_at(type_, occurred_at, zone) for type_ in PeriodType]
    counted = tuple(period for period in periods if takes(period, now, grace, closed_through))
    shown = matrix.period_types()
    return counted, tuple(each.id for each in periods if each.type in shown and each not in counted)


def open_boards(account: Account, rules: Rules, scope: str) -> list[BoardKey]:
    """Return the boards of `scope` for every period in which the user has an open total."""
    return [
        BoardKey(scope, period_id)
        for period_id in account.totals
        if rules.matrix.contains(scope, period_type_of(period_id))
    ]


def is_tracked(config: ActionConfig, rules: Rules) -> bool:
    """Whether the action has a limit over time, or a badge counts it, so that its use must be kept."""
    return config.is_limited or config.streak_step is not None or config.action in rules.badges.counted


def _config(command: AwardCommand, rules: Rules, now: datetime) -> ActionConfig:
    """Return the action's rule. What Laurel grants it also grants where the action is switched off or unknown."""
    if command.granted_points is None:
        return rules.action(command.action, now)
    return rules.actions.get(command.action) or prize(command.action)


def _points(
    command: AwardCommand,
    config: ActionConfig,
    account: Account,
    rules: Rules,
    occurred_at: datetime,
    now: datetime,
) -> Breakdown:
    if command.granted_points is not None:
        return granted(command.granted_points)
    usage = account.usage.get(config.action)
    if usage is not None:
        check_cooldown(config, usage.last_at, now)
    campaigns = applicable(
        rules.campaigns, config.action, account.tier, account.country, account.segments, now
    )
    streak = 0
    if config.streak_step is not None:
        streak = next_streak(config.action, usage, occurred_at, now, rules.zone)
    breakdown = calculate(config, command.attributes, account.tier, campaigns, streak)
    breakdown = apply_budget(breakdown, rules.campaigns)
    if not config.max_daily_points:
        return breakdown
    return apply_daily_cap(breakdown, config, _used(usage, _day_of_cap(usage, rules, now)))


def _day_of_cap(usage: Usage | None, rules: Rules, now: datetime) -> str:
    """Return the day for which an award counts: today, or the later one that another server's clock has come to.

    Otherwise servers whose clocks differ would take turns at midnight to begin a day anew. What a clock has left that
    was days ahead holds nobody up.
    """
    today = period_at(PeriodType.DAILY, now, rules.zone).id
    if usage is None or usage.day <= today:
        return today
    return min(usage.day, period_at(PeriodType.DAILY, now + MAX_CLOCK_SKEW, rules.zone).id)


def _used(usage: Usage | None, day: str) -> int:
    return usage.points if usage is not None and usage.day == day else 0


def periods_counted(
    config: ActionConfig, rules: Rules, occurred_at: datetime, now: datetime
) -> tuple[tuple[Period, ...], tuple[str, ...]]:
    """Return the periods the award counts in, and the ids of those it came too late for."""
    if config.board_effect is BoardEffect.NONE:
        return (), ()
    if config.board_effect is BoardEffect.ALL_TIME_ONLY:
        return (ALL_TIME,), ()
    return _counted_and_closed(rules.matrix, occurred_at, now, rules.grace, rules.zone, rules.closed_through)


def _entry(
    command: AwardCommand,
    config: ActionConfig,
    breakdown: Breakdown,
    new_id: int,
    occurred_at: datetime,
    now: datetime,
    balance_before: int,
    zone: tzinfo,
) -> LedgerEntry:
    lives_from = max(command.activates_at or occurred_at + config.pending_for, now)
    return LedgerEntry(
        transaction_id=new_id,
        request_id=command.request_id,
        user_id=command.user_id,
        action=config.action,
        points=breakdown.points,
        base_points=breakdown.base_points,
        multiplier=breakdown.multiplier,
        order_id=command.order_id,
        referral_id=command.referral_id,
        reference_id=command.reference_id,
        reason=command.reason,
        created_by=command.caller,
        transaction_time=now,
        occurred_at=occurred_at,
        balance_after=balance_before + breakdown.points,
        expires_at=config.expires_at(lives_from, zone),
        activates_at=lives_from if lives_from > now else None,
    )


def _note_usage(
    account: Account,
    config: ActionConfig,
    breakdown: Breakdown,
    rules: Rules,
    occurred_at: datetime,
    now: datetime,
) -> None:
    if not is_tracked(config, rules):
        return
    usage = account.usage.get(config.action)
    day = _day_of_cap(usage, rules, now)
    awards = (usage.awards or 0 if usage else 0) + 1 if config.action in rules.badges.counted else None
    last_day = day_of(occurred_at, rules.zone) if breakdown.streak else ""
    account.usage[config.action] = Usage(
        day, _used(usage, day) + breakdown.points, now, awards, last_day, breakdown.streak
    )
