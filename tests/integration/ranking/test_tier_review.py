from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from laurel_server.domain.jobs import JobState, RunRequest
from laurel_server.domain.tiers import Tier, TierPolicy
from laurel_server.postgres import tiers
from laurel_server.postgres.pool import Pool
from laurel_server.ranking.tier_review import TierReview
from laurel_server.runtime.config_program import Tiers
from laurel_server.runtime.wiring import Parts
from tests.integration.spend import adjust, entry_id, redeem, reverse
from tests.integration.users.orders import order
from tests.integration.wired import gift, give, listed, run_job, running, wrongs

GRACE = timedelta(days=10)


async def review(parts: Parts, policy: TierPolicy = TierPolicy()) -> dict[str, int]:  # noqa: B008 - frozen
    return await TierReview(parts.awards, parts.pool, parts.business_clock, policy).run()


async def review_by_window(parts: Parts) -> dict[str, int]:
    return await review(parts, TierPolicy(3, GRACE))


async def changes(parts: Parts) -> list[tuple[int, int, str]]:
    """Return the recorded changes of tier with their causes."""
    rows = await parts.pool.fetch("SELECT from_tier, to_tier, cause FROM tier_changes ORDER BY change_no")
    return [tuple(row) for row in rows]


@pytest.fixture
async def windowed(ledger_dsn: str, redis_url: str) -> AsyncIterator[Parts]:
    """A server whose tiers go by the last 3 months, with 10 days of grace."""
    tiers = Tiers(policy="window", window_months=3, grace_days=GRACE.days)
    async with running(ledger_dsn, redis_url, tiers=tiers) as parts:
        yield parts


async def test_a_review_moves_who_is_in_another_tier_than_his_points_reach(parts: Parts) -> None:
    await give(parts, "ann", 12_000)
    await give(parts, "bob", 300)
    await parts.pool.execute("UPDATE user_rewards SET lifetime_points = 6000 WHERE lifetime_points = 12000")

    assert await review(parts) == {"reviewed": 1, "promoted": 0, "demoted": 1, "at_risk": 0}

    assert (await parts.standing.tier("ann")).tier is Tier.SILVER
    assert await listed(parts, "tier:gold") == []
    assert await listed(parts, "tier:silver") == [("ann", 12_000)]
    assert await changes(parts) == [(1, 3, "GIVE"), (3, 2, "REVIEW")]
    rows = await parts.pool.fetch("SELECT events::text AS events FROM outbox ORDER BY batch_no")
    events: list[dict[str, Any]] = [event for row in rows for event in orjson.loads(row["events"])]
    told = [event for event in events if event["type"] == "tier.changed"]
    assert [(event["user_id"], event["from_tier"], event["to_tier"]) for event in told] == [
        ("ann", "GOLD", "SILVER")
    ]
    assert await review(parts) == {"reviewed": 1, "promoted": 0, "demoted": 0, "at_risk": 0}


async def test_a_tier_says_when_it_was_reviewed(parts: Parts) -> None:
    await give(parts, "ann", 10)
    assert (await parts.standing.tier("ann")).reviewed_at is None
    run, _ = await parts.jobs.run_now("review_tiers", RunRequest(b"key", b"hash", "r-1"))
    assert run.state is JobState.SUCCEEDED
    assert (await parts.standing.tier("ann")).reviewed_at == parts.business_clock.now()


async def test_with_a_window_only_its_points_promote(windowed: Parts) -> None:
    assert windowed.clock is not None
    await give(windowed, "ann", 4_000)
    await windowed.clock.set(datetime(2027, 2, 28, 23, tzinfo=UTC))
    assert (await windowed.standing.tier("ann")).qualifying_points == 4_000
    await windowed.clock.set(datetime(2027, 3, 1, tzinfo=UTC))
    assert (await windowed.standing.tier("ann")).qualifying_points == 0

    first = await give(windowed, "ann", 4_999)
    second = await give(windowed, "ann", 1)

    assert first.tier_change is None
    assert second.tier_change is not None
    status = await windowed.standing.tier("ann")
    assert (status.tier, status.qualifying_points, status.points_to_next) == (Tier.SILVER, 5_000, 5_000)
    assert await wrongs(windowed) == []


async def test_who_falls_below_keeps_his_tier_for_the_grace_and_is_then_demoted(windowed: Parts) -> None:
    assert windowed.clock is not None
    await give(windowed, "ann", 12_000)
    await give(windowed, "bob", 12_000)
    await windowed.clock.set(datetime(2027, 3, 1, tzinfo=UTC))

    assert await review_by_window(windowed) == {"reviewed": 2, "promoted": 0, "demoted": 0, "at_risk": 2}
    assert (await windowed.standing.tier("ann")).tier is Tier.GOLD
    assert (await give(windowed, "bob", 10_000)).tier_change is None
    await windowed.clock.advance(GRACE - timedelta(seconds=1))
    assert (await review_by_window(windowed))["demoted"] == 0
    await windowed.clock.advance(timedelta(seconds=1))
    assert (await review_by_window(windowed))["demoted"] == 1

    assert (await windowed.standing.tier("ann")).tier is Tier.BRONZE
    assert (await windowed.standing.tier("bob")).tier is Tier.GOLD
    assert await listed(windowed, "tier:gold") == [("bob", 22_000)]
    assert await listed(windowed, "tier:bronze") == [("ann", 12_000)]
    assert await changes(windowed) == [(1, 3, "GIVE"), (1, 3, "GIVE"), (3, 1, "REVIEW")]
    assert await windowed.pool.fetchval("SELECT count(*) FROM tier_at_risk") == 0
    assert await wrongs(windowed) == []


