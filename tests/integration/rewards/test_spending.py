import asyncio
from collections import Counter
from datetime import timedelta

import orjson
import pytest

from laurel_server.domain.awards import AwardAnswer
from laurel_server.domain.commands import ChangeAnswer
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.postgres.pool import connect_lane
from laurel_server.rewards.commands import AWARD, item_of
from laurel_server.runtime.config_program import Ledger
from laurel_server.runtime.wiring import Parts
from tests.integration.spend import available, cancel, entry_id, key, lots_of, redeem, redemption
from tests.integration.wired import START, command, counts_of_tables, entries_of, gift, give, running, wrongs


async def lots_that_expire(parts: Parts, user_id: str, **points_by_duration: int) -> None:
    """Give the user lots with those times to live; `never` is one too."""
    for duration, points in points_by_duration.items():
        expires_after = "" if duration == "never" else duration
        await parts.rule_book.put_action(
            gift(f"GIVE_{duration.upper()}", expires_after=expires_after), "tests"
        )
        await give(parts, user_id, points, action=f"GIVE_{duration.upper()}")


async def test_a_redemption_is_a_negative_entry_and_touches_neither_lifetime_nor_boards(parts: Parts) -> None:
    awarded = await give(parts, "ann", 100)

    answer = await redeem(parts, "ann", 30)

    assert answer.entry is not None
    assert (answer.entry.action, answer.entry.points, answer.entry.balance_after) == ("REDEMPTION", -30, 70)
    assert (answer.entry.reference_id, answer.entry.created_by) == ("gift", "shop")
    rewards = answer.rewards
    assert (rewards.total_points, rewards.lifetime_points, rewards.redeemed_points) == (70, 100, 30)
    assert rewards.version > awarded.rewards.version
    assert rewards.last_reward_at == awarded.rewards.last_reward_at
    assert await parts.statement.rewards("ann") == rewards
    assert await parts.statement.transaction(entry_id(answer)) == answer.entry
    assert await entries_of(parts, "ann") == [100, -30]
    assert await wrongs(parts) == []


async def test_points_are_spent_soonest_expiry_first_then_oldest_never_expiring_last(parts: Parts) -> None:
    await lots_that_expire(parts, "ann", never=1, P2Y=2, P1Y=4, P30D=8)
    await give(parts, "ann", 16, action="GIVE_P30D")  # expires with the one before, and is younger

    assert await lots_of(parts, "ann") == [8, 16, 4, 2, 1]
    for points, left in ((5, [3, 16, 4, 2, 1]), (4, [15, 4, 2, 1]), (20, [1, 1]), (2, [])):
        await redeem(parts, "ann", points)
        assert await lots_of(parts, "ann") == left
    assert await wrongs(parts) == []


async def test_what_is_not_there_cannot_be_spent_and_the_refusal_is_sticky(parts: Parts) -> None:
    await give(parts, "ann", 10)
    before = await counts_of_tables(parts)

    with pytest.raises(LaurelError) as refused:
        await redeem(parts, "ann", 11, request_id="r-1")

    assert refused.value.reason is Reason.INSUFFICIENT_POINTS
    assert refused.value.metadata == {"available": "10", "requested": "11"}
    after = await counts_of_tables(parts)
    assert {name for name, count in after.items() if count != before[name]} == {"idempotency_keys"}
    await give(parts, "ann", 10)
    with pytest.raises(LaurelError) as again:
        await redeem(parts, "ann", 11, request_id="r-1")
    assert again.value.metadata == refused.value.metadata


async def test_an_unknown_user_is_not_created_by_spending(parts: Parts) -> None:
    with pytest.raises(LaurelError) as refused:
        await redeem(parts, "nobody", 1)
    assert refused.value.reason is Reason.USER_NOT_FOUND
    assert (await counts_of_tables(parts))["users"] == 0


