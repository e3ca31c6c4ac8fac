"""Caps and previews, with the clock and the time zone of the program moved to where they are most easily wrong."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from laurel_server.domain.actions import ActionConfig, CapMode
from laurel_server.domain.awards import AwardAnswer
from laurel_server.domain.badges import BadgeDefinition
from laurel_server.domain.boards import TiePolicy
from laurel_server.domain.campaigns import Campaign
from laurel_server.domain.clock import MAX_WAIT
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.postgres import usage
from laurel_server.postgres.pool import Session
from laurel_server.postgres.usage import Awarded
from laurel_server.rewards import first_limits
from laurel_server.runtime.wiring import Parts
from tests.integration.spend import refused
from tests.integration.wired import command, entries_of, gift, give, running, wrongs


@pytest.mark.parametrize(
    ("zone", "begins", "ends"),
    [
        ("Europe/Berlin", "2026-03-28T23:00+00:00", "2026-03-29T22:00+00:00"),  # 23 hours
        ("Europe/Berlin", "2026-10-24T22:00+00:00", "2026-10-25T23:00+00:00"),  # 25 hours
        ("America/New_York", "2026-11-01T04:00+00:00", "2026-11-02T05:00+00:00"),  # 25 hours
        ("UTC", "2028-02-29T00:00+00:00", "2028-03-01T00:00+00:00"),
    ],
)
async def test_a_day_is_capped_once_where_clocks_are_changed(
    ledger_dsn: str,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    zone: str,
    begins: str,
    ends: str,
) -> None:
    monkeypatch.setenv("LAUREL_PROGRAM_TIME_ZONE", zone)
    first, following = datetime.fromisoformat(begins), datetime.fromisoformat(ends)
    async with running(ledger_dsn, redis_url, now=first - timedelta(microseconds=1)) as parts:
        assert parts.clock is not None
        await parts.rule_book.put_action(gift("GIVE_10", max_daily_points=10), "tests")
        await give(parts, "ann", 10, action="GIVE_10")
        moment = first
        while moment < following:
            await parts.clock.set(moment)
            if moment == first:
                await give(parts, "ann", 10, action="GIVE_10")
            else:
                with refused(Reason.DAILY_CAP_REACHED, limit="10", remaining="0"):
                    await give(parts, "ann", 10, action="GIVE_10")
            moment += timedelta(hours=1)
        await parts.clock.set(following - timedelta(microseconds=1))
        with refused(Reason.DAILY_CAP_REACHED):
            await give(parts, "ann", 1, action="GIVE_10")
        await parts.clock.set(following)
        await give(parts, "ann", 10, action="GIVE_10")
        assert await entries_of(parts, "ann") == [10, 10, 10]


async def test_a_day_is_capped_once_by_servers_whose_clocks_differ(ledger_dsn: str, redis_url: str) -> None:
    midnight, little = datetime(2026, 11, 26, tzinfo=UTC), timedelta(milliseconds=50)
    async with (
        running(ledger_dsn, redis_url, now=midnight - little) as behind,
        running(ledger_dsn, redis_url, now=midnight + little) as ahead,
    ):
        await behind.rule_book.put_action(gift("GIVE_10", max_daily_points=10), "tests")
        await give(behind, "ann", 10, action="GIVE_10")
        await give(ahead, "ann", 4, action="GIVE_10")
        await give(behind, "ann", 6, action="GIVE_10")  # counts for the day that has begun
        for parts in (behind, ahead):
            with refused(Reason.DAILY_CAP_REACHED, remaining="0"):
                await give(parts, "ann", 1, action="GIVE_10")
        assert await entries_of(behind, "ann") == [10, 4, 6]
        assert await wrongs(behind, "ledger") == []


async def test_a_clock_that_was_days_ahead_holds_no_day_up(parts: Parts) -> None:
    await parts.rule_book.put_action(gift("GIVE_10", max_daily_points=10), "tests")
    await give(parts, "ann", 10, action="GIVE_10")
    await parts.pool.execute("UPDATE action_usage SET day = day + 3")
    await give(parts, "ann", 10, action="GIVE_10")
    with refused(Reason.DAILY_CAP_REACHED, remaining="0"):
        await give(parts, "ann", 1, action="GIVE_10")


async def test_a_cooldown_does_not_drift(parts: Parts) -> None:
    assert parts.clock is not None
    await parts.rule_book.put_action(gift("GIVE_DAILY", cooldown=timedelta(hours=24)), "tests")
    begun = parts.business_clock.now()
    for day in range(3):
        await parts.clock.set(begun + timedelta(days=day))
        await give(parts, "ann", 10, action="GIVE_DAILY")
        await parts.clock.set(begun + timedelta(days=day + 1) - timedelta(seconds=1))
        with pytest.raises(LaurelError) as early:
            await give(parts, "ann", 10, action="GIVE_DAILY")
        assert (early.value.reason, early.value.retry_after) == (Reason.COOLDOWN_ACTIVE, timedelta(seconds=1))


class TestTheFirstLimit:
    """What was awarded before an action was limited counts as if it always had been."""

    async def test_a_cap_counts_the_day(self, parts: Parts) -> None:
        assert parts.clock is not None
        await give(parts, "ann", 100)
        await parts.clock.set(parts.business_clock.now() + timedelta(days=1))
        await give(parts, "ann", 3)
        await give(parts, "ann", 4)
        await parts.rule_book.put_action(gift("GIVE", max_daily_points=10), "tests")
        assert (await give(parts, "ann", 5)).entry.points == 3
        with refused(Reason.DAILY_CAP_REACHED, limit="10", remaining="0"):
            await give(parts, "ann", 1)
        assert (await give(parts, "bob", 11)).entry.points == 10

    async def test_an_action_that_is_new_holds_nobody_back(self, parts: Parts) -> None:
        async with parts.pool.acquire() as batch, batch.transaction():  # one that is open, as lanes have them
            await batch.execute("SELECT pg_advisory_xact_lock_shared(hashtext('laurel boards'))")
            async with asyncio.timeout(60):
                await parts.rule_book.put_action(gift("NEW", max_daily_points=10), "tests")

    async def test_a_cap_that_was_taken_off_and_put_back(self, parts: Parts) -> None:
        await parts.rule_book.put_action(gift("GIVE", max_daily_points=10), "tests")
        await give(parts, "ann", 4)
        await parts.rule_book.put_action(gift("GIVE"), "tests")
        await give(parts, "ann", 5)
        await parts.rule_book.put_action(gift("GIVE", max_daily_points=10), "tests")
        assert (await give(parts, "ann", 5)).entry.points == 1

    async def test_what_laurel_grants_and_other_actions_do_not_count(self, parts: Parts) -> None:
        await parts.rule_book.put_action(gift("OTHER"), "tests")
        await give(parts, "ann", 10, action="OTHER")
        granted = command("ann", granted_points=10)
        await parts.awards.grant([granted])
        await parts.rule_book.put_action(gift("GIVE", max_daily_points=10), "tests")
        assert (await give(parts, "ann", 10)).entry.points == 10

    @pytest.mark.parametrize("days", [1, 40])
    async def test_a_cooldown_looks_back_as_far_as_it_lasts(self, parts: Parts, days: int) -> None:
        assert parts.clock is not None
        lasting, begun = timedelta(days=days), parts.business_clock.now()
        await give(parts, "ann", 5)
        await parts.clock.set(begun + lasting - timedelta(seconds=9))
        await parts.rule_book.put_action(gift("GIVE", cooldown=lasting), "tests")
        with pytest.raises(LaurelError) as early:
            await give(parts, "ann", 5)
        assert (early.value.reason, early.value.retry_after) == (Reason.COOLDOWN_ACTIVE, timedelta(seconds=9))
        await parts.clock.set(begun + lasting)
        await give(parts, "ann", 5)

    async def test_a_cooldown_from_before_the_first_award(self, parts: Parts) -> None:
        await give(parts, "ann", 5)
        await parts.rule_book.put_action(gift("GIVE", cooldown=MAX_WAIT), "tests")
        with refused(Reason.COOLDOWN_ACTIVE):
            await give(parts, "ann", 5)

    async def test_counts_of_awards_for_badges_stay(self, parts: Parts) -> None:
        rule = BadgeDefinition("FAN", "Fan", rule='count("GIVE") >= 3')
        await parts.rule_book.put_badge(rule, "tests")
        for _ in range(2):
            await give(parts, "ann", 1)
        await parts.rule_book.put_action(gift("GIVE", max_daily_points=10), "tests")
        assert [badge.badge_type for badge in (await give(parts, "ann", 1)).badges] == ["FAN"]

    async def test_users_of_whom_much_is_kept_wait_for_those_alone_who_came_last(
        self, parts: Parts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept, put_awarded = [], usage.put_awarded

        async def watched(session: Session, action: str, day: date, some: Mapping[int, Awarded]) -> None:
            kept.append(len(some))
            if len(kept) == 2:  # all but the last chunk are kept: this award is of those that came last
                await give(parts, "user-0", 4)
            await put_awarded(session, action, day, some)

        monkeypatch.setattr(first_limits, "KEPT_AT_ONCE", 2)
        monkeypatch.setattr(usage, "put_awarded", watched)
        for number in range(4):
            await give(parts, f"user-{number}", 5)
        await parts.rule_book.put_action(gift("GIVE", max_daily_points=10), "tests")
        assert kept == [2, 2, 1]
        assert (await give(parts, "user-0", 9)).entry.points == 1
        assert (await give(parts, "user-3", 9)).entry.points == 5

    async def test_of_two_who_limit_it_at_once_none_undoes_what_the_other_kept(
        self, parts: Parts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        counted, go_on, put_awarded = asyncio.Event(), asyncio.Event(), usage.put_awarded

        async def slow(session: Session, action: str, day: date, some: Mapping[int, Awarded]) -> None:
            if not counted.is_set():
                counted.set()
                await go_on.wait()
            await put_awarded(session, action, day, some)

        monkeypatch.setattr(usage, "put_awarded", slow)
        await give(parts, "ann", 3)
        limit = gift("GIVE", max_daily_points=10)
        first = asyncio.create_task(parts.rule_book.put_action(limit, "tests"))
        await counted.wait()
        second = asyncio.create_task(parts.rule_book.put_action(limit, "tests"))
        await asyncio.wait({second}, timeout=1)  # it has to wait for the first
        await give(parts, "ann", 4)
        go_on.set()
        await asyncio.gather(first, second)
        assert (await give(parts, "ann", 9)).entry.points == 3

    async def test_every_award_counts_once_while_awards_go_on(self, parts: Parts) -> None:
        limit, put = 400, asyncio.Event()
        limiting: list[asyncio.Task[ActionConfig]] = []

        async def shop() -> None:
            number = 0
            while number < 100 or not limiting or not limiting[0].done():
                number += 1
                if number == 25:
                    put.set()
                with suppress(LaurelError):
                    await give(parts, "ann", 7)

        async def limits() -> None:
            await put.wait()
            config = gift("GIVE", max_daily_points=limit)
            limiting.append(asyncio.create_task(parts.rule_book.put_action(config, "tests")))
            await limiting[0]

        await asyncio.gather(*(shop() for _ in range(4)), limits())
        before = await parts.pool.fetchval(
            "SELECT coalesce(sum(points), 0) FROM reward_transactions WHERE (inputs ->> 'config')::int = 1"
        )
        assert sum(await entries_of(parts, "ann")) == max(before, limit)
        assert await wrongs(parts) == []


async def a_second_award(parts: Parts) -> dict[str, Any]:
    await give(parts, "ann", 1)
    return {}


async def daily_cap(parts: Parts) -> dict[str, Any]:
    await parts.rule_book.put_action(gift("CAPPED", max_daily_points=100, cap_mode=CapMode.PARTIAL), "tests")
    await give(parts, "ann", 70, action="CAPPED")
    return {"action": "CAPPED"}


async def refusing_cap(parts: Parts) -> dict[str, Any]:
    await parts.rule_book.put_action(gift("REFUSED", max_daily_points=100, cap_mode=CapMode.REJECT), "tests")
    await give(parts, "ann", 70, action="REFUSED")
    return {"action": "REFUSED"}


async def cooldown(parts: Parts) -> dict[str, Any]:
    await parts.rule_book.put_action(gift("RESTING", cooldown=timedelta(hours=1)), "tests")
    await give(parts, "ann", 70, action="RESTING")
    return {"action": "RESTING"}


async def campaigns_with_a_budget(parts: Parts) -> dict[str, Any]:
    for name, budget in (("a", 0), ("b", 30)):
        campaign = Campaign(name, "", frozenset(), Decimal(2), None, None, budget_points=budget)
        await parts.rule_book.put_campaign(campaign, "tests")
    return {}


async def promotion(parts: Parts) -> dict[str, Any]:
    await give(parts, "ann", 4_960)
    return {}


async def a_referral(parts: Parts) -> dict[str, Any]:
    await parts.rule_book.put_action(gift("REFERRED", referral_points=50), "tests")
    return {"action": "REFERRED", "referral_id": "bob"}


def a_referral_that_passes(bob: int, policy: TiePolicy, *others: int) -> Callable[..., Any]:
    """The other side has `bob` points before; ann will have 60, and he 50 more."""

    async def arrange(parts: Parts) -> dict[str, Any]:
        config = await parts.boards.board("global-all")
        await parts.boards.update(replace(config, tie_policy=policy), ["tie_policy"])
        for number, points in enumerate((bob, *others)):
            if points:
                await give(parts, f"other-{number}" if number else "bob", points)
        return await a_referral(parts)

    return arrange


async def pending_points_and_expiry(parts: Parts) -> dict[str, Any]:
    rule = gift("LATER", pending_for=timedelta(days=14), expires_after="P1M", expires_at_month_end=True)
    await parts.rule_book.put_action(rule, "tests")
    return {"action": "LATER"}


async def an_action_that_is_over(parts: Parts) -> dict[str, Any]:
    await parts.rule_book.put_action(gift("OVER", effective_until=parts.business_clock.now()), "tests")
    return {"action": "OVER"}


async def outcome(parts: Parts, **award: Any) -> object:
    """Return all that an award says but its number, its time and whether it was only tried out."""
    try:
        answer = await give(parts, "ann", 60, **award)
    except LaurelError as refusal:
        return refusal.reason, refusal.metadata, refusal.retry_after
    entry, rewards = answer.entry, answer.rewards
    return (
        (entry.action, entry.points, entry.base_points, entry.multiplier, entry.balance_after),
        (entry.expires_at, entry.activates_at, entry.occurred_at),
        (rewards.total_points, rewards.lifetime_points, rewards.pending_points, rewards.tier),
        (answer.breakdown, answer.tier_change, answer.badges, answer.closed_period_ids),
        sorted(answer.ranks, key=lambda rank: rank.board),
        (answer.rank_state, answer.referral.points if answer.referral else 0),
    )


@pytest.mark.parametrize(
    "arrange",
    [
        a_second_award,
        daily_cap,
        refusing_cap,
        cooldown,
        campaigns_with_a_budget,
        promotion,
        a_referral,
        *(
            a_referral_that_passes(bob, policy, *others)
            for policy in TiePolicy
            for bob, others in (
                (0, ()),
                (10, (60,)),
                (11, (61,)),
                (60, ()),
                (61, (61,)),
                (4_960, ()),
            )
        ),
        pending_points_and_expiry,
        an_action_that_is_over,
    ],
)
async def test_what_is_tried_out_is_what_happens(parts: Parts, arrange: Callable[..., Any]) -> None:
    await give(parts, "zoe", 100)
    award = await arrange(parts)

    tried = [await outcome(parts, validate_only=True, **award) for _ in range(2)]

    assert tried == [await outcome(parts, **award)] * 2
    assert await wrongs(parts) == []


async def test_budgets_of_campaigns_that_do_not_run_are_in_nobodys_way(parts: Parts) -> None:
    """An award that waited for one of them would be told so: it is locked until the award is there."""
    now, hour = parts.business_clock.now(), timedelta(hours=1)
    times = {"past": (now - hour, now), "future": (now + hour, None), "running": (now, now + hour)}
    for name, (starts_at, ends_at) in times.items():
        campaign = Campaign(name, name, frozenset(), Decimal(2), starts_at, ends_at, budget_points=15)
        await parts.rule_book.put_campaign(campaign, "tests")
    async with parts.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM campaign_spending WHERE campaign_id <> 'running' FOR UPDATE")
        answers = await parts.awards.award_batch([command("ann", 10) for _ in range(3)], None)
    assert [answer.entry.points for answer in answers if isinstance(answer, AwardAnswer)] == [20, 15, 10]
    spent = await parts.pool.fetch(
        "SELECT campaign_id, spent_points FROM campaign_spending WHERE spent_points > 0"
    )
    assert [tuple(row) for row in spent] == [("running", 15)]
    assert await wrongs(parts, "ledger") == []
