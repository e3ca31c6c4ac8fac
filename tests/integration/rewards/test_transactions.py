import asyncio

import asyncpg
import pytest
from msgspec.structs import replace

from laurel_server.postgres import ledger
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import command, give, until


async def test_a_partition_that_was_rolled_back_is_made_again(parts: Parts) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await parts.awards.award(replace(command("ann"), reason="no such\0character"), None)

    await give(parts, "ann", 10)

    tables = await parts.pool.fetch("SELECT tableoid::regclass::text FROM reward_transactions")
    assert [table for (table,) in tables] == ["reward_transactions_2026_11"]


async def test_a_user_created_while_others_are_locked_is_not_read_without_a_lock(parts: Parts) -> None:
    await give(parts, "bob", 10)
    async with parts.pool.acquire() as holder, parts.pool.acquire() as waiting:
        async with holder.transaction():
            await holder.execute("SELECT 1 FROM user_rewards FOR UPDATE")
            opening = asyncio.create_task(ledger.open_batch(waiting, ["ann", "bob"], []))
            await until(lambda: _somebody_waits(parts), "the batch waits for the lock")
            await give(parts, "ann", 5)

        opened = await opening

    assert set(opened.accounts) == {"bob"}


async def _somebody_waits(parts: Parts) -> bool:
    return bool(await parts.pool.fetchval("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)"))
