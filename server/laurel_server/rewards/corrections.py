"""ReverseTransaction and AdjustPoints: corrections of what the ledger says."""

from laurel_server.domain.adjustments import AdjustCommand
from laurel_server.domain.commands import ChangeAnswer, RequestKey
from laurel_server.domain.identifiers import parse_transaction_id
from laurel_server.domain.reversals import ReversalRequest, ReverseCommand
from laurel_server.postgres.pool import Pool
from laurel_server.rewards.commands import Commands
from laurel_server.rewards.statement import Statement
from laurel_server.rewards.unknown import answered_once

REVERSE = "reverse"
"""The family of the request ids of ReverseTransaction."""


class Corrections:
    """Reverses entries, and gives or takes points by hand."""

    def __init__(self, commands: Commands, statement: Statement, pool: Pool) -> None:
        self._commands = commands
        self._statement = statement
        self._pool = pool

    async def reverse(
        self, request: RequestKey, asked: ReversalRequest, deadline: float | None
    ) -> ChangeAnswer:
        """Take back what an entry gave.

        TRANSACTION_NOT_FOUND, USER_NOT_FOUND for one who was erased, NOT_REVERSIBLE, ALREADY_REVERSED.
        """
        async with answered_once(self._pool, request, REVERSE):
            stored = await self._statement.stored(parse_transaction_id(asked.transaction_id))
        command = ReverseCommand(
            **request._asdict(),
            user_id=stored.entry.user_id,
            user_no=stored.user_no,
            original=stored.entry,
            counted=stored.period_ids,
            points=asked.points,
            part=asked.part,
            policy=asked.policy,
            reason=asked.reason,
        )
        return await self._commands.carry_out(command, REVERSE, deadline)

    async def adjust(self, command: AdjustCommand, deadline: float | None) -> ChangeAnswer:
        """Give or take points by hand. USER_NOT_FOUND, INSUFFICIENT_POINTS, INVALID_FIELD."""
        return await self._commands.carry_out(command, "adjust", deadline)
