"""Board instances and scores, as a change of the configured boards leaves them."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import Final, NamedTuple, TypeAlias

import orjson

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import BoardKey
from laurel_server.pacing import resting
from laurel_server.postgres.pool import Connection, Pool, Session
from laurel_server.postgres.sql import load

ROWS_AT_ONCE = 5000

RANK_ROWS_AT_ONCE = 500
"""Rows of a thousand users and a day each: some tens of milliseconds."""

STRAGGLERS_TAKE: Final = timedelta(seconds=30)
"""How long after its deletion somebody may still take to a board what he has committed before."""


class Remains(NamedTuple):
    """What is left of a board that is configured no longer, or otherwise.

    Redis may have keys of `instances` over that many slots, the ledger scores and periods if it `is_gone`. `is_old`:
    whoever was still about to write such keys has done so.
    """

    number: int
    board_no: int
    slots: int
    instances: tuple[BoardKey, ...]
    is_gone: bool
    is_old: bool


class Forgotten(NamedTuple):
    """A period of a board that is gone: Redis may have keys of it over these numbers of slots."""

    board: BoardKey
    slots: Sequence[int]


Drop: TypeAlias = Callable[[Collection[BoardKey]], Awaitable[None]]
"""Drops the keys of periods."""


async def instances(connection: Connection, config: BoardConfig) -> list[BoardKey]:
    """Return the instances of a board that may be in Redis: all but those that the archive has taken out of it."""
    board_no = config.board_no if config.kind is BoardKind.SCORES else None
    rows = await connection.fetch(load("boards_instances"), board_no, config.scope, int(config.period_type))
    return [BoardKey(*row) for row in rows]


async def forgotten_periods(pool: Pool) -> list[Forgotten]:
    """Return the periods of boards that are gone."""
    rows = await pool.fetch(load("boards_forgotten"))
    return [Forgotten(BoardKey(row["scope"], row["period_id"]), row["slots"]) for row in rows]


async def are_forgotten(session: Session, config: BoardConfig) -> bool:
    """Return whether a new board would have periods of one that is gone."""
    answer: bool = await session.fetchval(load("boards_are_forgotten"), config.scope, int(config.period_type))
    return answer


async def forget_periods(pool: Pool, boards: Collection[BoardKey], drop: Drop) -> None:
    """Forget those of some periods that are of no board, with what hangs on them; it works for as long as it rests.

    Can be killed anywhere: the periods themselves go last. Just before, `drop` is told which they are: as long as they
    are there, nobody creates a board that has them. One of RETRYABLE while somebody still writes what hangs on them.
    """
    are_gone = False
    while not are_gone:
        async with resting(), pool.acquire() as connection, connection.transaction():
            are_gone = await _forget_some(connection, boards, drop)


async def _forget_some(connection: Connection, boards: Collection[BoardKey], drop: Drop) -> bool:
    """Delete a part of what hangs on the periods, or, where nothing does, them; return whether they are gone."""
    locked = [
        BoardKey(*row) for row in await connection.fetch(load("boards_lock_forgotten"), *_columns(boards))
    ]
    columns = _columns(locked)
    if await connection.fetchval(load("boards_forget_ranks"), *columns, RANK_ROWS_AT_ONCE):
        return False
    if await connection.fetchval(load("boards_forget_days"), *columns, ROWS_AT_ONCE):
        return False
    if await connection.fetchval(load("boards_forget_winners"), *columns, ROWS_AT_ONCE):
        return False
    await drop(locked)
    await connection.execute(load("boards_forget_periods"), *columns)
    return True


def _columns(boards: Iterable[BoardKey]) -> tuple[list[str], list[str]]:
    return [board.scope for board in boards], [board.period_id for board in boards]


async def note_remains(
    connection: Connection, board_no: int, slots: int, instances: Collection[BoardKey]
) -> None:
    """Note whose keys over so many slots have to be cleared away once this transaction is committed."""
    if instances:
        await connection.execute(
            load("boards_note_remains"), board_no, slots, _as_json(instances), None, None
        )


async def note_deleted(connection: Connection, config: BoardConfig, instances: Collection[BoardKey]) -> None:
    """Note as `note_remains` what is left of a board that is deleted: its scores and periods, too."""
    await connection.execute(
        load("boards_note_remains"),
        config.board_no,
        config.slots,
        _as_json(instances),
        config.scope,
        int(config.period_type),
    )


async def lock_remains(connection: Connection) -> list[Remains]:
    """Return what has to be cleared away, and keep all others from it until this transaction ends."""
    return [
        Remains(
            row["remains_no"],
            row["board_no"],
            row["slots"],
            tuple(BoardKey(*each) for each in orjson.loads(row["instances"])),
            row["is_gone"],
            row["is_old"],
        )
        for row in await connection.fetch(load("boards_lock_remains"), STRAGGLERS_TAKE)
    ]


async def note_dropped(connection: Connection, left: Collection[Remains]) -> None:
    """Note that of what is locked only that is left."""
    numbers, instances = [each.number for each in left], [_as_json(each.instances) for each in left]
    await connection.execute(load("boards_note_dropped"), numbers, instances)


async def forget_remains(pool: Pool, remains: Iterable[Remains]) -> None:
    """Forget what has been cleared away."""
    await pool.execute(load("boards_forget_remains"), [each.number for each in remains])


async def delete_scores(pool: Pool, board_no: int) -> None:
    """Delete the scores of a board that is gone, some at a time; it works for as long as it rests."""
    while True:
        async with resting():
            found = await pool.fetchval(load("scores_delete"), board_no, ROWS_AT_ONCE)
        if not found:
            return


def _as_json(instances: Iterable[BoardKey]) -> str:
    return orjson.dumps(list(map(tuple, instances))).decode()
