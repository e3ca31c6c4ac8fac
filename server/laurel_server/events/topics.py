"""The topics, and what every record of them has in common."""

from collections.abc import Sequence
from typing import Final, NamedTuple

REWARDS_EARNED: Final = "rewards.earned"
LEADERBOARD_UPDATED: Final = "leaderboard.updated"
ACHIEVEMENTS_UNLOCKED: Final = "achievements.unlocked"
TIER_CHANGED: Final = "tier.changed"
NOTIFICATIONS_SEND: Final = "notifications.send"

TOPICS: Final = (
    REWARDS_EARNED,
    LEADERBOARD_UPDATED,
    ACHIEVEMENTS_UNLOCKED,
    TIER_CHANGED,
    NOTIFICATIONS_SEND,
)

REWARDS_CHANGED: Final = "rewards.changed"
"""Type of events, but no topic: an entry that is no award. A change of tier beside it is an event of its own."""

ENTRY_EVENTS: Final = frozenset({REWARDS_EARNED, REWARDS_CHANGED})
"""Types of events that are about an entry of the ledger."""

SOURCE: Final = "laurel"

Headers = Sequence[tuple[str, bytes]]


class Record(NamedTuple):
    """A record for Kafka. `time` is RFC 3339; `payload` the serialized message of the topic."""

    topic: str
    id: str
    user_id: str
    time: str
    payload: bytes

    @property
    def key(self) -> bytes:
        """The user: his records go to one partition and so stay in order."""
        return self.user_id.encode()

    @property
    def headers(self) -> Headers:
        """The CloudEvents headers, in the form of its binding to Kafka."""
        return (
            ("ce_specversion", b"1.0"),
            ("ce_id", self.id.encode()),
            ("ce_type", self.topic.encode()),
            ("ce_time", self.time.encode()),
            ("ce_source", SOURCE.encode()),
            ("content-type", b"application/protobuf"),
        )
