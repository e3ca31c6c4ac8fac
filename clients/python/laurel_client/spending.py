"""RewardsService: what takes points, and what puts entries right."""

from datetime import datetime, timedelta
from decimal import Decimal

from google.protobuf.duration_pb2 import Duration

from laurel.rewards.v1.corrections_pb2 import (
    AdjustPointsRequest,
    AdjustPointsResponse,
    ReversalPolicy,
    ReverseTransactionRequest,
    ReverseTransactionResponse,
)
from laurel.rewards.v1.holds_pb2 import (
    CaptureHoldRequest,
    CaptureHoldResponse,
    CreateHoldRequest,
    CreateHoldResponse,
    ReleaseHoldRequest,
    ReleaseHoldResponse,
)
from laurel.rewards.v1.rewards_service_pb2_grpc import RewardsServiceStub
from laurel.rewards.v1.spending_pb2 import (
    CancelRedemptionRequest,
    CancelRedemptionResponse,
    RedeemPointsRequest,
    RedeemPointsResponse,
)
from laurel_client.caller import Caller
from laurel_client.requests import new_request_id, timestamp


class Spending:
    """Each counts once under its request_id; without one given it has one that nobody else has."""

    def __init__(self, stub: RewardsServiceStub, caller: Caller) -> None:
        self._stub = stub
        self._caller = caller

    async def redeem_points(
        self, user_id: str, points: int, *, reference_id: str = "", reason: str = "", request_id: str = ""
    ) -> RedeemPointsResponse:
        """Spend points, those that expire soonest first."""
        request = RedeemPointsRequest(
            request_id=request_id or new_request_id(),
            user_id=user_id,
            points=points,
            reference_id=reference_id,
            reason=reason,
        )
        return await self._caller.call(self._stub.RedeemPoints, request)

    async def cancel_redemption(
        self, transaction_id: str, *, reason: str = "", request_id: str = ""
    ) -> CancelRedemptionResponse:
        """Give back what a redemption took, as it was: with the original expiry."""
        request = CancelRedemptionRequest(
            request_id=request_id or new_request_id(), transaction_id=transaction_id, reason=reason
        )
        return await self._caller.call(self._stub.CancelRedemption, request)

    async def create_hold(
        self,
        user_id: str,
        points: int,
        *,
        timeout: timedelta | None = None,  # noqa: ASYNC109 - of the hold, not of the call
        reference_id: str = "",
        reason: str = "",
        request_id: str = "",
    ) -> CreateHoldResponse:
        """Set points aside until they are captured or released, or for `timeout` (15 minutes without one)."""
        request = CreateHoldRequest(
            request_id=request_id or new_request_id(),
            user_id=user_id,
            points=points,
            timeout=_duration(timeout),
            reference_id=reference_id,
            reason=reason,
        )
        return await self._caller.call(self._stub.CreateHold, request)

    async def capture_hold(
        self, hold_id: str, points: int = 0, *, request_id: str = ""
    ) -> CaptureHoldResponse:
        """Spend what is held, all of it or `points`; the rest is released."""
        request = CaptureHoldRequest(
            request_id=request_id or new_request_id(), hold_id=hold_id, points=points
        )
        return await self._caller.call(self._stub.CaptureHold, request)

    async def release_hold(self, hold_id: str, *, request_id: str = "") -> ReleaseHoldResponse:
        """Make what is held available again."""
        request = ReleaseHoldRequest(request_id=request_id or new_request_id(), hold_id=hold_id)
        return await self._caller.call(self._stub.ReleaseHold, request)

    async def reverse_transaction(
        self,
        transaction_id: str,
        points: int = 0,
        *,
        part: tuple[Decimal, Decimal] | None = None,
        policy: ReversalPolicy.ValueType = ReversalPolicy.REVERSAL_POLICY_UNSPECIFIED,
        reason: str = "",
        request_id: str = "",
    ) -> ReverseTransactionResponse:
        """Take back an award: all that is left of it, `points` of it, or a `part`, such as (refunded, order amount)."""
        numerator, denominator = map(str, part) if part else ("", "")
        request = ReverseTransactionRequest(
            request_id=request_id or new_request_id(),
            transaction_id=transaction_id,
            points=points,
            numerator=numerator,
            denominator=denominator,
            policy=policy,
            reason=reason,
        )
        return await self._caller.call(self._stub.ReverseTransaction, request)

    async def adjust_points(
        self,
        user_id: str,
        points: int,
        *,
        actor: str,
        reason: str,
        expires_at: datetime | None = None,
        request_id: str = "",
    ) -> AdjustPointsResponse:
        """Give (+) or take (-) points by hand."""
        request = AdjustPointsRequest(
            request_id=request_id or new_request_id(),
            user_id=user_id,
            points=points,
            actor=actor,
            reason=reason,
            expires_at=timestamp(expires_at),
        )
        return await self._caller.call(self._stub.AdjustPoints, request)


def _duration(length: timedelta | None) -> Duration | None:
    if length is None:
        return None
    message = Duration()
    message.FromTimedelta(length)
    return message
