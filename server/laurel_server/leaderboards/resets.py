"""Tells that score boards have begun anew: everybody who had a score is off the board, which no command says."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.clock import Clock
from laurel_server.domain.views import Board
from laurel_server.events.rounds import Rounds
from laurel_server.events.topics import BOARD_RESET
from laurel_server.leaderboards.present_boards import PresentBoards
from laurel_server.postgres import resets
from laurel_server.postgres.errors import UNAVAILABLE
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.outbox import announce
from laurel_server.postgres.pool import Pool

log = structlog.get_logger()

INTERVAL_SECONDS: Final = 1.0


class Resets:
    """A loop of the leading server, which compares the present reset periods with those that were seen last."""

    def __init__(self, pool: Pool, present: PresentBoards, clock: Clock, leadership: Leadership) -> None:
        self._pool = pool
        self._leadership = leadership
        self._present = present
        self._clock = clock
        self._seen: dict[str, str] = {}
        self._looked_at: Mapping[BoardKey, Board] | None = None

    async def run(self) -> None:
        """Look until cancelled."""
        await Rounds("resets", self._round, UNAVAILABLE).run()

    async def _round(self) -> float:
        if await self._leadership.held():
            await self.tell()
        else:
            self._seen.clear()  # another server has seen what came since
            self._looked_at = None
        return INTERVAL_SECONDS

    async def tell(self) -> int:
        """Put the resets since the last look into the outbox and return how many there were.

        Costs nothing while no period ends. Raises one of UNAVAILABLE.
        """
        boards = self._present.score_boards()
        if boards is self._looked_at:
            return 0
        events = await self._see(
            [board for board in boards.values() if self._seen.get(board.key.scope) != board.key.period_id]
        )
        self._looked_at = boards
        return events

    async def _see(self, present: Sequence[Board]) -> int:
        if not present:
            return 0
        async with self._pool.acquire() as connection, connection.transaction():
            begun = await resets.see(connection, [board.key for board in present])
            events = [_event(board, self._clock.now()) for board in present if board.key in begun]
            await announce(connection, events)
        self._seen.update(board.key for board in present)
        return len(events)


def _event(board: Board, now: datetime) -> dict[str, object]:
    scope, period_id = board.key
    reset_at = board.period.starts_at or now
    return {"type": BOARD_RESET, "scope": scope, "period_id": period_id, "reset_at": reset_at}