async def test_a_replay_gives_the_first_answer_and_another_body_conflicts(parts: Parts) -> None:
    await give(parts, "ann", 100)
    first = await redeem(parts, "ann", 30, request_id="r-1")
    await redeem(parts, "ann", 30)

    again = await redeem(parts, "ann", 30, request_id="r-1")

    assert again.replayed
    assert (again.entry, again.rewards) == (first.entry, first.rewards)
    assert await entries_of(parts, "ann") == [100, -30, -30]
    with pytest.raises(LaurelError) as refused:
        await redeem(parts, "ann", 31, request_id="r-1")
    assert refused.value.reason is Reason.IDEMPOTENCY_CONFLICT
    await give(parts, "ann", 1, request_id="r-1")  # a family of its own


async def test_of_twenty_racing_redemptions_of_the_last_points_one_wins(
    ledger_dsn: str, redis_url: str
) -> None:
    async with running(ledger_dsn, redis_url, ledger=Ledger(lanes=4, max_batch=3, pool_min=1)) as parts:
        await give(parts, "ann", 100)

        results = await asyncio.gather(
            *(redeem(parts, "ann", 100) for _ in range(20)), return_exceptions=True
        )

        endings = Counter(each.reason if isinstance(each, LaurelError) else "won" for each in results)
        assert endings == {"won": 1, Reason.INSUFFICIENT_POINTS: 19}
        assert await entries_of(parts, "ann") == [100, -100]
        assert await wrongs(parts) == []


async def test_a_batch_spends_what_it_has_just_awarded_and_a_refusal_hurts_no_neighbour(parts: Parts) -> None:
    items = [
        item_of(command("ann", 10), AWARD),
        item_of(redemption("ann", 4), "redeem"),
        item_of(redemption("ann", 7), "redeem"),
        item_of(redemption("bob", 1), "redeem"),
        item_of(command("bob", 5), AWARD),
        item_of(redemption("bob", 5), "redeem"),
        item_of(redemption("ann", 6), "redeem"),
    ]

    results = await parts.awards.submit(items, None)

    reasons = [each.reason if isinstance(each, LaurelError) else "" for each in results]
    assert reasons == ["", "", Reason.INSUFFICIENT_POINTS, Reason.USER_NOT_FOUND, "", "", ""]
    assert [
        each.rewards.total_points for each in results if isinstance(each, AwardAnswer | ChangeAnswer)
    ] == [
        10,
        6,
        5,
        0,
        0,
    ]
    assert await parts.pool.fetchval("SELECT count(*) FROM outbox") == 1
    assert await entries_of(parts, "ann") == [10, -4, -6]
    assert await lots_of(parts, "ann") == await lots_of(parts, "bob") == []
    assert await wrongs(parts) == []


async def test_points_that_have_expired_or_are_pending_cannot_be_spent(parts: Parts) -> None:
    assert parts.clock is not None
    await lots_that_expire(parts, "ann", PT1H=10, P1D=5)
    await give(parts, "ann", 3, activates_at=START + timedelta(hours=2))

    await parts.clock.set(START + timedelta(hours=1))
    with pytest.raises(LaurelError) as refused:
        await redeem(parts, "ann", 6)
    assert refused.value.metadata["available"] == "5"
    rewards = (await redeem(parts, "ann", 4)).rewards
    assert (rewards.total_points, rewards.pending_points) == (1, 3)
    await parts.clock.set(START + timedelta(hours=2))
    assert await available(parts, "ann") == 4
    assert (await redeem(parts, "ann", 4)).rewards.total_points == 0
    assert await lots_of(parts, "ann") == [10]  # expired, and not swept yet
    assert await wrongs(parts) == []


async def test_a_cancelled_redemption_goes_back_to_its_own_lots(parts: Parts) -> None:
    await lots_that_expire(parts, "ann", P30D=8, P1Y=4)
    before = await parts.pool.fetch("SELECT * FROM lots ORDER BY lot_id")
    redeemed = await redeem(parts, "ann", 10)

    answer = await cancel(parts, redeemed)

    assert answer.entry is not None
    assert (answer.entry.action, answer.entry.points, answer.entry.balance_after) == ("REVERSAL", 10, 12)
    assert answer.entry.reverses_transaction_id == entry_id(redeemed)
    assert (answer.rewards.total_points, answer.rewards.redeemed_points) == (12, 0)
    assert answer.rewards.lifetime_points == 12
    assert await parts.pool.fetch("SELECT * FROM lots ORDER BY lot_id") == before
    assert (await parts.statement.transaction(entry_id(redeemed))).reversed_points == 10
    (newest, *_) = await parts.statement.transactions("ann", (), None, None, None, 10)
    assert newest == answer.entry
    assert await wrongs(parts) == []


