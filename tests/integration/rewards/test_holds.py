import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.holdings import HoldState
from laurel_server.runtime.config_program import Ledger
from laurel_server.runtime.wiring import Parts
from tests.integration.spend import (
    adjust,
    available,
    cancel,
    capture,
    hold,
    hold_id,
    key,
    lots_of,
    redeem,
    refused,
    release,
)
from tests.integration.wired import START, counts_of_tables, entries_of, give, running, wrongs


async def test_held_points_are_not_available_and_still_there(parts: Parts) -> None:
    awarded = await give(parts, "ann", 100)

    answer = await hold(parts, "ann", 60)

    assert answer.hold is not None
    assert (answer.hold.points, answer.hold.captured_points) == (60, 0)
    assert (answer.hold.state, answer.hold.expires_at) == (HoldState.ACTIVE, START + timedelta(minutes=15))
    assert (answer.rewards.total_points, answer.rewards.held_points) == (40, 60)
    assert answer.rewards.lifetime_points == 100
    assert answer.rewards.version > awarded.rewards.version
    assert await parts.statement.rewards("ann") == answer.rewards
    with refused(Reason.INSUFFICIENT_POINTS, available="40", requested="41"):
        await redeem(parts, "ann", 41)
    with refused(Reason.INSUFFICIENT_POINTS, available="40", requested="41"):
        await hold(parts, "ann", 41)
    assert await entries_of(parts, "ann") == [100]
    assert await wrongs(parts) == []


async def test_a_captured_hold_is_a_redemption_and_the_rest_is_released(parts: Parts) -> None:
    await give(parts, "ann", 100)
    held = await hold(parts, "ann", 60)

    answer = await capture(parts, held, 25)

    assert answer.hold is not None
    assert (answer.hold.state, answer.hold.captured_points) == (HoldState.CAPTURED, 25)
    assert answer.entry is not None
    assert (answer.entry.action, answer.entry.points) == ("REDEMPTION", -25)
    assert answer.entry.reference_id == "table 4"
    rewards = answer.rewards
    assert (rewards.total_points, rewards.held_points, rewards.redeemed_points) == (75, 0, 25)
    assert await parts.statement.rewards("ann") == rewards
    assert await lots_of(parts, "ann") == [75]
    assert (await cancel(parts, answer)).rewards.total_points == 100
    assert await wrongs(parts) == []


async def test_without_a_number_all_of_a_hold_is_captured(parts: Parts) -> None:
    await give(parts, "ann", 100)
    answer = await capture(parts, await hold(parts, "ann", 60))
    assert answer.hold is not None
    assert (answer.hold.captured_points, answer.rewards.total_points) == (60, 40)


async def test_a_released_hold_gives_its_points_free(parts: Parts) -> None:
    await give(parts, "ann", 100)
    answer = await release(parts, await hold(parts, "ann", 60))
    assert answer.hold is not None
    assert (answer.hold.state, answer.entry) == (HoldState.RELEASED, None)
    assert (answer.rewards.total_points, answer.rewards.held_points) == (100, 0)
    assert await wrongs(parts) == []


async def test_a_hold_is_settled_once_and_an_unknown_one_never(parts: Parts) -> None:
    await give(parts, "ann", 100)
    captured, released = await hold(parts, "ann", 10), await hold(parts, "ann", 10)
    await capture(parts, captured)
    await release(parts, released)
    before = await counts_of_tables(parts)
    for settled in (captured, released):
        with refused(Reason.HOLD_NOT_ACTIVE, hold_id=str(hold_id(settled))):
            await capture(parts, settled)
        with refused(Reason.HOLD_NOT_ACTIVE):
            await release(parts, settled)
    after = await counts_of_tables(parts)
    assert {name for name in after if after[name] != before[name]} == {"idempotency_keys"}
    with refused(Reason.HOLD_NOT_FOUND, hold_id="7"):
        await parts.holds.capture(key(None, 7), "7", 0, None)
    with refused(Reason.HOLD_NOT_FOUND):
        await parts.holds.release(key(None, 7), "7", None)
    held = await hold(parts, "ann", 10)
    await capture(parts, held, request_id="c-1")
    with refused(Reason.IDEMPOTENCY_CONFLICT, request_id="c-1"):
        await parts.holds.capture(key("c-1", 7), "7", 0, None)


