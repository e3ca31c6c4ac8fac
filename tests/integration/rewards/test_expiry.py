import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from laurel_server.domain.errors import Reason
from laurel_server.domain.holdings import Hold, HoldState
from laurel_server.domain.people import Order
from laurel_server.postgres import expiry
from laurel_server.postgres.pool import Pool
from laurel_server.runtime.wiring import Parts
from tests.integration.spend import (
    adjust,
    available,
    cancel,
    capture,
    hold,
    lots_of,
    redeem,
    refused,
    reverse,
)
from tests.integration.wired import START, entries_of, gift, give, listed, running, wrongs


async def advance(parts: Parts, **by: float) -> None:
    """Move the clock on."""
    assert parts.clock is not None
    await parts.clock.advance(timedelta(**by))


async def warnings_of(parts: Parts) -> list[tuple[str, int, int]]:
    """Return the warnings in the outbox: user, points, days before."""
    rows = await parts.pool.fetch(
        "SELECT body::text FROM events WHERE type = 'points.expiring' ORDER BY batch_no"
    )
    bodies = [orjson.loads(row["body"]) for row in rows]
    return [(body["user_id"], body["points"], body["days_before"]) for body in bodies]


async def test_what_expired_is_posted_once_a_lot(parts: Parts) -> None:
    for user_id, points in (("ann", 10), ("ann", 20), ("bob", 5)):
        await adjust(parts, user_id, points, expires_at=START + timedelta(days=1))
    await give(parts, "ann", 100)
    await redeem(parts, "ann", 4)
    await advance(parts, days=1)
    before = await parts.statement.rewards("ann")
    assert (before.total_points, before.expired_points) == (100, 26)

    counts = await parts.expiry.run()

    assert (counts["lots"], counts["points"]) == (3, 31)
    after = await parts.statement.rewards("ann")
    assert (after.total_points, after.expired_points, after.lifetime_points) == (100, 26, 100)
    assert await entries_of(parts, "ann") == [10, 20, 100, -4, -6, -20]
    assert await lots_of(parts, "ann") == [100]
    (newest, *_) = await parts.statement.transactions("bob", (), None, None, None, 10)
    assert (newest.action, newest.points, newest.created_by) == ("EXPIRATION", -5, "laurel")
    assert await listed(parts) == [("ann", 100)]
    assert await wrongs(parts) == []
    assert (await parts.expiry.run())["lots"] == 0
    assert (await parts.statement.rewards("ann")) == after


async def test_two_sweeps_at_once_expire_each_lot_once(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url) as one, running(ledger_dsn, redis_url, now=None) as other:
        for number in range(150):
            await adjust(one, f"user-{number % 50}", 1, expires_at=START + timedelta(hours=1))
        for parts in (one, other):
            assert parts.clock is not None
            await parts.clock.set(START + timedelta(hours=1))

        counts = await asyncio.gather(*(parts.expiry.run() for parts in (one, other, one, other)))

        assert sum(each["lots"] for each in counts) == sum(each["points"] for each in counts) == 150
        assert await wrongs(one) == []


async def test_a_lot_that_is_filled_after_it_expired_expires_again(parts: Parts) -> None:
    await adjust(parts, "ann", 100, expires_at=START + timedelta(days=1))
    first, second = await redeem(parts, "ann", 30), await redeem(parts, "ann", 30)
    await advance(parts, days=1)
    assert (await parts.expiry.run())["points"] == 40
    for redeemed in (first, second):
        await cancel(parts, redeemed)
        assert await available(parts, "ann") == 0
        assert (await parts.expiry.run())["points"] == 30
    rewards = await parts.statement.rewards("ann")
    assert (rewards.expired_points, rewards.redeemed_points) == (100, 0)
    assert await wrongs(parts) == []


async def test_a_sweep_closes_holds_that_timed_out(parts: Parts) -> None:
    await give(parts, "ann", 100)
    held, kept = await hold(parts, "ann", 30), await hold(parts, "ann", 20, timedelta(hours=1))
    await advance(parts, minutes=15)

    assert (await parts.expiry.run())["holds"] == 1

    states = await parts.pool.fetch("SELECT state FROM holds ORDER BY hold_id")
    assert [row["state"] for row in states] == [HoldState.EXPIRED, HoldState.ACTIVE]
    rewards = await parts.statement.rewards("ann")
    assert (rewards.total_points, rewards.held_points) == (80, 20)
    with refused(Reason.HOLD_NOT_ACTIVE):
        await capture(parts, held)
    assert (await capture(parts, kept)).rewards.total_points == 80
    assert (await parts.expiry.run())["holds"] == 0
    assert await wrongs(parts) == []


