"""The facts of the ledger as the parts of the server hand them to each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

from msgspec import Struct

from laurel_server.domain.boards import BoardKey, Membership, Visibility
from laurel_server.domain.tiers import Tier


class LedgerEntry(Struct, frozen=True):
    """One movement of points, never changed after it was written but for `reversed_points`.

    `points` is negative for spending. `expires_at` and `activates_at` bound the lot of an earning entry: None
    is never and at once. `occurred_at` is when it happened, `transaction_time` when it was recorded.
    `balance_after` is the sum of the user's entries up to this one.
    """

    transaction_id: int
    request_id: str
    user_id: str
    action: str
    points: int
    base_points: Decimal
    multiplier: Decimal
    order_id: str
    referral_id: str
    reference_id: str
    reason: str
    created_by: str
    transaction_time: datetime
    occurred_at: datetime
    balance_after: int
    expires_at: datetime | None = None
    activates_at: datetime | None = None
    reversed_points: int = 0
    reverses_transaction_id: int = 0


class Rewards(Struct, frozen=True):
    """The account of a user. `total_points` is available now; balance = total + held + pending.

    `expired_points` has what expired by now, posted or not. `version` grows with every change of the account.
    """

    user_id: str
    total_points: int
    lifetime_points: int
    redeemed_points: int
    expired_points: int
    held_points: int
    pending_points: int
    tier: Tier
    last_reward_at: datetime | None
    version: int


class ExpiringLot(NamedTuple):
    """What is left of an award and will expire; the id is that of the award."""

    transaction_id: int
    points: int
    expires_at: datetime


class ExpiringPoints(NamedTuple):
    """Lots that expire, soonest first, and the points in all of them, also in those that are not listed."""

    lots: Sequence[ExpiringLot]
    total_points: int


def shown_balances(active: int, held: int) -> tuple[int, int]:
    """Return what of the `active` points is available and what is held: holds do not hold points that have expired."""
    held = min(held, max(active, 0)) if held else 0
    return active - held, held


class BoardRank(Struct, frozen=True):
    """Where a user stands: rank from 1, 0 = not on the board. `total` counts the members."""

    board: BoardKey
    rank: int
    previous_rank: int
    score: int
    total: int


class RankState(IntEnum):
    """What is known of the ranks in an answer; the numbers are those of the contract."""

    FRESH = 1  # as of this change; every later read shows it
    PENDING = 2  # recorded in the ledger, not yet on the boards
    NOT_RANKED = 3  # the user takes no position


@dataclass(frozen=True, slots=True)
class User:
    """A user as operators keep him. Empty strings are unknown; `country` is ISO 3166-1 alpha-2."""

    user_id: str
    username: str = ""
    email: str = ""
    avatar_url: str = ""
    tier: Tier = Tier.BRONZE
    country: str = ""
    region: str = ""
    timezone: str = ""
    segments: tuple[str, ...] = ()
    birth_date: date | None = None
    visibility: Visibility = Visibility.PUBLIC
    created_at: datetime | None = None
    last_active_at: datetime | None = None

    @property
    def membership(self) -> Membership:
        """What decides on which boards the user stands."""
        return Membership(self.country, self.region, self.tier, self.segments, self.visibility)
