"""Boards that are deleted by a server which is killed at each step in turn: what is left is cleared away by others."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.errors import Reason
from laurel_server.domain.ledger import User
from laurel_server.domain.periods import PeriodType
from laurel_server.leaderboards.administration import BoardAdministration
from laurel_server.leaderboards.projection import BoardsUnavailable
from laurel_server.leaderboards.rebuild import Rebuild
from laurel_server.leaderboards.remains import BoardRemains
from laurel_server.postgres.pool import Pool
from laurel_server.runtime.wiring import Parts
from tests.integration.conftest import new_ledger
from tests.integration.engines import Engine
from tests.integration.leaderboards.scoring import kept, lines, report
from tests.integration.leaderboards.test_administration import refusal, request, settled
from tests.integration.periods.cuts import Cut, CuttingPool
from tests.integration.wired import give, listed, running, until, wrongs

SCORES = BoardConfig("race", BoardKind.SCORES, "race", reset_cron="0 0 * * *")
POINTS = BoardConfig("regions", BoardKind.POINTS, "region:*", PeriodType.ALL_TIME, slots=3)


class CutRebuild:
    """A rebuild that is cut before and after it drops keys."""

    def __init__(self, rebuild: Rebuild, cut: Callable[[], None]) -> None:
        self._rebuild = rebuild
        self._cut = cut

    async def forget(self, boards: Sequence[BoardKey], slots: Sequence[str]) -> None:
        self._cut()
        await self._rebuild.forget(boards, slots)
        self._cut()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rebuild, name)


async def cut_delete(parts: Parts, board_id: str, cut_before: int) -> bool:
    """Delete a board up to that step; False: there were fewer."""
    pool = CuttingPool(parts.pool, cut_before)
    rebuild = cast("Rebuild", CutRebuild(parts.maintenance.rebuilder, pool.cut))
    ledger = cast("Pool", pool)
    boards = parts.boards
    cutting = BoardAdministration(
        ledger,
        parts.rule_book,
        rebuild,
        BoardRemains(ledger, rebuild, parts.leadership),
        boards._size_caps,
        boards._clock,
    )
    try:
        await cutting.delete(board_id, request("delete"))
    except Cut:
        pass
    finally:
        await cutting.close()
    return pool.is_spent


async def nothing_left(parts: Parts, name: str) -> bool:
    orphans = "SELECT count(*) FROM scores WHERE board_no NOT IN (SELECT board_no FROM boards)"
    return not await parts.pool.fetchval(orphans) and not await keys(parts, name)


async def nothing_noted(parts: Parts) -> bool:
    return not await parts.pool.fetchval("SELECT count(*) FROM board_remains")


async def keys(parts: Parts, name: str) -> list[bytes]:
    found: list[bytes] = await parts.redis.call("KEYS", f"*:{name}*")
    return found


async def compete(parts: Parts) -> None:
    await settled(parts)
    for config in (SCORES, POINTS):
        await parts.boards.create(config, request())
    for name in ("ann", "bob"):
        await parts.profiles.upsert([User(name, region="North")])
        await give(parts, name, 5)
        await report(parts, name, 9)
    assert await keys(parts, "race")
    assert await keys(parts, "region:North")


@pytest.mark.timeout(600)  # two servers for each step
@pytest.mark.parametrize(("config", "name"), [(SCORES, "race"), (POINTS, "region:North")])
async def test_a_delete_ends_complete_wherever_it_was_cut(
    postgres: Engine, template: str, redis_url: str, config: BoardConfig, name: str
) -> None:
    cut_before, was_cut = 0, True
    while was_cut:
        cut_before += 1
        async with Redis.from_url(redis_url) as client:
            await client.flushall()  # what it has of the ledger before would pass for newer
        async with new_ledger(postgres, template) as dsn:
            async with running(dsn, redis_url) as parts:
                await compete(parts)
                was_cut = await cut_delete(parts, config.board_id, cut_before)
            async with running(dsn, redis_url) as parts:
                await parts.boards.delete(config.board_id, request("delete"))
                await until(partial(nothing_left, parts, name), "nothing is left of the board")
                assert config.board_id not in {board.board_id for board in await parts.boards.boards()}
                assert await wrongs(parts) == []
    assert cut_before > 12


@pytest.mark.timeout(600)
async def test_a_board_that_is_created_again_after_a_cut_has_nothing_of_the_one_before(
    postgres: Engine, template: str, redis_url: str
) -> None:
    cut_before, was_cut = 0, True
    while was_cut:
        cut_before += 1
        async with Redis.from_url(redis_url) as client:
            await client.flushall()
        async with new_ledger(postgres, template) as dsn, running(dsn, redis_url) as parts:
            await compete(parts)
            was_cut = await cut_delete(parts, "race", cut_before)
            await parts.rule_book.current()
            await parts.boards.delete("race", request("delete"))
            await parts.boards.create(SCORES, request())
            assert await lines(parts) == []
            answer = await report(parts, "cid", 1)
            assert (answer.rank.rank, answer.rank.total) == (1, 1)
            assert await lines(parts) == [(1, "cid", 1, 0)]
            assert await kept(parts) >= {"cid"}


async def test_a_board_is_not_created_again_while_redis_may_have_something_of_the_one_before(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await compete(parts)

    async def away(*_: object) -> None:
        raise BoardsUnavailable("away")

    monkeypatch.setattr(parts.maintenance.rebuilder, "forget", away)
    await parts.boards.delete("race", request())
    again = request()
    assert await refusal(parts.boards.create(SCORES, again)) is Reason.BOARDS_REBUILDING
    monkeypatch.undo()
    await parts.boards.create(SCORES, again)  # a refusal that passes is not kept
    assert await lines(parts) == []


async def test_keys_of_another_layout_are_dropped_by_whoever_leads(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await compete(parts)

    async def away(*_: object) -> None:
        raise BoardsUnavailable("away")

    monkeypatch.setattr(parts.maintenance.rebuilder, "forget", away)
    fields = {field: getattr(POINTS, field) for field in POINTS.__slots__} | {"slots": 2}
    await parts.boards.update(BoardConfig(**fields), ["slots"])
    assert await keys(parts, "region:North/0of3")
    monkeypatch.undo()

    async def are_gone() -> bool:
        return not await keys(parts, "region:North/?of3")

    await until(are_gone, "the keys of the old layout are gone")
    assert await listed(parts, "region:North") == [("ann", 5), ("bob", 5)]
    assert await wrongs(parts) == []


async def test_keys_that_a_straggler_writes_after_the_delete_are_dropped_too(parts: Parts) -> None:
    await compete(parts)
    await parts.boards.delete("race", request())
    await parts.redis.call("HSET", "{leaderboard:race:2026-11-25T00:00Z}:members", "ann", "late")
    await until(partial(nothing_left, parts, "race"), "the late keys are gone")
    assert not await nothing_noted(parts)
    await parts.pool.execute("UPDATE board_remains SET noted_at = noted_at - interval '1 minute'")
    await until(partial(nothing_noted, parts), "what is left is forgotten")
