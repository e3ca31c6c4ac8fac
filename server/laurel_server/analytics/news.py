"""What events of the outbox say that is of interest to analytics."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.tiers import Tier, TierChange, tier_change
from laurel_server.events.topics import (
    ENTRY_EVENTS,
    LEADERBOARD_UPDATED,
    PERIOD_CLOSED,
    REWARDS_EARNED,
    SCORE_UPDATED,
    TIER_CHANGED,
    USER_MOVED,
)

_MOVES: Final = frozenset({LEADERBOARD_UPDATED, SCORE_UPDATED, USER_MOVED})


class News(NamedTuple):
    """What an event says: an entry (0: none) and the tier after it, a change of tier and whose, a board that closed.

    `user_no` 0: the event is older than numbers in events, so that his id says who has changed his tier.

    `moved`: the user who may stand elsewhere after it. Of an entry the outbox says so itself; beside those of Kafka
    there is a record of `leaderboard.updated`.
    """

    transaction_id: int = 0
    tier: str = ""
    change: TierChange | None = None
    closed: BoardKey | None = None
    moved: str = ""
    user_no: int = 0


def news_of(body: Mapping[str, Any]) -> News | None:
    """Return what an event says, None if that is nothing. Raises one of `outbox.UNREADABLE`."""
    if body["type"] in ENTRY_EVENTS:
        # Only an award tells of its promotion itself; beside other entries there is an event of its own.
        award = body["type"] == REWARDS_EARNED
        change = _change(body, "tier_before", "tier", "recorded_at") if award else None
        moved = str(body["user_id"]) if body.get("periods") else ""
        return News(int(body["transaction_id"]), body["tier"], change, moved=moved, user_no=_number(body))
    if body["type"] == TIER_CHANGED:
        change = _change(body, "from_tier", "to_tier", "changed_at")
        return News(change=change, moved=str(body["user_id"]), user_no=_number(body))
    if body["type"] in _MOVES and body.get("user_id"):
        return News(moved=str(body["user_id"]))
    if body["type"] == PERIOD_CLOSED:
        return News(closed=BoardKey(body["scope"], body["period_id"]))
    return None


def _number(body: Mapping[str, Any]) -> int:
    return int(body.get("user_no", 0))


def _change(body: Mapping[str, Any], before: str, after: str, moment: str) -> TierChange | None:
    return tier_change(
        body["user_id"], Tier[body[before]], Tier[body[after]], datetime.fromisoformat(body[moment])
    )
