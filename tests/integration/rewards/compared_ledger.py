"""What a ledger must offer to be compared with the plain model of it."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

from laurel_server.domain.reversals import ReversalPolicy

Balances: TypeAlias = tuple[int, int, int, int, int, int, str]
"""As `Account.balances` has them."""

Call: TypeAlias = Callable[[], Awaitable[Any]]
"""Sends one request; each time it is called, the same one."""


@dataclass(frozen=True)
class Answer:
    """What a ledger says to a command; `kept` is what it must say again to the same request."""

    balances: Balances
    points: int
    entry_id: str
    hold_id: str
    replayed: bool
    kept: object


class Ledger(Protocol):
    """A ledger that is compared with the model. Each `*_call` returns a request that can be sent again and again."""

    async def send(self, call: Call) -> tuple[Any, str]:
        """Return the answer, or None and the reason why it was refused."""

    def read(self, answer: Any) -> Answer:
        """Return what `send` has returned in the words of the machine."""

    async def balances(self, user_ids: Collection[str]) -> dict[str, Balances]:
        """Return what those of the users have who are known."""

    async def reversed_points(self, entry_id: str) -> int:
        """Return how much of an entry has been reversed."""

    async def set_clock(self, now: datetime) -> None:
        """Move the clock."""

    async def expire(self, key: str) -> tuple[int, int] | None:
        """Sweep what has expired; return how many lots and points, or None where others have some too."""

    def award_call(
        self, key: str, user_id: str, points: int, action: str, activates_at: datetime | None
    ) -> Call: ...

    def adjust_call(self, key: str, user_id: str, points: int, expires_at: datetime | None) -> Call: ...

    def redeem_call(self, key: str, user_id: str, points: int) -> Call: ...

    def cancel_call(self, key: str, entry_id: str) -> Call: ...

    def reverse_call(
        self, key: str, entry_id: str, points: int, part: Fraction, policy: ReversalPolicy
    ) -> Call: ...

    def hold_call(self, key: str, user_id: str, points: int, lasting: timedelta) -> Call: ...

    def capture_call(self, key: str, hold_id: str, points: int) -> Call: ...

    def release_call(self, key: str, hold_id: str) -> Call: ...


def balances_of(rewards: Any, tier: str) -> Balances:
    """Return what a model of an account has, too."""
    return (
        rewards.total_points,
        rewards.lifetime_points,
        rewards.redeemed_points,
        rewards.expired_points,
        rewards.held_points,
        rewards.pending_points,
        tier,
    )