async def test_who_is_erased_after_he_was_found_holds_up_no_sweep(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user_id in ("ann", "bob"):
        await adjust(parts, user_id, 10, expires_at=START + timedelta(hours=1))
        await give(parts, user_id, 5)
        await hold(parts, user_id, 1)
    await advance(parts, hours=1)
    find_holds, find_lots = expiry.due_holds, expiry.due_lots

    async def then_erased(pool: Pool, now: datetime) -> AsyncIterator[list[Hold]]:
        async for holds in find_holds(pool, now):
            await parts.people.erase(Order("ann", "r-1", b"r-1", b"", "joe"))
            yield holds

    async def then_erased_too(pool: Pool, now: datetime) -> AsyncIterator[list[expiry.DueLot]]:
        async for lots in find_lots(pool, now):
            await parts.people.erase(Order("bob", "r-2", b"r-2", b"", "joe"))
            yield lots

    monkeypatch.setattr(expiry, "due_holds", then_erased)
    monkeypatch.setattr(expiry, "due_lots", then_erased_too)
    counts = await parts.expiry.run()
    assert (counts["holds"], counts["lots"]) == (1, 1)
    monkeypatch.undo()
    counts = await parts.expiry.run()
    assert (counts["holds"], counts["lots"]) == (1, 1)
    assert await wrongs(parts) == []


async def test_who_comes_under_the_id_of_somebody_who_was_swept_loses_nothing(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await give(parts, "ann", 5)
    await hold(parts, "ann", 3)
    await advance(parts, minutes=15)
    find_holds = expiry.due_holds

    async def then_somebody_else(pool: Pool, now: datetime) -> AsyncIterator[list[Hold]]:
        async for holds in find_holds(pool, now):
            await parts.people.erase(Order("ann", "r-1", b"r-1", b"", "joe"))
            await give(parts, "ann", 10)
            await hold(parts, "ann", 4)
            yield holds

    monkeypatch.setattr(expiry, "due_holds", then_somebody_else)
    assert (await parts.expiry.run())["holds"] == 0
    monkeypatch.undo()
    rewards = await parts.statement.rewards("ann")
    assert (rewards.total_points, rewards.held_points) == (6, 4)
    assert (await parts.expiry.run())["holds"] == 1
    assert await parts.statement.rewards("ann") == rewards
    assert await wrongs(parts) == []


async def test_owners_are_warned_30_7_and_1_days_before_once_each(parts: Parts) -> None:
    await adjust(parts, "ann", 10, expires_at=START + timedelta(days=31))
    await adjust(parts, "ann", 20, expires_at=START + timedelta(days=31, hours=1))
    await adjust(parts, "bob", 5, expires_at=START + timedelta(days=5))
    await give(parts, "cleo", 7)  # never expires

    assert (await parts.expiry.run())["warnings"] == 1
    assert await warnings_of(parts) == [("bob", 5, 7)]
    assert (await parts.expiry.run())["warnings"] == 0
    await advance(parts, days=1, hours=1)
    await asyncio.gather(parts.expiry.run(), parts.expiry.run())
    assert await warnings_of(parts) == [("bob", 5, 7), ("ann", 30, 30)]
    await advance(parts, days=23)
    await parts.expiry.run()
    assert (await warnings_of(parts))[2:] == [("ann", 30, 7)]
    await redeem(parts, "ann", 10)
    await advance(parts, days=6)
    await parts.expiry.run()
    assert (await warnings_of(parts))[3:] == [("ann", 20, 1)]


async def test_a_return_window_keeps_points_pending_but_counts_them_at_once(parts: Parts) -> None:
    await parts.rule_book.put_action(
        gift("GIVE", pending_for=timedelta(days=14), expires_after="P30D"), "tests"
    )

    answer = await give(parts, "ann", 100)

    assert answer.entry.activates_at == START + timedelta(days=14)
    assert answer.entry.expires_at == START + timedelta(days=44)
    rewards = answer.rewards
    assert (rewards.total_points, rewards.pending_points, rewards.lifetime_points) == (0, 100, 100)
    assert await listed(parts) == [("ann", 100)]
    with refused(Reason.INSUFFICIENT_POINTS, available="0"):
        await redeem(parts, "ann", 1)
    assert (await reverse(parts, answer.entry.transaction_id, 40)).rewards.pending_points == 60
    late = await give(parts, "ann", 5, occurred_at=START - timedelta(days=13))
    assert late.entry.activates_at == START + timedelta(days=1)
    soon = await give(parts, "ann", 1, activates_at=START + timedelta(hours=1))
    assert soon.entry.activates_at == START + timedelta(hours=1)
    assert (await give(parts, "ann", 3, occurred_at=START - timedelta(days=15))).rewards.total_points == 3
    await advance(parts, days=14)
    assert await available(parts, "ann") == 69
    assert await wrongs(parts) == []


async def test_points_may_live_to_the_end_of_the_month(parts: Parts) -> None:
    await parts.rule_book.put_action(gift("GIVE", expires_after="P3M", expires_at_month_end=True), "tests")
    answer = await give(parts, "ann", 100)
    assert answer.entry.expires_at == datetime(2027, 3, 1, tzinfo=UTC)
