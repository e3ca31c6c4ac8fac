"""From events of the outbox to the records of `laurel.events.v1`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from laurel.events.v1.events_pb2 import (
    AchievementsUnlocked,
    BoardStanding,
    LeaderboardUpdated,
    RewardsEarned,
    TierChanged,
)
from laurel.type.v1.badge_pb2 import Badge
from laurel.type.v1.board_pb2 import BoardRef, Period, RankState
from laurel.type.v1.tier_pb2 import Tier as TierMessage
from laurel.type.v1.tier_pb2 import TierChange
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.ledger import BoardRank
from laurel_server.domain.periods import parse_period_id
from laurel_server.domain.tiers import Tier
from laurel_server.events.outbox import OutboxEvent
from laurel_server.events.topics import (
    ACHIEVEMENTS_UNLOCKED,
    LEADERBOARD_UPDATED,
    REWARDS_EARNED,
    TIER_CHANGED,
    Record,
)

Ranks = Mapping[str, Sequence[BoardRank]]
"""Present ranks by user id."""


def records_of(event: OutboxEvent, ranks: Ranks | None) -> list[Record]:
    """Return what an event is published as: nothing for those that concern Laurel alone. One of UNREADABLE.

    `ranks` None: the boards have not followed.
    """
    build = _BUILDERS.get(str(event.body["type"]))
    return [] if build is None else list(build(event, ranks))


def board_updates(events: Iterable[OutboxEvent], ranks: Ranks) -> list[Record]:
    """Return one record for each user who has moved in these events, whatever the number of his events."""
    latest = {str(event.body["user_id"]): event for event in events if event.body["type"] == REWARDS_EARNED}
    return [_board_update(event, ranks[user_id]) for user_id, event in latest.items() if user_id in ranks]


def _board_update(event: OutboxEvent, ranks: Sequence[BoardRank]) -> Record:
    message = LeaderboardUpdated(
        event_id=f"{event.id}.ranks",
        user_id=_text(event, "user_id"),
        updated_at=_moment(event.body["recorded_at"]),
    )
    for rank in ranks:
        _add_standing(message.standings.add(), rank)
    return _record(LEADERBOARD_UPDATED, message, event, "recorded_at")


def _earned(event: OutboxEvent, ranks: Ranks | None) -> Iterator[Record]:
    body: Mapping[str, Any] = event.body
    message = RewardsEarned(
        event_id=event.id,
        transaction_id=body["transaction_id"],
        user_id=body["user_id"],
        action=body["action"],
        points=body["points"],
        total_points=body["total_points"],
        lifetime_points=body["lifetime_points"],
        tier=_tier(body["tier"]),
        occurred_at=_moment(body["occurred_at"]),
        recorded_at=_moment(body["recorded_at"]),
    )
    _add_standings(message, ranks, frozenset(body.get("periods", ())))
    yield _record(REWARDS_EARNED, message, event, "recorded_at")
    if body["tier"] != body["tier_before"]:
        yield _tier_record(event, f"{event.id}.tier", body["tier_before"], body["tier"], "recorded_at")


def _add_standings(message: RewardsEarned, ranks: Ranks | None, periods: frozenset[str]) -> None:
    if ranks is None:
        message.rank_state = RankState.RANK_STATE_PENDING
        return
    for rank in ranks.get(message.user_id, ()):
        if rank.board.period_id in periods:
            _add_standing(message.standings.add(), rank)
    message.rank_state = RankState.RANK_STATE_FRESH if message.standings else RankState.RANK_STATE_NOT_RANKED


def _tier_changed(event: OutboxEvent, _ranks: Ranks | None) -> Iterator[Record]:
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
    )
    return _record(TIER_CHANGED, message, event, moment)


def _unlocked(event: OutboxEvent, _ranks: Ranks | None) -> Iterator[Record]:
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
    message = AchievementsUnlocked(event_id=event_id, user_id=badge.user_id, badge=badge)
    yield _record(ACHIEVEMENTS_UNLOCKED, message, event, "earned_at")


_BUILDERS: Final[Mapping[str, Callable[[OutboxEvent, Ranks | None], Iterator[Record]]]] = {
    REWARDS_EARNED: _earned,
    TIER_CHANGED: _tier_changed,
    ACHIEVEMENTS_UNLOCKED: _unlocked,
}


def _record(
    topic: str,
    message: RewardsEarned | LeaderboardUpdated | TierChanged | AchievementsUnlocked,
    event: OutboxEvent,
    moment: str,
) -> Record:
    time = _text(event, moment)
    return Record(topic, message.event_id, message.user_id, time, message.SerializeToString())


def _text(event: OutboxEvent, name: str) -> str:
    value = event.body[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


@lru_cache(maxsize=1024)  # the events of a batch share their moment
def _moment(text: str) -> Timestamp:
    moment = datetime.fromisoformat(text)
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp


def _tier(name: str) -> TierMessage.ValueType:
    return TierMessage.ValueType(Tier[name])


def _add_standing(target: BoardStanding, rank: BoardRank) -> None:
    target.MergeFromString(_serialized_board(rank.board))
    target.rank, target.score, target.total = rank.rank, rank.score, rank.total


@lru_cache(maxsize=8192)
def _serialized_board(board: BoardKey) -> bytes:
    period = Period.ValueType(parse_period_id(board.period_id).type)
    ref = BoardRef(scope=board.scope, period=period, period_id=board.period_id)
    return BoardStanding(board=ref).SerializeToString()
