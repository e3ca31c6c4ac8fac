"""From records of the topics back to events as they stand in the outbox, for Laurel's own consumer groups."""

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any, Final

from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

from laurel.events.v1.events_pb2 import (
    AchievementsUnlocked,
    LeaderboardUpdated,
    PeriodClosed,
    PeriodWon,
    PointsExpiring,
    RewardsChanged,
    RewardsEarned,
    TierChanged,
    UserErased,
)
from laurel.type.v1.board_pb2 import BoardRef
from laurel_server.domain.tiers import Tier
from laurel_server.events.topics import (
    ACHIEVEMENTS_UNLOCKED,
    LEADERBOARD_UPDATED,
    PERIOD_CLOSED,
    PERIOD_WON,
    POINTS_EXPIRING,
    REWARDS_CHANGED,
    REWARDS_EARNED,
    TIER_CHANGED,
    USER_ERASED,
)

Body = dict[str, Any]
Decoded = tuple[str, Body]
"""The id of the event in the outbox, and its body with what consumers read of it."""


def body_of(topic: str, payload: bytes) -> Decoded:
    """Return the event that a record was made of. ValueError for a payload that is not of its topic."""
    message_type, read = _READERS[topic]
    message = message_type()
    try:
        message.ParseFromString(payload)
    except DecodeError as error:
        raise ValueError(f"is no {message_type.__name__}") from error
    event_id, body = read(message)
    if not event_id:
        raise ValueError("has no event_id")
    if any("\0" in text for text in (event_id, *body.values()) if isinstance(text, str)):
        raise ValueError("has NUL in a text, which the ledger cannot even be asked for")
    return event_id, {"type": topic, **body}


def _entry(message: RewardsEarned | RewardsChanged) -> Decoded:
    """A change of tier has a record of its own, so that the entry tells of none here."""
    tier = _tier(message.tier)
    return message.event_id, {
        "transaction_id": message.transaction_id,
        "user_id": message.user_id,
        "user_no": message.user_number,
        "action": message.action,
        "points": message.points,
        "total_points": message.total_points,
        "lifetime_points": message.lifetime_points,
        "tier": tier,
        "tier_before": tier,
        "occurred_at": _moment(message.occurred_at),
        "recorded_at": _moment(message.recorded_at),
    }


def _updated(message: LeaderboardUpdated) -> Decoded:
    """Of a board that began anew `user_id` is empty."""
    return message.event_id.removesuffix(".ranks"), {"user_id": message.user_id}


def _unlocked(message: AchievementsUnlocked) -> Decoded:
    badge = message.badge
    return message.event_id.removesuffix(f".{badge.badge_type}.{badge.level}"), {
        "user_id": message.user_id,
        "user_no": message.user_number,
        "badge_type": badge.badge_type,
        "level": badge.level,
        "earned_at": _moment(badge.earned_at),
    }


def _tier_changed(message: TierChanged) -> Decoded:
    return message.event_id.removesuffix(".tier"), {
        "user_id": message.user_id,
        "user_no": message.user_number,
        "transaction_id": message.transaction_id,
        "from_tier": _tier(message.change.from_tier),
        "to_tier": _tier(message.change.to_tier),
        "changed_at": _moment(message.change.changed_at),
    }


def _closed(message: PeriodClosed) -> Decoded:
    return message.event_id, {**_board(message.board), "closed_at": _moment(message.closed_at)}


def _won(message: PeriodWon) -> Decoded:
    return message.event_id.removesuffix(".won"), {
        **_board(message.board),
        "user_id": message.user_id,
        "user_no": message.user_number,
        "rank": message.rank,
        "score": message.score,
        "bonus_points": message.bonus_points,
        "transaction_id": message.transaction_id,
    }


def _expiring(message: PointsExpiring) -> Decoded:
    return message.event_id, {
        "user_id": message.user_id,
        "user_no": message.user_number,
        "points": message.points,
        "days_before": message.days_before,
        "expires_at": _moment(message.expires_at),
    }


def _erased(message: UserErased) -> Decoded:
    return message.event_id, {"user_id": message.user_id, "user_no": message.user_number}


_READERS: Final[Mapping[str, tuple[type[Message], Callable[[Any], Decoded]]]] = {
    REWARDS_EARNED: (RewardsEarned, _entry),
    REWARDS_CHANGED: (RewardsChanged, _entry),
    LEADERBOARD_UPDATED: (LeaderboardUpdated, _updated),
    ACHIEVEMENTS_UNLOCKED: (AchievementsUnlocked, _unlocked),
    TIER_CHANGED: (TierChanged, _tier_changed),
    PERIOD_CLOSED: (PeriodClosed, _closed),
    PERIOD_WON: (PeriodWon, _won),
    POINTS_EXPIRING: (PointsExpiring, _expiring),
    USER_ERASED: (UserErased, _erased),
}


def _board(ref: BoardRef) -> Body:
    return {"scope": ref.scope, "period_id": ref.period_id}


def _tier(number: int) -> str:
    return Tier(number).name


def _moment(stamp: Timestamp) -> str:
    return stamp.ToDatetime(UTC).isoformat()
