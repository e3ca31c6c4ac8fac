"""The rewards side of a deployment as its callers see it: calls that are sent again until there is an answer."""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial
from typing import Any

import grpc

from laurel.admin.v1.admin_service_pb2 import PutActionConfigRequest, VerifyIntegrityRequest
from laurel.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from laurel.admin.v1.jobs_pb2 import RunJobRequest
from laurel.admin.v1.rules_pb2 import ActionConfig
from laurel.rewards.v1.corrections_pb2 import AdjustPointsRequest, ReverseTransactionRequest
from laurel.rewards.v1.holds_pb2 import CaptureHoldRequest, CreateHoldRequest, ReleaseHoldRequest
from laurel.rewards.v1.rewards_service_pb2 import (
    AwardPointsRequest,
    GetRewardsRequest,
    GetTransactionRequest,
)
from laurel.rewards.v1.rewards_service_pb2_grpc import RewardsServiceStub
from laurel.rewards.v1.spending_pb2 import CancelRedemptionRequest, RedeemPointsRequest
from laurel.sandbox.v1.sandbox_service_pb2 import GetClockRequest, SetClockRequest
from laurel.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from laurel.type.v1.tier_pb2 import Tier
from tests.faults.deployment import RETRYABLE, Deployment
from tests.integration.rewards.compared_ledger import Answer, Balances, Call, balances_of
from tests.integration.rpc.harness import refusal_of

SECONDS = 30.0
"""How long one attempt may take."""


