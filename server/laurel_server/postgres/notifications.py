"""What users are to be told, between rows and domain objects."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, tzinfo
from enum import IntEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import asyncpg
import orjson

from laurel_server.domain.notifications import Kind, Notification, Preferences, ToldRank
from laurel_server.postgres.pool import Connection, Pool, Session
from laurel_server.postgres.sql import load
from laurel_server.postgres.stretches import forget_by_stretches


class State(IntEnum):
    """How far a notification has come; the numbers are those of the table."""

    WAITING = 1
    SENT = 2
    GIVEN_UP = 3


class Due(NamedTuple):
    """A notification to be sent, how often that has failed, and the names of the sinks that have taken it already."""

    notification: Notification
    attempts: int
    taken_by: Sequence[str]


class Attempt(NamedTuple):
    """How sending went: `due_at` is when to try again, `taken_by` who has taken it by now."""

    notification_id: str
    state: State
    due_at: datetime
    error: str
    taken_by: Sequence[str]


async def add(connection: Connection, notifications: Sequence[tuple[Notification, datetime]]) -> int:
    """Keep notifications with when they are due, and return how many were new."""
    added: int = await connection.fetchval(
        load("notifications_add"),
        [each.id for each, _ in notifications],
        [each.user_id for each, _ in notifications],
        [each.kind.value for each, _ in notifications],
        [each.message for each, _ in notifications],
        [orjson.dumps(each.data).decode() for each, _ in notifications],
        [each.created_at for each, _ in notifications],
        [due_at for _, due_at in notifications],
        [each.user_no for each, _ in notifications],
    )
    return added


async def read_due(pool: Pool, now: datetime, limit: int) -> list[Due]:
    """Return what is to be sent, the longest due first."""
    rows = await pool.fetch(load("notifications_due"), now, limit)
    return [Due(_notification(row), row["attempts"], row["taken_by"]) for row in rows]


async def put_off(pool: Pool, moments: Sequence[tuple[str, datetime | None]]) -> None:
    """Have notifications, by their ids, wait until other moments; None: they go, as they are not to be sent."""
    await pool.execute(
        load("notifications_put_off"), [name for name, _ in moments], [moment for _, moment in moments]
    )


async def note(pool: Pool, attempts: Sequence[Attempt]) -> None:
    """Keep how attempts went."""
    await pool.execute(
        load("notifications_note"),
        [attempt.notification_id for attempt in attempts],
        [attempt.state for attempt in attempts],
        [attempt.due_at for attempt in attempts],
        [attempt.error for attempt in attempts],
        [",".join(attempt.taken_by) for attempt in attempts],
    )


async def read_preferences(pool: Pool, user_ids: Collection[str], zone: tzinfo) -> dict[str, Preferences]:
    """Return what the users who are known want to be told; `zone` is that of those who have none."""
    rows = await pool.fetch(load("notifications_preferences"), list(user_ids))
    return {
        row["user_id"]: Preferences(
            frozenset(Kind(kind) for kind in row["muted"]),
            row["quiet_from"],
            row["quiet_until"],
            row["paused_until"],
            _zone(row["timezone"]) or zone,
            row["user_no"],
        )
        for row in rows
    }


async def prefer(pool: Pool, user_id: str, wanted: Preferences) -> bool:
    """Keep what a user wants to be told; False: there is no such user."""
    muted = sorted(kind.value for kind in wanted.muted)
    known = await pool.fetchval(
        load("notifications_prefer"),
        user_id,
        muted,
        wanted.quiet_from,
        wanted.quiet_until,
        wanted.paused_until,
    )
    return known is not None


async def read_told(pool: Pool, user_ids: Collection[str]) -> dict[str, ToldRank]:
    """Return the ranks that users were told last."""
    rows = await pool.fetch(load("notifications_told"), list(user_ids))
    return {row["user_id"]: ToldRank(row["rank"], row["told_at"]) for row in rows}


async def tell(connection: Connection, told: Mapping[str, ToldRank]) -> None:
    """Keep the ranks that users were told."""
    await connection.execute(
        load("notifications_tell"),
        list(told),
        [each.rank for each in told.values()],
        [each.told_at for each in told.values()],
    )


async def forget(session: Session, user_id: str, user_no: int) -> None:
    """Leave nothing of what a person was told under that id; 0: nothing of what anybody was."""
    await session.execute(load("notifications_forget"), user_id, user_no)


def forget_old(pool: Pool, before: datetime) -> AsyncIterator[int]:
    """Delete what was made before then and waits no longer, a stretch of the table at a time; yield how many."""
    return forget_by_stretches(pool, "notifications", "notifications_forget_old", before)


def _notification(row: asyncpg.Record) -> Notification:
    return Notification(
        row["notification_id"],
        row["user_id"],
        Kind(row["kind"]),
        row["message"],
        orjson.loads(row["data"]),
        row["created_at"],
        row["user_no"],
    )


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # callers may have kept anything there
        return None
