"""What users have and had, and their entries page by page, on a real ledger."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import LedgerEntry
from laurel_server.domain.tiers import Tier
from laurel_server.postgres.sql import load
from laurel_server.runtime.wiring import Parts
from tests.integration.wired import START, gift, give, running

HOUR = timedelta(hours=1)
MANY = 60_000

FILL = """
INSERT INTO reward_transactions (transaction_id, user_no, action, points, base_points, multiplier, created_by,
                                 request_id, transaction_time, occurred_at, balance_after, inputs)
SELECT (682::bigint << 48) + (1 << 20) + n, $1, CASE n % 2 WHEN 0 THEN 'REVIEW' ELSE 'GIVE' END, 1, 1, 1, 'tests',
       n::text, $2::timestamptz, $2, n, '{}'
  FROM generate_series(1, $3::int) n
"""


async def pages(
    parts: Parts, user_id: str, size: int, actions: Sequence[str] = ()
) -> list[list[LedgerEntry]]:
    """Walk through a statement."""
    walked: list[list[LedgerEntry]] = []
    before = None
    while page := await parts.statement.transactions(user_id, actions, None, None, before, size):
        walked.append(page)
        before = page[-1].transaction_id
    return walked


async def test_balances_as_of_each_award(parts: Parts) -> None:
    assert parts.clock is not None
    told = []
    for number in range(1, 6):
        told.append((await give(parts, "ann", 2000 * number)).rewards)
        await parts.clock.advance(20 * 24 * HOUR)  # over several months, so over several partitions
    for number, rewards in enumerate(told):
        recorded = START + number * 20 * 24 * HOUR
        assert await parts.statement.rewards("ann", recorded) == rewards
        assert await parts.statement.rewards("ann", recorded + HOUR) == rewards
    before = await parts.statement.rewards("ann", START - timedelta(microseconds=1))
    assert (before.total_points, before.lifetime_points, before.version) == (0, 0, 0)
    assert (before.tier, before.last_reward_at) == (Tier.BRONZE, None)


async def test_balances_as_of_the_future_are_those_of_now(parts: Parts) -> None:
    answer = await give(parts, "ann", 10)
    assert await parts.statement.rewards("ann", START + HOUR) == answer.rewards


async def test_pending_and_expired_points_as_of_an_instant(parts: Parts) -> None:
    assert parts.clock is not None
    await parts.rule_book.put_action(gift("BRIEF", expires_after="P2D"), "tests")
    await give(parts, "ann", 100, action="BRIEF", activates_at=START + 24 * HOUR)
    await give(parts, "ann", 1)
    await parts.clock.advance(30 * 24 * HOUR)

    def seen(days: int) -> Any:
        return parts.statement.rewards("ann", START + days * 24 * HOUR)

    assert [
        (each.total_points, each.pending_points) for each in (await seen(0), await seen(1), await seen(3))
    ] == [
        (1, 100),
        (101, 0),
        (1, 0),
    ]


@pytest.mark.parametrize("as_of", [None, START - HOUR])
async def test_balances_of_nobody(parts: Parts, as_of: datetime | None) -> None:
    with pytest.raises(LaurelError) as refused:
        await parts.statement.rewards("nobody", as_of)
    assert refused.value.reason is Reason.USER_NOT_FOUND


async def test_balances_of_many(parts: Parts) -> None:
    given = {user_id: (await give(parts, user_id, 10)).rewards for user_id in ("ann", "bob")}
    assert await parts.statement.rewards_of(["bob", "nobody", "ann"]) == given


async def test_what_expires_soonest_comes_first(parts: Parts) -> None:
    assert parts.clock is not None
    for action, expires_after in (("DAYS", "P3D"), ("WEEKS", "P3W"), ("GONE", "PT1H")):
        await parts.rule_book.put_action(gift(action, expires_after=expires_after), "tests")
    weeks = await give(parts, "ann", 30, action="WEEKS")
    days = await give(parts, "ann", 20, action="DAYS", activates_at=START + 2 * HOUR)
    await give(parts, "ann", 10, action="GONE")
    await give(parts, "ann", 5)
    await give(parts, "bob", 40, action="DAYS")
    await parts.clock.advance(HOUR)

    everything = await parts.statement.expiring("ann", None)
    assert everything.total_points == 50
    assert [(lot.transaction_id, lot.points) for lot in everything.lots] == [
        (days.entry.transaction_id, 20),
        (weeks.entry.transaction_id, 30),
    ]
    soon = await parts.statement.expiring("ann", everything.lots[0].expires_at - START - HOUR)
    assert (soon.total_points, len(soon.lots)) == (20, 1)
    assert not (await parts.statement.expiring("ann", timedelta(days=2))).lots
    assert (await parts.statement.expiring("ann", timedelta.max)).total_points == 50


async def test_nobody_has_expiring_points(parts: Parts) -> None:
    with pytest.raises(LaurelError) as refused:
        await parts.statement.expiring("nobody", None)
    assert refused.value.reason is Reason.USER_NOT_FOUND


async def test_every_line_has_the_balance_after_it(parts: Parts) -> None:
    answers = [await give(parts, "ann", points) for points in (10, 0, 7)]
    (lines,) = await pages(parts, "ann", 10)
    assert [line.balance_after for line in reversed(lines)] == [10, 10, 17]
    assert lines == [answer.entry for answer in reversed(answers)]
    replayed = await give(parts, "ann", 10, request_id=answers[0].entry.request_id)
    assert replayed.entry == answers[0].entry


async def test_pages_stay_while_others_write(parts: Parts) -> None:
    made = [(await give(parts, "ann", 1)).entry.transaction_id for _ in range(40)]
    first = await parts.statement.transactions("ann", (), None, None, None, 15)

    async def write() -> None:
        await asyncio.gather(*(give(parts, "ann", 1) for _ in range(20)))

    _, second = await asyncio.gather(
        write(), parts.statement.transactions("ann", (), None, None, first[-1].transaction_id, 30)
    )
    assert [line.transaction_id for line in (*first, *second)] == made[::-1]


async def test_filters_by_action_and_by_the_time_of_recording(parts: Parts) -> None:
    assert parts.clock is not None
    await parts.rule_book.put_action(gift("OTHER"), "tests")
    for hours in range(6):
        await give(parts, "ann", hours, action="OTHER" if hours % 2 else "GIVE", occurred_at=START)
        await parts.clock.advance(HOUR)

    async def points(actions: Sequence[str], start: int | None, end: int | None) -> list[int]:
        from_time, to_time = (None if hours is None else START + hours * HOUR for hours in (start, end))
        lines = await parts.statement.transactions("ann", actions, from_time, to_time, None, 100)
        return [line.points for line in lines]

    assert await points((), 2, 5) == [4, 3, 2]
    assert await points(("OTHER",), None, 5) == [3, 1]
    assert await points(("OTHER", "GIVE"), 4, None) == [5, 4]
    assert await points(("REVIEW",), None, None) == []
    last_year = datetime(9999, 12, 31, tzinfo=UTC)
    assert await parts.statement.transactions("ann", (), last_year, None, None, 100) == []
    assert len(await parts.statement.transactions("ann", (), None, last_year, None, 100)) == 6


OTHERS = """
INSERT INTO reward_transactions (transaction_id, user_no, action, points, base_points, multiplier, created_by,
                                 request_id, transaction_time, occurred_at, balance_after, inputs)
