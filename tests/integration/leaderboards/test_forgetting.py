"""Ranks of days of boards that are deleted: most of them go while awards go on."""

import asyncio
from datetime import timedelta

import pytest

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.ledger import User
from laurel_server.domain.periods import PeriodType
from laurel_server.postgres import boards as board_rows
from laurel_server.runtime.wiring import Parts
from tests.integration.leaderboards.scoring import board, report
from tests.integration.leaderboards.test_administration import request, settled
from tests.integration.wired import ALL, START, give, run_job, until

OF_ONE_COUNTRY = BoardConfig("us", BoardKind.POINTS, "country:US", PeriodType.ALL_TIME)


async def play_for_days(parts: Parts) -> None:
    """Have ranks of some days on points and score boards."""
    assert parts.clock is not None
    await settled(parts)
    await board(parts)
    await parts.profiles.upsert([User("ann", country="US")])
    for days in range(4):
        await parts.clock.set(START + timedelta(days=days))
        await give(parts, "ann", 10)
        await report(parts, "ann", 10 + days)
        await run_job(parts, "snapshot_ranks")


async def ranks_of(parts: Parts, scope: str, period_id: str = ALL) -> int:
    rows: int = await parts.pool.fetchval(
        "SELECT count(*) FROM rank_history WHERE scope = $1 AND period_id = $2", scope, period_id
    )
    return rows


async def all_ranks(parts: Parts) -> int:
    rows: int = await parts.pool.fetchval("SELECT count(*) FROM rank_history")
    return rows


@pytest.mark.parametrize(("board_id", "scope"), [("global-all", "global"), ("race", "race")])
async def test_ranks_of_days_go_before_batches_are_held_back(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, board_id: str, scope: str
) -> None:
    await play_for_days(parts)
    monkeypatch.setattr(board_rows, "RANK_ROWS_AT_ONCE", 2)
    mine, before = await ranks_of(parts, scope), await all_ranks(parts)
    assert mine > 2

    async def are_gone() -> bool:
        return not await ranks_of(parts, scope)

    # as long as a batch is open nobody can hold them back
    async with parts.pool.acquire() as batch, asyncio.TaskGroup() as tasks, batch.transaction():
        await batch.execute("SELECT pg_advisory_xact_lock_shared(hashtext('laurel boards'))")
        tasks.create_task(parts.boards.delete(board_id, request()))
        await until(are_gone, "the ranks are gone", seconds=3)
        assert board_id in {each.board_id for each in await parts.boards.boards()}
    assert board_id not in {each.board_id for each in await parts.boards.boards()}
    assert await all_ranks(parts) == before - mine


async def test_a_repeated_delete_leaves_the_ranks_of_a_board_that_was_created_since(parts: Parts) -> None:
    await play_for_days(parts)
    config, again = await parts.boards.board("global-all"), request()
    await parts.boards.delete("global-all", again)
    assert await ranks_of(parts, "global") == 0
    await parts.boards.create(config, request())
    await run_job(parts, "snapshot_ranks")
    assert await ranks_of(parts, "global") > 0
    await parts.boards.delete("global-all", again)
    await board_rows.forget_ranks(parts.pool, config.board_no, [BoardKey("global", ALL)])  # one who is late
    assert await ranks_of(parts, "global") > 0


async def test_ranks_of_days_stay_where_a_family_goes_on_with_the_board(parts: Parts) -> None:
    await play_for_days(parts)
    before = await ranks_of(parts, "country:US")
    await parts.boards.create(OF_ONE_COUNTRY, request())
    await parts.boards.delete("us", request())
    assert await ranks_of(parts, "country:US") == before > 0
