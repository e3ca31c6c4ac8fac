"""Where users stand now on all boards of open periods: read for many at once, after the fact."""

import asyncio
from collections.abc import Collection, Sequence

from laurel_server.domain.boards import GLOBAL, BoardKey
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.ledger import BoardRank
from laurel_server.domain.periods import PeriodType, parse_period_id
from laurel_server.domain.views import Board, Standings
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.placements import boards_of
from laurel_server.leaderboards.queries import BoardQueries
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.standings import read_members


class PresentRanks:
    """Reads present ranks."""

    def __init__(self, pool: Pool, queries: BoardQueries, catalogue: Catalogue) -> None:
        self._pool = pool
        self._queries = queries
        self._catalogue = catalogue

    async def of(self, user_nos: Collection[int]) -> dict[str, Sequence[BoardRank]] | None:
        """Return the ranks of the users with those numbers, by user id; None while a board is being rebuilt.

        Who takes no position has none. `previous_rank` is the rank. Cost: one query for all, and one script call a
        board, sent together.
        """
        wanted: dict[BoardKey, list[str]] = {}
        for member in await read_members(self._pool, user_nos):
            for board in boards_of(member, self._catalogue.matrix):
                wanted.setdefault(board, []).append(member.user_id)
        try:
            found = await asyncio.gather(*(self._on(board, users) for board, users in wanted.items()))
        except LaurelError:  # BOARDS_REBUILDING
            return None
        ranks: dict[str, list[BoardRank]] = {}
        for on_board in found:
            for user_id, rank in on_board.items():
                ranks.setdefault(user_id, []).append(rank)
        return dict(ranks)

    async def overall(self, user_ids: Collection[str]) -> Standings | None:
        """Return the places on the global all-time board of those who have one; None while it is being rebuilt."""
        try:
            total, places = await self._queries.ranks_of(
                self._queries.resolve(GLOBAL, PeriodType.ALL_TIME, ""), list(user_ids)
            )
        except LaurelError:  # BOARDS_REBUILDING
            return None
        return Standings(total, {user_id: rank for user_id, (rank, _) in places.items()})

    async def _on(self, board: BoardKey, user_ids: Sequence[str]) -> dict[str, BoardRank]:
        board_at = Board(board, parse_period_id(board.period_id), self._catalogue.traits_of(board))
        total, places = await self._queries.ranks_of(board_at, user_ids)
        return {
            user_id: BoardRank(board, rank, rank, score, total) for user_id, (rank, score) in places.items()
        }
