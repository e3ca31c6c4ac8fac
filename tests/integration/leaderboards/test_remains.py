"""Boards that are deleted by a server which is killed at each step in turn: what is left is cleared away by others."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.errors import Reason
from laurel_server.domain.ledger import User
from laurel_server.domain.periods import PeriodType
from laurel_server.leaderboards import remains
from laurel_server.leaderboards.administration import BoardAdministration
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.leaderboards.rebuild import Rebuild
from laurel_server.leaderboards.remains import BoardRemains
from laurel_server.postgres import boards as board_rows
from laurel_server.postgres.pool import Pool
from laurel_server.postgres.sql import load
from laurel_server.runtime.wiring import Parts
from tests.integration.conftest import new_ledger
from tests.integration.engines import Engine
from tests.integration.leaderboards.scoring import kept, lines, report
from tests.integration.leaderboards.test_administration import refusal, request
from tests.integration.periods.cuts import Cut, CuttingPool
from tests.integration.wired import WEEK, give, listed, rest_repair, running, until, wrongs

SCORES = BoardConfig("race", BoardKind.SCORES, "race", reset_cron="0 0 * * *")
OF_ONE_COUNTRY = BoardConfig("us", BoardKind.POINTS, "country:US", PeriodType.WEEKLY)
POINTS = BoardConfig("regions", BoardKind.POINTS, "region:*", PeriodType.ALL_TIME, slots=3)

A_PAST = """
INSERT INTO leaderboard_periods (scope, period_id, period_type, state, board_no, starts_at, ends_at)
SELECT 'race', '2025-11-25T00:00Z', 6, 4, board_no, '2025-11-25', '2025-11-26' FROM boards WHERE board_id = 'race';
INSERT INTO leaderboard_snapshots
SELECT scope, period_id, 2, 10, 5, 5, '{1,2}', '{1,2}', '{5,5}', now() FROM leaderboard_periods
 WHERE scope IN ('race', 'region:North');
INSERT INTO period_winners
SELECT scope, period_id, unnest(user_nos), 1, 5, 1, NULL, 'REFUSED' FROM leaderboard_snapshots;
INSERT INTO rank_history
SELECT scope, period_id, 0, '2026-11-24', now(), 2, user_nos, ranks, scores, 1 FROM leaderboard_snapshots;
INSERT INTO rank_days SELECT scope, period_id, '2026-11-24', 1 FROM leaderboard_snapshots;
"""
"""What a board has of periods that are over."""


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
    past = await rows_of(parts, name)
    return not await parts.pool.fetchval(orphans) and not any(past) and not await keys(parts, name)


async def rows_of(parts: Parts, scope: str) -> list[int]:
    """Return how many rows of periods, and of what hangs on them, there are of a scope."""
    tables = ("leaderboard_periods", "leaderboard_snapshots", "period_winners", "rank_history", "rank_days")
    return [
        await parts.pool.fetchval(f"SELECT count(*) FROM {table} WHERE scope = $1", scope) for table in tables
    ]


async def are_whole(parts: Parts) -> bool:
    return not await parts.maintenance.rebuilder.lost()


async def nothing_noted(parts: Parts) -> bool:
    return not await parts.pool.fetchval("SELECT count(*) FROM board_remains")


async def keys(parts: Parts, name: str) -> list[bytes]:
    found: list[bytes] = await parts.redis.call("KEYS", f"*:{name}*")
    return found


async def compete(parts: Parts) -> None:
    for config in (SCORES, POINTS):
        await parts.boards.create(config, request())
    for name in ("ann", "bob"):
        await parts.profiles.upsert([User(name, region="North")])
        await give(parts, name, 5)
        await report(parts, name, 9)
    assert await keys(parts, "race")
    assert await keys(parts, "region:North")
    await parts.pool.execute(A_PAST)


@pytest.fixture
def often() -> Iterator[None]:
    """Let who leads look several times a second for what is left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remains, "INTERVAL_SECONDS", 0.1)
        yield


