"""Hiding people and showing them again."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from laurel_server.domain.boards import Visibility
from laurel_server.domain.errors import Reason
from laurel_server.domain.ledger import RankState, User
from laurel_server.domain.tiers import Tier
from laurel_server.runtime.wiring import Parts
from tests.integration.users.orders import order, refusal_of
from tests.integration.wired import DAY, WEEK, board_at, give, listed, wrongs


@pytest.mark.parametrize("visibility", [Visibility.HIDDEN, Visibility.SHADOW])
async def test_off_every_board_and_back_in_the_same_place(parts: Parts, visibility: Visibility) -> None:
    await parts.profiles.upsert([User(user_id, country="US") for user_id in ("ann", "bob", "cid")])
    for user_id in ("ann", "bob", "cid"):
        await give(parts, user_id, 100)
    boards = [("global", DAY), ("global", "all"), ("country:US", WEEK), ("tier:bronze", "all")]
    before = [await listed(parts, *board) for board in boards]

    await parts.people.set_visibility(order("bob"), visibility)
    for board, listing in zip(boards, before, strict=True):
        assert await listed(parts, *board) == [line for line in listing if line[0] != "bob"]
    assert (await parts.profiles.get("bob")).visibility is visibility
    assert await wrongs(parts) == []

    await parts.people.set_visibility(order("bob", "r-2"), Visibility.PUBLIC)
    assert [await listed(parts, *board) for board in boards] == before
    assert await wrongs(parts) == []


async def test_points_count_on(parts: Parts) -> None:
    await give(parts, "ann", 100)
    await parts.people.set_visibility(order("ann"), Visibility.HIDDEN)

    answer = await give(parts, "ann", 5000)
    assert (answer.rewards.total_points, answer.rewards.tier) == (5100, Tier.SILVER)
    assert (answer.rank_state, answer.ranks) == (RankState.NOT_RANKED, ())
    assert await refusal_of(parts.queries.place(board_at(parts), "ann")) is Reason.NOT_ON_BOARD
    assert await listed(parts) == []

    await parts.people.set_visibility(order("ann", "r-2"), Visibility.PUBLIC)
    assert await listed(parts) == await listed(parts, "tier:silver") == [("ann", 5100)]


async def test_a_shadow_user_sees_himself_where_he_would_stand(parts: Parts) -> None:
    for user_id, points in (("ann", 300), ("bob", 200), ("cid", 100)):
        await give(parts, user_id, points)
    await parts.people.set_visibility(order("bob"), Visibility.SHADOW)
    board = board_at(parts)
    place = await parts.queries.place(board, "bob")
    assert (place.rank, place.score) == (2, 200)
    around = await parts.queries.surrounding(board, "bob", 5)
    assert [line.user_id for line in around.lines] == ["ann", "bob", "cid"]
    assert await listed(parts) == [("ann", 300), ("cid", 100)]
    assert (await parts.queries.place(board, "cid")).rank == 2
    lines, missing = await parts.queries.places(board, ["ann", "bob"])
    assert ([line.user_id for line in lines], list(missing)) == (["ann"], ["bob"])


async def test_a_closed_standing_stays(parts: Parts) -> None:
    assert parts.clock is not None
    await give(parts, "ann", 100)
    await parts.clock.advance(timedelta(days=2))
    await give(parts, "ann", 1)
    await parts.people.set_visibility(order("ann"), Visibility.HIDDEN)
    assert await listed(parts, "global", DAY) == [("ann", 100)]
    assert await listed(parts) == []


async def test_is_set_once_whatever_is_retried(parts: Parts) -> None:
    await give(parts, "ann", 100)
    first = await asyncio.gather(
        *(parts.people.set_visibility(order("ann"), Visibility.HIDDEN) for _ in range(5))
    )
    assert sorted(first) == [False, True, True, True, True]
    await parts.people.set_visibility(order("ann", "r-2"), Visibility.PUBLIC)
    assert await parts.people.set_visibility(order("ann"), Visibility.HIDDEN)
    assert await listed(parts) == [("ann", 100)]
    other = parts.people.set_visibility(order("ann", reason="another"), Visibility.HIDDEN)
    assert await refusal_of(other) is Reason.IDEMPOTENCY_CONFLICT


async def test_who_did_it_and_why_is_kept_for_good(parts: Parts) -> None:
    await give(parts, "ann", 100)
    await parts.people.set_visibility(order("ann", actor="joe", reason="cheated"), Visibility.SHADOW)
    (kept,) = await parts.pool.fetch("SELECT measure, detail, actor, reason, request_id FROM user_measures")
    assert tuple(kept) == ("SET_VISIBILITY", "SHADOW", "joe", "cheated", "r-1")
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await parts.pool.execute("DELETE FROM user_measures")


async def test_of_nobody(parts: Parts) -> None:
    call = parts.people.set_visibility(order("nobody"), Visibility.HIDDEN)
    assert await refusal_of(call) is Reason.USER_NOT_FOUND
