"""Up to which batch nobody will commit one any more."""

import asyncio
from datetime import timedelta

import pytest

from laurel_server.postgres import finality, ledger
from laurel_server.postgres.finality import final_batch
from laurel_server.postgres.outbox import last_batch
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import all_committed, give


async def test_batches_that_run_are_waited_for(parts: Parts) -> None:
    await give(parts, "ann", 10)
    async with parts.pool.acquire() as connection, connection.transaction():
        opened = await ledger.open_batch(connection, {"ann"}, [])
        final = asyncio.create_task(final_batch(parts.pool, patience=600))
        await give(parts, "bob", 10)
        done, _ = await asyncio.wait({final}, timeout=0.1)
        assert not done

    assert await final >= opened.batch_no


async def test_where_something_runs_for_longer_those_are_final_that_nothing_can_run_with(
    parts: Parts,
) -> None:
    await give(parts, "ann", 10)
    await all_committed(parts)
    old = await last_batch(parts.pool)
    await parts.pool.execute("UPDATE outbox SET created_at = created_at - interval '1 minute'")
    async with parts.pool.acquire() as connection, connection.transaction():
        await ledger.open_batch(connection, {"ann"}, [])
        await give(parts, "bob", 10)

        assert await final_batch(parts.pool, patience=0.05) == old


async def test_nothing_is_final_beside_what_takes_longer_than_batches_do(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await give(parts, "ann", 10)
    await all_committed(parts)
    old = await last_batch(parts.pool)
    monkeypatch.setattr(finality, "LONGEST_BATCH", timedelta())
    async with parts.pool.acquire() as connection, connection.transaction():
        await ledger.open_batch(connection, {"ann"}, [])
        await give(parts, "bob", 10)

        assert await final_batch(parts.pool, patience=0.05) == old


async def test_nothing_is_final_before_the_first_batch(parts: Parts) -> None:
    assert await final_batch(parts.pool) == await last_batch(parts.pool)
