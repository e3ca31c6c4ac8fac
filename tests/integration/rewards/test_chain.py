"""The hash chain of a real ledger: sealed behind the awards, and broken by whoever changes anything."""

import asyncio
from decimal import Decimal

import asyncpg
import pytest

from laurel_server.domain.campaigns import Campaign
from laurel_server.domain.chain import FIRST_SEAL, seal
from laurel_server.postgres.chain import Seal, last_seal
from laurel_server.postgres.leadership import Leadership
from laurel_server.rewards.sealing import Sealing
from laurel_server.rewards.verify_chain import verify_kept
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import give, until, wrongs

CHECKS = ["entries_match_digests", "seals_follow_digests"]


@pytest.fixture
def sealing(parts: Parts, ledger_dsn: str) -> Sealing:
    """Seal when a test says so."""
    return Sealing(parts.pool, Leadership(ledger_dsn, "tests"), 1)


@pytest.fixture
async def batches(parts: Parts, sealing: Sealing) -> list[int]:
    """Make five awards, each a batch of its own, and seal them."""
    numbers = [batch_of((await give(parts, user_id, 10)).entry.transaction_id) for user_id in "abcab"]
    await seal_all(parts, sealing)
    return numbers


async def seal_all(parts: Parts, sealing: Sealing) -> None:
    """Seal the last batch too: it is final when all is over that ran with it, such as transactions of the server."""
    last: int = await parts.pool.fetchval("SELECT max(batch_no) FROM ledger_batches")

    async def is_final() -> bool:
        return await sealing.advance() >= last

    await until(is_final, "the last batch is final", pause=0.005)


def batch_of(transaction_id: int) -> int:
    return (transaction_id & ((1 << 48) - 1)) >> 10


async def tamper(parts: Parts, statement: str, *arguments: object) -> None:
    """Do what only a superuser can: write past the triggers."""
    async with parts.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(statement, *arguments)


async def test_every_batch_is_sealed_in_order(parts: Parts, batches: list[int]) -> None:
    rows = await parts.pool.fetch(
        "SELECT batch_no, entries, digest, seal FROM ledger_batches JOIN ledger_seals USING (batch_no) ORDER BY 1"
    )
    assert [(row["batch_no"], row["entries"]) for row in rows] == [(batch_no, 1) for batch_no in batches]
    before = FIRST_SEAL
    for row in rows:
        before = seal(before, row["batch_no"], row["digest"])
        assert row["seal"] == before
    checks = await parts.maintenance.verify("chain")
    assert [(check.name, check.ok, check.checked) for check in checks] == [(name, True, 5) for name in CHECKS]


async def test_awards_of_one_batch_share_a_digest(parts: Parts, sealing: Sealing) -> None:
    await asyncio.gather(*(give(parts, f"u{number}", 1) for number in range(200)))
    await seal_all(parts, sealing)
    assert await parts.pool.fetchval("SELECT sum(entries) FROM ledger_batches") == 200
    assert await parts.pool.fetchval("SELECT count(*) FROM ledger_batches") < 200
    assert await wrongs(parts) == []


async def test_what_has_no_entry_has_no_digest(parts: Parts, batches: list[int]) -> None:
    await give(parts, "a", 1, validate_only=True)
    await give(parts, "a", 10, request_id="again")
    await give(parts, "a", 10, request_id="again")
    assert await parts.pool.fetchval("SELECT count(*) FROM ledger_batches") == len(batches) + 1


async def test_a_batch_that_is_not_over_holds_up_those_behind_it(parts: Parts, sealing: Sealing) -> None:
    async with parts.pool.acquire() as slow:
        async with slow.transaction():
            await slow.execute("SELECT * FROM open_ledger_batch('{nobody}', '{}')")  # draws a number
            behind = batch_of((await give(parts, "ann", 10)).entry.transaction_id)
            assert await sealing.advance() == 0
            assert await sealing.advance() == 0
        await seal_all(parts, sealing)
    assert await parts.pool.fetchval("SELECT max(batch_no) FROM ledger_seals") == behind


