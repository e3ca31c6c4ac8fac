import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from laurel_server.domain.actions import CapMode
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.campaigns import Campaign
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.runtime.config_program import Ledger
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import command, entries_of, gift, give, listed, running, until, wrongs

MANY_LANES = Ledger(lanes=4, max_batch=8, pool_min=1)
"""Small batches on many lanes: the most conflicts between transactions."""


async def results_of(parts: Parts, commands: Sequence[AwardCommand]) -> list[AwardAnswer | BaseException]:
    """Send all at once, each as a call of its own."""
    return await asyncio.gather(
        *(parts.awards.award(each, None) for each in commands), return_exceptions=True
    )


def reasons(results: Sequence[AwardAnswer | BaseException]) -> Counter[str]:
    """Count how the calls ended."""
    return Counter(
        result.reason if isinstance(result, LaurelError) else type(result).__name__ for result in results
    )


async def test_a_request_id_twice_in_one_batch_is_one_entry(parts: Parts) -> None:
    same, other = command("ann", 10, request_id="r-1"), command("ann", 11, request_id="r-1")

    first, again, conflict = await parts.awards.award_batch([same, same, other], None)

    assert isinstance(first, AwardAnswer)
    assert isinstance(again, AwardAnswer)
    assert (first.replayed, again.replayed, again.entry) == (False, True, first.entry)
    assert isinstance(conflict, LaurelError)
    assert conflict.reason is Reason.IDEMPOTENCY_CONFLICT
    assert await entries_of(parts, "ann") == [10]


async def test_a_hundred_calls_with_one_request_id_are_one_entry(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, ledger=MANY_LANES) as parts:
        same = command("ann", 10, request_id="r-1")

        results = await results_of(parts, [same] * 100)

        answers = [result for result in results if isinstance(result, AwardAnswer)]
        assert len(answers) == 100
        assert sum(not answer.replayed for answer in answers) == 1
        assert len({answer.entry.transaction_id for answer in answers}) == 1
        assert await entries_of(parts, "ann") == [10]


async def test_two_servers_that_get_the_same_calls_make_each_entry_once(
    ledger_dsn: str, redis_url: str
) -> None:
    commands = [command(f"user-{n % 20}", 10) for n in range(200)]
    async with (
        running(ledger_dsn, redis_url, ledger=MANY_LANES) as one,
        running(ledger_dsn, redis_url, ledger=MANY_LANES) as other,
    ):
        results = await asyncio.gather(results_of(one, commands), results_of(other, commands))

        assert reasons([*results[0], *results[1]]) == {"AwardAnswer": 400}
        assert await one.pool.fetchval("SELECT count(*) FROM reward_transactions") == 200
        assert sorted(await listed(one)) == sorted((f"user-{n}", 100) for n in range(20))
        assert await wrongs(one) == []


async def test_two_hundred_awards_of_a_new_user_are_all_counted(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, ledger=MANY_LANES) as parts:
        results = await results_of(parts, [command("ann", n) for n in range(1, 201)])

        assert reasons(results) == {"AwardAnswer": 200}
        assert (await parts.statement.rewards("ann")).total_points == 200 * 201 // 2
        balances = await parts.pool.fetch(
            "SELECT balance_after, points FROM reward_transactions ORDER BY transaction_id"
        )
        running_sum = 0
        for row in balances:
            running_sum += row["points"]
            assert row["balance_after"] == running_sum
        assert await listed(parts) == [("ann", running_sum)]
        assert await wrongs(parts) == []


async def test_a_budget_is_spent_to_the_last_point_and_not_beyond(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, ledger=MANY_LANES) as parts:
        campaign = Campaign("double", "", frozenset({"GIVE"}), Decimal(2), None, None, budget_points=105)
        await parts.rule_book.put_campaign(campaign, "tests")

        results = await results_of(parts, [command(f"user-{n % 13}", 10) for n in range(100)])

        granted = [result.entry.points for result in results if isinstance(result, AwardAnswer)]
        assert Counter(granted) == {20: 10, 15: 1, 10: 89}
        (kept,) = await parts.rule_book.campaigns()
        assert (kept.spent_points, kept.budget_left) == (105, 0)


@pytest.mark.parametrize(
    ("mode", "granted", "refused"), [(CapMode.PARTIAL, {10: 10, 5: 1}, 49), (CapMode.REJECT, {10: 10}, 50)]
)
async def test_a_daily_cap_is_reached_exactly(
    ledger_dsn: str, redis_url: str, mode: CapMode, granted: dict[int, int], refused: int
) -> None:
    async with running(ledger_dsn, redis_url, ledger=MANY_LANES) as parts:
        await parts.rule_book.put_action(gift("CAPPED", max_daily_points=105, cap_mode=mode), "tests")

        results = await results_of(parts, [command("ann", 10, action="CAPPED") for _ in range(60)])

        given = Counter(result.entry.points for result in results if isinstance(result, AwardAnswer))
        assert given == granted
        assert reasons(results)[Reason.DAILY_CAP_REACHED] == refused
        assert parts.clock is not None
        await parts.clock.advance(timedelta(days=1))
        assert (await give(parts, "ann", 10, action="CAPPED")).entry.points == 10


async def test_a_cooldown_lets_one_of_many_through(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, ledger=MANY_LANES) as parts:
        await parts.rule_book.put_action(gift("RARE", cooldown=timedelta(minutes=10)), "tests")

        results = await results_of(parts, [command("ann", 10, action="RARE") for _ in range(40)])

        assert reasons(results) == {"AwardAnswer": 1, Reason.COOLDOWN_ACTIVE: 39}
        assert {each.retry_after for each in results if isinstance(each, LaurelError)} == {
            timedelta(minutes=10)
        }
        assert parts.clock is not None
        await parts.clock.advance(timedelta(minutes=10))
        assert (await give(parts, "ann", 10, action="RARE")).entry.points == 10


