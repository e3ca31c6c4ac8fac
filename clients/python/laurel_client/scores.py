"""LeaderboardService: writing to score boards."""

from collections.abc import Iterable, Mapping

from laurel.leaderboard.v1.leaderboard_service_pb2_grpc import LeaderboardServiceStub
from laurel.leaderboard.v1.rules_pb2 import ScoreOperator
from laurel.leaderboard.v1.scores_pb2 import (
    BatchUpdateScoresRequest,
    RemoveMemberRequest,
    UpdateScoreRequest,
    UpdateScoreResponse,
)
from laurel.type.v1.board_pb2 import BoardRef
from laurel_client.caller import Caller
from laurel_client.errors import LaurelCallError
from laurel_client.requests import new_request_id


class Scores:
    """Each change counts once under its request_id; without one given it has one that nobody else has."""

    def __init__(self, stub: LeaderboardServiceStub, caller: Caller) -> None:
        self._stub = stub
        self._caller = caller

    async def update_score(
        self,
        board_id: str,
        user_id: str,
        score: int,
        *,
        sub_score: int = 0,
        metadata: Mapping[str, str] | None = None,
        operator: ScoreOperator.ValueType = ScoreOperator.SCORE_OPERATOR_UNSPECIFIED,
        request_id: str = "",
    ) -> UpdateScoreResponse:
        """Put a score on a score board; the board keeps the best, the last or the sum, unless `operator` says else."""
        request = UpdateScoreRequest(
            request_id=request_id or new_request_id(),
            board=BoardRef(scope=board_id),
            user_id=user_id,
            score=score,
            sub_score=sub_score,
            metadata=metadata,
            operator=operator,
        )
        return await self._caller.call(self._stub.UpdateScore, request)

    async def batch_update_scores(
        self, scores: Iterable[UpdateScoreRequest]
    ) -> list[UpdateScoreResponse | LaurelCallError]:
        """Make 1 to 1,000 updates and return what became of each, in order; an error concerns that one alone."""
        request = BatchUpdateScoresRequest(scores=scores)
        response = await self._caller.call(self._stub.BatchUpdateScores, request)
        return [
            LaurelCallError.from_status(result.error) if result.HasField("error") else result.update
            for result in response.results
        ]

    async def remove_member(self, board_id: str, user_id: str, *, request_id: str = "") -> bool:
        """Take a user off a score board; returns whether he was on it."""
        request = RemoveMemberRequest(
            request_id=request_id or new_request_id(), board=BoardRef(scope=board_id), user_id=user_id
        )
        return (await self._caller.call(self._stub.RemoveMember, request)).removed