async def test_nothing_is_sealed_past_a_batch_that_is_not_over(parts: Parts, sealing: Sealing) -> None:
    """The one whose number is lower has the higher id, and nothing else runs: it lies beyond what snapshots see."""
    number = "SELECT nextval('ledger_batch_seq')"
    write = "INSERT INTO ledger_batches (batch_no, month, entries, digest) VALUES ($1, 682, 1, sha256('x'))"
    async with parts.pool.acquire() as first, parts.pool.acquire() as second:
        begun_first, begun_second = first.transaction(), second.transaction()
        await begun_first.start()
        await first.execute("SELECT pg_current_xact_id()")
        await begun_second.start()
        await second.execute("SELECT pg_current_xact_id()")
        lower, higher = await second.fetchval(number), await first.fetchval(number)
        await first.execute(write, higher)
        await begun_first.commit()

        assert await sealing.advance() < lower
        assert await parts.pool.fetchval("SELECT count(*) FROM ledger_seals") == 0

        await second.execute(write, lower)
        await begun_second.commit()
        await seal_all(parts, sealing)
    sealed = await parts.pool.fetch("SELECT batch_no FROM ledger_seals ORDER BY 1")
    assert [batch_no for (batch_no,) in sealed] == [lower, higher]


async def test_two_that_seal_at_once_agree(parts: Parts, ledger_dsn: str) -> None:
    sealers = [Sealing(parts.pool, Leadership(ledger_dsn, "tests"), 1) for _ in range(3)]
    for _ in range(10):
        await asyncio.gather(give(parts, "ann", 1), *(sealer.advance() for sealer in sealers))
    await seal_all(parts, sealers[0])
    assert await parts.pool.fetchval("SELECT count(*) FROM ledger_seals") == 10
    assert await wrongs(parts, "chain") == []


async def test_the_server_seals_by_itself(parts: Parts) -> None:
    await give(parts, "ann", 1)

    async def is_sealed() -> bool:
        return bool(await parts.pool.fetchval("SELECT EXISTS (SELECT 1 FROM ledger_seals)"))

    await until(is_sealed, "the batch is sealed")


@pytest.mark.parametrize("table", ["reward_transactions", "ledger_batches", "ledger_seals"])
@pytest.mark.usefixtures("batches")
async def test_nothing_of_it_can_be_changed(parts: Parts, table: str) -> None:
    column = "points = 1" if table == "reward_transactions" else "batch_no = 1"
    for statement in (f"UPDATE {table} SET {column}", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await parts.pool.execute(statement)


async def test_nothing_of_what_entries_and_tiers_follow_from_can_be_changed(parts: Parts) -> None:
    campaign = Campaign("double", "", frozenset(), Decimal(2), None, None)
    await parts.rule_book.put_campaign(campaign, "tests")
    await give(parts, "ann", 6_000)
    for table, column in (
        ("reward_action_configs", "created_by"),
        ("campaigns", "created_by"),
        ("badge_definitions", "created_by"),
        ("tier_changes", "cause"),
    ):
        for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            await refuses(parts, statement)


@pytest.mark.usefixtures("batches")
async def test_no_partition_can_be_changed_by_itself(parts: Parts) -> None:
    """Neither those of entries there are, nor the one for all others, nor one that is made ahead."""
    await parts.pool.execute("SELECT make_entry_partition(12 * 60)")
    rows = await parts.pool.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'reward_transactions'::regclass"
    )
    partitions = {row[0] for row in rows}
    assert partitions >= {f"reward_transactions_{name}" for name in ("default", "2026_11", "2030_01")}
    for partition in partitions:
        await refuses(parts, f"TRUNCATE {partition}")
    for change in ("DELETE FROM", "UPDATE"):
        points = " SET points = 1" if change == "UPDATE" else ""
        await refuses(parts, f"{change} reward_transactions_2026_11{points}")


async def refuses(parts: Parts, statement: str) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append-only"):
        await parts.pool.execute(statement)


