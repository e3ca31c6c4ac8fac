"""The first limit over time of an action also counts what was awarded before it.

Awards keep what users had of an action only while it is limited. So whoever limits it first derives that from the
entries and keeps it: most of it while awards go on, which do not look at it yet, and the last few while no batch is
open, so that every award is counted once and none waits for more than those few.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from laurel_server.domain.actions import ActionConfig
from laurel_server.domain.periods import PeriodType, period_at
from laurel_server.postgres import usage
from laurel_server.postgres.pool import Connection, Pool, Session
from laurel_server.postgres.rules import hold_back_batches
from laurel_server.postgres.usage import Awarded, Batches

CLOCK_MARGIN = timedelta(minutes=10)
"""Entries are in the order of time but for the clocks of servers, which differ by less."""

KEPT_AT_ONCE = 1000
"""Users in one transaction that keeps what they had; their awards wait for it, some 10 ms."""

_FIRST_AWARD = datetime(1970, 1, 1, tzinfo=UTC)
"""Before anything that a ledger has."""


class Window(NamedTuple):
    """What a limit looks back at: points of the day, awards `since` then."""

    day: str
    day_begins: datetime
    since: datetime


class Counted(NamedTuple):
    """What was awarded in a window up to the end of a batch."""

    window: Window
    up_to: int
    awarded: Mapping[int, Awarded]


def window_of(config: ActionConfig, now: datetime, zone: tzinfo) -> Window:
    """Return what the limits of an action look back at."""
    day = period_at(PeriodType.DAILY, now, zone)
    assert day.starts_at is not None  # noqa: S101 - days have bounds
    cooled = now - min(config.cooldown, now - _FIRST_AWARD)
    return Window(day.id, day.starts_at, min(cooled, day.starts_at))


async def count_before(pool: Pool, config: ActionConfig, window: Window, now: datetime) -> Counted:
    """Count what was awarded up to now and keep it, while awards go on.

    Only one may at a time. Cost: all entries since the beginning of the window, and one row a user in them. Who is cut
    off leaves rows that nobody reads before the next one has written them anew.
    """
    async with pool.acquire() as connection:
        async with connection.transaction():
            await hold_back_batches(connection)  # then every batch up to the last is committed or is none
            batches = await usage.batches_since(connection, window.since - CLOCK_MARGIN, now)
        async with connection.transaction():
            await connection.execute("SET LOCAL statement_timeout = 0")
            found = await usage.awarded(
                connection, config.action, window.since, window.day_begins, now, batches
            )
    counted = Counted(window, batches.up_to, found)
    users = sorted(found)
    for start in range(0, len(users), KEPT_AT_ONCE):
        some = {user_no: found[user_no] for user_no in users[start : start + KEPT_AT_ONCE]}
        await _keep(pool, config, counted, some)
    return counted


async def count_rest(connection: Connection, config: ActionConfig, counted: Counted, now: datetime) -> None:
    """Add what was awarded since and keep it. Runs in a transaction that has held back all batches."""
    _, day_begins, since = counted.window
    batches = Batches(counted.up_to, (1 << 38) - 1)
    rest = await usage.awarded(connection, config.action, since, day_begins, now, batches)
    nothing = Awarded(0, _FIRST_AWARD)
    added = {user_no: _sum(counted.awarded.get(user_no, nothing), more) for user_no, more in rest.items()}
    await _keep(connection, config, counted, added)


def _sum(before: Awarded, more: Awarded) -> Awarded:
    return Awarded(before.points + more.points, max(before.last_at, more.last_at))


async def _keep(
    session: Session, config: ActionConfig, counted: Counted, awarded: Mapping[int, Awarded]
) -> None:
    await usage.put_awarded(session, config.action, date.fromisoformat(counted.window.day), awarded)
