"""The topics, and what every record of them has in common."""

from typing import Final, NamedTuple

REWARDS_EARNED: Final = "rewards.earned"
REWARDS_CHANGED: Final = "rewards.changed"
LEADERBOARD_UPDATED: Final = "leaderboard.updated"
ACHIEVEMENTS_UNLOCKED: Final = "achievements.unlocked"
TIER_CHANGED: Final = "tier.changed"
PERIOD_CLOSED: Final = "period.closed"
PERIOD_WON: Final = "period.won"
POINTS_EXPIRING: Final = "points.expiring"
USER_ERASED: Final = "user.erased"
NOTIFICATIONS_SEND: Final = "notifications.send"

TOPICS: Final = (
    REWARDS_EARNED,
    REWARDS_CHANGED,
    LEADERBOARD_UPDATED,
    ACHIEVEMENTS_UNLOCKED,
    TIER_CHANGED,
    PERIOD_CLOSED,
    PERIOD_WON,
    POINTS_EXPIRING,
    USER_ERASED,
    NOTIFICATIONS_SEND,
)

ENTRY_EVENTS: Final = frozenset({REWARDS_EARNED, REWARDS_CHANGED})
"""Types of events that are about an entry of the ledger."""

SCORE_UPDATED: Final = "score.updated"
SCORE_REMOVED: Final = "score.removed"
USER_MOVED: Final = "user.moved"
BOARD_RESET: Final = "board.reset"
"""Types of events that have no topic of their own: `leaderboard.updated` tells where they led."""

SOURCE: Final = "laurel"

Headers = list[tuple[str, bytes]]


class Record(NamedTuple):
    """A record for Kafka. `time` is RFC 3339; `payload` the serialized message of the topic.

    `subject` is whom it is about: a user, whose records go to one partition and so stay in order, or a board.
    """

    topic: str
    id: str
    subject: str
    time: str
    payload: bytes

    @property
    def key(self) -> bytes:
        """The subject."""
        return self.subject.encode()

    @property
    def headers(self) -> Headers:
        """The CloudEvents headers, in the form of its binding to Kafka."""
        return [
            _SPECVERSION,
            ("ce_id", self.id.encode()),
            _TYPES[self.topic],
            ("ce_time", self.time.encode()),
            _SOURCE,
            _CONTENT_TYPE,
        ]


_SPECVERSION: Final = ("ce_specversion", b"1.0")
_SOURCE: Final = ("ce_source", SOURCE.encode())
_CONTENT_TYPE: Final = ("content-type", b"application/protobuf")
_TYPES: Final = {topic: ("ce_type", topic.encode()) for topic in TOPICS}
