"""Clears away what is left of boards that were deleted or are laid out otherwise, whoever may have died over it."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Final

from laurel_server.domain.board_owners import BoardOwners
from laurel_server.domain.boards import BoardKey
from laurel_server.events.rounds import Rounds
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.leaderboards.rebuild import Rebuild
from laurel_server.postgres import boards as board_rows
from laurel_server.postgres.boards import Remains
from laurel_server.postgres.errors import RETRYABLE, UNAVAILABLE
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.pool import Connection, Pool
from laurel_server.redis.keys import slot_names

INTERVAL_SECONDS: Final = 5.0

PERIODS_AT_ONCE: Final = 200
"""Periods that are forgotten together: some milliseconds, once what hangs on them is gone."""


class BoardRemains:
    """Drops keys, scores and periods as the ledger has noted them in the transaction that made them useless."""

    def __init__(self, pool: Pool, rebuild: Rebuild, leadership: Leadership) -> None:
        self._pool = pool
        self._rebuild = rebuild
        self._leadership = leadership

    async def run(self) -> None:
        """Clear away what others have left, every few seconds, until cancelled; the leading server does."""
        await Rounds("board remains", self._round, (BoardsUnavailable, *RETRYABLE, *UNAVAILABLE)).run()

    async def clear(self) -> None:
        """Clear away all that is noted. Can be killed anywhere. BoardsUnavailable, one of UNAVAILABLE.

        Keys are dropped again for a while: a server that has not heard yet may write some once more, and somebody who
        fills boards does so to the end.
        """
        remains = await self.drop()
        gone = [each for each in remains if each.is_gone]
        for each in gone:
            await board_rows.delete_scores(self._pool, each.board_no)
        if gone and not await self.forget_periods():
            remains = [each for each in remains if not each.is_gone]
        cleared = [each for each in remains if each.is_old or not each.instances]
        if cleared:
            await self._forget(cleared)

    async def _forget(self, cleared: Sequence[Remains]) -> None:
        """Forget what has been cleared away, once nobody fills boards who may have begun when it was there.

        What he has written to the end is cleared away before.
        """
        async with self._rebuild.at_rest() as is_at_rest:
            if not is_at_rest:
                return
            await self.drop()
            if await board_rows.forgotten_periods(
                self._pool
            ):  # forgotten in the next round, and not while others wait
                cleared = [each for each in cleared if not each.is_gone]
            await board_rows.forget_remains(self._pool, cleared)

    async def forget_periods(self) -> bool:
        """Forget the periods of boards that are gone, with all that hangs on them, and say whether none is left.

        Some are while somebody still writes what hangs on them. Can be killed anywhere. BoardsUnavailable, one of
        UNAVAILABLE.
        """
        forgotten = await board_rows.forgotten_periods(self._pool)
        try:
            while forgotten:
                some, forgotten = forgotten[:PERIODS_AT_ONCE], forgotten[PERIODS_AT_ONCE:]
                slots = {each.board: each.slots for each in some}
                await board_rows.forget_periods(self._pool, slots, partial(self._drop_periods, slots))
        except RETRYABLE:
            return False
        return True

    async def _drop_periods(
        self, slots_of: Mapping[BoardKey, Sequence[int]], boards: Collection[BoardKey]
    ) -> None:
        """Drop keys of periods: of an archived one there are some for a while after it was read."""
        by_slots: dict[int, list[BoardKey]] = {}
        for board in boards:
            for slots in slots_of[board]:
                by_slots.setdefault(slots, []).append(board)
        for slots, some in by_slots.items():
            await self._rebuild.forget(some, slot_names(slots))

    async def drop(self) -> Sequence[Remains]:
        """Drop all keys that are noted, which they still are after it. BoardsUnavailable, one of UNAVAILABLE."""
        async with self._pool.acquire() as connection, connection.transaction():
            remains = await board_rows.lock_remains(connection)
            await self._drop(remains)
        return remains

    async def drop_for(self, connection: Connection, owners: BoardOwners) -> None:
        """Drop the keys that are noted and in use with these boards, for good. BoardsUnavailable."""
        await self._drop(await _take(connection, owners))

    async def leave_to(self, connection: Connection, owners: BoardOwners) -> None:
        """Leave the keys that are noted and in use with these boards to whoever fills them now: he empties them."""
        await _take(connection, owners)

    async def _drop(self, remains: Sequence[Remains]) -> None:
        for each in remains:
            await self._rebuild.forget(each.instances, slot_names(each.slots))

    async def _round(self) -> float:
        if await self._leadership.held():
            await self.clear()
        return INTERVAL_SECONDS


async def _take(connection: Connection, owners: BoardOwners) -> Sequence[Remains]:
    """Take what is in use with these boards off what is noted, and return it; all other keys are dropped further on."""
    taken, left = [], []
    for each in await board_rows.lock_remains(connection):
        used = {board for board in each.instances if owners.use_keys(board, each.slots)}
        if used:
            taken.append(each._replace(instances=tuple(used)))
            left.append(
                each._replace(instances=tuple(board for board in each.instances if board not in used))
            )
    if left:
        await board_rows.note_dropped(connection, left)
    return taken
