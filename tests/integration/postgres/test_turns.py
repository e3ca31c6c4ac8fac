"""Turns over a real PostgreSQL: one at a time, and none without its connection."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import asyncpg
import pytest

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.postgres import turns
from laurel_server.postgres.leadership import Leadership
from laurel_server.postgres.leases import Leases
from laurel_server.postgres.pool import Pool, connect_lane, create_pool
from laurel_server.postgres.turns import Turns

WHO_HAS_IT = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"


@pytest.fixture
async def pool(ledger_dsn: str) -> AsyncIterator[Pool]:
    pool = await create_pool(ledger_dsn, 1, 4, 5)
    yield pool
    await asyncio.wait_for(pool.close(), 10)


async def test_a_turn_that_is_lost_ends_what_was_done_in_it(pool: Pool) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        async with Turns(pool, "tests").turn():
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    worker = asyncio.create_task(work())
    await begun.wait()
    await pool.execute(f"SELECT pg_terminate_backend(pid) FROM ({WHO_HAS_IT}) AS it")
    async with Turns(pool, "tests").turn():
        async with asyncio.timeout(30):
            await ended.wait()
    with pytest.raises(LaurelError) as refused:
        await worker
    assert refused.value.reason is Reason.LEDGER_UNAVAILABLE
    assert not worker.cancelling()


async def test_a_turn_on_a_connection_that_says_nothing_any_more_ends(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(turns, "ANSWER_SECONDS", 0.05)

    async def work() -> None:
        async with Turns(pool, "tests").turn():
            pid, of_pool = await pool.fetchval(WHO_HAS_IT), cast("Any", pool)
            connections = [holder._con for holder in of_pool._holders if holder._con]
            (held,) = [each for each in connections if each.get_server_pid() == pid]
            held._transport.pause_reading()
            await asyncio.Event().wait()

    with pytest.raises(LaurelError):
        await asyncio.wait_for(work(), 30)
    async with Turns(pool, "tests").turn_if_free() as is_free:
        assert is_free


async def test_who_ends_his_turn_in_time_hears_nothing_of_a_loss(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "BEAT_SECONDS", 0.001)
    for _ in range(20):
        async with Turns(pool, "tests").turn():
            await pool.execute("SELECT 1")
        await asyncio.sleep(0)
    assert not asyncio.current_task().cancelling()  # type: ignore[union-attr]


async def test_an_error_of_the_work_is_told_as_it_is(pool: Pool) -> None:
    with pytest.raises(KeyError):
        async with Turns(pool, "tests").turn():
            raise KeyError


async def test_who_waits_for_his_turn_is_given_the_time_that_others_take(ledger_dsn: str) -> None:
    """However short the statements of reads have to be."""
    pool = await asyncpg.create_pool(ledger_dsn, min_size=1, max_size=4, command_timeout=1)
    first, waits = Turns(pool, "tests"), asyncio.Event()
    async with first.turn():
        second = asyncio.create_task(_take(Turns(pool, "tests"), waits))
        await waits.wait()
        done, _ = await asyncio.wait({second}, timeout=1.3)
        assert not done
    await second
    await pool.close()


async def _take(turns: Turns, waits: asyncio.Event) -> None:
    waits.set()
    async with turns.turn():
        pass


async def test_postgresql_looks_soon_whether_who_holds_something_is_still_there(
    ledger_dsn: str, pool: Pool
) -> None:
    leader, lane = Leadership(ledger_dsn, "tests"), await connect_lane(ledger_dsn, 5)
    leases = Leases(ledger_dsn)
    await leader.held()
    async with leases.held("tests", wait=False):
        for each in (leader._connection, leases._connection, lane, pool):
            assert each is not None
            assert await each.fetchval("SHOW tcp_keepalives_idle") == "5"
    for closing in (leader, leases, lane):
        await closing.close()
