"""The part of RewardsService that spends points: redemptions and holds."""

from typing import Protocol

from laurel.rewards.v1.holds_pb2 import (
    CaptureHoldRequest,
    CaptureHoldResponse,
    CreateHoldRequest,
    CreateHoldResponse,
    ReleaseHoldRequest,
    ReleaseHoldResponse,
)
from laurel.rewards.v1.spending_pb2 import (
    CancelRedemptionRequest,
    CancelRedemptionResponse,
    RedeemPointsRequest,
    RedeemPointsResponse,
)
from laurel_server.domain.commands import ChangeAnswer, RequestKey
from laurel_server.domain.holds import CreateHoldCommand
from laurel_server.domain.spending import RedeemCommand
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.changes import (
    read_hold,
    read_redemption,
    request_key,
    write_entry_answer,
    write_hold_answer,
)


class Spending(Protocol):
    """Spends points and gives them back; errors and deadlines as in `ports`."""

    async def redeem(self, command: RedeemCommand, deadline: float | None) -> ChangeAnswer:
        """Spend points. USER_NOT_FOUND, INSUFFICIENT_POINTS."""
        ...

    async def cancel(
        self, request: RequestKey, transaction_id: str, reason: str, deadline: float | None
    ) -> ChangeAnswer:
        """Give the points of a redemption back. TRANSACTION_NOT_FOUND, NOT_REVERSIBLE, ALREADY_REVERSED."""
        ...


class Holds(Protocol):
    """Sets points aside, and captures or releases them."""

    async def create(self, command: CreateHoldCommand, deadline: float | None) -> ChangeAnswer:
        """Set points aside. USER_NOT_FOUND, INSUFFICIENT_POINTS, INVALID_FIELD."""
        ...

    async def capture(
        self, request: RequestKey, hold_id: str, points: int, deadline: float | None
    ) -> ChangeAnswer:
        """Spend points of a hold, 0: all. HOLD_NOT_FOUND, HOLD_NOT_ACTIVE, HOLD_EXCEEDED, INSUFFICIENT_POINTS."""
        ...

    async def release(self, request: RequestKey, hold_id: str, deadline: float | None) -> ChangeAnswer:
        """Give the points of a hold free. HOLD_NOT_FOUND, HOLD_NOT_ACTIVE."""
        ...


class SpendingServicer:
    """Redeems points, cancels redemptions, and holds points."""

    service = methods.REWARDS

    def __init__(self, spending: Spending, holds: Holds) -> None:
        self._spending = spending
        self._holds = holds

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
        answer = await self._spending.cancel(
            request_key(request, call.caller), request.transaction_id, request.reason, call.deadline
        )
        response = CancelRedemptionResponse()
        write_entry_answer(response, answer)
        return response

    async def CreateHold(self, request: CreateHoldRequest, call: CallContext) -> CreateHoldResponse:
        """Set points aside."""
        answer = await self._holds.create(read_hold(request, call.caller), call.deadline)
        response = CreateHoldResponse()
        write_hold_answer(response, answer)
        return response

    async def CaptureHold(self, request: CaptureHoldRequest, call: CallContext) -> CaptureHoldResponse:
        """Spend points of a hold and release the rest."""
        answer = await self._holds.capture(
            request_key(request, call.caller), request.hold_id, request.points, call.deadline
        )
        response = CaptureHoldResponse()
        write_entry_answer(response, answer)
        write_hold_answer(response, answer)
        return response

    async def ReleaseHold(self, request: ReleaseHoldRequest, call: CallContext) -> ReleaseHoldResponse:
        """Give the points of a hold free."""
        answer = await self._holds.release(request_key(request, call.caller), request.hold_id, call.deadline)
        response = ReleaseHoldResponse()
        write_hold_answer(response, answer)
        return response