@pytest.mark.parametrize(
    "change",
    [
        "points = 11",
        "user_no = user_no + 1",
        "reason = 'another'",
        "occurred_at = occurred_at - interval '1 day'",
        "inputs = '{\"periods\": []}'",
        "balance_after = 0",
    ],
)
async def test_a_changed_entry_is_found(parts: Parts, batches: list[int], change: str) -> None:
    await tamper(
        parts,
        f"UPDATE reward_transactions SET {change} WHERE (transaction_id & ((1::bigint << 48) - 1)) >> 10 = $1",
        batches[2],
    )
    digests, seals = await parts.maintenance.verify("chain")
    assert (digests.ok, digests.mismatches, seals.ok) == (False, 1, True)
    assert digests.detail == f"batch {batches[2]}: an entry is not what it was when it was written"


async def test_a_deleted_entry_is_found(parts: Parts, batches: list[int]) -> None:
    await tamper(
        parts,
        "DELETE FROM reward_transactions WHERE (transaction_id & ((1::bigint << 48) - 1)) >> 10 = $1",
        batches[1],
    )
    digests, _ = await parts.maintenance.verify("chain")
    assert digests.detail == f"batch {batches[1]}: all its entries are gone"


async def test_a_month_whose_entries_are_all_deleted_is_found(parts: Parts, batches: list[int]) -> None:
    await tamper(parts, "DELETE FROM reward_transactions")
    digests, _ = await parts.maintenance.verify("chain")
    assert digests.mismatches == len(batches)


@pytest.mark.parametrize(("place", "found"), [(1, "has 2 entries instead of 1"), (5 << 10, "no digest")])
async def test_an_inserted_entry_is_found(parts: Parts, batches: list[int], place: int, found: str) -> None:
    """Into a batch, or into a gap between batches."""
    await parts.pool.execute("SELECT setval('ledger_batch_seq', nextval('ledger_batch_seq') + 10)")
    await give(parts, "a", 1)
    await seal_all(parts, Sealing(parts.pool, Leadership("", ""), 1))
    await tamper(
        parts,
        "INSERT INTO reward_transactions (transaction_id, user_no, action, points, base_points, multiplier, created_by,"
        " request_id, transaction_time, occurred_at, balance_after, inputs)"
        " SELECT transaction_id + $1, user_no, action, points, base_points, multiplier, created_by, 'forged',"
        " transaction_time, occurred_at, balance_after, inputs"
        " FROM reward_transactions WHERE (transaction_id & ((1::bigint << 48) - 1)) >> 10 = $2",
        place,
        batches[-1],
    )
    digests, _ = await parts.maintenance.verify("chain")
    assert not digests.ok
    assert f"batch {batches[-1] + (place >> 10)}: " in digests.detail
    assert found in digests.detail


async def test_a_rewritten_digest_is_found(parts: Parts, batches: list[int]) -> None:
    """An entry and its digest changed together, as somebody would who knows how digests are made."""
    await tamper(parts, "UPDATE ledger_batches SET digest = sha256('forged') WHERE batch_no = $1", batches[3])
    digests, seals = await parts.maintenance.verify("chain")
    assert not digests.ok
    assert (
        seals.detail == f"batch {batches[3]}: its seal does not follow from its digest and the batches before"
    )


async def test_a_batch_deleted_with_all_that_belongs_to_it_is_found(parts: Parts, batches: list[int]) -> None:
    for statement in (
        "DELETE FROM reward_transactions WHERE (transaction_id & ((1::bigint << 48) - 1)) >> 10 = $1",
        "DELETE FROM ledger_batches WHERE batch_no = $1",
        "DELETE FROM ledger_seals WHERE batch_no = $1",
    ):
        await tamper(parts, statement, batches[1])
    digests, seals = await parts.maintenance.verify("chain")
    assert digests.ok
    assert (
        seals.detail == f"batch {batches[2]}: its seal does not follow from its digest and the batches before"
    )


