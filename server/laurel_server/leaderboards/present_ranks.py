"""Where users stand now on all boards of open periods: read for many at once, after the fact."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from laurel_server.domain.boards import GLOBAL, BoardKey
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.ledger import BoardRank
from laurel_server.domain.periods import PeriodType
from laurel_server.domain.views import Board, RanksOnBoard, Standings
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.placing import boards_of
from laurel_server.leaderboards.present_boards import PresentBoards
from laurel_server.leaderboards.queries import BoardQueries
from laurel_server.postgres import scores
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.standings import read_members

Wanted: TypeAlias = Mapping[Board, Sequence[str]]
"""Users by the board whose ranks are asked for."""


class PresentRanks:
    """Reads present ranks."""

    def __init__(
        self, pool: Pool, queries: BoardQueries, catalogue: Catalogue, score_boards: PresentBoards
    ) -> None:
        self._pool = pool
        self._score_boards = score_boards
        self._queries = queries
        self._catalogue = catalogue

    async def of(self, user_nos: Collection[int]) -> dict[str, Sequence[BoardRank]] | None:
        """Return the ranks of the users with those numbers, by user id; None while a board is being rebuilt.

        Who takes no position has none. `previous_rank` is the rank. Cost: one query for all, and one script call a
        board, sent together.
        """
        boards = await self._ranks(await self._on_points_boards(user_nos))
        return None if boards is None else _by_user(boards)

    async def everywhere(self, user_nos: Collection[int]) -> dict[str, Sequence[BoardRank]] | None:
        """Return what `of` does, and then the ranks on score boards in their present reset periods.

        Cost: one query more where there are score boards.
        """
        boards = await self.by_board(user_nos)
        return None if boards is None else _by_user(boards)

    async def by_board(self, user_nos: Collection[int]) -> Sequence[RanksOnBoard] | None:
        """Return what `everywhere` does board by board, which costs least."""
        points = await self._on_points_boards(user_nos)
        return await self._ranks({**points, **await self._on_score_boards(user_nos)})

    async def _on_points_boards(self, user_nos: Collection[int]) -> Wanted:
        wanted: dict[BoardKey, list[str]] = {}
        for member in await read_members(self._pool, user_nos):
            for board in boards_of(member, self._catalogue.matrix):
                wanted.setdefault(board, []).append(member.user_id)
        return {self._queries.points_board(board): user_ids for board, user_ids in wanted.items()}

    async def _on_score_boards(self, user_nos: Collection[int]) -> Wanted:
        boards = self._score_boards.score_boards()
        wanted: dict[Board, list[str]] = {}
        for key, user_id in await scores.on_boards(self._pool, list(boards), user_nos) if boards else ():
            wanted.setdefault(boards[key], []).append(user_id)
        return wanted

    async def _ranks(self, wanted: Wanted) -> Sequence[RanksOnBoard] | None:
        try:
            return await asyncio.gather(*(self._on(board, users) for board, users in wanted.items()))
        except LaurelError:  # BOARDS_REBUILDING
            return None

    async def overall(self, user_ids: Collection[str]) -> Standings | None:
        """Return the places on the global all-time board of those who have one.

        None while it is being rebuilt, and where it was deleted.
        """
        try:
            total, places = await self._queries.ranks_of(
                self._queries.resolve(GLOBAL, PeriodType.ALL_TIME, ""), list(user_ids)
            )
        except LaurelError:  # BOARDS_REBUILDING, or BOARD_NOT_FOUND where it was deleted
            return None
        return Standings(total, {user_id: rank for user_id, (rank, _) in places.items()})

    async def leading(self, rank: int) -> frozenset[str] | None:
        """Return who stands at a rank of the global all-time board or better.

        None as of `overall`, and where equals may share that rank further down. Cost: a page of `rank` lines.
        """
        try:
            board = self._queries.resolve(GLOBAL, PeriodType.ALL_TIME, "")
            page = await self._queries.page(board, "", rank + 1)
        except LaurelError:  # BOARDS_REBUILDING, or BOARD_NOT_FOUND where it was deleted
            return None
        if page.has_more and page.lines[-1].rank <= rank:
            return None
        return frozenset(line.user_id for line in page.lines if line.rank <= rank)

    async def _on(self, board: Board, user_ids: Sequence[str]) -> RanksOnBoard:
        return RanksOnBoard(board.key, user_ids, *await self._queries.ranks(board, user_ids))


def _by_user(boards: Iterable[RanksOnBoard]) -> dict[str, Sequence[BoardRank]]:
    ranks: dict[str, list[BoardRank]] = {}
    for each in boards:
        for user_id, rank, score in zip(each.user_ids, each.ranks, each.scores, strict=True):
            if rank:
                place = BoardRank(each.board, rank, rank, score, each.total)
                ranks.setdefault(user_id, []).append(place)
    return dict(ranks)
