"""Fills that go on although the boards are no longer theirs: lost since, or emptied by another fill."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC

import pytest

from laurel_server.domain.board_configs import from_family
from laurel_server.domain.boards import DEFAULT_FAMILIES, BoardKey, TiePolicy
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.leaderboards import board_fill, fill_order
from laurel_server.leaderboards.board_fill import BoardFill, new_claim
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.leaderboards.loading import Loading
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.projection import Projection
from laurel_server.leaderboards.rebuild import Rebuild
from laurel_server.postgres.turns import REBUILD, Turns
from laurel_server.redis.keys import FILLING, MARKER, board_keys
from laurel_server.redis.node import RedisNode
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import board, lines, report
from tests.integration.wired import ALL, WEEK, give, keys_of, listed, rest_repair, wrongs

GLOBAL, BRONZE = BoardKey("global", ALL), BoardKey("tier:bronze", ALL)


class Interrupting(Projection):
    """A projection that does something when users have been read, before it takes them on."""

    def __init__(self, parts: Parts, *then: Callable[[], Awaitable[object]]) -> None:
        super().__init__(parts.redis, 5, parts.maintenance.catalogue)
        self.then = list(then)
        self.added = 0

    def loading(self, at_once: int = 1, *, tell: bool, claim: str = "") -> Loading:
        return InterruptedLoading(self, at_once, tell=tell, claim=claim)


class InterruptedLoading(Loading):
    def __init__(self, projection: Interrupting, at_once: int, *, tell: bool, claim: str) -> None:
        super().__init__(projection._redis, projection._catalogue, at_once, tell=tell, claim=claim)
        self._projection = projection

    async def add(self, placements: Sequence[Placement]) -> None:
        if self._projection.then:
            await self._projection.then.pop(0)()
        self._projection.added += 1
        await super().add(placements)


def projection(parts: Parts) -> Projection:
    return Projection(parts.redis, 5, parts.maintenance.catalogue)


def fill_by(parts: Parts, by: Projection, chunk: int = 100) -> BoardFill:
    return BoardFill(parts.pool, parts.redis, by, parts.maintenance.catalogue, chunk)


@pytest.fixture
async def alone(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Parts:
    """A server whose repair rests."""
    await rest_repair(parts, monkeypatch)
    return parts


async def test_a_fill_does_nothing_to_boards_that_another_has_emptied(alone: Parts) -> None:
    await give(alone, "ann", 10)
    other, second = fill_by(alone, projection(alone)), new_claim()
    first = fill_by(alone, Interrupting(alone, lambda: other.empty([GLOBAL, BRONZE], second)))

    with pytest.raises(BoardsUnavailable):
        await first.fill(frozenset({GLOBAL, BRONZE}))

    for each in (GLOBAL, BRONZE):
        standings, members, _ = board_keys(each)
        assert await alone.redis.call("EXISTS", standings) == 0
        assert await alone.redis.call("HKEYS", members) == [FILLING.encode(), MARKER.encode()]
        assert await alone.redis.call("HGET", members, FILLING) == second.encode()


@pytest.mark.parametrize("policy", [TiePolicy.EARLIEST_FIRST, TiePolicy.DENSE])
async def test_who_has_left_a_board_is_not_brought_back_by_a_fill_that_read_him_before(
    alone: Parts, policy: TiePolicy
) -> None:
    config = await alone.boards.board("tier-all")
    await alone.boards.update(replace(config, tie_policy=policy), ["tie_policy"])
    await alone.maintenance.rebuilder.fill_new()
    await give(alone, "ann", 10)
    await give(alone, "bob", 20)

    async def promoted_and_filled_again() -> None:
        await give(alone, "ann", 60_000)
        await fill_by(alone, projection(alone)).fill(frozenset({GLOBAL, BRONZE}))

    first = fill_by(alone, Interrupting(alone, promoted_and_filled_again))
    with pytest.raises(BoardsUnavailable):
        await first.fill(frozenset({GLOBAL, BRONZE}))

    assert await listed(alone, "tier:bronze") == [("bob", 20)]
    assert await listed(alone) == [("ann", 60_010), ("bob", 20)]
    assert await wrongs(alone, "boards") == []


async def test_a_fill_ends_once_all_its_boards_are_lost(
    alone: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_fill, "READ_AT_ONCE", 1)
    monkeypatch.setattr(fill_order, "PARTS", 0)
    for number in range(20):
        await give(alone, f"user-{number:02}", 10)
    flushing = Interrupting(alone, _nothing, lambda: alone.redis.call("FLUSHALL"))

    with pytest.raises(BoardsUnavailable):
        await fill_by(alone, flushing, 1).fill(frozenset({GLOBAL, BRONZE}))

    assert flushing.added < 15
    assert await alone.redis.call("KEYS", "{leaderboard*") == []


async def _nothing() -> None:
    pass


async def test_a_fill_that_loses_one_board_fills_the_others(alone: Parts) -> None:
    await give(alone, "ann", 10)
    lost = Interrupting(alone, lambda: alone.redis.call("DEL", *board_keys(BRONZE)))

    with pytest.raises(BoardsUnavailable):
        await fill_by(alone, lost).fill(frozenset({GLOBAL, BRONZE}))

    assert await listed(alone) == [("ann", 10)]
    assert await alone.redis.call("EXISTS", *board_keys(BRONZE)) == 0


async def test_a_score_board_that_another_has_emptied_is_left_to_him(alone: Parts) -> None:
    race = BoardKey(await board(alone), "all")
    await report(alone, "ann", 10)
    await alone.maintenance.rebuild(None)
    assert await lines(alone) == [(1, "ann", 10, 0)]
    fill, second = fill_by(alone, projection(alone)), new_claim()
    await fill.empty([race], second)

    assert await fill.load_scores(new_claim(), race) == 1
    assert await alone.redis.call("HKEYS", board_keys(race).members) == [FILLING.encode(), MARKER.encode()]
    await fill.load_scores(second, race)
    await fill.complete([race], second)
    assert await lines(alone) == [(1, "ann", 10, 0)]


async def test_a_rebuild_whose_turn_is_lost_ends_and_the_next_one_fills_the_boards(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rest_repair(parts, monkeypatch)
    for user, points in (("ann", 10), ("bob", 20)):
        await give(parts, user, points)

    async def lose_the_turn() -> None:
        others = "pid <> pg_backend_pid() AND state = 'idle in transaction'"
        await parts.pool.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        await asyncio.Event().wait()

    turns = Turns(parts.pool, REBUILD)
    interrupting = Interrupting(parts, lose_the_turn)
    catalogue = parts.maintenance.catalogue
    lost = Rebuild(parts.pool, parts.redis, interrupting, catalogue, turns, lambda _: True, UTC, 100)
    with pytest.raises(LaurelError) as refused:
        await lost.run()

    assert refused.value.reason is Reason.LEDGER_UNAVAILABLE
    assert interrupting.added == 0
    assert await parts.redis.call("HEXISTS", keys_of()[1], FILLING) == 1
    await parts.maintenance.rebuild(None)
    assert await listed(parts) == [("bob", 20), ("ann", 10)]
    assert await wrongs(parts, "boards") == []


CATALOGUES = {
    policy.name: Catalogue([replace(from_family(DEFAULT_FAMILIES[1]), tie_policy=policy)])
    for policy in TiePolicy
}


@pytest.mark.parametrize("catalogue", CATALOGUES.values(), ids=CATALOGUES)
async def test_it_stays_known_who_had_left_a_board_before_it_began(
    redis_url: str, catalogue: Catalogue
) -> None:
    redis = RedisNode(redis_url, 5)
    applying = Projection(redis, 5, catalogue)
    week = BoardKey("global", WEEK)
    _, members, gone = board_keys(week)
    await applying.apply([Placement("ann", 7, {}, (), (week,))])
    assert 0 < await redis.call("TTL", gone) <= 30  # there may never be such a board

    await applying.apply([Placement("bob", 8, {WEEK: (5, 1)}, (week,))], {week})
    assert await redis.call("TTL", gone) == -1
    await applying.apply([Placement("ann", 6, {WEEK: (9, 1)}, (week,))])
    assert await redis.call("HEXISTS", members, "ann") == 0
    await redis.close()


async def test_it_stays_known_who_had_left_a_board_before_a_fill_began_it(alone: Parts) -> None:
    gone = board_keys(BRONZE).gone
    await projection(alone).apply([Placement("ann", 1 << 40, {}, (), (BRONZE,))])
    assert await alone.redis.call("TTL", gone) > 0
    await fill_by(alone, projection(alone)).claim(BRONZE, new_claim())
    assert await alone.redis.call("TTL", gone) == -1
