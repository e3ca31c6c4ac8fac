"""LeaderboardService."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from laurel.leaderboard.v1.leaderboard_pb2 import LeaderboardEntry
from laurel.leaderboard.v1.leaderboard_service_pb2 import (
    BatchGetRanksRequest,
    BatchGetRanksResponse,
    CountByScoreRequest,
    GetLeaderboardRequest,
    GetLeaderboardResponse,
    GetRankRequest,
    GetRankResponse,
    GetSurroundingRequest,
    GetSurroundingResponse,
    ListByScoreRequest,
    ListUserRanksRequest,
    WatchLeaderboardRequest,
    WatchRankRequest,
)
from laurel.leaderboard.v1.leaderboard_service_pb2_grpc import LeaderboardServiceStub
from laurel.type.v1.board_pb2 import BoardRank, BoardRef
from laurel_client.caller import Caller
from laurel_client.ranks import RankWatch
from laurel_client.scores import Scores
from laurel_client.tops import TopWatch

_LARGEST_PAGE: Final = 1000


class Leaderboards(Scores):
    """Reads and watches boards, named by `board`; None is global all-time. Every method raises LaurelCallError."""

    def __init__(self, stub: LeaderboardServiceStub, caller: Caller, patience: float) -> None:
        super().__init__(stub, caller)
        self._patience = patience

    async def get_leaderboard(
        self, board: BoardRef | None = None, *, page_size: int = 0, page_token: str = "", user_id: str = ""
    ) -> GetLeaderboardResponse:
        """Return a page of a board, best first, and the line of `user_id`. A page_size of 0 means 100."""
        request = GetLeaderboardRequest(
            board=board, page_size=page_size, page_token=page_token, user_id=user_id
        )
        return await self._caller.call(self._stub.GetLeaderboard, request)

    async def list_entries(self, board: BoardRef | None = None) -> AsyncIterator[LeaderboardEntry]:
        """Yield every line of a board, best first: once each who keeps his score meanwhile; others may be missed."""
        request = GetLeaderboardRequest(board=board, page_size=_LARGEST_PAGE)
        async for page in self._caller.pages(self._stub.GetLeaderboard, request):
            for entry in page.entries:
                yield entry

    async def get_rank(self, user_id: str, board: BoardRef | None = None) -> GetRankResponse:
        """Return where a user stands."""
        return await self._caller.call(self._stub.GetRank, GetRankRequest(board=board, user_id=user_id))

    async def batch_get_ranks(
        self, user_ids: Iterable[str], board: BoardRef | None = None
    ) -> BatchGetRanksResponse:
        """Return where up to 1,000 users stand, best first, and who is not on the board."""
        request = BatchGetRanksRequest(board=board, user_ids=user_ids)
        return await self._caller.call(self._stub.BatchGetRanks, request)

    async def list_user_ranks(self, user_id: str) -> Sequence[BoardRank]:
        """Return where a user stands on every current board that lists him."""
        request = ListUserRanksRequest(user_id=user_id)
        return (await self._caller.call(self._stub.ListUserRanks, request)).ranks

    async def list_by_score(
        self, board: BoardRef | None = None, *, min_score: int | None = None, max_score: int | None = None
    ) -> AsyncIterator[LeaderboardEntry]:
        """Yield the lines whose scores lie between the bounds, both included, best first. None: no bound."""
        request = ListByScoreRequest(
            board=board, min_score=min_score, max_score=max_score, page_size=_LARGEST_PAGE
        )
        async for page in self._caller.pages(self._stub.ListByScore, request):
            for entry in page.entries:
                yield entry

    async def count_by_score(
        self, board: BoardRef | None = None, *, min_score: int | None = None, max_score: int | None = None
    ) -> int:
        """Return how many users have scores between the bounds, both included. None: no bound."""
        request = CountByScoreRequest(board=board, min_score=min_score, max_score=max_score)
        return (await self._caller.call(self._stub.CountByScore, request)).count

    async def get_surrounding(
        self, user_id: str, board: BoardRef | None = None, *, lines: int = 0
    ) -> GetSurroundingResponse:
        """Return a user with up to 100 `lines` above and below (0 means 5), and what the next rank takes."""
        request = GetSurroundingRequest(board=board, user_id=user_id, range=lines)
        return await self._caller.call(self._stub.GetSurrounding, request)

    def watch_rank(self, user_id: str, *boards: BoardRef, resume_token: str = "") -> RankWatch:
        """Watch a user's places on up to 16 boards: first each place now, then every change of rank or own score.

        `resume_token` is that of an earlier watch of the same user and boards.
        """
        request = WatchRankRequest(user_id=user_id, boards=boards, resume_token=resume_token)
        return RankWatch(self._stub.WatchRank, request, self._patience, self._caller.metadata)

    def watch_leaderboard(self, board: BoardRef | None = None, *, top_n: int = 0) -> TopWatch:
        """Watch the best `top_n` of a board, at most 100 (0 means 10): first as they are, then after every change."""
        request = WatchLeaderboardRequest(board=board, top_n=top_n)
        return TopWatch(self._stub.WatchLeaderboard, request, self._patience, self._caller.metadata)
