"""What users had of an action, as the entries say it; runs without the lock of any user."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from laurel_server.domain.identifiers import SEQUENCE_BITS, transaction_id
from laurel_server.postgres.pool import LONG_SECONDS, Session
from laurel_server.postgres.sql import load


class Batches(NamedTuple):
    """Batches by their numbers in `(after, up_to]`."""

    after: int
    up_to: int


class Awarded(NamedTuple):
    """What a user was awarded by an action: points since one moment, and the time of the latest award."""

    points: int
    last_at: datetime


async def batches_since(session: Session, moment: datetime, now: datetime) -> Batches:
    """Return the batches since a moment, up to the last one that was begun."""
    first, last = _months(moment, now)
    rows = await session.fetch(
        load("usage_since"), moment, first << SEQUENCE_BITS, (last + 1) << SEQUENCE_BITS
    )
    return Batches(*rows[0])


async def awarded(
    session: Session, action: str, since: datetime, day_begins: datetime, now: datetime, batches: Batches
) -> dict[int, Awarded]:
    """Return by user number who was awarded `action` since a moment; the points are those since `day_begins`."""
    months = _months(since, now)
    rows = await session.fetch(
        load("usage_awarded"), action, since, day_begins, *batches, *months, timeout=LONG_SECONDS
    )
    return {row["user_no"]: Awarded(row["points"], row["last_at"]) for row in rows}


async def put_awarded(session: Session, action: str, day: date, usage: Mapping[int, Awarded]) -> None:
    """Keep that as what the users had of the action, while no award of theirs is under way."""
    await session.execute(
        load("usage_derive"),
        action,
        day,
        list(usage),
        [each.points for each in usage.values()],
        [each.last_at for each in usage.values()],
    )


def _months(since: datetime, until: datetime) -> tuple[int, int]:
    """Return the months of ids (since 1970-01) between two moments, and one more on both sides: clocks differ."""
    first, last = (transaction_id(moment, 0) >> SEQUENCE_BITS for moment in (since, until))
    return first - 1, last + 1
