"""Freezing standings: who stood where when a period was over stays so, whatever becomes of the users."""

from collections.abc import Sequence

from laurel_server.domain.accounts import PastTotal, past_total
from laurel_server.domain.boards import BoardMatrix
from laurel_server.pacing import resting
from laurel_server.postgres import scores
from laurel_server.postgres.closing import lock_totals, move_totals, user_bounds
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.scores import Instance
from laurel_server.postgres.standings import Member

USERS_AT_ONCE = 250
"""Users whose rows are locked at a time; an award of one of them waits some 15 ms for it at the most."""


async def freeze(pool: Pool, period_ids: Sequence[str], matrix: BoardMatrix) -> int:
    """Move all open totals of these periods, which take no more awards, and return how many users had any.

    They leave the hot rows with the scopes in which they were had.

    Works for as long as it rests, so that awards get half of the ledger. Run again, it does what is left.
    """
    first, end = await user_bounds(pool)
    moved = 0
    for start in range(first, end, USERS_AT_ONCE):
        async with resting():
            moved += await _freeze_some(pool, start, period_ids, matrix)
    return moved


async def freeze_scores(pool: Pool, instance: Instance) -> None:
    """Note for ever who sees whom on an instance of a score board, which takes no more scores.

    Works and rests as `freeze` does. Run again, it does what is left.
    """
    last = 0
    while True:
        async with resting():
            last = await scores.freeze(pool, instance, last, USERS_AT_ONCE)
        if not last:
            return


async def _freeze_some(pool: Pool, start: int, period_ids: Sequence[str], matrix: BoardMatrix) -> int:
    async with pool.acquire() as connection, connection.transaction():
        members = await lock_totals(connection, start, start + USERS_AT_ONCE, period_ids)
        if members:
            totals = [total for member in members for total in _past_totals(member, period_ids, matrix)]
            await move_totals(connection, totals, [member.user_no for member in members], period_ids)
    return len(members)


def _past_totals(member: Member, period_ids: Sequence[str], matrix: BoardMatrix) -> list[PastTotal]:
    """Return what the member had in these periods; who is not public takes no position for ever."""
    return [
        past_total(period_id, member.user_no, member.totals[period_id], member.membership, matrix)
        for period_id in period_ids
        if period_id in member.totals
    ]
