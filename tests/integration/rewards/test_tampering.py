"""A row that was changed, taken away or put in is found and named, whichever table of the ledger it is in."""

from collections.abc import AsyncIterator
from datetime import timedelta
from fractions import Fraction
from typing import cast

import asyncpg
import pytest

from laurel_server.domain.reversals import ReversalPolicy
from laurel_server.postgres.pool import LaneConnection, Pool
from laurel_server.rewards.verify import verify_ledger
from laurel_server.rewards.verify_chain import verify_chain
from laurel_server.rewards.verify_records import verify_records
from laurel_server.runtime.wiring import Parts
from tests.integration import engines, spend
from tests.integration.conftest import new_ledger
from tests.integration.engines import Engine
from tests.integration.rewards.tamperings import FOUND, REDEEMED
from tests.integration.wired import START, gift, give, running, until


@pytest.fixture(scope="module")
async def full_ledger(postgres: Engine, redis_engine: Engine, template: str) -> AsyncIterator[str]:
    """The address of a ledger with every kind of entry, sealed to the last one, that nobody writes any more."""
    async with new_ledger(postgres, template) as dsn:
        async with running(dsn, engines.redis_url(redis_engine), now=START) as parts:
            await _fill(parts)
            await _sealed(parts)
        yield dsn


async def _fill(parts: Parts) -> None:
    await parts.rule_book.put_action(gift("SHORT", expires_after="P1D"), "tests")
    await parts.rule_book.put_action(
        gift("SLOW", pending_for=timedelta(days=30), expires_after="P1Y"), "tests"
    )
    for points in (100, 50):
        await give(parts, "ann", points)
    large = await give(parts, "ann", 6000)
    await give(parts, "ann", 40, action="SHORT")
    await give(parts, "ann", 70, action="SLOW")
    spent = await spend.redeem(parts, "ann", 160)  # the short lot, the first, a part of the second
    await spend.cancel(parts, spent)
    await spend.redeem(parts, "ann", 165)
    await spend.reverse(parts, large.entry.transaction_id, part=Fraction(1, 3))
    await spend.adjust(parts, "ann", 25)
    await spend.adjust(parts, "ann", -5)
    held = await spend.hold(parts, "ann", 30)
    await spend.capture(parts, held, 20)
    await spend.hold(parts, "ann", 11, timedelta(days=300))
    await spend.release(parts, await spend.hold(parts, "ann", 12))
    await spend.hold(parts, "ann", 13, timedelta(minutes=1))
    await _fill_others(parts)


async def _fill_others(parts: Parts) -> None:
    assert parts.clock is not None
    owing = await give(parts, "bob", 90)
    await spend.redeem(parts, "bob", 60)
    await spend.reverse(parts, owing.entry.transaction_id, policy=ReversalPolicy.ALLOW_NEGATIVE)
    await give(parts, "bob", 35)  # fills a part of the deficit
    await give(parts, "bob", 40)  # and the rest of it
    await give(parts, "eve", 7, action="SHORT")
    await spend.redeem(parts, "eve", 3)
    await parts.clock.set(START + timedelta(days=3))
    await parts.expiry.run()
    await give(parts, "eve", 5)


async def _sealed(parts: Parts) -> None:
    last = "SELECT (SELECT max(batch_no) FROM ledger_batches) = (SELECT max(batch_no) FROM ledger_seals)"

    async def sealed() -> bool:
        return bool(await parts.pool.fetchval(last))

    await until(sealed, "the last batch is sealed")


@pytest.fixture(scope="module")
async def writer(full_ledger: str) -> AsyncIterator[LaneConnection]:
    """A connection that writes past triggers and foreign keys, as only a superuser can."""
    connection = await asyncpg.connect(full_ledger)
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


@pytest.fixture
async def tampered(writer: LaneConnection) -> AsyncIterator[Pool]:
    """The ledger inside a transaction that is never committed."""
    transaction = writer.transaction()
    await transaction.start()
    yield cast("Pool", writer)  # the comparison only reads, and a connection reads as a pool does
    await transaction.rollback()


async def change(ledger: Pool, statement: str) -> None:
    """Change one row."""
    assert await ledger.execute(statement) in {"UPDATE 1", "DELETE 1", "INSERT 0 1"}


async def found_in(ledger: Pool) -> dict[str, str]:
    """Return the checks that fail, and what they say."""
    checks = [*await verify_ledger(ledger), *await verify_records(ledger), *await verify_chain(ledger)]
    return {check.name: check.detail for check in checks if not check.ok}


async def test_nothing_is_found_before(tampered: Pool) -> None:
    assert await found_in(tampered) == {}
    kinds = await tampered.fetch("SELECT DISTINCT action FROM reward_transactions")
    assert {kind for (kind,) in kinds} >= {"REDEMPTION", "REVERSAL", "EXPIRATION", "MANUAL_ADJUSTMENT"}
    assert await tampered.fetchval("SELECT count(*) FROM tier_changes") == 2
    assert await tampered.fetchval("SELECT count(DISTINCT state) FROM holds") == 4


@pytest.mark.parametrize(
    ("statement", "check"),
    [(statement, check) for check, statements in FOUND.items() for statement in statements],
)
async def test_a_changed_row_is_found(tampered: Pool, statement: str, check: str) -> None:
    await change(tampered, statement)
    found = await found_in(tampered)
    assert found.get(check), found


COLUMNS = {
    "text": "coalesce({0}, '') || '~'",
    "bigint": "coalesce({0}, 0) + 1",
    "numeric": "{0} + 1",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 s'",
    "json": "'{{}}'",
}


async def test_any_column_of_an_entry_that_is_changed_is_found(tampered: Pool) -> None:
    columns = await tampered.fetch(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'reward_transactions'"
    )
    assert len(columns) == 19
    for name, kind in columns:
        value = COLUMNS[kind].format(name)
        await tampered.execute("SAVEPOINT untouched")
        await change(
            tampered, f"UPDATE reward_transactions SET {name} = {value} WHERE transaction_id = {REDEEMED}"
        )
        checks = {check.name for check in await verify_chain(tampered) if not check.ok}
        assert checks == {"entries_match_digests"}, name
        await tampered.execute("ROLLBACK TO SAVEPOINT untouched")


async def test_it_takes_a_superuser(full_ledger: str) -> None:
    connection = await asyncpg.connect(full_ledger)
    for table in ("reward_transactions", "lot_debits", "ledger_batches", "ledger_seals"):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await connection.execute(f"DELETE FROM {table}")
    await connection.close()
