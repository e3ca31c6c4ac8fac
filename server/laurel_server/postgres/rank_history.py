"""Ranks day by day, as rows."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime
from typing import NamedTuple

from asyncpg import InterfaceError, PostgresError, Record

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.closing import Terms
from laurel_server.domain.periods import PeriodType
from laurel_server.domain.rank_history import DayEnd, RankPoint
from laurel_server.domain.tiers import Tier
from laurel_server.pacing import resting
from laurel_server.postgres.closing import sign
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.pool import LONG_SECONDS, Connection, Pool
from laurel_server.postgres.sql import load

ROWS_AT_ONCE = 2000

ROWS_KEPT_AT_ONCE = 100
"""Rows of a day and 1,024 users that are written together: some two megabytes, milliseconds of a disk."""

DAYS_TOLD_AT_ONCE = 5000
"""Days of boards that are told of together."""

TIER_NAMES = [tier.name.lower() for tier in sorted(Tier)]


class Instance(NamedTuple):
    """A board instance with its bounds, None for all-time; `number`: one that is created again has another."""

    board: BoardKey
    starts_at: datetime | None
    ends_at: datetime | None
    number: int

    def contains(self, moment: datetime) -> bool:
        """Whether the moment lies in the period."""
        return self.starts_at is None or self.ends_at is None or self.starts_at <= moment < self.ends_at


class Take(NamedTuple):
    """Everybody's ranks at one moment, on boards of a period, which are noted for some days.

    `numbers` are those of the boards' instances by scope. Of two takes of a day the one with the greater number holds.
    """

    number: int
    period_id: str
    numbers: Mapping[str, int]
    ends: Sequence[DayEnd]

    @property
    def days(self) -> list[date]:
        """The days."""
        return [end.day for end in self.ends]


async def boards_since(pool: Pool, moment: datetime) -> list[Instance]:
    """Return the boards whose period had not ended by then, by period."""
    rows = await pool.fetch(load("ranks_boards"), moment)
    return [Instance(BoardKey(row[0], row[1]), *row[2:]) for row in rows]


async def take_ranks(pool: Pool, boards: Mapping[Instance, Terms], ends: Sequence[DayEnd]) -> int:
    """Note where everybody stands on boards of one period, in place of what was noted on those days before.

    Ranks are worked out once, at one moment, and written some at a time, while nobody waits. They are told when all
    are there; till then those from before are. One board that is deleted meanwhile gets none. Can be killed anywhere,
    and is then done from its beginning. Returns how many lines a day.
    """
    numbers = {each.board.scope: each.number for each in boards}
    period_id = next(iter(boards)).board.period_id
    take = Take(await pool.fetchval(load("ranks_number")), period_id, numbers, ends)
    lines = 0
    async with pool.acquire() as connection, _worked_out(connection, period_id, boards):
        step = max(1, ROWS_KEPT_AT_ONCE // len(ends))
        while rows := await connection.fetch(f"FETCH {step} FROM ranks_taken"):
            async with resting():
                await _keep(connection, take, rows)
            lines += sum(row["lines"] for row in rows)
    await _tell(pool, take)
    await _forget_replaced(pool, take)
    return lines


@asynccontextmanager
async def _worked_out(
    connection: Connection, period_id: str, boards: Mapping[Instance, Terms]
) -> AsyncIterator[None]:
    """Have the ranks in the cursor `ranks_taken`, which the transaction that made it has left behind."""
    try:
        await connection.execute("BEGIN READ ONLY")
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute(
            load("ranks_take"),
            period_id,
            [each.board.scope for each in boards],
            [int(terms.tie_policy) for terms in boards.values()],
            TIER_NAMES,
            [sign(terms) for terms in boards.values()],
        )
        await connection.execute("COMMIT", timeout=LONG_SECONDS)
    except BaseException:
        await _clean_up(connection, "ROLLBACK; CLOSE ALL")
        raise
    try:
        yield
    finally:
        await _clean_up(connection, "CLOSE ranks_taken")


async def _clean_up(connection: Connection, statement: str) -> None:
    """Leave nothing behind on a connection; one that cannot be cleaned up is given up.

    Its own failure is of no interest: the error that may be on its way is what has happened.
    """
    is_clean = False
    try:
        with suppress(PostgresError, *UNAVAILABLE):
            await connection.execute(statement)
            is_clean = True
    finally:
        if not is_clean:
            with suppress(InterfaceError):  # the pool has it back, as it was lost
                connection.terminate()


async def _keep(connection: Connection, take: Take, rows: Sequence[Record]) -> None:
    """Write some of the ranks: a commit waits for all of the log before it."""
    await connection.execute(
        load("ranks_keep"),
        take.number,
        take.period_id,
        take.days,
        [end.moment for end in take.ends],
        [row["scope"] for row in rows],
        [take.numbers[row["scope"]] for row in rows],
        *([row[column] for row in rows] for column in ("shard", "total", "user_nos", "ranks", "scores")),
    )


async def _tell(pool: Pool, take: Take) -> None:
    """Have the ranks told, all of which are written."""
    scopes, step = sorted(take.numbers), max(1, DAYS_TOLD_AT_ONCE // len(take.ends))
    for first in range(0, len(scopes), step):
        some = scopes[first : first + step]
        numbers = [take.numbers[scope] for scope in some]
        async with resting():
            await pool.execute(load("ranks_tell"), take.number, take.period_id, take.days, some, numbers)


async def _forget_replaced(pool: Pool, take: Take) -> None:
    """Delete what has been replaced, however long it takes to find it: a run that fails for that is done all over."""
    replaced = (load("ranks_forget_replaced"), take.period_id, sorted(take.numbers), take.days, ROWS_AT_ONCE)
    found = 1
    while found:
        async with resting(), pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL statement_timeout = 0")
            found = await connection.fetchval(*replaced, timeout=LONG_SECONDS)


async def ranks_of(
    pool: Pool,
    scope: str,
    period_type: PeriodType,
    period_id: str,
    user_no: int,
    between: tuple[datetime | None, datetime | None],
    offset: int,
    limit: int,
) -> list[RankPoint]:
    """Return where a user stood on boards of a scope, oldest first; in every period of that type for "" as its id."""
    rows = await pool.fetch(
        load("ranks_of_user"), scope, int(period_type), period_id, user_no, *between, offset, limit
    )
    return [RankPoint(*row) for row in rows]


async def ranks_on(
    pool: Pool, scope: str, period_type: PeriodType, period_id: str, user_no: int, days: Sequence[date]
) -> dict[date, int]:
    """Return where a user stood at the end of those of the days that are known; "" for the period of each day."""
    rows = await pool.fetch(load("ranks_on_days"), scope, int(period_type), period_id, user_no, days)
    return {row["taken_on"]: row["rank"] for row in rows}


async def forget_ranks(pool: Pool, before: date) -> AsyncIterator[int]:
    """Delete what was taken before that day, some rows at a time; yield how many each time. A row has 1,024 users."""
    await pool.execute(load("ranks_forget_days"), before)
    while rows := await pool.fetchval(load("ranks_forget"), before, ROWS_AT_ONCE):
        yield rows


async def user_number(pool: Pool, user_id: str) -> int | None:
    """Return the number of a user, None if he is unknown."""
    number: int | None = await pool.fetchval(load("users_number"), user_id)
    return number