async def test_points_that_come_back_to_an_expired_lot_are_expired(parts: Parts) -> None:
    assert parts.clock is not None
    await lots_that_expire(parts, "ann", P30D=8, never=4)
    redeemed = await redeem(parts, "ann", 10)
    await parts.clock.advance(timedelta(days=30))

    assert (await cancel(parts, redeemed)).rewards.total_points == 4
    assert await available(parts, "ann") == 4
    assert await wrongs(parts) == []


async def test_a_redemption_is_cancelled_once(parts: Parts) -> None:
    await give(parts, "ann", 10)
    redeemed = await redeem(parts, "ann", 10)
    first = await cancel(parts, redeemed, request_id="c-1")

    again = await cancel(parts, redeemed, request_id="c-1")
    assert (again.replayed, again.entry, again.rewards) == (True, first.entry, first.rewards)
    with pytest.raises(LaurelError) as refused:
        await cancel(parts, redeemed)
    assert refused.value.reason is Reason.ALREADY_REVERSED
    for unknown in ("77", "none"):
        with pytest.raises(LaurelError) as conflict:
            await parts.spending.cancel(key("c-1", "unknown"), unknown, "", None)
        assert conflict.value.reason is Reason.IDEMPOTENCY_CONFLICT
    replay = await redeem(parts, "ann", 10, request_id=redeemed.entry.request_id if redeemed.entry else "")
    assert (replay.replayed, replay.entry) == (True, redeemed.entry)
    assert await entries_of(parts, "ann") == [10, -10, 10]


async def test_of_twenty_racing_cancellations_one_wins(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, ledger=Ledger(lanes=4, max_batch=3, pool_min=1)) as parts:
        await give(parts, "ann", 10)
        redeemed = await redeem(parts, "ann", 10)

        results = await asyncio.gather(*(cancel(parts, redeemed) for _ in range(20)), return_exceptions=True)

        endings = Counter(each.reason if isinstance(each, LaurelError) else "won" for each in results)
        assert endings == {"won": 1, Reason.ALREADY_REVERSED: 19}
        assert await wrongs(parts) == []


async def test_only_redemptions_can_be_cancelled(parts: Parts) -> None:
    awarded = await give(parts, "ann", 10)
    cancelled = await cancel(parts, await redeem(parts, "ann", 10))
    for transaction_id in (awarded.entry.transaction_id, entry_id(cancelled)):
        with pytest.raises(LaurelError) as refused:
            await parts.spending.cancel(key(None, transaction_id), str(transaction_id), "", None)
        assert refused.value.reason is Reason.NOT_REVERSIBLE


async def test_debits_cannot_be_changed(parts: Parts) -> None:
    await give(parts, "ann", 10)
    await redeem(parts, "ann", 10)
    for statement in ("UPDATE lot_debits SET points = 1", "DELETE FROM lot_debits", "TRUNCATE lot_debits"):
        with pytest.raises(Exception, match="append-only"):
            await parts.pool.execute(statement)


async def test_the_first_of_very_many_lots_is_found_without_a_look_at_the_others(
    parts: Parts, ledger_dsn: str
) -> None:
    await asyncio.gather(*(give(parts, "ann", 1) for _ in range(1000)))
    lane = await connect_lane(ledger_dsn, 5)
    try:
        # As lanes do it: planned once, whatever the table is like by then.
        user_no = await lane.fetchval("SELECT user_no FROM users WHERE user_id = 'ann'")
        query = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM spendable_lots({user_no}, 2, now())"
        await lane.fetchval(query)  # plans
        (plan,) = orjson.loads(await lane.fetchval(query))
    finally:
        await lane.close()
    assert plan["Plan"]["Actual Rows"] == 2
    assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] <= 5
