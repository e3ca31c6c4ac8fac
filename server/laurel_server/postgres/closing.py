"""The close of periods, as rows: states, frozen totals, snapshots and winners."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from laurel_server.domain.accounts import PastTotal
from laurel_server.domain.boards import BoardKey, TiePolicy
from laurel_server.domain.closing import Ranked, Statistics, Win
from laurel_server.domain.identifiers import transaction_id
from laurel_server.postgres.ledger import spill_totals
from laurel_server.postgres.pool import LANE, LONG_SECONDS, Connection, Pool
from laurel_server.postgres.sql import load
from laurel_server.postgres.standings import Member, read_members

LOOK_AGAIN_SECONDS = 0.01


class UnpaidWinner(NamedTuple):
    """A winner to pay; `transaction_id` is that of an entry that has paid him all the same, None if there is none."""

    board: BoardKey
    user_no: int
    user_id: str
    rank: int
    score: int
    bonus_points: int
    transaction_id: int | None


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


async def scopes_with_snapshot(connection: Connection, period_id: str) -> set[str]:
    """Return the scopes whose boards over the period have a snapshot."""
    return {row["scope"] for row in await connection.fetch(load("snapshot_taken"), period_id)}


async def read_statistics(connection: Connection, period_id: str) -> dict[str, Statistics]:
    """Return the frozen boards of a period in numbers, by scope."""
    rows = await connection.fetch(load("snapshot_statistics"), period_id, timeout=LONG_SECONDS)
    return {
        row["scope"]: Statistics(row["participants"], row["total"], row["average"], row["median"])
        for row in rows
    }


async def read_best(
    connection: Connection, period_id: str, positions: int, winning: Mapping[str, tuple[TiePolicy, int]]
) -> dict[str, list[Ranked]]:
    """Return the best lines of frozen boards of a period by scope: those positions, and all whose rank may win.

    `winning` has the tie policy and the last rank that wins of each board, by scope.
    """
    lines: dict[str, list[Ranked]] = {}
    rows = await connection.fetch(
        load("snapshot_lines"),
        period_id,
        positions,
        list(winning),
        [int(policy) for policy, _ in winning.values()],
        [rank for _, rank in winning.values()],
        timeout=LONG_SECONDS,
    )
    for row in rows:
        lines.setdefault(row["scope"], []).append(Ranked(*tuple(row)[1:]))
    return lines


async def write_snapshot(
    connection: Connection,
    board: BoardKey,
    statistics: Statistics,
    lines: Sequence[tuple[int, int, int]],
    taken_at: datetime,
) -> None:
    """Keep the snapshot of a board; a line is user number, rank and score."""
    columns = [list(column) for column in zip(*lines, strict=True)] if lines else [[], [], []]
    await connection.execute(load("snapshot_write"), *board, *statistics, *columns, taken_at)


async def write_winners(connection: Connection, board: BoardKey, wins: Sequence[Win]) -> None:
    """Keep who won what on a board."""
    await connection.execute(
        load("winners_write"), *board, *([win[n] for win in wins] for n in range(len(Win._fields)))
    )


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


async def complete(connection: Connection, end: datetime, now: datetime) -> list[BoardKey]:
    """Complete the boards of periods that ended then and return those that were not; each is returned once ever."""
    return [BoardKey(*row) for row in await connection.fetch(load("closing_complete"), end, now)]


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
