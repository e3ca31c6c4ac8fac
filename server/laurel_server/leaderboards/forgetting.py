"""What becomes of a board's instances when it is deleted.

Deleting it is one row less in the ledger: from then on nobody sees, closes or fills its periods. What hangs on them may
be a hundred thousand winners and some hundred thousand ranks of days, more than can go while no batch is open. It is
noted, and `BoardRemains` clears it away some at a time.
"""

from dataclasses import replace

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.board_owners import BoardOwners
from laurel_server.postgres import boards as board_rows
from laurel_server.postgres import rules as rule_rows
from laurel_server.postgres.pool import Connection


async def forget_board(connection: Connection, config: BoardConfig, after: BoardOwners) -> None:
    """Take a board out of the ledger and note what is left of it.

    If `after` it a family has its instances, that keeps them with their past, and is filled anew.
    """
    instances = await board_rows.instances(connection, config)
    heir = _heir(config, after)
    if heir is not None and instances:
        await rule_rows.update_board(connection, replace(heir, is_filled=False))
    are_keys_in_use = heir is not None and heir.slots == config.slots
    await board_rows.note_deleted(connection, config, [] if are_keys_in_use else instances)
    if heir is None and config.slots > 1:
        # Who has placed users by the board and hears only then that it is gone writes them in one piece.
        await board_rows.note_remains(connection, config.board_no, 1, instances)
    await rule_rows.delete_boards(connection, [config.board_id])


def _heir(config: BoardConfig, after: BoardOwners) -> BoardConfig | None:
    if config.kind is BoardKind.SCORES:
        return None
    return after.family_of(config.scope, config.period_type)
