"""What is due: expired lots, holds that have timed out, and warnings before points expire."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from laurel_server.domain.holdings import Hold
from laurel_server.domain.lots import LotKey
from laurel_server.postgres.holdings import hold_of
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.sql import load

USERS_AT_ONCE = 500
HOLDS_AT_ONCE = 500
_FIRST_MOMENT = datetime(1, 1, 1, tzinfo=UTC)


class DueLot(NamedTuple):
    """A lot that has expired, its user, and the version of his account when it was found."""

    user_id: str
    version: int
    lot: LotKey


async def due_lots(pool: Pool, now: datetime) -> AsyncIterator[list[DueLot]]:
    """Yield lots that have expired and are not swept, page by page."""
    after = 0
    while rows := await pool.fetch(load("expiry_due_lots"), after, now, USERS_AT_ONCE):
        yield [
            DueLot(row["user_id"], row["version"], LotKey(row["lot_id"], row["expires_at"]))
            for row in rows
            if row["lot_id"] is not None
        ]
        after = rows[-1]["user_no"]


async def due_holds(pool: Pool, now: datetime) -> AsyncIterator[list[Hold]]:
    """Yield holds that have timed out and are not swept, page by page."""
    after: tuple[datetime, int] = (_FIRST_MOMENT, 0)
    while rows := await pool.fetch(load("expiry_due_holds"), *after, now, HOLDS_AT_ONCE):
        yield [hold_of(row, row["user_id"]) for row in rows]
        after = (rows[-1]["expires_at"], rows[-1]["id"])


async def warn(pool: Pool, now: datetime, days_before: Sequence[int]) -> AsyncIterator[int]:
    """Write the warnings that are due, page by page of users, and yield how many each page had."""
    after: int | None = 0
    while after is not None:
        row = await pool.fetchrow(load("expiry_warn"), after, now, USERS_AT_ONCE, list(days_before))
        assert row is not None  # noqa: S101 - the statement always has one row
        after = row["last_user_no"]
        yield row["notifications"]
