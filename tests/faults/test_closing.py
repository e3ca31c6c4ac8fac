"""A close of a week, killed after each of its steps by SIGKILL, and finished by another process."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
from redis.asyncio import Redis

from laurel_server.domain.board_configs import BoardConfig, BoardKind
from laurel_server.domain.boards import WinnerBonus
from laurel_server.domain.closing import PeriodState
from laurel_server.domain.commands import RequestKey
from laurel_server.domain.views import Board
from laurel_server.postgres.migrate import upgrade
from laurel_server.runtime.wiring import Parts
from tests.integration import engines
from tests.integration.engines import Engine
from tests.integration.leaderboards.scoring import report
from tests.integration.wired import START, WEEK, entries_of, give, listed, run_job, running, wrongs

CHILD = Path(__file__).with_name("closing_child.py")
CLOSED = datetime(2026, 11, 30, 1, tzinfo=UTC)
STANDING = [("ann", 30), ("bob", 20), ("cid", 10), ("dot", 5)]
STEPS = ("closing", "sealed", "frozen", "snapshot", "paid", "completed", "archived")


class Engines(NamedTuple):
    dsn: str
    redis_url: str


@pytest.fixture
async def own(doomed_postgres: Engine, doomed_redis: Engine) -> AsyncIterator[Engines]:
    """An empty ledger and an empty Redis."""
    connection = await asyncpg.connect(engines.dsn(doomed_postgres, "postgres"))
    await connection.execute("CREATE DATABASE closing")
    own = Engines(engines.dsn(doomed_postgres, "closing"), engines.redis_url(doomed_redis))
    await upgrade(own.dsn)
    async with Redis.from_url(own.redis_url) as client:
        await client.flushall()
    yield own
    await connection.execute("DROP DATABASE closing WITH (FORCE)")
    await connection.close()


async def race(parts: Parts) -> None:
    """Let two compete on a score board that resets when the week ends."""
    bonuses = (WinnerBonus(1, 9), WinnerBonus(2, 7))
    config = BoardConfig("race", BoardKind.SCORES, "race", reset_cron="0 0 * * 1", winner_bonuses=bonuses)
    await parts.boards.create(config, RequestKey("tests", "race", b""))
    for name, score in (("cid", 1), ("dot", 3)):
        await report(parts, name, score)


def raced(parts: Parts) -> Board:
    return parts.queries.resolve("race", None, "2026-11-23T00:00Z")


@pytest.mark.parametrize("step", STEPS)
async def test_a_close_that_is_killed_is_finished_by_another_process(own: Engines, step: str) -> None:
    async with running(*own, now=START) as parts:
        for name, points in STANDING:
            await give(parts, name, points)
        await race(parts)
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(CHILD), *own, step, CLOSED.isoformat(), stderr=asyncio.subprocess.PIPE
    )
    _, said = await child.communicate()
    assert child.returncode == -9, said.decode()

    async with running(*own, now=CLOSED) as parts:
        await run_job(parts, "close_periods")
        assert [await entries_of(parts, name) for name, _ in STANDING] == [
            [30, 100, 1000],
            [20, 50, 500],
            [10, 25, 250, 7],
            [5, 9],
        ]
        assert await listed(parts, period_id=WEEK) == STANDING
        assert [line.user_id for line in (await parts.periods.snapshot(raced(parts), 0, 9)).lines] == [
            "dot",
            "cid",
        ]
        assert (await parts.periods.period(raced(parts))).state is PeriodState.COMPLETED
        assert await wrongs(parts) == []
