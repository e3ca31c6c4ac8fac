import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest
from msgspec.structs import replace

from laurel_server.domain.awards import AwardAnswer
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.postgres import ledger
from laurel_server.rewards.commands import AWARD, item_of
from laurel_server.rewards.spending import REDEEM
from laurel_server.runtime.wiring import Parts
from tests.integration.spend import redeem, redemption, refused, reverse
from tests.integration.wired import command, entries_of, give, until, wrongs


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


async def test_a_month_that_was_taken_out_of_the_ledger_hurts_nobody_else(parts: Parts) -> None:
    assert parts.clock is not None
    old = [item_of(command("ann", 100), AWARD), item_of(redemption("ann", 10, "spent"), REDEEM)]
    await parts.awards.submit(old, None)
    await parts.clock.set(datetime(2026, 12, 1, tzinfo=UTC))
    await give(parts, "ann", 5)
    entries = await parts.statement.transactions("ann", (), None, None, None, 10)
    assert [entry.points for entry in entries] == [5, -10, 100]
    await parts.pool.execute("ALTER TABLE reward_transactions DETACH PARTITION reward_transactions_2026_11")

    award, spent, new = await parts.awards.submit([*old, item_of(command("ann", 1), AWARD)], None)
    for gone in (award, spent):
        assert isinstance(gone, LaurelError)
        assert gone.reason is Reason.TRANSACTION_NOT_FOUND
    assert isinstance(new, AwardAnswer)
    assert (await redeem(parts, "ann", 95)).rewards.total_points == 1
    with refused(Reason.TRANSACTION_NOT_FOUND):
        await reverse(parts, entries[2].transaction_id)
    as_of = await parts.statement.rewards("ann", datetime(2026, 12, 1, tzinfo=UTC))
    assert as_of.total_points == 1
    assert await entries_of(parts, "ann") == [5, 1, -95]

    async def is_found() -> bool:
        return "all its entries are gone" in "".join(await wrongs(parts, "chain"))

    await until(is_found, "the batches are sealed, and compared")
