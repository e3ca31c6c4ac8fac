"""The ledger of a server in this process, as the machine reaches it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from fractions import Fraction

from laurel_server.domain.awards import AwardAnswer
from laurel_server.domain.commands import ChangeAnswer
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.reversals import ReversalPolicy
from laurel_server.runtime.wiring import Parts
from tests.integration import spend
from tests.integration.rewards.compared_ledger import Answer, Balances, Call, balances_of
from tests.integration.wired import give


class LedgerInProcess:
    """Calls the use cases of `parts`, which are others after each restart."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    async def send(self, call: Call) -> tuple[AwardAnswer | ChangeAnswer | None, str]:
        """Return the answer, or None and the reason why it was refused."""
        try:
            return await call(), ""
        except LaurelError as refused:
            return None, refused.reason.value

    def read(self, answer: AwardAnswer | ChangeAnswer) -> Answer:
        """Return the answer in the words of the machine."""
        entry, hold = answer.entry, answer.hold if isinstance(answer, ChangeAnswer) else None
        return Answer(
            balances=balances_of(answer.rewards, answer.rewards.tier.name),
            points=0 if entry is None else entry.points,
            entry_id="" if entry is None else str(entry.transaction_id),
            hold_id="" if hold is None else str(hold.hold_id),
            replayed=answer.replayed,
            kept=(entry, answer.rewards),
        )

    async def balances(self, user_ids: Collection[str]) -> dict[str, Balances]:
        """Return what those of the users have who are known."""
        found = await self.parts.statement.rewards_of(user_ids)
        return {user_id: balances_of(rewards, rewards.tier.name) for user_id, rewards in found.items()}

    async def reversed_points(self, entry_id: str) -> int:
        """Return how much of an entry has been reversed."""
        return (await self.parts.statement.transaction(int(entry_id))).reversed_points

    async def set_clock(self, now: datetime) -> None:
        """Move the clock."""
        assert self.parts.clock is not None
        await self.parts.clock.set(now)

    async def expire(self, _key: str) -> tuple[int, int]:
        """Sweep what has expired; return how many lots and points."""
        counts = await self.parts.expiry.run()
        return counts["lots"], counts["points"]

    def award_call(
        self, key: str, user_id: str, points: int, action: str, activates_at: datetime | None
    ) -> Call:
        """Return an award."""
        return lambda: give(
            self.parts, user_id, points, action=action, activates_at=activates_at, request_id=key
        )

    def adjust_call(self, key: str, user_id: str, points: int, expires_at: datetime | None) -> Call:
        """Return an adjustment."""
        return lambda: spend.adjust(self.parts, user_id, points, expires_at, request_id=key)

    def redeem_call(self, key: str, user_id: str, points: int) -> Call:
        """Return a redemption."""
        return lambda: spend.redeem(self.parts, user_id, points, request_id=key)

    def cancel_call(self, key: str, entry_id: str) -> Call:
        """Return the cancellation of a redemption."""
        return lambda: self.parts.spending.cancel(spend.key(key, entry_id), entry_id, "", None)

    def reverse_call(
        self, key: str, entry_id: str, points: int, part: Fraction, policy: ReversalPolicy
    ) -> Call:
        """Return a reversal."""
        return lambda: spend.reverse(
            self.parts, int(entry_id), points, part=part, policy=policy, request_id=key
        )

    def hold_call(self, key: str, user_id: str, points: int, lasting: timedelta) -> Call:
        """Return a hold."""
        return lambda: spend.hold(self.parts, user_id, points, lasting, request_id=key)

    def capture_call(self, key: str, hold_id: str, points: int) -> Call:
        """Return the capture of a hold."""
        return lambda: self.parts.holds.capture(spend.key(key, hold_id, points), hold_id, points, None)

    def release_call(self, key: str, hold_id: str) -> Call:
        """Return the release of a hold."""
        return lambda: self.parts.holds.release(spend.key(key, hold_id), hold_id, None)
