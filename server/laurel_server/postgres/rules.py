"""Action configs, campaigns and boards between rows and domain objects."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

import asyncpg
import orjson

from laurel_server.domain.actions import ActionConfig, CapMode
from laurel_server.domain.board_configs import BoardConfig, BoardKind, ScoreOperator
from laurel_server.domain.boards import BoardEffect, SortOrder, TiePolicy, WinnerBonus
from laurel_server.domain.campaigns import Campaign, StackMode
from laurel_server.domain.periods import PeriodType
from laurel_server.domain.tiers import Tier
from laurel_server.postgres.pool import Connection, Pool
from laurel_server.postgres.sql import load


async def read_version(connection: Connection) -> int:
    """Return the version of all rules together."""
    version: int = await connection.fetchval(load("rules_version"))
    return version


async def read_closed_through(connection: Connection) -> datetime | None:
    """Return up to which end periods are closed; None: none was ever closed."""
    moment: datetime | None = await connection.fetchval(load("rules_closed_through"))
    return moment


async def close_through(connection: Connection, moment: datetime) -> None:
    """Close the periods that ended at that moment or before, and bump the rules if that is news."""
    await connection.execute(load("rules_close_through"), moment)


async def read_actions(connection: Connection) -> list[ActionConfig]:
    """Return the latest version of every action config, by name."""
    return [_action(row) for row in await connection.fetch(load("rules_read_actions"))]


async def read_action_versions(
    pool: Pool, wanted: Collection[tuple[str, int]]
) -> dict[tuple[str, int], ActionConfig]:
    """Return action configs by name and version, those that exist."""
    rows = await pool.fetch(
        load("rules_read_versions"), [action for action, _ in wanted], [version for _, version in wanted]
    )
    return {(row["action"], row["version"]): _action(row) for row in rows}


async def read_campaigns(connection: Connection) -> list[Campaign]:
    """Return the latest version of every campaign, by id, with what it has spent."""
    return [_campaign(row) for row in await connection.fetch(load("rules_read_campaigns"))]


async def read_boards(connection: Connection) -> list[BoardConfig]:
    """Return all configured boards, by id."""
    return [_board(row) for row in await connection.fetch(load("boards_read"))]


async def create_board(connection: Connection, config: BoardConfig) -> None:
    """Add a board and bump the rules. Runs in a transaction. UniqueViolationError if its id or its place is taken."""
    await connection.execute(load("rules_bump"))
    await connection.execute(load("boards_create"), *_board_columns(config))


async def update_board(connection: Connection, config: BoardConfig) -> None:
    """Replace a board and bump the rules. Runs in a transaction."""
    await connection.execute(load("rules_bump"))
    await connection.execute(load("boards_update"), *_board_columns(config))


async def delete_boards(connection: Connection, board_ids: Collection[str]) -> None:
    """Forget boards and bump the rules. Runs in a transaction."""
    await connection.execute(load("rules_bump"))
    await connection.execute(load("boards_delete"), list(board_ids))


async def note_filled(connection: Connection, board_nos: Collection[int]) -> None:
    """Note that boards have everybody who belongs on them, and bump the rules. Runs in a transaction."""
    await connection.execute(load("rules_bump"))
    await connection.execute(load("boards_note_filled"), list(board_nos))


async def hold_back_batches(connection: Connection) -> None:
    """Wait until no batch is open, and let none open before this transaction ends."""
    await connection.execute(load("boards_barrier"))


async def lock_actions(connection: Connection) -> None:
    """Let nobody else change action configs before this transaction ends."""
    await connection.execute(load("rules_lock_actions"))


async def add_action(connection: Connection, config: ActionConfig, actor: str, now: datetime) -> int:
    """Add a version of an action config, bump the rules, and return its number. Runs in a transaction."""
    await connection.execute(load("rules_bump"))
    version: int = await connection.fetchval(
        load("rules_add_action"),
        config.action,
        config.display_name,
        config.description,
        config.points_formula,
        config.base_points,
        orjson.dumps({tier.name: str(value) for tier, value in config.tier_multipliers.items()}).decode(),
        config.max_points_per_action,
        config.max_daily_points,
        int(config.cap_mode),
        config.cooldown,
        config.expires_after,
        int(config.board_effect),
        config.active,
        config.effective_from,
        config.effective_until,
        actor,
        now,
        config.pending_for,
        config.expires_at_month_end,
        config.streak_step,
        config.streak_maximum,
        config.referral_points,
    )
    return version


async def add_campaign(connection: Connection, campaign: Campaign, actor: str, now: datetime) -> int:
    """Add a version of a campaign, bump the rules, and return its number. Runs in a transaction."""
    await connection.execute(load("rules_bump"))
    version: int = await connection.fetchval(
        load("rules_add_campaign"),
        campaign.campaign_id,
        campaign.display_name,
        sorted(campaign.actions),
        campaign.multiplier,
        campaign.starts_at,
        campaign.ends_at,
        sorted(int(tier) for tier in campaign.tiers),
        sorted(campaign.countries),
        sorted(campaign.segments),
        int(campaign.stack_mode),
        campaign.budget_points,
        campaign.active,
        actor,
        now,
    )
    return version


def _board(row: asyncpg.Record) -> BoardConfig:
    return BoardConfig(
        board_id=row["board_id"],
        kind=BoardKind(row["kind"]),
        scope=row["scope"],
        period_type=PeriodType(row["period_type"]),
        display_name=row["display_name"],
        reset_cron=row["reset_cron"],
        operator=ScoreOperator(row["operator"]),
        sort_order=SortOrder(row["sort_order"]),
        tie_policy=TiePolicy(row["tie_policy"]),
        max_entries=row["max_entries"],
        winner_bonuses=tuple(WinnerBonus(*bonus) for bonus in orjson.loads(row["winner_bonuses"])),
        min_score=row["min_score"],
        max_score=row["max_score"],
        board_no=row["board_no"],
        is_filled=row["is_filled"],
        slots=row["slots"],
    )


def _board_columns(config: BoardConfig) -> tuple[object, ...]:
    return (
        config.board_id,
        config.display_name,
        int(config.kind),
        config.scope,
        int(config.period_type),
        config.reset_cron,
        int(config.operator),
        int(config.sort_order),
        int(config.tie_policy),
        config.max_entries,
        orjson.dumps([tuple(bonus) for bonus in config.winner_bonuses]).decode(),
        config.min_score,
        config.max_score,
        config.is_filled,
        config.slots,
    )


def _action(row: asyncpg.Record) -> ActionConfig:
    multipliers = orjson.loads(row["tier_multipliers"])
    return ActionConfig(
        action=row["action"],
        display_name=row["display_name"],
        description=row["description"],
        points_formula=row["points_formula"],
        base_points=row["base_points"],
        tier_multipliers={Tier[name]: Decimal(value) for name, value in multipliers.items()},
        max_points_per_action=row["max_points_per_action"],
        max_daily_points=row["max_daily_points"],
        cap_mode=CapMode(row["cap_mode"]),
        cooldown=row["cooldown"],
        expires_after=row["expires_after"],
        board_effect=BoardEffect(row["board_effect"]),
        active=row["active"],
        effective_from=row["effective_from"],
        effective_until=row["effective_until"],
        pending_for=row["pending_for"],
        expires_at_month_end=row["expires_at_month_end"],
        streak_step=row["streak_step"],
        streak_maximum=row["streak_maximum"],
        referral_points=row["referral_points"],
        version=row["version"],
    )


def _campaign(row: asyncpg.Record) -> Campaign:
    return Campaign(
        campaign_id=row["campaign_id"],
        display_name=row["display_name"],
        actions=frozenset(row["actions"]),
        multiplier=row["multiplier"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        tiers=frozenset(Tier(tier) for tier in row["tiers"]),
        countries=frozenset(row["countries"]),
        segments=frozenset(row["segments"]),
        stack_mode=StackMode(row["stack_mode"]),
        budget_points=row["budget_points"],
        spent_points=row["spent_points"],
        active=row["active"],
        version=row["version"],
    )
