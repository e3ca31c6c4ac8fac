from dataclasses import replace
from itertools import product

import pytest

from laurel_server.domain.board_configs import ScoreOperator
from laurel_server.domain.boards import SortOrder, TiePolicy, Visibility
from laurel_server.domain.ledger import RankState
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import board, kept, lines, remove, report, see
from tests.integration.wired import wrongs


async def test_a_size_cap_keeps_the_best(parts: Parts) -> None:
    await board(parts, max_entries=2, operator=ScoreOperator.LAST)
    await report(parts, "ann", 10)
    await report(parts, "bob", 20)
    outside = await report(parts, "cleo", 10)
    assert (outside.updated, outside.rank_state, outside.rank.rank) == (False, RankState.NOT_RANKED, 0)
    inside = await report(parts, "cleo", 11)
    assert (inside.updated, inside.rank.rank) == (True, 2)
    assert await lines(parts) == [(1, "bob", 20, 0), (2, "cleo", 11, 0)]
    await parts.maintenance.rebuild(None)
    assert await lines(parts) == [(1, "bob", 20, 0), (2, "cleo", 11, 0)]
    assert await remove(parts, "bob")
    assert (await report(parts, "ann", 1)).rank.rank == 2


@pytest.mark.parametrize(("policy", "order"), list(product(TiePolicy, SortOrder)), ids=str)
async def test_equals_of_the_last_one_stay_outside_a_size_cap(
    parts: Parts, policy: TiePolicy, order: SortOrder
) -> None:
    await board(parts, max_entries=2, tie_policy=policy, sort_order=order)
    sign = 1 if order is SortOrder.DESCENDING else -1
    for user_id, score in {"ann": 10, "bob": 10, "cleo": 10}.items():
        answer = await report(parts, user_id, sign * score, sign)
        assert answer.updated == (user_id != "cleo")
    assert not (await report(parts, "cleo", sign * 10, 0)).updated
    assert [user_id for _, user_id, _, _ in await lines(parts)] == ["ann", "bob"]
    assert (await report(parts, "cleo", sign * 10, sign * 2)).rank.rank == 1
    assert [user_id for _, user_id, _, _ in await lines(parts)] == ["cleo", "ann"]


async def test_a_lower_size_cap_drops_the_last_ones(parts: Parts) -> None:
    await board(parts, max_entries=9)
    for score, user_id in enumerate(("ann", "bob", "cleo", "dan", "eve"), start=1):
        await report(parts, user_id, min(score, 3))  # cleo, dan and eve are equals
    await see(parts, "ann", Visibility.HIDDEN)
    config = await parts.boards.board("race")
    await parts.boards.update(replace(config, max_entries=2), ["max_entries"])
    expected = [(1, "cleo", 3, 0), (2, "dan", 3, 0)]
    assert await lines(parts) == expected
    assert await kept(parts) == {"ann", "cleo", "dan"}
    await parts.maintenance.rebuild(None)
    assert await lines(parts) == expected
    assert await wrongs(parts) == []
    assert (await report(parts, "eve", 4)).rank.rank == 1
    assert [user_id for _, user_id, _, _ in await lines(parts)] == ["eve", "cleo"]


async def test_a_cap_that_a_stopped_server_did_not_apply_is_applied_with_the_next_score(parts: Parts) -> None:
    await board(parts, max_entries=3)
    for score, user_id in enumerate(("ann", "bob", "cleo"), start=1):
        await report(parts, user_id, score)
    await parts.pool.execute("UPDATE boards SET max_entries = 1 WHERE board_id = 'race'")
    await parts.pool.execute("UPDATE rules_version SET version = version + 1")
    assert (await report(parts, "bob", 2)).rank_state is RankState.NOT_RANKED
    assert await lines(parts) == [(1, "cleo", 3, 0)]
    assert await kept(parts) == {"cleo"}


async def test_who_is_shown_again_takes_the_place_of_the_last_one(parts: Parts) -> None:
    await board(parts, max_entries=2)
    await report(parts, "ann", 10)
    await see(parts, "ann", Visibility.HIDDEN)
    for user_id, score in {"bob": 9, "cleo": 8, "dan": 7}.items():
        await report(parts, user_id, score)
    await see(parts, "ann", Visibility.PUBLIC)
    assert await lines(parts) == [(1, "ann", 10, 0), (2, "bob", 9, 0)]
    assert await kept(parts) == {"ann", "bob"}
    assert await wrongs(parts) == []
