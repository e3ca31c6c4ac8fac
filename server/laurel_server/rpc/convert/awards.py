"""Awards: the request as a command, the answer as a message.

These are the hottest conversions of the server, and so what is mostly empty is only written where it is not.
"""

import hashlib
from decimal import Decimal
from functools import lru_cache

from google.protobuf.message import Message

from laurel.rewards.v1.rewards_pb2 import AwardBreakdown, Transaction, UserRewards
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest, AwardPointsResponse
from laurel.type.v1.board_pb2 import RankState
from laurel.type.v1.tier_pb2 import Tier
from laurel.type.v1.tier_pb2 import TierChange as TierChangeMessage
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.decimals import decimal_text
from laurel_server.domain.ledger import LedgerEntry, Rewards
from laurel_server.domain.points import Breakdown
from laurel_server.domain.tiers import TierChange
from laurel_server.rpc.convert.badges import write_badge
from laurel_server.rpc.convert.boards import write_rank
from laurel_server.rpc.convert.times import read_ledger_moment, read_moment, write_moment

_HASH_BYTES = 16


def read_award(request: AwardPointsRequest, caller: str) -> AwardCommand:
    """Return the command that a valid `request` asks for. INVALID_FIELD for a moment out of the calendar."""
    return AwardCommand(
        caller=caller,
        request_id=request.request_id,
        user_id=request.user_id,
        action=request.action,
        attributes=dict(request.attributes),
        request_hash=request_hash(request),
        order_id=request.order_id,
        referral_id=request.referral_id,
        reference_id=request.reference_id,
        reason=request.reason,
        occurred_at=read_moment(request, "occurred_at"),
        activates_at=read_ledger_moment(request, "activates_at"),
        validate_only=request.validate_only,
    )


def request_hash(request: Message) -> bytes:
    """Return a digest that is equal for equal requests, in whatever order their maps were sent."""
    return hashlib.blake2b(request.SerializeToString(deterministic=True), digest_size=_HASH_BYTES).digest()


def write_award(target: AwardPointsResponse, answer: AwardAnswer) -> None:
    """Fill the empty `target` with `answer`."""
    write_entry(target.transaction, answer.entry)
    write_rewards(target.rewards, answer.rewards)
    for rank in answer.ranks:
        write_rank(target.ranks.add(), rank)
    if answer.tier_change is not None:
        write_tier_change(target.tier_change, answer.tier_change)
    write_breakdown(target.breakdown, answer.breakdown)
    target.rank_state = RankState.ValueType(answer.rank_state)
    for badge in answer.badges:
        write_badge(target.badges.add(), badge, active=True)
    if answer.referral is not None:
        write_entry(target.referral_transaction, answer.referral)
    if answer.replayed:
        target.replayed = True
    if answer.closed_period_ids:
        target.closed_period_ids.extend(answer.closed_period_ids)


def write_entry(target: Transaction, entry: LedgerEntry) -> None:
    """Fill the empty `target` with a ledger entry."""
    target.transaction_id = str(entry.transaction_id)
    target.request_id = entry.request_id
    target.user_id = entry.user_id
    target.action = entry.action
    target.points = entry.points
    target.base_points = _text(entry.base_points)
    target.multiplier = _text(entry.multiplier)
    target.created_by = entry.created_by
    target.balance_after = entry.balance_after
    write_moment(target.transaction_time, entry.transaction_time)
    write_moment(target.occurred_at, entry.occurred_at)
    if entry.expires_at is not None:
        write_moment(target.expires_at, entry.expires_at)
    _write_references(target, entry)


def _write_references(target: Transaction, entry: LedgerEntry) -> None:
    if entry.order_id:
        target.order_id = entry.order_id
    if entry.referral_id:
        target.referral_id = entry.referral_id
    if entry.reference_id:
        target.reference_id = entry.reference_id
    if entry.reason:
        target.reason = entry.reason
    if entry.reversed_points:
        target.reversed_points = entry.reversed_points
    if entry.reverses_transaction_id:
        target.reverses_transaction_id = str(entry.reverses_transaction_id)


def write_rewards(target: UserRewards, rewards: Rewards) -> None:
    """Fill the empty `target` with a user's account."""
    target.user_id = rewards.user_id
    target.total_points = rewards.total_points
    target.lifetime_points = rewards.lifetime_points
    target.tier = Tier.ValueType(rewards.tier)
    write_moment(target.last_reward_at, rewards.last_reward_at)
    target.version = rewards.version
    if rewards.redeemed_points:
        target.redeemed_points = rewards.redeemed_points
    if rewards.expired_points:
        target.expired_points = rewards.expired_points
    if rewards.held_points:
        target.held_points = rewards.held_points
    if rewards.pending_points:
        target.pending_points = rewards.pending_points


def write_breakdown(target: AwardBreakdown, breakdown: Breakdown) -> None:
    """Fill the empty `target` with how the points came about."""
    target.base_points = _text(breakdown.base_points)
    target.tier_multiplier = _text(breakdown.tier_multiplier)
    for campaign in breakdown.campaigns:
        target.campaigns.add(campaign_id=campaign.campaign_id, multiplier=_text(campaign.multiplier))
    target.uncapped_points = breakdown.uncapped_points
    if breakdown.streak:
        target.streak = breakdown.streak
    if breakdown.capped:
        target.capped = True
        target.cap = breakdown.cap


def write_tier_change(target: TierChangeMessage, change: TierChange) -> None:
    """Fill the empty `target` with a promotion or demotion."""
    target.user_id = change.user_id
    target.from_tier = Tier.ValueType(change.from_tier)
    target.to_tier = Tier.ValueType(change.to_tier)
    write_moment(target.changed_at, change.changed_at)


@lru_cache(maxsize=4096)
def _text(number: Decimal) -> str:
    return decimal_text(number)
