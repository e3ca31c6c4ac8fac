"""From events of the outbox to the records of `laurel.events.v1`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, TypeAlias, TypeVar

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
from laurel.type.v1.badge_pb2 import Badge
from laurel.type.v1.board_pb2 import RankState
from laurel.type.v1.tier_pb2 import Tier as TierMessage
from laurel.type.v1.tier_pb2 import TierChange
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.tiers import Tier
from laurel_server.events.outbox import OutboxEvent
from laurel_server.events.standings import Standing, Standings, board_ref, field_of
from laurel_server.events.topics import (
    ACHIEVEMENTS_UNLOCKED,
    BOARD_RESET,
    ENTRY_EVENTS,
    LEADERBOARD_UPDATED,
    PERIOD_CLOSED,
    PERIOD_WON,
    POINTS_EXPIRING,
    REWARDS_CHANGED,
    REWARDS_EARNED,
    SCORE_REMOVED,
    SCORE_UPDATED,
    TIER_CHANGED,
    USER_ERASED,
    USER_MOVED,
    Record,
)

_MOVED_AT: Final = {
    REWARDS_EARNED: "recorded_at",
    REWARDS_CHANGED: "recorded_at",
    TIER_CHANGED: "changed_at",
    SCORE_UPDATED: "recorded_at",
    SCORE_REMOVED: "recorded_at",
    USER_MOVED: "recorded_at",
}
"""Events after which a user may stand elsewhere, and the field that says when that was."""


def records_of(event: OutboxEvent, standings: Standings | None) -> list[Record]:
    """Return what an event is published as: nothing for those that concern Laurel alone. One of UNREADABLE.

    `standings` None: the boards have not followed.
    """
    build = _BUILDERS.get(str(event.body["type"]))
    return [] if build is None else list(build(event, standings))


def mover_of(event: OutboxEvent) -> str:
    """Return the user who may stand elsewhere after an event, empty if nobody does. One of UNREADABLE."""
    moment = _MOVED_AT.get(str(event.body["type"]))
    if moment is None or moment not in event.body:  # what an erased person leaves has no moment
        return ""
    if event.body["type"] in ENTRY_EVENTS and not event.body.get("periods"):
        return ""
    _moment(_text(event, moment))
    return _text(event, "user_id")


def board_updates(latest: Mapping[str, OutboxEvent], standings: Standings) -> list[Record]:
    """Return one record for each user who has moved, whatever the number of his events; the last ones are given."""
    return [_board_update(event, standings.get(user_id, ())) for user_id, event in latest.items()]


def update_id(event: OutboxEvent) -> str:
    """Return the id of the record that tells where a user stands after an event."""
    return f"{event.id}.ranks"


def _board_update(event: OutboxEvent, standings: Sequence[Standing]) -> Record:
    moment = _MOVED_AT[str(event.body["type"])]
    _UPDATED.event_id = update_id(event)
    _UPDATED.user_id = _text(event, "user_id")
    _UPDATED.updated_at.CopyFrom(_moment(_text(event, moment)))
    listed = field_of(LeaderboardUpdated, [message for _, message in standings])
    return _record(LEADERBOARD_UPDATED, _UPDATED, event, moment, more=listed)


_UPDATED: Final = LeaderboardUpdated()


def _reset(event: OutboxEvent, _standings: Standings | None) -> Iterator[Record]:
    """Those who had scores are off the board, which is told once for all of them."""
    board = _board(event)
    message = LeaderboardUpdated(
        event_id=event.id, board=board_ref(board), updated_at=_moment(_text(event, "reset_at"))
    )
    yield _record(LEADERBOARD_UPDATED, message, event, "reset_at", subject="/".join(board))


def _earned(event: OutboxEvent, standings: Standings | None) -> Iterator[Record]:
    body: Mapping[str, Any] = event.body
    event_id = event.id
    message = _fill(_EARNED, event_id, body)
    listed = _standings_after(body["user_id"], body, standings)
    message.rank_state = _rank_state(standings, listed)
    payload = message.SerializeToString() + field_of(RewardsEarned, listed)
    yield Record(REWARDS_EARNED, event_id, body["user_id"], body["recorded_at"], payload)
    if body["tier"] != body["tier_before"]:
        yield _tier_record(event, f"{event_id}.tier", body["tier_before"], body["tier"], "recorded_at")


_EARNED: Final = RewardsEarned()
_CHANGED: Final = RewardsChanged()
"""Filled anew for each event, all fields: making a message is most of its cost."""

_Entry = TypeVar("_Entry", RewardsEarned, RewardsChanged)


def _fill(message: _Entry, event_id: str, body: Mapping[str, Any]) -> _Entry:
    """Set what all events about an entry of the ledger tell."""
    message.event_id = event_id
    message.transaction_id = body["transaction_id"]
    message.user_id = body["user_id"]
    message.user_number = _number(body)
    message.action = body["action"]
    message.points = body["points"]
    message.total_points = body["total_points"]
    message.lifetime_points = body["lifetime_points"]
    message.tier = _tier(body["tier"])
    message.occurred_at.CopyFrom(_moment(body["occurred_at"]))
    message.recorded_at.CopyFrom(_moment(body["recorded_at"]))
    return message


def _standings_after(user_id: str, body: Mapping[str, Any], standings: Standings | None) -> list[bytes]:
    """Return where the user stands on the boards of the periods in which the entry counted."""
    periods = body.get("periods", ())
    own = standings.get(user_id, ()) if standings else ()
    return [message for period_id, message in own if period_id in periods]


def _rank_state(standings: Standings | None, listed: Sequence[bytes]) -> RankState.ValueType:
    if standings is None:
        return RankState.RANK_STATE_PENDING
    return RankState.RANK_STATE_FRESH if listed else RankState.RANK_STATE_NOT_RANKED


def _changed(event: OutboxEvent, _standings: Standings | None) -> Iterator[Record]:
    message = _fill(_CHANGED, event.id, event.body)
    reverses: Any = event.body["reverses_transaction_id"]
    message.reverses_transaction_id = reverses
    yield _record(REWARDS_CHANGED, message, event, "recorded_at")


def _tier_changed(event: OutboxEvent, _standings: Standings | None) -> Iterator[Record]:
    body: Mapping[str, Any] = event.body
    yield _tier_record(event, f"{event.id}.tier", body["from_tier"], body["to_tier"], "changed_at")


def _tier_record(event: OutboxEvent, event_id: str, before: str, after: str, moment: str) -> Record:
    user_id = _text(event, "user_id")
    message = TierChanged(
        event_id=event_id,
        user_id=user_id,
        change=TierChange(
            user_id=user_id,
            from_tier=_tier(before),
            to_tier=_tier(after),
            changed_at=_moment(event.body[moment]),
        ),
        transaction_id=str(event.body.get("transaction_id") or ""),
        user_number=_number(event.body),
    )
    return _record(TIER_CHANGED, message, event, moment)


def _unlocked(event: OutboxEvent, _standings: Standings | None) -> Iterator[Record]:
    body: Mapping[str, Any] = event.body
    badge = Badge(
        user_id=body["user_id"],
        badge_type=body["badge_type"],
        level=body.get("level", 1),
        earned_at=_moment(body["earned_at"]),
        active=True,
    )
    if body.get("expires_at"):
        badge.expires_at.CopyFrom(_moment(body["expires_at"]))
    event_id = f"{event.id}.{badge.badge_type}.{badge.level}"
    message = AchievementsUnlocked(
        event_id=event_id, user_id=badge.user_id, badge=badge, user_number=_number(body)
    )
    yield _record(ACHIEVEMENTS_UNLOCKED, message, event, "earned_at")


def _closed(event: OutboxEvent, _standings: Standings | None) -> Iterator[Record]:
    board = _board(event)
    message = PeriodClosed(
        event_id=event.id, board=board_ref(board), closed_at=_moment(_text(event, "closed_at"))
    )
    yield _record(PERIOD_CLOSED, message, event, "closed_at", subject="/".join(board))


def _won(event: OutboxEvent, _standings: Standings | None) -> Iterator[Record]:
    body: Mapping[str, Any] = event.body
    message = PeriodWon(
        event_id=f"{event.id}.won",
        user_id=body["user_id"],
        board=board_ref(_board(event)),
        rank=body["rank"],
        score=body["score"],
        bonus_points=body["bonus_points"],
        transaction_id=body["transaction_id"],
        closed_at=_moment(body["closed_at"]),
        user_number=_number(body),
    )
    yield _record(PERIOD_WON, message, event, "closed_at")


def _expiring(event: OutboxEvent, _standings: Standings | None) -> Iterator[Record]:
    body: Mapping[str, Any] = event.body
    message = PointsExpiring(
        event_id=event.id,
        user_id=body["user_id"],
        points=body["points"],
        days_before=body["days_before"],
        expires_at=_moment(body["expires_at"]),
        recorded_at=_moment(body["recorded_at"]),
        user_number=_number(body),
    )
    yield _record(POINTS_EXPIRING, message, event, "recorded_at")


def _erased(event: OutboxEvent, _standings: Standings | None) -> Iterator[Record]:
    message = UserErased(
        event_id=event.id,
        user_id=_text(event, "user_id"),
        erased_at=_moment(_text(event, "erased_at")),
        user_number=_number(event.body),
    )
    yield _record(USER_ERASED, message, event, "erased_at")


_BUILDERS: Final[Mapping[str, Callable[[OutboxEvent, Standings | None], Iterator[Record]]]] = {
    REWARDS_EARNED: _earned,
    REWARDS_CHANGED: _changed,
    TIER_CHANGED: _tier_changed,
    ACHIEVEMENTS_UNLOCKED: _unlocked,
    PERIOD_CLOSED: _closed,
    PERIOD_WON: _won,
    POINTS_EXPIRING: _expiring,
    USER_ERASED: _erased,
    BOARD_RESET: _reset,
}


_Message: TypeAlias = (
    RewardsEarned
    | RewardsChanged
    | LeaderboardUpdated
    | TierChanged
    | AchievementsUnlocked
    | PeriodClosed
    | PeriodWon
    | PointsExpiring
    | UserErased
)


def _record(
    topic: str,
    message: _Message,
    event: OutboxEvent,
    moment: str,
    *,
    subject: str | None = None,
    more: bytes = b"",
) -> Record:
    """Return a record of a message; `more` are serialized fields that belong to it."""
    about = _text(event, "user_id") if subject is None else subject
    return Record(topic, message.event_id, about, _text(event, moment), message.SerializeToString() + more)


def _board(event: OutboxEvent) -> BoardKey:
    return BoardKey(_text(event, "scope"), _text(event, "period_id"))


def _text(event: OutboxEvent, name: str) -> str:
    value = event.body[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def _number(body: Mapping[str, Any]) -> int:
    """Return the number of the user; 0: the event is older than numbers in events."""
    number: int = body.get("user_no", 0)
    return number


@lru_cache(maxsize=1024)  # the events of a batch share their moment
def _moment(text: str) -> Timestamp:
    moment = datetime.fromisoformat(text)
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp


_TIERS: Final = {tier.name: TierMessage.ValueType(tier) for tier in Tier}


def _tier(name: str) -> TierMessage.ValueType:
    return _TIERS[name]
