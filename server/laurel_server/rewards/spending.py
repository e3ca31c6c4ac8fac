"""RedeemPoints and CancelRedemption."""

from functools import partial

from laurel_server.domain.commands import ChangeAnswer, RequestKey
from laurel_server.domain.identifiers import parse_transaction_id
from laurel_server.domain.lots import Debit
from laurel_server.domain.spending import CancelRedemptionCommand, RedeemCommand
from laurel_server.postgres.holdings import read_debits_of
from laurel_server.postgres.lookups import Lookups
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.rewards.commands import Commands
from laurel_server.rewards.statement import Statement
from laurel_server.rewards.unknown import answered_once

REDEEM, CANCEL = "redeem", "cancel_redemption"
"""The families of the request ids of RedeemPoints and CancelRedemption."""


class Spending:
    """Spends points and gives them back."""

    def __init__(self, commands: Commands, statement: Statement, pool: Pool) -> None:
        self._commands = commands
        self._statement = statement
        self._pool = pool
        self._debits = Lookups[list[Debit]](partial(read_debits_of, pool))

    async def redeem(self, command: RedeemCommand, deadline: float | None) -> ChangeAnswer:
        """Spend points. USER_NOT_FOUND, INSUFFICIENT_POINTS."""
        return await self._commands.carry_out(command, REDEEM, deadline)

    async def cancel(
        self, request: RequestKey, transaction_id: str, reason: str, deadline: float | None
    ) -> ChangeAnswer:
        """Give the points of a redemption back.

        TRANSACTION_NOT_FOUND, USER_NOT_FOUND for one who was erased, NOT_REVERSIBLE, ALREADY_REVERSED.
        """
        async with answered_once(self._pool, request, CANCEL):
            stored = await self._statement.stored(parse_transaction_id(transaction_id))
        original = stored.entry
        async with ledger_errors():
            debits = await self._debits.find(original.transaction_id) or []
        command = CancelRedemptionCommand(
            **request._asdict(),
            user_id=original.user_id,
            user_no=stored.user_no,
            original=original,
            debits=debits,
            reason=reason,
        )
        return await self._commands.carry_out(command, CANCEL, deadline)
