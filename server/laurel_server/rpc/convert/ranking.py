"""Standings and tiers."""

from laurel.ranking.v1.ranking_pb2 import TierStatus as TierStatusMessage
from laurel.type.v1.tier_pb2 import Tier
from laurel_server.domain.decimals import decimal_text
from laurel_server.domain.tiers import TierStatus
from laurel_server.rpc.convert.times import write_moment


def write_tier_status(target: TierStatusMessage, status: TierStatus) -> None:
    """Fill the empty `target` with a user's tier."""
    target.tier = Tier.ValueType(status.tier)
    target.qualifying_points = status.qualifying_points
    target.next_tier = Tier.ValueType(status.next_tier or 0)
    target.points_to_next = status.points_to_next
    target.multiplier = decimal_text(status.multiplier)
    write_moment(target.tier_since, status.tier_since)
    write_moment(target.reviewed_at, status.reviewed_at)
