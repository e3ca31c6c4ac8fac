"""The part of RewardsService that spends points."""

from typing import Protocol

from laurel.rewards.v1.spending_pb2 import (
    CancelRedemptionRequest,
    CancelRedemptionResponse,
    RedeemPointsRequest,
    RedeemPointsResponse,
)
from laurel_server.domain.commands import ChangeAnswer, RequestKey
from laurel_server.domain.identifiers import parse_transaction_id
from laurel_server.domain.spending import RedeemCommand
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.changes import read_redemption, request_key, write_entry_answer


class Spending(Protocol):
    """Spends points and gives them back; errors and deadlines as in `ports`."""

    async def redeem(self, command: RedeemCommand, deadline: float | None) -> ChangeAnswer:
        """Spend points. USER_NOT_FOUND, INSUFFICIENT_POINTS."""
        ...

    async def cancel(
        self, request: RequestKey, transaction_id: int, reason: str, deadline: float | None
    ) -> ChangeAnswer:
        """Give the points of a redemption back. TRANSACTION_NOT_FOUND, NOT_REVERSIBLE, ALREADY_REVERSED."""
        ...


class SpendingServicer:
    """Redeems points, and cancels redemptions."""

    service = methods.REWARDS

    def __init__(self, spending: Spending) -> None:
        self._spending = spending

    async def RedeemPoints(self, request: RedeemPointsRequest, call: CallContext) -> RedeemPointsResponse:
        """Spend points."""
        answer = await self._spending.redeem(read_redemption(request, call.caller), call.deadline)
        response = RedeemPointsResponse()
        write_entry_answer(response, answer)
        return response

    async def CancelRedemption(
        self, request: CancelRedemptionRequest, call: CallContext
    ) -> CancelRedemptionResponse:
        """Give the points of a redemption back."""
        transaction_id = parse_transaction_id(request.transaction_id)
        answer = await self._spending.cancel(
            request_key(request, call.caller), transaction_id, request.reason, call.deadline
        )
        response = CancelRedemptionResponse()
        write_entry_answer(response, answer)
        return response
