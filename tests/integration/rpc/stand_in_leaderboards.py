"""Use cases of LeaderboardService that answer as a test tells them."""

from collections.abc import Awaitable, Callable, Sequence

from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchLeaderboardRequest, WatchRankRequest
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import (
    BoardRank,
    RankState,
)
from laurel_server.domain.periods import PeriodType
from laurel_server.domain.scores import ScoreAnswer, ScoreCommand
from laurel_server.domain.views import (
    ANY_SCORE,
    Board,
    Line,
    Page,
    Place,
    ScoreRange,
    Surrounding,
    Target,
)
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from tests.unit.rpc.samples import BOARD, NOW, line


class StandInBoards:
    """Has one board on which `members` users stand, `user:1` first."""

    def __init__(self) -> None:
        self.members = 250
        self.period_id = BOARD.key.period_id
        self.pages_read = 0
        self.read_at = NOW
        self.asked: list[tuple[str, PeriodType | None, str]] = []

    async def find(self, scope: str, period_type: PeriodType | None, period_id: str) -> Board:
        return self.resolve(scope, period_type, period_id)

    def resolve(self, scope: str, period_type: PeriodType | None, period_id: str) -> Board:
        self.asked.append((scope, period_type, period_id))
        return Board(BoardKey(scope or "global", period_id or self.period_id), BOARD.period)

    async def page(self, board: Board, after: str, limit: int, scores: ScoreRange = ANY_SCORE) -> Page:
        self.pages_read += 1
        ranks = range(int(after or 0) + 1, self.members + 1)
        lines = tuple(line(rank) for rank in ranks if _is_within(line(rank).score, scores))
        marks = [str(each.rank) for each in lines]
        return Page(board, lines[:limit], self.members, self.read_at, marks, len(lines) > limit)

    async def count(self, _board: Board, scores: ScoreRange) -> int:
        return sum(_is_within(line(rank).score, scores) for rank in range(1, self.members + 1))

    async def place(self, board: Board, user_id: str) -> Place:
        rank = int(user_id.removeprefix("user:")) if user_id.startswith("user:") else 0
        if not rank:
            raise LaurelError(Reason.USER_NOT_FOUND, f"no user {user_id}", metadata={"user_id": user_id})
        if rank > self.members:
            raise LaurelError(Reason.NOT_ON_BOARD, f"{user_id} is not on it", metadata={"user_id": user_id})
        return Place(board, user_id, rank, line(rank).score, self.members)

    async def places(self, _board: Board, user_ids: Sequence[str]) -> tuple[list[Line], list[str]]:
        ranks = {user_id: int(user_id.removeprefix("user:")) for user_id in user_ids}
        missing = [user_id for user_id, rank in ranks.items() if rank > self.members]
        return [line(rank) for rank in sorted(ranks.values()) if rank <= self.members], missing

    async def all_places(self, user_id: str) -> list[Place]:
        boards = (BoardKey("global", "all"), BoardKey("country:US", "2026-W48"))
        return [await self.place(Board(key, BOARD.period), user_id) for key in boards]

    async def surrounding(self, board: Board, user_id: str, range_: int) -> Surrounding:
        place = await self.place(board, user_id)
        first, last = max(1, place.rank - range_), min(self.members, place.rank + range_)
        better = Target(place.rank - 1, 1) if place.rank > 1 else None
        lines = tuple(line(rank) for rank in range(first, last + 1))
        return Surrounding(place, lines, better, better and Target(1, place.rank))


class StandInScores:
    """Refuses negative scores, and answers with rank 1 otherwise."""

    def __init__(self) -> None:
        self.commands: list[ScoreCommand] = []

    async def do(self, command: ScoreCommand, _deadline: float | None) -> ScoreAnswer:
        self.commands.append(command)
        if command.pair.score < 0:
            raise LaurelError(Reason.SCORE_OUT_OF_RANGE, "too low")
        rank = BoardRank(BoardKey(command.scope, command.period_id or "all"), 1, 2, command.pair.score, 3)
        return ScoreAnswer(rank, updated=True, replayed=False, rank_state=RankState.FRESH)

    async def do_batch(
        self, commands: Sequence[ScoreCommand | LaurelError], deadline: float | None
    ) -> list[ScoreAnswer | Exception]:
        return [await self._result(command, deadline) for command in commands]

    async def _result(
        self, command: ScoreCommand | LaurelError, deadline: float | None
    ) -> ScoreAnswer | LaurelError:
        if isinstance(command, LaurelError):
            return command
        try:
            return await self.do(command, deadline)
        except LaurelError as error:
            return error


def _is_within(score: int, scores: ScoreRange) -> bool:
    lowest, highest = scores
    return (lowest is None or score >= lowest) and (highest is None or score <= highest)


Watch = Callable[[CallContext], Awaitable[None]]


class StandInWatches:
    """Streams what a test tells it to."""

    service = methods.LEADERBOARDS

    def __init__(self) -> None:
        self.run: Watch = self._end_at_once

    async def WatchRank(self, _request: WatchRankRequest, call: CallContext) -> None:  # noqa: N802
        await self.run(call)

    async def WatchLeaderboard(  # noqa: N802
        self, _request: WatchLeaderboardRequest, call: CallContext
    ) -> None:
        await self.run(call)

    async def _end_at_once(self, _call: CallContext) -> None:
        return
