"""What users have achieved and others hear of: badges, changes of tier, and milestones."""

from bisect import bisect_left, bisect_right
from typing import Final, NamedTuple, TypeAlias

from laurel_server.domain.badges import Badge
from laurel_server.domain.ranks import MILESTONES
from laurel_server.domain.tiers import TierChange

POINT_MILESTONES: Final = tuple(step * 10**power for power in range(2, 14) for step in (10, 25, 50))
"""Lifetime points that are worth a word."""

LOWEST_RANK_MILESTONE: Final = 1000
"""From this rank of the global all-time board on, ranks are worth a word."""


class Milestone(NamedTuple):
    """A number of points (`POINTS`) that was passed, or a rank (`RANK`) that was reached, for the first time."""

    user_id: str
    kind: str
    value: int
    message: str


Achievement: TypeAlias = Badge | TierChange | Milestone


def milestone_of_points(user_id: str, before: int, after: int) -> Milestone | None:
    """Return the highest milestone that lies above `before` and not above `after`. Cost: two look-ups."""
    passed = bisect_right(POINT_MILESTONES, after)
    if passed == bisect_right(POINT_MILESTONES, before) or after < before:
        return None
    value = POINT_MILESTONES[passed - 1]
    return Milestone(user_id, "POINTS", value, f"You reached {value:,} points!")


def milestone_of_rank(user_id: str, rank: int) -> Milestone | None:
    """Return the best milestone that a rank reaches; None below the lowest."""
    if rank > LOWEST_RANK_MILESTONE:
        return None
    value = MILESTONES[bisect_left(MILESTONES, rank)]
    message = "You reached rank 1!" if value == 1 else f"You reached the top {value:,}!"
    return Milestone(user_id, "RANK", value, message)
