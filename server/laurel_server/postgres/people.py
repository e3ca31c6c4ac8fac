"""People between rows and domain objects: lists of them, and what operators do to them."""

from datetime import datetime

import orjson

from laurel_server.domain.boards import BoardKey, Visibility
from laurel_server.domain.ledger import User
from laurel_server.domain.people import Measure, Order
from laurel_server.domain.user_filter import Text, UserFilter
from laurel_server.postgres.pool import Connection, Pool
from laurel_server.postgres.profiles import user_of
from laurel_server.postgres.sql import load
from laurel_server.postgres.standings import Erased

_HIGHEST = "\U0010ffff"
"""Sorts behind everything that follows a prefix."""


async def list_users(pool: Pool, wanted: UserFilter, after: str, limit: int) -> list[User]:
    """Return up to `limit` people by id, those after `after`."""
    rows = await pool.fetch(
        load("users_list"),
        after,
        limit,
        *_bounds(wanted.user_id),
        *_bounds(wanted.username, lower=True),
        *_bounds(wanted.email, lower=True),
        wanted.country,
        wanted.region,
        wanted.segment,
        wanted.tier,
        wanted.visibility,
    )
    return [user_of(row) for row in rows]


async def write_visibility(connection: Connection, user_no: int, visibility: Visibility) -> None:
    """Set who sees a user."""
    await connection.execute(load("users_set_visibility"), user_no, int(visibility))


async def erase(connection: Connection, user_no: int, now: datetime) -> None:
    """Leave nothing of a person but his number."""
    await connection.execute(load("users_erase"), user_no, now)


async def leave_past(connection: Connection, user_no: int) -> list[BoardKey]:
    """Take a user off the boards of the past and return them."""
    rows = await connection.fetch(load("users_leave_past"), user_no)
    return [BoardKey(scope, row["period_id"]) for row in rows for scope in row["scopes"]]


async def note_erasure(
    connection: Connection, batch_no: int, user_no: int, erased: Erased, scored: Erased, now: datetime
) -> None:
    """Note which points boards, and which score boards, the holder of an id has left for good."""
    events = [
        {
            "type": name,
            "user_id": each.user_id,
            "user_no": user_no,
            "version": each.version,
            "left": [tuple(board) for board in each.left],
            "erased_at": now,
        }
        for name, each in (("user.erased", erased), ("score.removed", scored))
    ]
    await connection.execute(load("outbox_note_left"), batch_no, orjson.dumps(events).decode())


async def note_measure(
    connection: Connection, user_no: int, measure: Measure, detail: str, order: Order, now: datetime
) -> None:
    """Keep what an operator did to a person."""
    await connection.execute(
        load("users_note_measure"),
        user_no,
        measure.value,
        detail,
        order.actor,
        order.reason,
        order.request_id,
        now,
    )


def _bounds(text: Text | None, *, lower: bool = False) -> tuple[str | None, str | None]:
    """Return the range of texts that are meant, as its first and the one behind its last."""
    if text is None:
        return None, None
    first = text.value.lower() if lower else text.value
    return first, first + (_HIGHEST if text.is_prefix else "\1")
