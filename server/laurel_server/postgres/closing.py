"""The close of periods, as rows: states, frozen totals, snapshots and winners."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from laurel_server.domain.accounts import PastTotal
from laurel_server.domain.boards import BoardKey, SortOrder
from laurel_server.domain.closing import SNAPSHOT_ENTRIES, Terms
from laurel_server.domain.identifiers import transaction_id
from laurel_server.postgres.ledger import spill_totals
from laurel_server.postgres.pool import LANE, LONG_SECONDS, Connection, Pool
from laurel_server.postgres.sql import load
from laurel_server.postgres.standings import Member, read_members

LOOK_AGAIN_SECONDS = 0.01


class UnpaidWinner(NamedTuple):
    """A winner to pay, by the request of that id. `user_id` is "" of who was erased since.

    `transaction_id` is that of an entry that has paid him all the same, None if there is none.
    """

    board: BoardKey
    user_no: int
    user_id: str
    rank: int
    score: int
    bonus_points: int
    request_id: str
    transaction_id: int | None

    @property
    def is_owed(self) -> bool:
        """Whether there is somebody to pay."""
        return self.transaction_id is None and self.user_id != ""


class Payment(NamedTuple):
    """How a winner was paid: by an entry, or not, and why."""

    board: BoardKey
    user_no: int
    transaction_id: int | None
    refusal: str | None


async def begin_closing(pool: Pool, now: datetime) -> None:
    """Note that periods which are over are closing."""
    await pool.execute(load("closing_begin"), now)


async def ends_due(pool: Pool, ended_by: datetime) -> list[datetime]:
    """Return the ends at which periods are to be closed, oldest first."""
    return [row["ends_at"] for row in await pool.fetch(load("closing_due"), ended_by)]


async def boards_ended(pool: Pool, end: datetime) -> list[BoardKey]:
    """Return the boards that are to be closed, of periods that ended then."""
    return [BoardKey(*row) for row in await pool.fetch(load("closing_boards"), end)]


async def lanes_have_moved_on(pool: Pool) -> None:
    """Wait until every award lane of all servers has ended the transaction that it is in now.

    None takes longer than 15 s: statements and idle transactions are ended before.
    """
    now: datetime = await pool.fetchval("SELECT clock_timestamp()")
    while await pool.fetchval(load("closing_lanes"), now, LANE):  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def user_bounds(pool: Pool) -> tuple[int, int]:
    """Return the range of user numbers, [low, high)."""
    row = await pool.fetchrow(load("freeze_bounds"))
    return (0, 0) if row is None or row["low"] is None else (row["low"], row["high"])


async def lock_totals(
    connection: Connection, first: int, end: int, period_ids: Sequence[str]
) -> list[Member]:
    """Lock those of the users [first, end) who have open totals of these periods, and return them."""
    locked = await connection.fetch(load("freeze_lock"), first, end, period_ids)
    return await read_members(connection, [row["user_no"] for row in locked]) if locked else []


async def move_totals(
    connection: Connection, totals: Sequence[PastTotal], user_nos: Sequence[int], period_ids: Sequence[str]
) -> None:
    """Move totals of locked users out of their hot rows."""
    await spill_totals(connection, totals)
    await connection.execute(load("freeze_drop"), user_nos, period_ids)


async def take_snapshots(
    connection: Connection,
    period_id: str,
    boards: Mapping[BoardKey, Terms],
    end: datetime,
    taken_at: datetime,
) -> None:
    """Keep snapshots and winners of those of the frozen boards of a period that have none, all of them or none.

    One for which the period did not end then is another board, and left out.
    """
    paid = [
        (board.scope, bonus) for board, terms in boards.items() for bonus in terms.bonuses if bonus.points > 0
    ]
    await connection.execute(
        load("snapshot_take"),
        period_id,
        [board.scope for board in boards],
        [int(terms.tie_policy) for terms in boards.values()],
        [sign(terms) for terms in boards.values()],
        SNAPSHOT_ENTRIES,
        taken_at,
        [scope for scope, _ in paid],
        [bonus.rank for _, bonus in paid],
        [bonus.points for _, bonus in paid],
        end,
        timeout=LONG_SECONDS,
    )


class FinalRank(NamedTuple):
    """Where a user ended on a frozen board."""

    user_no: int
    user_id: str
    rank: int
    score: int


async def final_ranks(
    pool: Pool, board: BoardKey, terms: Terms, reach: int, chunk: int
) -> AsyncIterator[list[FinalRank]]:
    """Yield everybody on a frozen board down to a rank, best first, some at a time. The board is sorted once."""
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        await connection.execute("SET LOCAL statement_timeout = 0")
        arguments = (*board, int(terms.tie_policy), sign(terms), reach)
        cursor = await connection.cursor(load("standings_final"), *arguments, timeout=LONG_SECONDS)
        while rows := await cursor.fetch(chunk, timeout=LONG_SECONDS):
            yield [FinalRank(*row) for row in rows]


def sign(terms: Terms) -> int:
    """Return what scores are multiplied by so that the greatest is the best."""
    return 1 if terms.sort_order is SortOrder.DESCENDING else -1


async def unpaid_winners(pool: Pool, period_id: str, limit: int, since: datetime) -> list[UnpaidWinner]:
    """Return the next winners of a period who are not noted as paid; nobody was paid before `since`."""
    rows = await pool.fetch(load("winners_unpaid"), period_id, limit, transaction_id(since, 0))
    return [UnpaidWinner(BoardKey(row["scope"], row["period_id"]), *tuple(row)[2:]) for row in rows]


async def note_payments(pool: Pool, payments: Iterable[Payment]) -> None:
    """Note how winners were paid."""
    rows = list(payments)
    await pool.execute(
        load("winners_note"),
        [row.board.scope for row in rows],
        [row.board.period_id for row in rows],
        [row.user_no for row in rows],
        [row.transaction_id for row in rows],
        [row.refusal for row in rows],
    )


async def complete(
    connection: Connection, boards: Sequence[BoardKey], end: datetime, now: datetime
) -> list[BoardKey]:
    """Complete boards whose period ended then and return those that were not; each is returned once ever."""
    scopes, period_ids = [board.scope for board in boards], [board.period_id for board in boards]
    rows = await connection.fetch(load("closing_complete"), scopes, period_ids, now, end)
    return [BoardKey(*row) for row in rows]


async def archive(pool: Pool, ended_by: datetime) -> list[BoardKey]:
    """Archive completed boards of periods that ended by then; return all whose keys must leave Redis."""
    return [BoardKey(*row) for row in await pool.fetch(load("closing_archive"), ended_by)]


async def note_dropped(pool: Pool, boards: Sequence[BoardKey], now: datetime) -> None:
    """Note that the keys of boards have left Redis."""
    await pool.execute(
        load("closing_dropped"),
        [board.scope for board in boards],
        [board.period_id for board in boards],
        now,
    )
