"""Commands other than awards: requests as commands, answers as messages."""

from fractions import Fraction
from typing import TypeAlias

from laurel.rewards.v1 import corrections_pb2, holds_pb2
from laurel.rewards.v1.corrections_pb2 import (
    AdjustPointsRequest,
    AdjustPointsResponse,
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
from laurel.rewards.v1.spending_pb2 import (
    CancelRedemptionRequest,
    CancelRedemptionResponse,
    RedeemPointsRequest,
    RedeemPointsResponse,
)
from laurel.type.v1.board_pb2 import RankState
from laurel_server.domain.adjustments import AdjustCommand
from laurel_server.domain.commands import ChangeAnswer, RequestKey
from laurel_server.domain.errors import invalid_field
from laurel_server.domain.holdings import Hold
from laurel_server.domain.holds import CreateHoldCommand
from laurel_server.domain.reversals import ReversalPolicy, ReversalRequest
from laurel_server.domain.spending import RedeemCommand
from laurel_server.rpc.convert.awards import request_hash, write_entry, write_rewards, write_tier_change
from laurel_server.rpc.convert.boards import write_rank
from laurel_server.rpc.convert.times import read_duration, read_ledger_moment, write_moment

Request: TypeAlias = (
    RedeemPointsRequest
    | CancelRedemptionRequest
    | CreateHoldRequest
    | CaptureHoldRequest
    | ReleaseHoldRequest
    | ReverseTransactionRequest
    | AdjustPointsRequest
)
EntryResponse: TypeAlias = (
    RedeemPointsResponse
    | CancelRedemptionResponse
    | CaptureHoldResponse
    | ReverseTransactionResponse
    | AdjustPointsResponse
)
HoldResponse: TypeAlias = CreateHoldResponse | CaptureHoldResponse | ReleaseHoldResponse


def request_key(request: Request, caller: str) -> RequestKey:
    """Return who asks for what under which id."""
    return RequestKey(caller, request.request_id, request_hash(request))


def read_redemption(request: RedeemPointsRequest, caller: str) -> RedeemCommand:
    """Return the command that a valid `request` asks for."""
    return RedeemCommand(
        **request_key(request, caller)._asdict(),
        user_id=request.user_id,
        points=request.points,
        reference_id=request.reference_id,
        reason=request.reason,
    )


def read_hold(request: CreateHoldRequest, caller: str) -> CreateHoldCommand:
    """Return the command that a valid `request` asks for."""
    return CreateHoldCommand(
        **request_key(request, caller)._asdict(),
        user_id=request.user_id,
        points=request.points,
        timeout=read_duration(request, "timeout"),
        reference_id=request.reference_id,
        reason=request.reason,
    )


def read_adjustment(request: AdjustPointsRequest, caller: str) -> AdjustCommand:
    """Return the command that a valid `request` asks for."""
    return AdjustCommand(
        **request_key(request, caller)._asdict(),
        user_id=request.user_id,
        points=request.points,
        actor=request.actor,
        reason=request.reason,
        expires_at=read_ledger_moment(request, "expires_at"),
    )


def read_reversal(request: ReverseTransactionRequest) -> ReversalRequest:
    """Return what a valid `request` asks to take back. INVALID_FIELD for a part that is none."""
    return ReversalRequest(
        request.transaction_id,
        request.points,
        _part(request),
        ReversalPolicy(request.policy or ReversalPolicy.CLAMP),
        request.reason,
    )


def _part(request: ReverseTransactionRequest) -> Fraction:
    if not request.numerator and not request.denominator:
        return Fraction()
    if request.points:
        raise invalid_field("points", "must not be set beside numerator and denominator")
    for name in ("numerator", "denominator"):
        if not Fraction(getattr(request, name) or 0):
            raise invalid_field(name, "must be above 0, and come with the other one")
    part = Fraction(request.numerator) / Fraction(request.denominator)
    if part > 1:
        raise invalid_field("numerator", "must not be above the denominator")
    return part


def write_entry_answer(target: EntryResponse, answer: ChangeAnswer) -> None:
    """Fill the empty `target` with what a command did to the ledger."""
    if answer.entry is not None:
        write_entry(target.transaction, answer.entry)
    write_rewards(target.rewards, answer.rewards)
    target.replayed = answer.replayed


def write_hold_answer(target: HoldResponse, answer: ChangeAnswer) -> None:
    """Fill the empty `target` with what a command did to a hold."""
    if answer.hold is not None:
        write_hold(target.hold, answer.hold)
    write_rewards(target.rewards, answer.rewards)
    target.replayed = answer.replayed


def write_hold(target: holds_pb2.Hold, hold: Hold) -> None:
    """Fill the empty `target` with a hold."""
    target.hold_id = str(hold.hold_id)
    target.user_id = hold.user_id
    target.points = hold.points
    target.captured_points = hold.captured_points
    target.state = holds_pb2.HoldState.ValueType(hold.state)
    write_moment(target.expires_at, hold.expires_at)


def write_reversal_answer(target: corrections_pb2.ReverseTransactionResponse, answer: ChangeAnswer) -> None:
    """Fill the empty `target` with what a reversal did."""
    write_entry_answer(target, answer)
    for rank in answer.ranks:
        write_rank(target.ranks.add(), rank)
    if answer.tier_change is not None:
        write_tier_change(target.tier_change, answer.tier_change)
    target.rank_state = RankState.ValueType(answer.rank_state)
