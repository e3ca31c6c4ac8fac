"""What events of the outbox say that is of interest to analytics."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from laurel_server.domain.boards import BoardKey
from laurel_server.domain.tiers import Tier, TierChange, tier_change
from laurel_server.events.topics import ENTRY_EVENTS, PERIOD_CLOSED, REWARDS_EARNED, TIER_CHANGED


class News(NamedTuple):
    """What an event says: an entry (0: none) and the tier after it, a change of tier, a board that closed."""

    transaction_id: int = 0
    tier: str = ""
    change: TierChange | None = None
    closed: BoardKey | None = None


def news_of(body: Mapping[str, Any]) -> News | None:
    """Return what an event says, None if that is nothing. Raises one of `outbox.UNREADABLE`."""
    if body["type"] in ENTRY_EVENTS:
        # Only an award tells of its promotion itself; beside other entries there is an event of its own.
        award = body["type"] == REWARDS_EARNED
        change = _change(body, "tier_before", "tier", "recorded_at") if award else None
        return News(int(body["transaction_id"]), body["tier"], change)
    if body["type"] == TIER_CHANGED:
        return News(change=_change(body, "from_tier", "to_tier", "changed_at"))
    if body["type"] == PERIOD_CLOSED:
        return News(closed=BoardKey(body["scope"], body["period_id"]))
    return None


def _change(body: Mapping[str, Any], before: str, after: str, moment: str) -> TierChange | None:
    return tier_change(
        body["user_id"], Tier[body[before]], Tier[body[after]], datetime.fromisoformat(body[moment])
    )
