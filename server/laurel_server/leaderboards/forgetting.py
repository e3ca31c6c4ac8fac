"""What the ledger forgets with a board.

Ranks of days are most of it, some hundred rows of a thousand users each for every day: more than can go while no batch
is open. So they go before, some at a time, while awards go on, and with the board goes what has come since.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.board_owners import BoardOwners
from laurel_server.domain.boards import BoardKey
from laurel_server.postgres import boards as board_rows
from laurel_server.postgres import rules as rule_rows
from laurel_server.postgres import standings
from laurel_server.postgres.pool import Connection


class _Parting(NamedTuple):
    """Instances of a board that goes: `kept` of them have another board from then on, as `after` says."""

    after: BoardOwners
    gone: Sequence[BoardKey]
    kept: Sequence[BoardKey]


async def instances_to_forget(
    connection: Connection, config: BoardConfig, known: Sequence[BoardConfig]
) -> Sequence[BoardKey]:
    """Return the instances that are nobody's once the board is gone."""
    if config.kind is BoardKind.SCORES:
        return await board_rows.score_periods(connection, config)
    return (await _part(connection, config, known)).gone


async def forget_board(
    connection: Connection, config: BoardConfig, known: Sequence[BoardConfig]
) -> Sequence[BoardKey]:
    """Take the board's instances out of the ledger and return those whose keys are of no board any more.

    Some have another family from now on, which fills them anew.
    """
    if config.kind is BoardKind.SCORES:
        return await board_rows.forget_score_periods(connection, config)
    after, gone, kept = await _part(connection, config, known)
    heirs = {heir.board_id: heir for heir in map(after.owner_of, kept) if heir is not None}
    for heir in heirs.values():
        await rule_rows.update_board(connection, replace(heir, is_filled=False))
    await board_rows.forget_instances(connection, gone)
    return [*gone, *(board for board in kept if not after.use_keys(board, config.slots))]


async def _part(connection: Connection, config: BoardConfig, known: Sequence[BoardConfig]) -> _Parting:
    before = BoardOwners(known)
    after = before.without(config)
    mine = [board for board in await standings.registered_boards(connection) if before.is_of(board, config)]
    kept = [board for board in mine if after.owner_of(board) is not None]
    return _Parting(after, [board for board in mine if after.owner_of(board) is None], kept)