async def test_two_batches_that_changed_places_are_found(parts: Parts, batches: list[int]) -> None:
    """With entries and digests, which still fit each other under the other number."""
    here, there = batches[1:3]
    swapped = f"CASE %s WHEN {here} THEN {there} ELSE {here} END"
    await tamper(
        parts,
        "UPDATE reward_transactions SET transaction_id = transaction_id + 1000 * (1 << 10)"
        " WHERE (transaction_id & ((1::bigint << 48) - 1)) >> 10 IN ($1, $2)",
        here,
        there,
    )
    moved = f"(transaction_id & ((1::bigint << 48) - 1)) >> 10 IN ({here + 1000}, {there + 1000})"
    await tamper(
        parts,
        "UPDATE reward_transactions SET transaction_id = transaction_id - 1000 * (1 << 10)"
        f" + CASE WHEN (transaction_id & ((1::bigint << 48) - 1)) >> 10 = {here + 1000} THEN 1 ELSE -1 END"
        f" * ({there - here} << 10) WHERE {moved}",
    )
    await tamper(parts, f"UPDATE ledger_batches SET batch_no = -batch_no WHERE batch_no IN ({here}, {there})")
    number = swapped % "-batch_no"
    await tamper(parts, f"UPDATE ledger_batches SET batch_no = {number} WHERE batch_no < 0")
    digests, seals = await parts.maintenance.verify("chain")
    assert digests.mismatches == 2  # the ids of the entries are part of their digests
    assert seals.mismatches == 2


async def test_a_tail_that_is_gone_with_all_that_belongs_to_it_is_found_by_a_seal_kept_elsewhere(
    parts: Parts, batches: list[int]
) -> None:
    kept = await last_seal(parts.pool)
    assert (await verify_kept(parts.pool, kept)).ok
    assert (await verify_kept(parts.pool, await last_seal(parts.pool))).ok
    for statement in (
        "DELETE FROM reward_transactions WHERE (transaction_id & ((1::bigint << 48) - 1)) >> 10 >= $1",
        "DELETE FROM ledger_batches WHERE batch_no >= $1",
        "DELETE FROM ledger_seals WHERE batch_no >= $1",
    ):
        await tamper(parts, statement, batches[3])
    assert [check.ok for check in await parts.maintenance.verify("chain")] == [True, True]
    assert (await verify_kept(parts.pool, kept)).detail == f"batch {kept.batch_no}: is not in the chain"
    other = Seal(batches[2], bytes(32))
    assert (
        await verify_kept(parts.pool, other)
    ).detail == f"batch {batches[2]}: has another seal than was kept"


async def test_a_batch_put_in_later_is_found(parts: Parts, batches: list[int]) -> None:
    await tamper(parts, "DELETE FROM ledger_seals WHERE batch_no = $1", batches[1])
    _, seals = await parts.maintenance.verify("chain")
    assert f"batch {batches[1]}: was put in after its neighbours had been sealed" in seals.detail


async def test_a_digest_that_is_gone_is_found(parts: Parts, batches: list[int]) -> None:
    await tamper(parts, "DELETE FROM ledger_batches WHERE batch_no = $1", batches[1])
    digests, seals = await parts.maintenance.verify("chain")
    assert digests.detail == f"batch {batches[1]}: has entries, and no digest of them was kept"
    assert seals.detail == f"batch {batches[1]}: is sealed, and its digest is gone"


async def test_more_batches_than_one_chunk(
    parts: Parts, sealing: Sealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await asyncio.gather(*(give(parts, f"u{number}", 1) for number in range(40)))
        assert parts.clock is not None
    await seal_all(parts, sealing)
    for size in (1, 2, 7, 120):
        monkeypatch.setattr("laurel_server.rewards.verify_chain.ENTRIES_AT_ONCE", size)
        monkeypatch.setattr("laurel_server.rewards.verify_chain.LINKS_AT_ONCE", size)
        checks = await parts.maintenance.verify("chain")
        assert [(check.ok, check.detail) for check in checks] == [(True, "")] * 2
        assert checks[0].checked == 120
