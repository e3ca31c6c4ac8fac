"""RewardsService: awards."""

from collections.abc import Iterable

import structlog

from laurel.rewards.v1.rewards_service_pb2 import (
    AwardPointsRequest,
    AwardPointsResponse,
    BatchAwardPointsRequest,
    BatchAwardPointsResponse,
)
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.errors import LaurelError
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.awards import read_award, write_award
from laurel_server.rpc.errors import InvalidRequestError, to_status
from laurel_server.rpc.ports import Awards
from laurel_server.rpc.violations import violations

_log = structlog.get_logger(__name__)


class RewardsServicer:
    """Awards points."""

    service = methods.REWARDS

    def __init__(self, awards: Awards) -> None:
        self._awards = awards

    async def AwardPoints(self, request: AwardPointsRequest, call: CallContext) -> AwardPointsResponse:
        """Make one award."""
        answer = await self._awards.award(read_award(request, call.caller), call.deadline)
        response = AwardPointsResponse()
        write_award(response, answer)
        return response

    async def BatchAwardPoints(
        self, request: BatchAwardPointsRequest, call: CallContext
    ) -> BatchAwardPointsResponse:
        """Make many awards, each with a result of its own."""
        commands = [_read_item(item, call.caller) for item in request.awards]
        answers = await self._awards.award_batch(commands, call.deadline)
        return _batch_response(answers, call.request_id)


def _read_item(item: AwardPointsRequest, caller: str) -> AwardCommand | LaurelError:
    """Return one award of a batch, or what is wrong with it."""
    broken = violations(item)
    if broken:
        return InvalidRequestError(broken)
    try:
        return read_award(item, caller)
    except LaurelError as error:
        return error


def _batch_response(answers: Iterable[AwardAnswer | Exception], request_id: str) -> BatchAwardPointsResponse:
    response = BatchAwardPointsResponse()
    for index, answer in enumerate(answers):
        result = response.results.add(index=index)
        if isinstance(answer, AwardAnswer):
            write_award(result.award, answer)
        else:
            _log_fault(answer, index)
            result.error.CopyFrom(to_status(answer, request_id))
    return response


def _log_fault(error: Exception, index: int) -> None:
    """Write a line about an item that failed through Laurel's fault: its call succeeds and gets none."""
    if not isinstance(error, LaurelError | TimeoutError):
        _log.error("award failed", index=index, exc_info=error)
