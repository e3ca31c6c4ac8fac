"""The part of RewardsService that corrects the ledger: reversals and adjustments."""

from typing import Protocol

from laurel.rewards.v1.corrections_pb2 import (
    AdjustPointsRequest,
    AdjustPointsResponse,
    ReverseTransactionRequest,
    ReverseTransactionResponse,
)
from laurel_server.domain.adjustments import AdjustCommand
from laurel_server.domain.commands import ChangeAnswer, RequestKey
from laurel_server.domain.reversals import ReversalRequest
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.changes import (
    read_adjustment,
    read_reversal,
    request_key,
    write_entry_answer,
    write_reversal_answer,
)


class Corrections(Protocol):
    """Takes back what entries gave, and gives or takes points by hand; errors and deadlines as in `ports`."""

    async def reverse(
        self, request: RequestKey, asked: ReversalRequest, deadline: float | None
    ) -> ChangeAnswer:
        """Take back what an entry gave. TRANSACTION_NOT_FOUND, NOT_REVERSIBLE, ALREADY_REVERSED."""
        ...

    async def adjust(self, command: AdjustCommand, deadline: float | None) -> ChangeAnswer:
        """Give or take points by hand. USER_NOT_FOUND, INSUFFICIENT_POINTS, INVALID_FIELD."""
        ...


class CorrectionsServicer:
    """Reverses entries, and adjusts points."""

    service = methods.REWARDS

    def __init__(self, corrections: Corrections) -> None:
        self._corrections = corrections

    async def ReverseTransaction(
        self, request: ReverseTransactionRequest, call: CallContext
    ) -> ReverseTransactionResponse:
        """Take back what an entry gave."""
        key = request_key(request, call.caller)
        answer = await self._corrections.reverse(key, read_reversal(request), call.deadline)
        response = ReverseTransactionResponse()
        write_reversal_answer(response, answer)
        return response

    async def AdjustPoints(self, request: AdjustPointsRequest, call: CallContext) -> AdjustPointsResponse:
        """Give or take points by hand."""
        answer = await self._corrections.adjust(read_adjustment(request, call.caller), call.deadline)
        response = AdjustPointsResponse()
        write_entry_answer(response, answer)
        return response
