"""What was read before somebody left a board, and comes to it only after a rebuild has forgotten who left."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from laurel_server.domain.boards import BoardKey, TiePolicy
from laurel_server.leaderboards import board_fill
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.placing import placement_of
from laurel_server.leaderboards.projection import Projection
from laurel_server.leaderboards.score_seats import seatings_of_scorers
from laurel_server.leaderboards.seating import seat
from laurel_server.postgres import scores, standings
from laurel_server.postgres.finality import final_batch
from laurel_server.postgres.pool import Pool
from laurel_server.redis.keys import MARKER, board_keys
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import board, lines, remove, report
from tests.integration.wired import ALL, give, listed, rest_repair, wrongs

BRONZE = BoardKey("tier:bronze", ALL)
PROMOTED = 60_000


@pytest.fixture(params=[TiePolicy.EARLIEST_FIRST, TiePolicy.DENSE])
async def tiers(parts: Parts, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Parts:
    """A server whose repair rests, with the boards of tiers under both kinds of scripts."""
    await rest_repair(parts, monkeypatch)
    config = await parts.boards.board("tier-all")
    await parts.boards.update(replace(config, tie_policy=request.param), ["tie_policy"])
    await parts.maintenance.rebuilder.fill_new()
    return parts


def projection(parts: Parts) -> Projection:
    return Projection(parts.redis, 5, parts.maintenance.catalogue)


async def by_an_award(parts: Parts, read: Placement) -> None:
    await projection(parts).apply([read])


async def by_repair(parts: Parts, read: Placement) -> None:
    await projection(parts).load([read], tell=False)


LATE = pytest.mark.parametrize("late", [by_an_award, by_repair])


async def read_now(parts: Parts, user_id: str) -> Placement:
    """Return what an award, or repair, would take to the boards for a user now."""
    member = await standings.read_member(parts.pool, user_id)
    assert member is not None
    return placement_of(member, parts.maintenance.catalogue.matrix)


@LATE
async def test_who_left_before_a_rebuild_is_not_brought_back(
    tiers: Parts, late: Callable[[Parts, Placement], Awaitable[None]]
) -> None:
    await give(tiers, "bob", 20)
    await give(tiers, "ann", 10)
    read = await read_now(tiers, "ann")
    await give(tiers, "ann", PROMOTED)
    await tiers.maintenance.rebuild(None)

    await late(tiers, read)

    assert await listed(tiers, "tier:bronze") == [("bob", 20)]
    assert await wrongs(tiers, "boards") == []


@LATE
async def test_nor_is_who_leaves_while_it_begins(
    tiers: Parts, late: Callable[[Parts, Placement], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    await give(tiers, "bob", 20)
    await give(tiers, "ann", 10)
    await give(tiers, "cat", 5)
    ann, cat = await read_now(tiers, "ann"), await read_now(tiers, "cat")
    await give(tiers, "ann", PROMOTED)

    async def floor(pool: Pool) -> int:
        """Between the claim and the floor: cat leaves after it, ann is brought back before it."""
        found = await final_batch(pool)
        await late(tiers, ann)
        await give(tiers, "cat", PROMOTED)
        return found

    monkeypatch.setattr(board_fill, "final_batch", floor)
    await tiers.maintenance.rebuild(None)
    for read in (ann, cat):
        await late(tiers, read)

    assert await listed(tiers, "tier:bronze") == [("bob", 20)]
    assert await wrongs(tiers, "boards") == []


@LATE
async def test_who_is_not_there_yet_is_brought_by_the_rebuild_and_by_what_is_newer(
    tiers: Parts, late: Callable[[Parts, Placement], Awaitable[None]]
) -> None:
    await give(tiers, "ann", 10)
    read = await read_now(tiers, "ann")
    await tiers.redis.call("FLUSHALL")
    await late(tiers, read)
    await tiers.maintenance.rebuild(None)
    await give(tiers, "bob", 20)

    assert await listed(tiers, "tier:bronze") == [("bob", 20), ("ann", 10)]
    assert int(await tiers.redis.call("HGET", board_keys(BRONZE).members, MARKER)) >= read.version


async def test_a_removed_score_is_not_brought_back(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    await rest_repair(parts, monkeypatch)
    race = BoardKey(await board(parts), ALL)
    for user_id, score in (("ann", 10), ("bob", 20)):
        await report(parts, user_id, score)
    read = [each for each in await scores.of_user(parts.pool, "ann") if each.board == race]
    await remove(parts, "ann")
    await parts.maintenance.rebuild(None)

    seatings = seatings_of_scorers(read, parts.maintenance.catalogue)
    await seat(parts.redis, seatings, ranked=False, tell=False)

    assert await lines(parts) == [(1, "bob", 20, 0)]
    await report(parts, "ann", 10)
    assert await lines(parts) == [(1, "bob", 20, 0), (2, "ann", 10, 0)]
