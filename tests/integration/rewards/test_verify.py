"""Every kind of fault in the ledger is found, in a real database that somebody has tampered with."""

import asyncio
from collections.abc import Mapping

import pytest

from laurel_server.domain.campaigns import Campaign
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.tiers import Tier
from laurel_server.domain.views import Check
from laurel_server.postgres import verify
from laurel_server.rewards import verify_records
from laurel_server.runtime.wiring import Parts
from tests.integration.spend import redeem
from tests.integration.wired import command, gift, give, wrongs

NAMES = {
    "entries_have_users",
    "balances_equal_entries",
    "balances_follow_one_another",
    "balances_equal_lots",
    "counters_equal_entries",
    "versions_cover_entries",
    "times_cover_lots",
    "holds_equal_held_points",
    "totals_equal_entries",
    "lots_equal_entries",
    "lots_keep_their_times",
    "debits_equal_entries",
    "deficits_follow_entries",
    "reversals_equal_entries",
    "holds_equal_captures",
    "tiers_follow_changes",
    "rows_belong_to_entries",
    "entries_follow_from_inputs",
    "outbox_tells_entries",
    "answers_name_entries",
}


@pytest.fixture
async def busy(parts: Parts) -> Parts:
    """Fill a ledger with a bit of everything."""
    for points in (100, 50, 0, 6000):
        await give(parts, "ann", points)
    await parts.awards.award(command("bob", action="PURCHASE", attributes={"order_value": "1999.99"}), None)
    await redeem(parts, "ann", 120)
    return parts


async def checks_of(parts: Parts, scope: str) -> Mapping[str, Check]:
    """Return the checks by name."""
    return {check.name: check for check in await parts.maintenance.verify(scope)}


async def tamper(parts: Parts, *statements: str) -> None:
    """Do what only a superuser can: write past triggers and foreign keys."""
    async with parts.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)


async def test_nothing_is_wrong_with_a_ledger_that_was_left_alone(busy: Parts) -> None:
    checks = await checks_of(busy, "ledger")
    assert checks.keys() == NAMES
    assert [check.detail for check in checks.values() if not check.ok] == []
    assert checks["balances_equal_entries"].checked == 2
    assert checks["entries_follow_from_inputs"].checked == 6
    assert await wrongs(busy) == []


async def test_a_comparison_of_records_ends_where_it_began(
    busy: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_records, "BATCHES_AT_ONCE", 1)
    monkeypatch.setattr(verify_records, "ENTRIES_AT_ONCE", 1)

    async def give_more(_part: str, _more: int, _total: int) -> None:
        await give(busy, "eve", 1)

    async with asyncio.timeout(60):
        checks = await verify_records.verify_records(busy.pool, give_more)
    assert [check for check in checks if not check.ok] == []


async def test_only_entries_whose_answers_must_be_kept_are_read(
    busy: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await busy.pool.execute("UPDATE outbox SET created_at = created_at - interval '1 day'")
    await give(busy, "eve", 1)
    monkeypatch.setattr(verify_records, "ENTRIES_AT_ONCE", 1)
    read = 0

    async def count(_part: str, _more: int, _total: int) -> None:
        nonlocal read
        read += 1

    checks = {check.name: check for check in await verify_records.verify_records(busy.pool, count)}
    assert checks["answers_name_entries"].checked == 1
    assert read == 2  # one part of the outbox, one of the entries


ANN = "(SELECT user_no FROM users WHERE user_id = 'ann')"
LAST_LOT = f"(SELECT max(lot_id) FROM lots WHERE user_no = {ANN})"
INPUTS = "replace(inputs::text, '\"100\"', '\"99\"')::json"
FIRST = f"(SELECT min(transaction_id) FROM reward_transactions WHERE user_no = {ANN})"


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            f"UPDATE user_rewards SET balance = balance + 5 WHERE user_no = {ANN}",
            {"balances_equal_entries", "balances_equal_lots"},
        ),
        (
            f"UPDATE lots SET remaining = remaining + 5 WHERE lot_id = {LAST_LOT}",
            {"balances_equal_lots", "lots_equal_entries"},
        ),
        (
            f"UPDATE lots SET lot_id = 12345 WHERE lot_id = {LAST_LOT}",
            {"lots_equal_entries"},
        ),
        (
            f"UPDATE reward_transactions SET balance_after = 7 WHERE transaction_id = {FIRST}",
            {"balances_follow_one_another"},
        ),
        (
            f"DELETE FROM reward_transactions WHERE transaction_id = {FIRST}",
            {
                "balances_equal_entries",
                "balances_follow_one_another",
                "counters_equal_entries",
                "totals_equal_entries",
                "lots_equal_entries",
                "outbox_tells_entries",
            },
        ),
        (
            f"UPDATE reward_transactions SET points = 101 WHERE transaction_id = {FIRST}",
            {
                "balances_equal_entries",
                "balances_follow_one_another",
                "counters_equal_entries",
                "totals_equal_entries",
                "lots_equal_entries",
                "outbox_tells_entries",
                "entries_follow_from_inputs",
            },
        ),
        (
            f"UPDATE user_rewards SET lifetime_points = 1 WHERE user_no = {ANN}",
            {"counters_equal_entries"},
        ),
        (
            f"UPDATE user_rewards SET redeemed_points = 1 WHERE user_no = {ANN}",
            {"counters_equal_entries"},
        ),
        (f"UPDATE user_rewards SET held_points = 3 WHERE user_no = {ANN}", {"holds_equal_held_points"}),
        (
            f"UPDATE user_rewards SET open_totals = '{{}}' WHERE user_no = {ANN}",
            {"totals_equal_entries"},
        ),
        (
            f"UPDATE reward_transactions SET inputs = {INPUTS} WHERE transaction_id = {FIRST}",
            {"entries_follow_from_inputs"},
        ),
        (
            "UPDATE reward_action_configs SET points_formula = 'points * 2' WHERE action = 'GIVE'",
            {"entries_follow_from_inputs"},
        ),
        (f"DELETE FROM users WHERE user_no = {ANN}", {"entries_have_users"}),
    ],
)
async def test_tampering_is_found(busy: Parts, statement: str, found: set[str]) -> None:
    await tamper(busy, statement)
    checks = await checks_of(busy, "ledger")
    assert {name for name, check in checks.items() if not check.ok} == found
    for name in found:
        assert checks[name].mismatches
        assert checks[name].detail