class Service:
    """Makes calls of a deployment. Each `*_call` returns a request that can be sent again and again."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._rewards = RewardsServiceStub(deployment.channel)
        self._admin = AdminServiceStub(deployment.channel)
        self._sandbox = SandboxServiceStub(deployment.channel)

    async def send(self, call: Call, patience: float = 60) -> tuple[Any, str]:
        """Send a request until it is answered; return the answer, or None and the reason why it was refused."""
        deadline = asyncio.get_running_loop().time() + patience
        while True:
            try:
                return await call(), ""
            except grpc.aio.AioRpcError as error:
                if error.code() not in RETRYABLE or asyncio.get_running_loop().time() > deadline:
                    return None, reason_of(error)
            await asyncio.sleep(0.05)

    async def put_gift(self, action: str, expires_after: str) -> None:
        """Make an action that gives what its attribute says, whatever the tier."""
        config = ActionConfig(
            action=action,
            points_formula="points",
            expires_after=expires_after,
            active=True,
            tier_multipliers={name.removeprefix("TIER_"): "1" for name in Tier.keys()[1:]},
        )
        await self._admin.PutActionConfig(PutActionConfigRequest(config=config, actor="tests"))

    async def now(self) -> datetime:
        """Return what the clock of the server says."""
        moment: datetime = (await self._sandbox.GetClock(GetClockRequest())).now.ToDatetime()
        return moment

    async def set_clock(self, now: datetime) -> None:
        """Move the clock."""
        request = SetClockRequest()
        request.now.FromDatetime(now)
        await self._sandbox.SetClock(request)

    def read(self, answer: Any) -> Answer:
        """Return the answer in the words of the machine."""
        entry, hold = getattr(answer, "transaction", None), getattr(answer, "hold", None)
        return Answer(
            balances=balances_of(answer.rewards, _tier(answer.rewards.tier)),
            points=0 if entry is None else entry.points,
            entry_id="" if entry is None else entry.transaction_id,
            hold_id="" if hold is None else hold.hold_id,
            replayed=answer.replayed,
            kept=answer.rewards,
        )

    async def balances(self, user_ids: Collection[str]) -> dict[str, Balances]:
        """Return what those of the users have who are known."""
        found: dict[str, Balances] = {}
        for user_id in user_ids:
            request = GetRewardsRequest(user_id=user_id)
            answer, reason = await self.send(partial(self._rewards.GetRewards, request, timeout=SECONDS))
            assert reason in {"", "USER_NOT_FOUND"}, reason
            if not reason:
                found[user_id] = balances_of(answer.rewards, _tier(answer.rewards.tier))
        return found

    async def reversed_points(self, transaction_id: str) -> int:
        """Return how much of an entry has been reversed."""
        request = GetTransactionRequest(transaction_id=transaction_id)
        answer, reason = await self.send(lambda: self._rewards.GetTransaction(request, timeout=SECONDS))
        assert not reason, reason
        return int(answer.transaction.reversed_points)

    async def wrongs(self) -> list[str]:
        """Return what VerifyIntegrity finds, once the boards can be compared."""
        answer, reason = await self.send(
            lambda: self._admin.VerifyIntegrity(VerifyIntegrityRequest(), timeout=60)
        )
        assert not reason, reason
        return [f"{check.name}: {check.detail}" for check in answer.checks if not check.ok]

    async def expire(self, key: str) -> None:
        """Run the sweep of what has expired, of all users."""
        request = RunJobRequest(request_id=key, job="expire_points")
        _, reason = await self.send(lambda: self._admin.RunJob(request, timeout=60))
        assert not reason, reason

    def award_call(
        self, key: str, user_id: str, points: int, action: str, activates_at: datetime | None
    ) -> Call:
        """Return an award."""
        request = AwardPointsRequest(
            request_id=key, user_id=user_id, action=action, attributes={"points": str(points)}
        )
        if activates_at is not None:
            request.activates_at.FromDatetime(activates_at)
        return lambda: self._rewards.AwardPoints(request, timeout=SECONDS)

    def adjust_call(self, key: str, user_id: str, points: int, expires_at: datetime | None) -> Call:
        """Return an adjustment."""
        request = AdjustPointsRequest(
            request_id=key, user_id=user_id, points=points, actor="olga", reason="goodwill"
        )
        if expires_at is not None:
            request.expires_at.FromDatetime(expires_at)
        return lambda: self._rewards.AdjustPoints(request, timeout=SECONDS)

    def redeem_call(self, key: str, user_id: str, points: int) -> Call:
        """Return a redemption."""
        request = RedeemPointsRequest(request_id=key, user_id=user_id, points=points)
        return lambda: self._rewards.RedeemPoints(request, timeout=SECONDS)

    def cancel_call(self, key: str, transaction_id: str) -> Call:
        """Return the cancellation of a redemption."""
        request = CancelRedemptionRequest(request_id=key, transaction_id=transaction_id)
        return lambda: self._rewards.CancelRedemption(request, timeout=SECONDS)

    def reverse_call(self, key: str, transaction_id: str, points: int, part: Fraction, policy: int) -> Call:
        """Return a reversal."""
        request = ReverseTransactionRequest(
            request_id=key,
            transaction_id=transaction_id,
            points=points,
            numerator=str(part.numerator) if part else "",
            denominator=str(part.denominator) if part else "",
            policy=policy,  # type: ignore[arg-type] # a number of the contract
        )
        return lambda: self._rewards.ReverseTransaction(request, timeout=SECONDS)

    def hold_call(self, key: str, user_id: str, points: int, lasting: timedelta) -> Call:
        """Return a hold."""
        request = CreateHoldRequest(request_id=key, user_id=user_id, points=points)
        request.timeout.FromTimedelta(lasting)
        return lambda: self._rewards.CreateHold(request, timeout=SECONDS)

    def capture_call(self, key: str, hold_id: str, points: int) -> Call:
        """Return the capture of a hold."""
        request = CaptureHoldRequest(request_id=key, hold_id=hold_id, points=points)
        return lambda: self._rewards.CaptureHold(request, timeout=SECONDS)

    def release_call(self, key: str, hold_id: str) -> Call:
        """Return the release of a hold."""
        request = ReleaseHoldRequest(request_id=key, hold_id=hold_id)
        return lambda: self._rewards.ReleaseHold(request, timeout=SECONDS)


def _tier(tier: Tier.ValueType) -> str:
    return Tier.Name(tier).removeprefix("TIER_")


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """Return the reason that a refusal carries."""
    info = refusal_of(error).info
    assert info is not None, error
    return str(info.reason)