@pytest.mark.parametrize("unknown", ["7", "none", "", "9" * 30])
async def test_an_id_that_no_hold_has_is_refused_once(parts: Parts, unknown: str) -> None:
    """A malformed id is as unknown as any other: first of all it counts whether the request is a repeated one."""
    await give(parts, "ann", 10)
    held = await hold(parts, "ann", 10)
    await capture(parts, held, request_id="c-1")
    for reason, body in ((Reason.HOLD_NOT_FOUND, "first"), (Reason.IDEMPOTENCY_CONFLICT, "other")):
        with refused(reason):
            await parts.holds.capture(key("u-1", body), unknown, 0, None)
        with refused(reason):
            await parts.holds.release(key("u-1", body), unknown, None)
    with refused(Reason.IDEMPOTENCY_CONFLICT, request_id="c-1"):
        await parts.holds.capture(key("c-1", unknown), unknown, 0, None)


async def test_no_more_is_captured_than_was_held(parts: Parts) -> None:
    await give(parts, "ann", 100)
    held = await hold(parts, "ann", 60)
    with refused(Reason.HOLD_EXCEEDED, hold_id=str(hold_id(held)), available="60"):
        await capture(parts, held, 61)
    assert (await capture(parts, held, 60)).rewards.total_points == 40


async def test_a_hold_times_out_by_the_clock_for_everybody_who_looks(parts: Parts) -> None:
    assert parts.clock is not None
    await give(parts, "ann", 100)
    held = await hold(parts, "ann", 60, timedelta(hours=1))
    await hold(parts, "ann", 10, timedelta(hours=2))

    await parts.clock.set(START + timedelta(minutes=59, seconds=59))
    assert await available(parts, "ann") == 30
    await parts.clock.set(START + timedelta(hours=1))

    rewards = await parts.statement.rewards("ann")
    assert (rewards.total_points, rewards.held_points) == (90, 10)
    with refused(Reason.HOLD_NOT_ACTIVE):
        await capture(parts, held)
    with refused(Reason.HOLD_NOT_ACTIVE):
        await release(parts, held)
    rewards = (await redeem(parts, "ann", 90)).rewards
    assert (rewards.total_points, rewards.held_points) == (0, 10)
    assert await wrongs(parts) == []


async def test_replays_of_holds_give_the_first_answers(parts: Parts) -> None:
    await give(parts, "ann", 100)
    held = await hold(parts, "ann", 60, request_id="h")
    captured = await capture(parts, held, 10, request_id="c")

    again = await hold(parts, "ann", 60, request_id="h")
    assert (again.replayed, again.hold, again.rewards) == (True, held.hold, held.rewards)
    again = await capture(parts, held, 10, request_id="c")
    assert (again.replayed, again.hold, again.entry) == (True, captured.hold, captured.entry)
    with refused(Reason.IDEMPOTENCY_CONFLICT):
        await capture(parts, held, 11, request_id="c")
    assert (await parts.statement.rewards("ann")).total_points == 90


async def test_points_that_expire_under_a_hold_are_held_no_more(parts: Parts) -> None:
    assert parts.clock is not None
    await adjust(parts, "ann", 50, expires_at=START + timedelta(hours=1))
    await adjust(parts, "ann", 20)
    held = await hold(parts, "ann", 60, timedelta(days=1))

    await parts.clock.set(START + timedelta(hours=1))

    rewards = await parts.statement.rewards("ann")
    assert (rewards.total_points, rewards.held_points) == (0, 20)
    with refused(Reason.INSUFFICIENT_POINTS, available="20", requested="60"):
        await capture(parts, held)
    rewards = (await capture(parts, held, 20)).rewards
    assert (rewards.total_points, rewards.held_points) == (0, 0)
    assert await wrongs(parts) == []


async def test_racing_holds_never_hold_more_than_there_is(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, ledger=Ledger(lanes=4, max_batch=3, pool_min=1)) as parts:
        await give(parts, "ann", 100)

        results = await asyncio.gather(*(hold(parts, "ann", 30) for _ in range(20)), return_exceptions=True)

        endings = Counter(each.reason if isinstance(each, LaurelError) else "won" for each in results)
        assert endings == {"won": 3, Reason.INSUFFICIENT_POINTS: 17}
        assert await available(parts, "ann") == 10


async def test_of_captures_and_releases_that_race_one_wins(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, ledger=Ledger(lanes=4, max_batch=3, pool_min=1)) as parts:
        await give(parts, "ann", 100)
        held = await hold(parts, "ann", 30)

        results = await asyncio.gather(
            *(capture(parts, held) for _ in range(10)),
            *(release(parts, held) for _ in range(10)),
            return_exceptions=True,
        )

        endings = Counter(each.reason if isinstance(each, LaurelError) else "won" for each in results)
        assert endings == {"won": 1, Reason.HOLD_NOT_ACTIVE: 19}
        rewards = await parts.statement.rewards("ann")
        assert (rewards.held_points, rewards.total_points + rewards.redeemed_points) == (0, 100)
        assert await wrongs(parts) == []