async def test_what_is_wrong_is_said(busy: Parts) -> None:
    await tamper(busy, f"UPDATE user_rewards SET balance = 0, deficit = 0 WHERE user_no = {ANN}")
    checks = await checks_of(busy, "ledger")
    assert checks["balances_equal_entries"].detail == "ann: 0 instead of 6030"


async def test_a_ledger_without_users(parts: Parts) -> None:
    assert [check.ok for check in await parts.maintenance.verify("ledger")] == [True] * len(NAMES)


async def test_chunks_of_any_size(busy: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        await give(busy, f"u{number}", 1)
    await tamper(busy, "UPDATE user_rewards SET lifetime_points = 9 WHERE user_no % 3 = 0")
    expected = await busy.pool.fetchval("SELECT count(*) FROM user_rewards WHERE user_no % 3 = 0")
    for size in (1, 7, 5000):
        monkeypatch.setattr("laurel_server.rewards.verify.FIRST_CHUNK", size)
        monkeypatch.setattr("laurel_server.rewards.verify.LARGEST_CHUNK", size)
        monkeypatch.setattr("laurel_server.rewards.explaining.ENTRIES_AT_ONCE", size)
        checks = await checks_of(busy, "ledger")
        assert checks["counters_equal_entries"].mismatches == expected
        assert checks["entries_follow_from_inputs"].checked == 36


class TestExplain:
    async def test_an_award_by_its_rule_at_that_time(self, parts: Parts) -> None:
        await parts.rule_book.put_campaign(
            Campaign("double", "Double", frozenset({"PURCHASE"}), 2, None, None),  # type: ignore[arg-type]
            "tests",
        )
        await give(parts, "ann", 5000)
        award = command("ann", action="PURCHASE", attributes={"order_value": "1999.99"})
        entry = (await parts.awards.award(award, None)).entry
        await parts.rule_book.put_action(gift("PURCHASE"), "tests")

        explanation = await parts.explaining.explain(entry.transaction_id)
        assert explanation.recorded.entry == entry
        assert explanation.recorded.tier is Tier.SILVER
        assert [(step.name, step.value) for step in explanation.steps] == [
            ("base", "19.9999"),
            ("tier", "1.5"),
            ("campaign", "2"),
            ("product", "59.9997"),
            ("rounded", "59"),
        ]
        assert explanation.differences == ()

    async def test_a_redemption_by_its_lots(self, parts: Parts) -> None:
        lots = [(await give(parts, "ann", points)).entry.transaction_id for points in (10, 20)]
        spent = (await redeem(parts, "ann", 15)).entry
        assert spent is not None
        explanation = await parts.explaining.explain(spent.transaction_id)
        assert [(debit.lot_id, debit.points) for debit in explanation.recorded.lots] == [
            (lots[0], 10),
            (lots[1], 5),
        ]
        assert explanation.differences == ()

    async def test_what_does_not_exist(self, parts: Parts) -> None:
        with pytest.raises(LaurelError) as refused:
            await parts.explaining.explain(7)
        assert refused.value.reason is Reason.TRANSACTION_NOT_FOUND


@pytest.mark.parametrize("old", [0, 1, 137, 299, 300])
async def test_the_first_batch_whose_answer_is_kept_is_found_among_gaps(parts: Parts, old: int) -> None:
    await parts.pool.execute(
        "INSERT INTO outbox (batch_no, created_at, projected, user_nos, events)"
        " SELECT 1000 + 10 * n + n % 7, now() - interval '1 hour' * CASE WHEN n > $1 THEN 2 ELSE 40 END,"
        "        true, '{}', '[]'"
        "   FROM generate_series(1, 300) n",
        old,
    )
    first = await parts.pool.fetchval(
        "SELECT min(batch_no) FROM outbox WHERE created_at > now() - interval '23 hours'"
    )
    assert await verify.answered_since(parts.pool) == first
    assert (first is None) == (old == 300)
