import asyncio

import pytest

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import User
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import board_at, give, listed, wrongs


async def test_profiles_are_created_replaced_and_counted(parts: Parts) -> None:
    created = await parts.profiles.upsert([User("ann", username="Ann"), User("bob")])
    replaced = await parts.profiles.upsert([User("ann", username="Annie", country="GB"), User("cid")])

    assert (created, replaced) == ((2, 0), (1, 1))
    ann = await parts.profiles.get("ann")
    assert (ann.username, ann.country) == ("Annie", "GB")


async def test_an_unknown_profile_is_not_found(parts: Parts) -> None:
    with pytest.raises(LaurelError) as refused:
        await parts.profiles.get("nobody")
    assert refused.value.reason is Reason.USER_NOT_FOUND


async def test_a_user_named_twice_is_refused_and_nothing_is_written(parts: Parts) -> None:
    with pytest.raises(LaurelError) as refused:
        await parts.profiles.upsert([User("ann"), User("bob"), User("ann")])

    assert refused.value.reason is Reason.INVALID_FIELD
    assert await parts.pool.fetchval("SELECT count(*) FROM users") == 0


async def test_points_and_tier_outlive_a_new_profile(parts: Parts) -> None:
    await give(parts, "ann", 5000)

    await parts.profiles.upsert([User("ann", username="Ann", country="US")])

    assert (await parts.statement.rewards("ann")).total_points == 5000
    assert await listed(parts, "tier:silver") == await listed(parts, "country:US") == [("ann", 5000)]
    assert await wrongs(parts) == []


async def test_a_new_name_is_on_the_boards_at_once(parts: Parts) -> None:
    await parts.profiles.upsert([User("ann", username="Ann")])
    await give(parts, "ann", 10)
    assert (await parts.queries.page(board_at(parts), "", 1)).lines[0].username == "Ann"

    await parts.profiles.upsert([User("ann", username="Annie")])

    assert (await parts.queries.page(board_at(parts), "", 1)).lines[0].username == "Annie"


async def test_profiles_and_awards_may_create_the_same_users_at_once(parts: Parts) -> None:
    users = [f"user-{n}" for n in range(40)]
    profiles = [parts.profiles.upsert([User(user_id, country="US")]) for user_id in users]
    same = [parts.profiles.upsert([User(user_id, country="US") for user_id in users]) for _ in range(3)]
    awards = [give(parts, user_id, 10) for user_id in users]

    await asyncio.gather(*profiles, *same, *awards)

    assert sorted(await listed(parts, "country:US")) == sorted((user_id, 10) for user_id in users)
    assert await wrongs(parts) == []


async def test_moves_and_awards_of_one_user_at_once_leave_him_on_one_country(parts: Parts) -> None:
    await give(parts, "ann", 1)
    countries = ["US", "GB", "DE", "FR"] * 5

    for country in countries:
        await asyncio.gather(
            parts.profiles.upsert([User("ann", country=country)]), *(give(parts, "ann", 1) for _ in range(3))
        )

    assert await listed(parts, "country:FR") == [("ann", 61)]
    for country in ("US", "GB", "DE"):
        assert await listed(parts, f"country:{country}") == []
    assert await wrongs(parts) == []
