import pytest

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import User
from laurel_server.domain.tiers import Tier
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import START, give


async def test_the_tier_follows_the_points_and_knows_since_when(parts: Parts) -> None:
    assert parts.clock is not None
    await give(parts, "ann", 4_000)
    await parts.clock.set(START.replace(hour=13))
    await give(parts, "ann", 2_000)

    status = await parts.standing.tier("ann")

    assert (status.tier, status.qualifying_points) == (Tier.SILVER, 6_000)
    assert (status.next_tier, status.points_to_next) == (Tier.GOLD, 4_000)
    assert status.tier_since == START.replace(hour=13)


async def test_who_never_earned_anything_is_in_the_first_tier_since_he_is_known(parts: Parts) -> None:
    await parts.profiles.upsert([User("ann")])

    status = await parts.standing.tier("ann")

    assert (status.tier, status.qualifying_points, status.points_to_next) == (Tier.BRONZE, 0, 5_000)
    assert status.tier_since == START


async def test_an_unknown_user_has_no_tier(parts: Parts) -> None:
    await give(parts, "ann")
    with pytest.raises(LaurelError) as refused:
        await parts.standing.tier("nobody")
    assert refused.value.reason is Reason.USER_NOT_FOUND