SELECT (682::bigint << 48) + (1 << 21) + n, 1000000 + n, 'GIVE', 1, 1, 1, 'tests', n::text, $1::timestamptz, $1, n, '{}'
  FROM generate_series(1, $2::int) n
"""


@pytest.mark.parametrize("others", [0, 2 * MANY])
async def test_a_page_costs_the_same_wherever_it_lies(parts: Parts, others: int) -> None:
    await give(parts, "bob", 1)
    user_no = await parts.pool.fetchval("SELECT user_no FROM users")
    await parts.pool.execute(OTHERS, START - 24 * HOUR, others)  # with one entry each, as most users
    await parts.pool.execute(FILL.replace("{}", '{"config": 1}'), user_no, START - 24 * HOUR, MANY)
    for month in (683, 684):
        await parts.pool.execute("SELECT make_entry_partition($1)", month)
    await parts.pool.execute("ANALYZE")
    async with parts.pool.acquire() as connection:

        async def blocks(statement: str, *values: object) -> int:
            plan = await connection.fetchval(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {load(statement)}", *values
            )
            top = orjson.loads(plan)[0]["Plan"]
            return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])

        async def page(before: int) -> int:
            end = (682 << 48) + (1 << 20) + before
            return await blocks("entries_list", "bob", [], None, None, 0, end, 50)

        for mode in ("force_custom_plan", "force_generic_plan"):  # PostgreSQL takes either, as it sees fit
            await connection.execute(f"SET plan_cache_mode = {mode}")
            await page(MANY)  # what is read to plan does not count
            near, far = await page(MANY), await page(MANY // 30)
            assert far <= near + 5, (near, far)
            assert near < 200
            month_after = ("bob", START + 30 * 24 * HOUR, 683 << 48)
            await blocks("rewards_as_of", *month_after)
            assert await blocks("rewards_as_of", *month_after) < 200
        await connection.execute("RESET plan_cache_mode")


SPREAD = FILL.replace("$2::timestamptz, $2", "$2::timestamptz + n * interval '20 s', $2").replace(
    "+ n, $1", "+ n * 700, $1"
)


async def test_a_span_is_found_wherever_it_lies(parts: Parts) -> None:
    await give(parts, "bob", 1)
    user_no = await parts.pool.fetchval("SELECT user_no FROM users")
    start = START - 20 * 24 * HOUR
    await parts.pool.execute(SPREAD, user_no, start, MANY)
    await parts.pool.execute("ANALYZE")

    def at(line: int) -> datetime:
        return start + timedelta(seconds=20 * line)

    for first in (1, 10, 30_000, MANY - 50):
        lines = await parts.statement.transactions("bob", (), at(first), at(first + 50), None, 1000)
        assert [line.balance_after for line in lines] == list(range(first + 49, first - 1, -1))
        bounds = await parts.pool.fetchrow(
            load("entries_bounds"), "bob", at(first), at(first + 50), 682 << 48, 683 << 48
        )
        between = (
            "SELECT count(*) FROM reward_transactions WHERE transaction_id >= $1 AND transaction_id < $2"
        )
        assert bounds is not None
        assert await parts.pool.fetchval(between, *bounds) < 500
    everything = await parts.statement.transactions("bob", (), at(2), None, None, 1000)
    assert len(everything) == 1000
    assert await parts.statement.transactions("bob", (), None, at(1), None, 10) == []
    with pytest.raises(LaurelError):
        await parts.statement.transactions("nobody", (), at(1), None, None, 10)


async def test_a_span_is_found_where_the_clocks_of_servers_differ(ledger_dsn: str, redis_url: str) -> None:
    async with (
        running(ledger_dsn, redis_url) as behind,
        running(ledger_dsn, redis_url, now=START + timedelta(minutes=5)) as ahead,
    ):
        for points in range(1, 9):
            await give(ahead if points % 2 else behind, "ann", points)
            await behind.pool.execute("SELECT nextval('ledger_batch_seq') FROM generate_series(1, 200)")
        middle = START + timedelta(minutes=3)
        late = await behind.statement.transactions("ann", (), middle, None, None, 100)
        early = await ahead.statement.transactions("ann", (), None, middle, None, 100)
    assert [each.points for each in late] == [7, 5, 3, 1]
    assert [each.points for each in early] == [8, 6, 4, 2]
