"""What is kept under an idempotency key, as compact bytes: enough to give the first answer again."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from laurel_server.domain.awards import Posting
from laurel_server.domain.commands import Change
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.holdings import Hold
from laurel_server.domain.ledger import Rewards
from laurel_server.domain.tiers import Tier, TierChange, tier_change


class StoredAward(msgspec.Struct, array_like=True, tag=1, frozen=True):
    """An award that happened. The entry itself is in the ledger; the balances are those right after it."""

    transaction_id: int
    total_points: int
    lifetime_points: int
    redeemed_points: int
    expired_points: int
    held_points: int
    pending_points: int
    tier_before: int
    tier: int
    version: int
    rewarded_at: datetime
    period_ids: tuple[str, ...]
    closed_period_ids: tuple[str, ...]
    referral_transaction_id: int = 0
    """The entry of the other side of a referral; 0: none."""

    def rewards(self, user_id: str) -> Rewards:
        """Return the balances right after the award."""
        return Rewards(
            user_id,
            self.total_points,
            self.lifetime_points,
            self.redeemed_points,
            self.expired_points,
            self.held_points,
            self.pending_points,
            Tier(self.tier),
            self.rewarded_at,
            self.version,
        )

    def tier_change(self, user_id: str) -> TierChange | None:
        """Return the promotion that the award caused."""
        if self.tier == self.tier_before:
            return None
        return TierChange(user_id, Tier(self.tier_before), Tier(self.tier), self.rewarded_at)


class StoredRefusal(msgspec.Struct, array_like=True, tag=2, frozen=True):
    """A business refusal; it stays one whatever is retried with the same request_id."""

    reason: str
    message: str
    metadata: Mapping[str, str]
    field: str
    retry_after: float | None  # seconds

    def error(self) -> LaurelError:
        """Return the refusal to raise again."""
        wait = timedelta(seconds=self.retry_after) if self.retry_after is not None else None
        return LaurelError(
            Reason(self.reason), self.message, metadata=self.metadata, field=self.field, retry_after=wait
        )


class StoredRewards(msgspec.Struct, array_like=True, frozen=True):
    """Balances as they were right after a command."""

    total_points: int
    lifetime_points: int
    redeemed_points: int
    expired_points: int
    held_points: int
    pending_points: int
    tier: int
    last_reward_at: datetime | None
    version: int


class StoredChange(msgspec.Struct, array_like=True, tag=3, frozen=True):
    """A command other than an award that was carried out. `transaction_id` 0: it posted no entry."""

    transaction_id: int
    after: StoredRewards
    tier_before: int
    changed_at: datetime
    period_ids: tuple[str, ...]
    hold: Hold | None
    user_no: int = 0
    """Whose command it was, who may have been erased since; 0 in older answers."""

    def rewards(self, user_id: str) -> Rewards:
        """Return the balances right after the command."""
        after = self.after
        return Rewards(
            user_id,
            after.total_points,
            after.lifetime_points,
            after.redeemed_points,
            after.expired_points,
            after.held_points,
            after.pending_points,
            Tier(after.tier),
            after.last_reward_at,
            after.version,
        )

    def tier_change(self, user_id: str) -> TierChange | None:
        """Return the change of tier that the command caused."""
        return tier_change(user_id, Tier(self.tier_before), Tier(self.after.tier), self.changed_at)


_STICKY_CODES = frozenset({"FAILED_PRECONDITION", "NOT_FOUND", "RESOURCE_EXHAUSTED"})
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[StoredAward | StoredChange | StoredRefusal] = msgspec.msgpack.Decoder(
    StoredAward | StoredChange | StoredRefusal
)


def is_sticky(error: LaurelError) -> bool:
    """Whether a refusal is an answer to keep: one by the rules, not one of form or of the moment."""
    return error.reason.code in _STICKY_CODES


def encode_award(posting: Posting) -> bytes:
    """Return the bytes to keep of an award."""
    rewards = posting.rewards
    return _encoder.encode(
        StoredAward(
            posting.entry.transaction_id,
            rewards.total_points,
            rewards.lifetime_points,
            rewards.redeemed_points,
            rewards.expired_points,
            rewards.held_points,
            rewards.pending_points,
            int(posting.tier_before),
            int(rewards.tier),
            rewards.version,
            posting.entry.transaction_time,
            tuple(period.id for period in posting.counted) if posting.entry.points else (),
            posting.closed_period_ids,
            posting.referral.entry.transaction_id if posting.referral else 0,
        )
    )


def encode_change(change: Change, user_no: int, now: datetime) -> bytes:
    """Return the bytes to keep of a command other than an award of the user with that number."""
    rewards = change.rewards
    after = StoredRewards(
        rewards.total_points,
        rewards.lifetime_points,
        rewards.redeemed_points,
        rewards.expired_points,
        rewards.held_points,
        rewards.pending_points,
        int(rewards.tier),
        rewards.last_reward_at,
        rewards.version,
    )
    transaction_id = change.entry.transaction_id if change.entry else 0
    hold = change.hold and change.hold._replace(
        user_id=""
    )  # he may be erased before this answer is forgotten
    return _encoder.encode(
        StoredChange(transaction_id, after, int(change.tier_before), now, change.period_ids, hold, user_no)
    )


def encode_refusal(error: LaurelError) -> bytes:
    """Return the bytes to keep of a refusal."""
    wait = error.retry_after.total_seconds() if error.retry_after is not None else None
    return _encoder.encode(StoredRefusal(error.reason, error.message, error.metadata, error.field, wait))


def decode(outcome: bytes) -> StoredAward | StoredChange | StoredRefusal:
    """Return what was kept."""
    return _decoder.decode(outcome)
