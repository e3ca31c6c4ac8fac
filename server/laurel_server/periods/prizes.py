"""Paying winners through the group commit, each exactly once."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import structlog

from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.boards import BoardKey, is_score_board
from laurel_server.domain.closing import winner_action
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.wording import counted
from laurel_server.pacing import COMMANDS_AT_ONCE, resting
from laurel_server.postgres.closing import Payment, UnpaidWinner, note_payments, unpaid_winners
from laurel_server.postgres.pool import Pool

log = structlog.get_logger()

CALLER = "laurel"
"""Who has created the entries of prizes."""

_PASSING = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED", "INTERNAL"})
"""Codes of refusals after which the payment is tried again."""


class Awards(Protocol):
    """Makes awards."""

    async def grant(self, commands: Sequence[AwardCommand]) -> Sequence[object]:
        """Make awards that Laurel itself gives; an answer each, or the error in its place, in order."""
        ...


async def pay_winners(pool: Pool, awards: Awards, period_id: str, end: datetime) -> int:
    """Pay the winners of a frozen period who are not paid yet and return how many were.

    A payment is known by its `request_id`, and by its entry: whoever dies between the payment and the note of it, and
    whenever it goes on, nobody is paid twice. Who was erased since gets nothing. Raises what kept a payment from being
    made.
    """
    paid = 0
    while winners := await unpaid_winners(pool, period_id, COMMANDS_AT_ONCE, end):
        owed = [winner for winner in winners if winner.is_owed]
        async with resting():
            results = await awards.grant([_command(winner) for winner in owed])
        made = [_payment(winner, result) for winner, result in zip(owed, results, strict=True)]
        settled = [_settled(winner) for winner in winners if not winner.is_owed]
        await note_payments(pool, (*made, *settled))
        paid += sum(payment.refusal is None for payment in made)
    return paid


def _command(winner: UnpaidWinner) -> AwardCommand:
    scope, period_id = winner.board
    body = f"{winner.request_id} {winner.rank} {winner.bonus_points}".encode()
    return AwardCommand(
        caller=CALLER,
        request_id=winner.request_id,
        user_id=winner.user_id,
        action=winner_action(winner.board),
        attributes={"granted_points": str(winner.bonus_points), "rank": str(winner.rank)},
        request_hash=hashlib.blake2b(body, digest_size=16).digest(),
        reference_id=reference(winner.board),
        reason=f"Rank {winner.rank} of {scope}, {period_id}, with {_score(winner)}",
        granted_points=winner.bonus_points,
        user_no=winner.user_no,
    )


def _score(winner: UnpaidWinner) -> str:
    return (
        f"a score of {winner.score}" if is_score_board(winner.board.scope) else counted(winner.score, "point")
    )


def reference(board: BoardKey) -> str:
    """Return what the entry of a prize refers to."""
    return f"{board.scope}/{board.period_id}"


def _settled(winner: UnpaidWinner) -> Payment:
    """Return how one who is not to be paid was: by an entry that was found, or never as he is gone."""
    refusal = Reason.USER_NOT_FOUND if winner.transaction_id is None else None
    return Payment(winner.board, winner.user_no, winner.transaction_id, refusal)


def _payment(winner: UnpaidWinner, result: object) -> Payment:
    if isinstance(result, AwardAnswer):
        return Payment(winner.board, winner.user_no, result.entry.transaction_id, None)
    if not isinstance(result, LaurelError) or result.reason.code in _PASSING:
        raise result if isinstance(result, Exception) else TypeError(result)
    log.error("prize.refused", user_id=winner.user_id, board=reference(winner.board), reason=result.reason)
    return Payment(winner.board, winner.user_no, None, result.reason)
