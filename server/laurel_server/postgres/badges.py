"""Badges and their definitions between rows and domain objects."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg
import orjson

from laurel_server.domain.badges import Badge, BadgeDefinition
from laurel_server.postgres.pool import Connection, Pool
from laurel_server.postgres.sql import load


class BadgeRow(NamedTuple):
    """A badge to give; `transaction_id` or `period_id` say what unlocked it."""

    user_no: int
    badge_type: str
    level: int
    earned_at: datetime
    expires_at: datetime | None
    transaction_id: int | None = None
    period_id: str | None = None


class Holder(NamedTuple):
    """What rules read of a user, and which levels of which badges he holds."""

    user_no: int
    user_id: str
    lifetime_points: int
    totals: dict[str, tuple[int, int]]
    held: frozenset[tuple[str, int]]


class Held(NamedTuple):
    """A level of a badge that somebody holds."""

    user_no: int
    badge_type: str
    level: int


async def read_definitions(connection: "Connection | Pool") -> list[BadgeDefinition]:
    """Return the latest version of every definition, by type."""
    return [_definition(row) for row in await connection.fetch(load("badges_read_definitions"))]


async def read_since(connection: Connection) -> int:
    """Return the ledger sequence up to which accounts have not seen the definitions as they are."""
    since: int = await connection.fetchval(load("badges_since"))
    return since


async def add_definition(
    connection: Connection, definition: BadgeDefinition, actor: str, now: datetime
) -> int:
    """Add a version of a definition, bump the rules, and return its number. Runs in a transaction."""
    await connection.execute(load("badges_bump"))
    version: int = await connection.fetchval(
        load("badges_add_definition"),
        definition.badge_type,
        definition.display_name,
        definition.description,
        definition.rule,
        list(definition.level_rules),
        definition.active,
        definition.valid_for,
        actor,
        now,
    )
    return version


async def forget_counts(connection: Connection, actions: Collection[str]) -> None:
    """Drop counts of actions that no rule has counted for a while; they are counted anew from the ledger."""
    await connection.execute(load("usage_forget_counts"), list(actions))


async def unlock(connection: Connection, badges: Sequence[BadgeRow]) -> set[Held]:
    """Give badges and return those that are new: a badge that is held already stays as it is."""
    columns = [list(column) for column in zip(*badges, strict=True)]
    return {Held(*row) for row in await connection.fetch(load("badges_unlock"), *columns)}


async def read_held(connection: "Connection | Pool", user_nos: Collection[int]) -> set[Held]:
    """Return which badges those users hold."""
    return {Held(*row) for row in await connection.fetch(load("badges_held"), list(user_nos))}


async def crown(
    connection: Connection,
    badges: Sequence[tuple[int, str, datetime | None]],
    earned_at: datetime,
    period_id: str,
) -> set[Held]:
    """Give badges (user number, type, end) for a period that was closed, and return those that are new."""
    columns = [list(column) for column in zip(*badges, strict=True)]
    rows = await connection.fetch(load("badges_crown"), *columns, earned_at, period_id)
    return {Held(*row) for row in rows}


async def read_holders(pool: Pool, user_ids: Collection[str]) -> list[Holder]:
    """Return those users who are known."""
    return [_holder(row) for row in await pool.fetch(load("badges_holders"), list(user_ids))]


async def scan_holders(pool: Pool, chunk: int) -> AsyncIterator[list[Holder]]:
    """Yield all users in chunks, in the order in which they came."""
    after = 0
    while rows := await pool.fetch(load("badges_scan_holders"), after, chunk):
        yield [_holder(row) for row in rows]
        after = rows[-1]["user_no"]


async def measure(pool: Pool) -> None:
    """Have the planner know how large the tables of badges are, if it takes them for nearly empty.

    Those who give many to everybody for the first time fill them within seconds, before PostgreSQL looks by itself.
    """
    if await pool.fetchval(load("badges_are_few")):
        await pool.execute("ANALYZE user_badges, achievements")


async def unswept(pool: Pool) -> int | None:
    """Return the state of the definitions if not every user has been looked at since it began, otherwise None."""
    row = await pool.fetchrow(load("badges_swept"))
    assert row is not None  # noqa: S101 - the table has one row
    return None if row["badges_swept"] == row["badges_since"] else row["badges_since"]


async def note_sweep(pool: Pool, since: int) -> None:
    """Note that every user has been looked at."""
    await pool.execute(load("badges_note_sweep"), since)


async def count_awards(
    connection: "Connection | Pool", pairs: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], int]:
    """Return how many awards of an action users have had, by user number and action."""
    asked = list(pairs)
    rows = await connection.fetch(
        load("usage_count_awards"), [user_no for user_no, _ in asked], [action for _, action in asked]
    )
    return {(row["user_no"], row["action"]): row["awards"] for row in rows}


async def read_badges(pool: Pool, user_id: str, now: datetime) -> list[Badge] | None:
    """Return the highest level of each badge of a user that counts, or that there was, the latest first.

    None for an unknown user.
    """
    rows = await pool.fetch(load("badges_of_user"), user_id, now)
    return [_badge(row) for row in rows if row["badge_type"] is not None] if rows else None


async def read_unlocked(
    pool: Pool, user_ids: Collection[str], transaction_ids: Collection[int]
) -> dict[int, tuple[Badge, ...]]:
    """Return the badges that awards of those users unlocked, by transaction id."""
    found: dict[int, tuple[Badge, ...]] = {}
    for row in await pool.fetch(load("badges_by_awards"), list(user_ids), list(transaction_ids)):
        found[row["transaction_id"]] = (*found.get(row["transaction_id"], ()), _badge(row))
    return found


def _badge(row: asyncpg.Record) -> Badge:
    return Badge(row["user_id"], row["badge_type"], row["level"], row["earned_at"], row["expires_at"])


def _holder(row: asyncpg.Record) -> Holder:
    held = frozenset(
        (badge_type, int(level)) for badge_type, _, level in (each.partition(":") for each in row["held"])
    )
    return Holder(row["user_no"], row["user_id"], row["lifetime_points"], orjson.loads(row["totals"]), held)


def _definition(row: asyncpg.Record) -> BadgeDefinition:
    return BadgeDefinition(
        badge_type=row["badge_type"],
        display_name=row["display_name"],
        description=row["description"],
        rule=row["rule"],
        level_rules=tuple(row["level_rules"]),
        active=row["active"],
        valid_for=row["valid_for"],
        version=row["version"],
    )
