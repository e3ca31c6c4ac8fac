"""Expiry: posts what has expired, closes holds that timed out, and warns before points are lost.

Points and holds count by the clock for everybody who looks; this only writes down what is so already. Each lot and hold
is settled under its user's lock, so it does not matter how often this runs, at how many places, or where it is killed.
"""

import hashlib
from collections.abc import Callable, Sequence

from laurel_server.domain.clock import Clock
from laurel_server.domain.commands import ChangeAnswer, Command
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.expiry import ExpireLotCommand
from laurel_server.domain.holdings import Hold
from laurel_server.domain.holds import ExpireHoldCommand
from laurel_server.domain.identifiers import is_user_id
from laurel_server.pacing import COMMANDS_AT_ONCE, resting
from laurel_server.postgres import expiry
from laurel_server.postgres.expiry import DueLot
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.rewards.commands import Commands

CALLER = "laurel"
FAMILY = "expire"

_OVERTAKEN = frozenset({Reason.HOLD_NOT_ACTIVE, Reason.USER_NOT_FOUND})
"""A hold was closed, or its user erased, after it was found: the next run finds what is left under his number."""


class Expiry:
    """Sweeps lots and holds. `days_before`: how many days before the expiry of points their owners are warned."""

    def __init__(self, commands: Commands, pool: Pool, clock: Clock, days_before: Sequence[int]) -> None:
        self._commands = commands
        self._pool = pool
        self._clock = clock
        self._days_before = days_before

    async def run(self, tell: Callable[[dict[str, int]], None] = lambda _: None) -> dict[str, int]:
        """Do all that is due and return the counts: lots, points, holds, warnings. LEDGER_UNAVAILABLE."""
        now = self._clock.now()
        counts = {"lots": 0, "points": 0, "holds": 0, "warnings": 0}
        async with ledger_errors():
            async for holds in expiry.due_holds(self._pool, now):
                counts["holds"] += len(await self._carry_out([_hold_command(hold) for hold in holds]))
                tell(counts)
            async for lots in expiry.due_lots(self._pool, now):
                swept = await self._carry_out([_lot_command(lot) for lot in lots])
                entries = [answer.entry for answer in swept if answer.entry and not answer.replayed]
                counts["lots"] += len(entries)
                counts["points"] -= sum(entry.points for entry in entries)
                tell(counts)
            async for warnings in expiry.warn(self._pool, now, self._days_before):
                counts["warnings"] += warnings
                tell(counts)
        return counts

    async def _carry_out(self, commands: Sequence[Command]) -> list[ChangeAnswer]:
        """Carry out commands; those that somebody else was faster than are left out."""
        done: list[ChangeAnswer] = []
        for start in range(0, len(commands), COMMANDS_AT_ONCE):
            async with resting():
                results = await self._commands.submit_behind(
                    commands[start : start + COMMANDS_AT_ONCE], FAMILY
                )
            for result in results:
                if isinstance(result, ChangeAnswer):
                    done.append(result)
                elif not isinstance(result, LaurelError) or result.reason not in _OVERTAKEN:
                    raise result if isinstance(result, Exception) else TypeError(result)
        return done


def _lot_command(due: DueLot) -> ExpireLotCommand:
    # A lot may expire again after a cancelled redemption has filled it; the user's version is another then.
    request_id = f"expire:{due.lot.lot_id}:{due.version}{_mark(due.user_id)}"
    return ExpireLotCommand(
        caller=CALLER,
        request_id=request_id,
        user_id=due.user_id,
        request_hash=_digest(request_id),
        lot=due.lot,
    )


def _hold_command(hold: Hold) -> ExpireHoldCommand:
    request_id = f"expire-hold:{hold.hold_id}{_mark(hold.user_id)}"
    return ExpireHoldCommand(
        caller=CALLER,
        request_id=request_id,
        user_id=hold.user_id,
        request_hash=_digest(request_id),
        held=hold,
    )


def _mark(user_id: str) -> str:
    """Return what tells requests about erased people apart: who is erased after he was found is refused for ever."""
    return "" if is_user_id(user_id) else ":erased"


def _digest(request_id: str) -> bytes:
    return hashlib.blake2b(request_id.encode(), digest_size=16).digest()
