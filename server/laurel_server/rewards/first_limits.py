"""The first limit over time of an action also counts what was awarded before it.

Awards keep what users had of an action only while it is limited. So whoever limits it first derives that from the
entries: most of them while awards go on, and the last few while no batch is open, so that every award is counted once.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from laurel_server.domain.actions import ActionConfig
from laurel_server.domain.periods import PeriodType, period_at
from laurel_server.postgres import usage
from laurel_server.postgres.pool import Connection, Pool
from laurel_server.postgres.rules import hold_back_batches
from laurel_server.postgres.usage import Awarded, Batches

CLOCK_MARGIN = timedelta(minutes=10)
"""Entries are in the order of time but for the clocks of servers, which differ by less."""

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
    """Count what was awarded up to now, while awards go on. Cost: all entries since the beginning of the window."""
    async with pool.acquire() as connection:
        async with connection.transaction():
            await hold_back_batches(connection)  # then every batch up to the last is committed or is none
            batches = await usage.batches_since(connection, window.since - CLOCK_MARGIN, now)
        async with connection.transaction():
            await connection.execute("SET LOCAL statement_timeout = 0")
            found = await usage.awarded(
                connection, config.action, window.since, window.day_begins, now, batches
            )
    return Counted(window, batches.up_to, found)


async def count_rest(connection: Connection, config: ActionConfig, counted: Counted, now: datetime) -> None:
    """Add what was awarded since and keep it all. Runs in a transaction that has held back all batches."""
    day, day_begins, since = counted.window
    batches = Batches(counted.up_to, (1 << 38) - 1)
    rest = await usage.awarded(connection, config.action, since, day_begins, now, batches)
    total = dict(counted.awarded)
    for user_no, more in rest.items():
        before = total.get(user_no, Awarded(0, _FIRST_AWARD))
        total[user_no] = Awarded(before.points + more.points, max(before.last_at, more.last_at))
    await usage.put_awarded(connection, config.action, date.fromisoformat(day), total)
