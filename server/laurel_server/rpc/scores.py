"""LeaderboardService: score boards."""

from collections.abc import Sequence
from typing import Protocol

import structlog

from laurel.leaderboard.v1.scores_pb2 import (
    BatchUpdateScoresRequest,
    BatchUpdateScoresResponse,
    RemoveMemberRequest,
    RemoveMemberResponse,
    ScoreResult,
    UpdateScoreRequest,
    UpdateScoreResponse,
)
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.scores import ScoreAnswer, ScoreCommand
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.scores import read_removal, read_update, write_update
from laurel_server.rpc.errors import InvalidRequestError, to_status
from laurel_server.rpc.violations import violations

_log = structlog.get_logger(__name__)


class Scores(Protocol):
    """Keeps the scores of score boards."""

    async def do(self, command: ScoreCommand, deadline: float | None) -> ScoreAnswer:
        """Carry out one command. TimeoutError if the deadline passes before it has begun."""
        ...

    async def do_batch(
        self, commands: Sequence[ScoreCommand | LaurelError], deadline: float | None
    ) -> Sequence[ScoreAnswer | Exception]:
        """Carry out many; one result each, in order. A LaurelError in place of a command is its own result."""
        ...


class ScoresServicer:
    """Takes scores."""

    service = methods.LEADERBOARDS

    def __init__(self, scores: Scores) -> None:
        self._scores = scores

    async def UpdateScore(self, request: UpdateScoreRequest, call: CallContext) -> UpdateScoreResponse:
        """Take one score."""
        answer = await self._scores.do(read_update(request, "UpdateScore", call.caller), call.deadline)
        response = UpdateScoreResponse()
        write_update(response, answer)
        return response

    async def BatchUpdateScores(
        self, request: BatchUpdateScoresRequest, call: CallContext
    ) -> BatchUpdateScoresResponse:
        """Take many scores; each has a result of its own."""
        commands = [_read_item(item, call.caller) for item in request.scores]
        answers = await self._scores.do_batch(commands, call.deadline)
        response = BatchUpdateScoresResponse()
        for index, answer in enumerate(answers):
            _write_result(response.results.add(index=index), answer, call.request_id)
        return response

    async def RemoveMember(self, request: RemoveMemberRequest, call: CallContext) -> RemoveMemberResponse:
        """Take a user off a board."""
        answer = await self._scores.do(read_removal(request, call.caller), call.deadline)
        return RemoveMemberResponse(removed=answer.updated)


def _read_item(item: UpdateScoreRequest, caller: str) -> ScoreCommand | LaurelError:
    broken = violations(item)
    return InvalidRequestError(broken) if broken else read_update(item, "BatchUpdateScores", caller)


def _write_result(target: ScoreResult, answer: ScoreAnswer | Exception, request_id: str) -> None:
    """Fill `target` with what became of a score; a fault of Laurel gets a line in the log, since its call succeeds."""
    if isinstance(answer, ScoreAnswer):
        write_update(target.update, answer)
        return
    if not isinstance(answer, LaurelError | TimeoutError):
        _log.error("score failed", index=target.index, exc_info=answer)
    target.error.CopyFrom(to_status(answer, request_id))
