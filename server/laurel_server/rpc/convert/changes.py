"""Commands other than awards: requests as commands, answers as messages."""

from typing import TypeAlias

from laurel.rewards.v1.spending_pb2 import (
    CancelRedemptionRequest,
    CancelRedemptionResponse,
    RedeemPointsRequest,
    RedeemPointsResponse,
)
from laurel_server.domain.commands import ChangeAnswer, RequestKey
from laurel_server.domain.spending import RedeemCommand
from laurel_server.rpc.convert.awards import request_hash, write_entry, write_rewards

Request: TypeAlias = RedeemPointsRequest | CancelRedemptionRequest
EntryResponse: TypeAlias = RedeemPointsResponse | CancelRedemptionResponse


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


def write_entry_answer(target: EntryResponse, answer: ChangeAnswer) -> None:
    """Fill the empty `target` with what a command did to the ledger."""
    if answer.entry is not None:
        write_entry(target.transaction, answer.entry)
    write_rewards(target.rewards, answer.rewards)
    target.replayed = answer.replayed