@pytest.mark.parametrize("sizes", [(200, 200, 200), (700,), (400, 300)])
async def test_awards_of_one_call_to_one_user_are_made_in_their_order(
    parts: Parts, sizes: tuple[int, ...]
) -> None:
    calls = [[command("ann", 1) for _ in range(size)] for size in sizes]
    for answers in await asyncio.gather(*(parts.awards.award_batch(call, None) for call in calls)):
        made = [each.entry.transaction_id for each in answers if isinstance(each, AwardAnswer)]
        assert len(made) == len(answers)
        assert made == sorted(made)


async def test_an_award_whose_deadline_has_passed_is_not_made(parts: Parts) -> None:
    with pytest.raises(TimeoutError):
        await parts.awards.award(command("ann"), time.monotonic() - 0.001)

    late, timely = await parts.awards.award_batch([command("ann"), command("bob")], time.monotonic() + 60)
    assert isinstance(late, AwardAnswer)
    assert isinstance(timely, AwardAnswer)
    assert await parts.pool.fetchval("SELECT count(*) FROM reward_transactions") == 2


async def test_an_award_that_waits_behind_a_lock_is_given_up_at_its_deadline(
    ledger_dsn: str, redis_url: str
) -> None:
    async with running(ledger_dsn, redis_url, ledger=Ledger(pool_min=1, lanes=1)) as parts:
        await give(parts, "ann", 10)
        async with parts.pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT 1 FROM user_rewards FOR UPDATE")
            blocked = asyncio.create_task(give(parts, "ann", 10))
            await asyncio.sleep(0)
            queued = asyncio.create_task(parts.awards.award(command("bob"), time.monotonic() + 0.2))
            await asyncio.wait({queued, blocked}, timeout=0.5)
        await blocked
        with pytest.raises(TimeoutError):
            await queued
        assert await entries_of(parts, "bob") == []
        assert await entries_of(parts, "ann") == [10, 10]


async def test_an_award_that_waits_behind_a_lock_holds_up_nobody_else(parts: Parts) -> None:
    await give(parts, "ann", 10)
    async with parts.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM user_rewards FOR UPDATE")
        blocked = asyncio.create_task(give(parts, "ann", 10))
        await until(lambda: waits_for_a_lock(parts), "the award waits", pause=0.005)
        others = [await give(parts, "bob", 10) for _ in range(3)]
        assert not blocked.done()
    await blocked
    assert [each.rewards.total_points for each in others] == [10, 20, 30]
    assert await entries_of(parts, "ann") == [10, 10]


async def waits_for_a_lock(parts: Parts) -> bool:
    waiting = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    return bool(await parts.pool.fetchval(waiting))


async def test_a_full_queue_refuses_at_once_and_takes_what_fits(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, ledger=Ledger(max_waiting=10)) as parts:
        results = await results_of(parts, [command("ann", 1) for _ in range(50)])

        counts = reasons(results)
        assert counts["AwardAnswer"] >= 10
        assert counts["AwardAnswer"] + counts[Reason.OVERLOADED] == 50
        overloaded = [each for each in results if isinstance(each, LaurelError)]
        assert overloaded
        assert all(each.retry_after for each in overloaded)
        assert len(await entries_of(parts, "ann")) == counts["AwardAnswer"]


async def test_an_award_that_breaks_its_batch_does_not_hurt_its_neighbours(parts: Parts) -> None:
    broken = replace(command("ann"), reason="no such\0character")
    commands = [command("ann", 1), broken, command("bob", 2), command("ann", 3)]

    results = await parts.awards.award_batch(commands, None)

    assert [isinstance(result, AwardAnswer) for result in results] == [True, False, True, True]
    assert await entries_of(parts, "ann") == [1, 3]
    assert await listed(parts) == [("ann", 4), ("bob", 2)]
    assert await wrongs(parts) == []


async def test_a_caller_that_goes_away_does_not_take_its_award_back(parts: Parts) -> None:
    left = asyncio.create_task(give(parts, "ann", 10, request_id="r-1"))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)

    assert (await give(parts, "ann", 10, request_id="r-1")).replayed
    assert await entries_of(parts, "ann") == [10]


async def test_what_was_taken_is_finished_before_the_end(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url) as parts:
        waiting = [asyncio.create_task(give(parts, f"user-{n}", 10)) for n in range(50)]
        await asyncio.sleep(0)
        await parts.awards.close()

        assert all(answer.entry.points == 10 for answer in await asyncio.gather(*waiting))
        with pytest.raises(LaurelError) as refused:
            await give(parts, "ann", 10)
        assert refused.value.reason is Reason.DRAINING


async def test_the_first_awards_of_a_month_do_not_lock_each_other_out(
    ledger_dsn: str, redis_url: str
) -> None:
    async with running(ledger_dsn, redis_url, ledger=MANY_LANES) as parts:
        assert parts.clock is not None
        await parts.rule_book.put_action(gift("CAPPED", max_daily_points=1_000), "tests")
        with capture_logs() as lines:
            for month in range(1, 9):
                await parts.clock.set(datetime(2027, month, 1, tzinfo=UTC))
                commands = [command(f"u{number % 4}", 1, action="CAPPED") for number in range(40)]
                results = await results_of(parts, commands)
                assert all(isinstance(result, AwardAnswer) for result in results), reasons(results)

        deadlocks = [line for line in lines if line.get("error") == "DeadlockDetectedError"]
        assert not deadlocks
        assert await wrongs(parts) == []
