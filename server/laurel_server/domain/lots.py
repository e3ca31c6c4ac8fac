"""Lots: what an earning left to spend, and in which order it is spent."""

from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import Struct

_NEVER = datetime.max.replace(tzinfo=UTC)


class Lot(Struct, frozen=True):
    """What an earning adds to spend: `remaining` points in `[activates_at, expires_at)`; None: no bound."""

    lot_id: int
    remaining: int
    activates_at: datetime | None
    expires_at: datetime | None

    @property
    def spending_order(self) -> tuple[datetime, int]:
        """Sorts lots as they are spent: soonest expiry first, then oldest, never-expiring last."""
        return self.expires_at or _NEVER, self.lot_id

    def expired_at(self, now: datetime) -> bool:
        """Whether the time of the lot is over."""
        return self.expires_at is not None and self.expires_at <= now

    def pending_at(self, now: datetime) -> bool:
        """Whether the time of the lot has not come."""
        return self.activates_at is not None and self.activates_at > now and not self.expired_at(now)

    def counts_at(self, now: datetime) -> bool:
        """Whether the lot can be spent from."""
        return not self.expired_at(now) and not self.pending_at(now)


class LotKey(NamedTuple):
    """Names one lot of a user, in the form of its key in the ledger."""

    lot_id: int
    expires_at: datetime | None


class Debit(NamedTuple):
    """Points that an entry took from one lot; negative: it gave them back. The bounds are those of the lot."""

    lot_id: int
    points: int
    activates_at: datetime | None
    expires_at: datetime | None

    @property
    def key(self) -> LotKey:
        """The lot."""
        return LotKey(self.lot_id, self.expires_at)