async def test_a_review_goes_on_where_people_are_erased(
    windowed: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One before it, and one when it has found him: who has his id by then is another person."""
    assert windowed.clock is not None
    for user_id in ("ann", "bob", "cleo"):
        await give(windowed, user_id, 12_000)
    await windowed.clock.set(datetime(2027, 3, 1, tzinfo=UTC))
    await review_by_window(windowed)
    await windowed.clock.advance(GRACE)
    await windowed.people.erase(order("ann", "r-1"))
    find = tiers.scan_tiers

    async def then_somebody_else(pool: Pool, chunk: int, lowest: int) -> AsyncIterator[list[tiers.Reviewed]]:
        found = [users async for users in find(pool, chunk, lowest)]
        await windowed.people.erase(order("bob", "r-2"))
        await give(windowed, "bob", 6_000)
        for users in found:
            yield users

    monkeypatch.setattr(tiers, "scan_tiers", then_somebody_else)
    assert await review_by_window(windowed) == {"reviewed": 3, "promoted": 0, "demoted": 2, "at_risk": 0}
    monkeypatch.undo()

    assert (await windowed.standing.tier("bob")).tier is Tier.SILVER
    assert await listed(windowed, "tier:bronze") == [("cleo", 12_000)]
    assert await listed(windowed, "tier:silver") == [("bob", 6_000)]
    assert await listed(windowed, "tier:gold") == []
    assert await review_by_window(windowed) == {"reviewed": 4, "promoted": 0, "demoted": 0, "at_risk": 1}
    assert await wrongs(windowed) == []


async def test_awards_while_a_review_demotes_lose_nothing(windowed: Parts) -> None:
    assert windowed.clock is not None
    await give(windowed, "ann", 6_000)
    await windowed.clock.set(datetime(2027, 3, 1, tzinfo=UTC))
    await review_by_window(windowed)
    await windowed.clock.advance(GRACE)
    await give(windowed, "ann", 5_000)  # back in time
    assert await review_by_window(windowed) == {"reviewed": 1, "promoted": 0, "demoted": 0, "at_risk": 0}
    assert (await windowed.standing.tier("ann")).tier is Tier.SILVER


async def test_what_is_reversed_from_before_the_window_costs_none_of_its_points(windowed: Parts) -> None:
    assert windowed.clock is not None
    old = await give(windowed, "ann", 5_000)
    await windowed.clock.set(datetime(2027, 3, 1, tzinfo=UTC))
    new = await give(windowed, "ann", 5_500)

    undone = await reverse(windowed, old.entry.transaction_id, 1_000)

    assert (undone.tier_change, undone.rewards.lifetime_points) == (None, 9_500)
    assert (await windowed.standing.tier("ann")).qualifying_points == 5_500
    undone = await reverse(windowed, new.entry.transaction_id, 501)
    assert (await windowed.standing.tier("ann")).qualifying_points == 4_999
    assert undone.tier_change is not None
    assert undone.tier_change.to_tier is Tier.BRONZE
    await windowed.clock.set(datetime(2027, 4, 1, tzinfo=UTC))
    assert (await windowed.standing.tier("ann")).qualifying_points == 4_999
    assert await wrongs(windowed) == []


async def test_a_reversal_cuts_nobodys_grace_short(windowed: Parts) -> None:
    assert windowed.clock is not None
    old = await give(windowed, "ann", 12_000)
    await windowed.clock.set(datetime(2027, 3, 1, tzinfo=UTC))
    new = await give(windowed, "ann", 6_000)
    gift_ = await adjust(windowed, "ann", 50)
    assert (await review_by_window(windowed))["at_risk"] == 1

    for entry, points in (
        (old.entry.transaction_id, 100),
        (new.entry.transaction_id, 2_000),
        (entry_id(gift_), 0),
    ):
        undone = await reverse(windowed, entry, points)
        assert (undone.tier_change, undone.rewards.tier) == (None, Tier.GOLD)
    await windowed.clock.advance(GRACE)
    assert (await review_by_window(windowed))["demoted"] == 1
    assert (await windowed.standing.tier("ann")).tier is Tier.BRONZE
    assert await wrongs(windowed) == []


async def test_tiers_as_of_an_instant_are_those_of_then_whatever_changed_them(windowed: Parts) -> None:
    assert windowed.clock is not None
    await give(windowed, "ann", 12_000)
    promoted = windowed.clock.now()
    await windowed.clock.set(datetime(2027, 3, 1, tzinfo=UTC))
    await review_by_window(windowed)
    await windowed.clock.advance(GRACE)
    await review_by_window(windowed)
    demoted = windowed.clock.now()
    for after in (timedelta(seconds=1), timedelta(days=1)):  # with no entry since, and with one
        await windowed.clock.advance(after)
        tiers = [
            (await windowed.statement.rewards("ann", moment)).tier
            for moment in (promoted - GRACE, promoted, demoted - timedelta(seconds=1), demoted)
        ]
        assert tiers == [Tier.BRONZE, Tier.GOLD, Tier.GOLD, Tier.BRONZE]
        await give(windowed, "ann", 1)


async def test_spending_and_expiry_lower_no_tier(parts: Parts) -> None:
    assert parts.clock is not None
    await parts.rule_book.put_action(gift("GIVE_1D", expires_after="P1D"), "tests")
    await give(parts, "ann", 6_000, action="GIVE_1D")
    await redeem(parts, "ann", 5_000)
    await parts.clock.advance(timedelta(days=1))
    await run_job(parts, "expire_points")
    await run_job(parts, "review_tiers")

    status = await parts.standing.tier("ann")
    assert (status.tier, status.qualifying_points, status.points_to_next) == (Tier.SILVER, 6_000, 4_000)
    assert (await parts.statement.rewards("ann")).total_points == 0
