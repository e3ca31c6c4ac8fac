"""Board instances and scores, as a change of the configured boards leaves them."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Final, NamedTuple

import orjson

from laurel_server.domain.board_configs import BoardConfig
from laurel_server.domain.boards import BoardKey
from laurel_server.pacing import resting
from laurel_server.postgres.pool import Connection, Pool
from laurel_server.postgres.sql import load

ROWS_AT_ONCE = 5000

RANK_ROWS_AT_ONCE = 500
"""Rows of a thousand users and a day each: some tens of milliseconds."""

STRAGGLERS_TAKE: Final = timedelta(seconds=30)
"""How long after its deletion somebody may still take to a board what he has committed before."""


class Remains(NamedTuple):
    """What is left of a board that is configured no longer, or otherwise.

    Redis may have keys of `instances` over that many slots, and if it `is_gone` the ledger scores. `is_old`: whoever
    was still about to write such keys has done so.
    """

    number: int
    board_no: int
    slots: int
    instances: tuple[BoardKey, ...]
    is_gone: bool
    is_old: bool


async def forget_instances(connection: Connection, boards: Collection[BoardKey]) -> None:
    """Forget instances of points boards, so that nobody was ever on them."""
    scopes, period_ids = [board.scope for board in boards], [board.period_id for board in boards]
    await connection.execute(load("boards_forget_instances"), scopes, period_ids)


async def forget_score_periods(connection: Connection, config: BoardConfig) -> list[BoardKey]:
    """Forget the instances of a score board and return them."""
    rows = await connection.fetch(load("scores_forget_periods"), config.board_no)
    return [BoardKey(config.board_id, row["period_id"]) for row in rows]


async def score_periods(connection: Connection, config: BoardConfig) -> list[BoardKey]:
    """Return the instances of a score board, archived ones too."""
    return [BoardKey(*row) for row in await connection.fetch(load("scores_periods"), config.board_no)]


async def forget_ranks(pool: Pool, board_no: int, boards: Collection[BoardKey]) -> None:
    """Forget the ranks of days of a board's instances for as long as it exists; it works for as long as it rests."""
    scopes, period_ids = [board.scope for board in boards], [board.period_id for board in boards]
    found = len(boards)
    while found:
        async with resting():
            found = await pool.fetchval(
                load("boards_forget_ranks"), scopes, period_ids, board_no, RANK_ROWS_AT_ONCE
            )


async def note_remains(
    connection: Connection, board_no: int, slots: int, instances: Collection[BoardKey]
) -> None:
    """Note what has to be cleared away once this transaction is committed."""
    if instances:
        await connection.execute(load("boards_note_remains"), board_no, slots, _as_json(instances))


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
