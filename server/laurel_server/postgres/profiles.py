"""Profiles of users between rows and domain objects."""

from collections.abc import Collection, Sequence
from datetime import datetime

import asyncpg
import orjson

from laurel_server.domain.accounts import Account
from laurel_server.domain.boards import BoardKey, Visibility
from laurel_server.domain.ledger import User
from laurel_server.domain.tiers import Tier
from laurel_server.postgres.ledger import totals_json
from laurel_server.postgres.pool import Connection, Pool
from laurel_server.postgres.sql import load


async def read_profiles(pool: Pool, user_ids: Collection[str]) -> dict[str, User]:
    """Return the profiles of known users, by user id."""
    rows = await pool.fetch(load("users_read"), list(user_ids))
    return {row["user_id"]: user_of(row) for row in rows}


async def write_profiles(connection: Connection, users: Sequence[tuple[int, User]]) -> None:
    """Replace the profiles of users that exist, each given with his number."""
    await connection.execute(
        load("users_write_profiles"),
        [user_no for user_no, _ in users],
        [user.username for _, user in users],
        [user.email for _, user in users],
        [user.avatar_url for _, user in users],
        [user.country for _, user in users],
        [user.region for _, user in users],
        [user.timezone for _, user in users],
        [user.birth_date for _, user in users],
        [orjson.dumps(user.segments).decode() for _, user in users],
    )


async def note_moves(
    connection: Connection,
    batch_no: int,
    moved: Sequence[tuple[Account, Sequence[BoardKey]]],
    version: int,
    now: datetime,
) -> None:
    """Note that users belong to other boards now: each account and the boards it has left."""
    events = [user_moved(account, left, now) for account, left in moved]
    await connection.execute(
        load("users_move"),
        batch_no,
        [account.user_no for account, _ in moved],
        version,
        orjson.dumps(events).decode(),
        [totals_json(account) for account, _ in moved],
    )


def user_moved(account: Account, left: Sequence[BoardKey], now: datetime) -> dict[str, object]:
    """Return the event that tells of a user who has left boards, or may take a position on others."""
    who = {"user_id": account.user_id, "user_no": account.user_no}
    return {"type": "user.moved", **who, "left": [tuple(board) for board in left], "recorded_at": now}


def user_of(row: asyncpg.Record) -> User:
    """Return the profile in a row of users with tier and last_reward_at."""
    return User(
        user_id=row["user_id"],
        username=row["username"],
        email=row["email"],
        avatar_url=row["avatar_url"],
        tier=Tier(row["tier"]),
        country=row["country"],
        region=row["region"],
        timezone=row["timezone"],
        segments=tuple(row["segments"]),
        birth_date=row["birth_date"],
        visibility=Visibility(row["visibility"]),
        created_at=row["created_at"],
        last_active_at=row["last_reward_at"],
    )
