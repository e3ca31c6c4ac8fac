"""Achievements between rows and domain objects, and the order in which they are told."""

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum
from typing import Any, Final, NamedTuple, Self

import asyncpg
import orjson

from laurel_server.domain.achievements import Achievement, Milestone
from laurel_server.domain.badges import Badge
from laurel_server.domain.tiers import Tier, TierChange
from laurel_server.postgres.pool import Connection, Pool
from laurel_server.postgres.sql import load


class Position(NamedTuple):
    """A place in the order of achievements."""

    xid: int
    number: int


END: Final = Position((1 << 63) - 1, 0)
"""After all."""


class Told(NamedTuple):
    """An achievement and its place."""

    position: Position
    user_id: str
    achievement: Achievement


class Snapshot(NamedTuple):
    """Which transactions had ended at a moment: those below `xmin`, and those below `xmax` that were not running."""

    xmin: int
    xmax: int
    running: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read PostgreSQL's form."""
        xmin, xmax, running = text.split(":")
        return cls(int(xmin), int(xmax), frozenset(int(xid) for xid in running.split(",") if xid))

    @property
    def position(self) -> Position:
        """The place before everything that was not told yet."""
        return Position(self.xmin, 0)

    def saw(self, xid: int) -> bool:
        """Whether the transaction had ended."""
        return xid < self.xmin or (xid < self.xmax and xid not in self.running)


class Kind(IntEnum):
    """The kinds of rows."""

    BADGE = 1
    TIER_CHANGE = 2
    POINTS = 3
    RANK = 4


class TierRecord(NamedTuple):
    """A change of tier with its cause: the action of an entry, or REVIEW."""

    user_no: int
    from_tier: Tier
    to_tier: Tier
    changed_at: datetime
    cause: str
    transaction_id: int | None
    points: int


async def write(connection: Connection, achieved: Sequence[tuple[int, Achievement]]) -> None:
    """Note what users, given by number, have achieved. Milestones that were told before are left out."""
    await connection.execute(
        load("achievements_write"),
        [user_no for user_no, _ in achieved],
        [_kind(achievement) for _, achievement in achieved],
        [achievement.value if isinstance(achievement, Milestone) else None for _, achievement in achieved],
        [_facts(achievement) for _, achievement in achieved],
    )


async def write_ranks(connection: "Connection | Pool", reached: Sequence[tuple[int, Milestone]]) -> int:
    """Note milestones of ranks of users who have never stood that high; returns how many there are."""
    told: int = await connection.fetchval(
        load("achievements_write_ranks"),
        [user_no for user_no, _ in reached],
        [milestone.value for _, milestone in reached],
        [_facts(milestone) for _, milestone in reached],
    )
    return told


async def note_tier_changes(connection: Connection, changes: Sequence[TierRecord]) -> None:
    """Record changes of tier with their causes."""
    await connection.execute(
        load("tiers_note_changes"), *(list(column) for column in zip(*changes, strict=True))
    )


async def read_snapshot(pool: Pool) -> Snapshot:
    """Return the present state of transactions."""
    return Snapshot.parse(await pool.fetchval(load("achievements_now")))


async def read_after(pool: Pool, after: Position, until: Position, user_id: str, limit: int) -> list[Told]:
    """Return up to `limit` achievements that are safe to tell, of one user or ("") of all, in their order."""
    rows = await pool.fetch(
        load("achievements_after"), str(after.xid), after.number, str(until.xid), until.number, user_id, limit
    )
    return [_told(row) for row in rows]


def _kind(achievement: Achievement) -> Kind:
    if isinstance(achievement, Badge):
        return Kind.BADGE
    if isinstance(achievement, TierChange):
        return Kind.TIER_CHANGE
    return Kind[achievement.kind]


def _facts(achievement: Achievement) -> str:
    facts: dict[str, Any]
    if isinstance(achievement, Badge):
        facts = {
            "badge_type": achievement.badge_type,
            "level": achievement.level,
            "at": achievement.earned_at,
            "expires_at": achievement.expires_at,
        }
    elif isinstance(achievement, TierChange):
        facts = {
            "from": int(achievement.from_tier),
            "to": int(achievement.to_tier),
            "at": achievement.changed_at,
        }
    else:
        facts = {"value": achievement.value, "message": achievement.message}
    return orjson.dumps(facts).decode()


def _told(row: asyncpg.Record) -> Told:
    position = Position(row["xid"], row["achievement_no"])
    return Told(
        position, row["user_id"], _achievement(row["user_id"], Kind(row["kind"]), orjson.loads(row["facts"]))
    )


def _achievement(user_id: str, kind: Kind, facts: dict[str, Any]) -> Achievement:
    if kind is Kind.BADGE:
        expires_at = facts["expires_at"]
        return Badge(
            user_id,
            facts["badge_type"],
            facts["level"],
            datetime.fromisoformat(facts["at"]),
            datetime.fromisoformat(expires_at) if expires_at else None,
        )
    if kind is Kind.TIER_CHANGE:
        return TierChange(
            user_id, Tier(facts["from"]), Tier(facts["to"]), datetime.fromisoformat(facts["at"])
        )
    return Milestone(user_id, kind.name, facts["value"], facts["message"])