def keep_keys(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no key be dropped, as if Redis were away, until the patch is undone."""

    async def away(*_: object) -> None:
        raise BoardsUnavailable("away")

    monkeypatch.setattr(parts.maintenance.rebuilder, "forget", away)


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
                await until(partial(are_whole, parts), "repair has filled what the cut has left empty")
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
            assert await rows_of(parts, "race") == [0, 0, 0, 0, 0]
            answer = await report(parts, "cid", 1)
            assert (answer.rank.rank, answer.rank.total) == (1, 1)
            assert await lines(parts) == [(1, "cid", 1, 0)]
            assert await kept(parts) >= {"cid"}


async def test_a_board_is_not_created_again_while_redis_may_have_something_of_the_one_before(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await compete(parts)
    keep_keys(parts, monkeypatch)
    await parts.boards.delete("race", request())
    again = request()
    assert await refusal(parts.boards.create(SCORES, again)) is Reason.BOARDS_REBUILDING
    monkeypatch.undo()
    await parts.boards.create(SCORES, again)  # a refusal that passes is not kept
    assert await lines(parts) == []


async def test_who_is_late_to_clear_away_a_board_leaves_the_keys_of_one_that_was_created_since(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await compete(parts)
    keep_keys(parts, monkeypatch)
    await parts.boards.delete("race", request())
    forgotten = await board_rows.forgotten_periods(parts.pool)
    assert {each.board.scope for each in forgotten} == {"race"}
    monkeypatch.undo()
    await parts.boards.create(SCORES, request())
    await report(parts, "cid", 1)

    async def as_read_before(_pool: Pool) -> list[board_rows.Forgotten]:
        return forgotten

    await rest_repair(parts, monkeypatch)
    monkeypatch.setattr(board_rows, "forgotten_periods", as_read_before)
    assert await parts.boards._remains.forget_periods()
    assert await lines(parts) == [(1, "cid", 1, 0)]


@pytest.mark.usefixtures("often")
async def test_keys_of_another_layout_are_dropped_by_whoever_leads(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await compete(parts)
    keep_keys(parts, monkeypatch)
    fields = {field: getattr(POINTS, field) for field in POINTS.__slots__} | {"slots": 2}
    await parts.boards.update(BoardConfig(**fields), ["slots"])
    assert await keys(parts, "region:North/0of3")
    monkeypatch.undo()

    async def are_gone() -> bool:
        return not await keys(parts, "region:North/?of3")

    await until(are_gone, "the keys of the old layout are gone")
    assert await listed(parts, "region:North") == [("ann", 5), ("bob", 5)]
    assert await wrongs(parts) == []


@pytest.mark.usefixtures("often")
async def test_keys_that_a_straggler_writes_after_the_delete_are_dropped_too(parts: Parts) -> None:
    await compete(parts)
    await parts.boards.delete("race", request())
    await parts.redis.call("HSET", "{leaderboard:race:2026-11-25T00:00Z}:members", "ann", "late")
    await until(partial(nothing_left, parts, "race"), "the late keys are gone")
    assert not await nothing_noted(parts)
    await parts.pool.execute("UPDATE board_remains SET noted_at = noted_at - interval '1 minute'")
    await until(partial(nothing_noted, parts), "what is left is forgotten")


@pytest.mark.parametrize("slots", [1, 3])
async def test_a_fill_that_goes_on_for_long_after_the_delete_leaves_no_keys(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, slots: int
) -> None:
    for name in ("ann", "bob"):
        await parts.profiles.upsert([User(name, region="North")])
        await give(parts, name, 5)
    rebuilder, begun, is_cleared = parts.maintenance.rebuilder, asyncio.Event(), asyncio.Event()
    register = rebuilder._register

    async def register_late(*args: Any) -> None:
        begun.set()
        await is_cleared.wait()
        await register(*args)

    monkeypatch.setattr(rebuilder, "_register", register_late)
    await parts.boards.create(replace(POINTS, slots=slots), request())
    await begun.wait()
    await parts.boards.delete("regions", request())
    await parts.pool.execute("UPDATE board_remains SET noted_at = noted_at - interval '1 minute'")
    await parts.boards._remains.clear()
    is_cleared.set()
    await rebuilder.fill_new()  # when the other one has ended
    await until(partial(nothing_noted, parts), "what is left is forgotten")
    assert await nothing_left(parts, "region:North")
    await parts.boards.create(POINTS, request())
    await until(partial(is_filled, parts, "regions"), "the board is there again")
    assert await listed(parts, "region:North") == [("ann", 5), ("bob", 5)]
    assert await wrongs(parts) == []


@pytest.mark.usefixtures("often")
async def test_another_board_leaves_the_rest_of_what_is_noted_to_be_dropped_further_on(parts: Parts) -> None:
    for name, country in (("ann", "US"), ("bob", "DE")):
        await parts.profiles.upsert([User(name, country=country)])
        await give(parts, name, 5)
    await parts.boards.delete("country-weekly", request())
    await parts.boards.create(OF_ONE_COUNTRY, request())
    await parts.redis.call("HSET", f"{{leaderboard:country:DE:weekly:{WEEK}}}:members", "bob", "late")
    await until(partial(nothing_left, parts, "country:DE:weekly"), "the late keys are gone")
    assert await listed(parts, "country:US", WEEK) == [("ann", 5)]
    assert await wrongs(parts) == []


async def test_a_family_that_gets_its_keys_back_keeps_them(parts: Parts) -> None:
    await parts.profiles.upsert([User("ann", country="US")])
    await give(parts, "ann", 5)
    await parts.boards.update(replace(await parts.boards.board("country-weekly"), slots=3), ["slots"])
    await parts.boards.create(OF_ONE_COUNTRY, request())
    await parts.boards.delete(OF_ONE_COUNTRY.board_id, request())
    await until(partial(is_filled, parts, "country-weekly"), "the family has its board again")
    await parts.boards._remains.clear()
    assert await listed(parts, "country:US", WEEK) == [("ann", 5)]
    assert await wrongs(parts) == []


async def is_filled(parts: Parts, board_id: str) -> bool:
    await parts.rule_book.current()
    return (await parts.boards.board(board_id)).is_filled


async def test_what_is_noted_is_dropped_before_batches_are_held_back(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await compete(parts)
    rebuilder = parts.maintenance.rebuilder
    found: list[tuple[bool, bool]] = []

    async def away(*_: object) -> None:
        raise BoardsUnavailable("away")

    async def look_and_forget(boards: Sequence[BoardKey], slots: Sequence[str]) -> None:
        goes_on = await parts.pool.fetchval(
            "SELECT pg_try_advisory_xact_lock_shared(hashtext('laurel boards'))"
        )
        found.append((goes_on, bool(await keys(parts, "race"))))
        await Rebuild.forget(rebuilder, boards, slots)

    await rest_repair(parts, monkeypatch)
    monkeypatch.setattr(rebuilder, "forget", away)
    await parts.boards.delete("race", request())
    monkeypatch.setattr(rebuilder, "forget", look_and_forget)
    await parts.boards.create(SCORES, request())
    assert found[0] == (True, True)
    assert [has_keys for goes_on, has_keys in found if not goes_on] == [False]


async def test_awards_go_on_while_a_change_waits_for_who_clears_away(parts: Parts) -> None:
    await parts.boards.create(POINTS, request())
    await give(parts, "ann", 5)
    async with parts.pool.acquire() as other, other.transaction():
        await board_rows.note_remains(other, 0, 1, [BoardKey("race", "all")])
        await other.execute("LOCK TABLE board_remains")  # as long as Redis takes to drop what is noted
        change = asyncio.create_task(refusal(parts.boards.delete("regions", request())))
        waits = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"
        await until(partial(parts.pool.fetchval, waits), "the change waits")
        async with asyncio.timeout(2):
            await give(parts, "ann", 5)
        assert not change.done()
        assert await change is Reason.LEDGER_UNAVAILABLE
    await parts.boards.delete("regions", request())


async def test_scores_that_somebody_else_deletes_are_not_all_there_were(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await compete(parts)
    await report(parts, "cid", 9)
    gone = (await parts.boards.board("race")).board_no
    monkeypatch.setattr(board_rows, "ROWS_AT_ONCE", 2)
    async with parts.pool.acquire() as other, asyncio.TaskGroup() as tasks:
        async with other.transaction():
            assert await other.fetchval(load("scores_delete"), gone, 2) == 2
            deleting = tasks.create_task(board_rows.delete_scores(parts.pool, gone))
            await until(partial(somebody_waits, parts), "the second one waits for the first")
        await deleting
    assert await kept(parts) == set()


async def somebody_waits(parts: Parts) -> bool:
    waiting: int = await parts.pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
    return waiting > 0
