"""CreateHold, CaptureHold and ReleaseHold."""

from functools import partial

from laurel_server.domain.commands import ChangeAnswer, RequestKey
from laurel_server.domain.holdings import Hold
from laurel_server.domain.holds import (
    CaptureHoldCommand,
    CreateHoldCommand,
    ReleaseHoldCommand,
    hold_not_found,
)
from laurel_server.domain.identifiers import parse_hold_id
from laurel_server.postgres.holdings import read_holds
from laurel_server.postgres.lookups import Lookups
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.rewards.commands import Commands
from laurel_server.rewards.unknown import answered_once

CAPTURE, RELEASE = "capture_hold", "release_hold"
"""The families of the request ids of CaptureHold and ReleaseHold."""


class Holds:
    """Sets points aside, and captures or releases them."""

    def __init__(self, commands: Commands, pool: Pool) -> None:
        self._commands = commands
        self._pool = pool
        self._kept = Lookups[Hold](partial(read_holds, pool))

    async def create(self, command: CreateHoldCommand, deadline: float | None) -> ChangeAnswer:
        """Set points aside. USER_NOT_FOUND, INSUFFICIENT_POINTS, INVALID_FIELD."""
        return await self._commands.carry_out(command, "create_hold", deadline)

    async def capture(
        self, request: RequestKey, hold_id: str, points: int, deadline: float | None
    ) -> ChangeAnswer:
        """Spend points of a hold, 0: all.

        HOLD_NOT_FOUND, USER_NOT_FOUND for one who was erased, HOLD_NOT_ACTIVE, HOLD_EXCEEDED, INSUFFICIENT_POINTS.
        """
        async with answered_once(self._pool, request, CAPTURE):
            held = await self._find(hold_id)
        command = CaptureHoldCommand(**request._asdict(), user_id=held.user_id, held=held, points=points)
        return await self._commands.carry_out(command, CAPTURE, deadline)

    async def release(self, request: RequestKey, hold_id: str, deadline: float | None) -> ChangeAnswer:
        """Give the points of a hold free. HOLD_NOT_FOUND, USER_NOT_FOUND for one who was erased, HOLD_NOT_ACTIVE."""
        async with answered_once(self._pool, request, RELEASE):
            held = await self._find(hold_id)
        command = ReleaseHoldCommand(**request._asdict(), user_id=held.user_id, held=held)
        return await self._commands.carry_out(command, RELEASE, deadline)

    async def _find(self, hold_id: str) -> Hold:
        number = parse_hold_id(hold_id)
        async with ledger_errors():
            held = await self._kept.find(number)
        if held is None:
            raise hold_not_found(number)
        return held
