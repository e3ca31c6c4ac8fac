"""RedeemPoints and CancelRedemption."""

from laurel_server.domain.commands import ChangeAnswer, RequestKey
from laurel_server.domain.spending import CancelRedemptionCommand, RedeemCommand
from laurel_server.postgres.holdings import read_debits
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.rewards.commands import Commands
from laurel_server.rewards.statement import Statement


class Spending:
    """Spends points and gives them back."""

    def __init__(self, commands: Commands, statement: Statement, pool: Pool) -> None:
        self._commands = commands
        self._statement = statement
        self._pool = pool

    async def redeem(self, command: RedeemCommand, deadline: float | None) -> ChangeAnswer:
        """Spend points. USER_NOT_FOUND, INSUFFICIENT_POINTS."""
        return await self._commands.carry_out(command, "redeem", deadline)

    async def cancel(
        self, request: RequestKey, transaction_id: int, reason: str, deadline: float | None
    ) -> ChangeAnswer:
        """Give the points of a redemption back. TRANSACTION_NOT_FOUND, NOT_REVERSIBLE, ALREADY_REVERSED."""
        original = await self._statement.transaction(transaction_id)
        async with ledger_errors():
            debits = await read_debits(self._pool, transaction_id)
        command = CancelRedemptionCommand(
            **request._asdict(), user_id=original.user_id, original=original, debits=debits, reason=reason
        )
        return await self._commands.carry_out(command, "cancel_redemption", deadline)
