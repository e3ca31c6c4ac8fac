"""Actions with a life of their own: streaks, both sides of a referral, birthdays."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from laurel_server.domain.actions import SEEDED_ACTIONS
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.jobs import JobState, RunRequest
from laurel_server.domain.ledger import User
from laurel_server.domain.tiers import Tier
from laurel_server.rewards.birthdays import Birthdays
from laurel_server.runtime.wiring import Parts
from tests.integration.spend import adjust
from tests.integration.users.orders import order
from tests.integration.wired import command, entries_of, give, listed, wrongs

REFERRAL = next(config for config in SEEDED_ACTIONS if config.action == "REFERRAL")


async def login(parts: Parts, user_id: str = "ann", **more: Any) -> AwardAnswer:
    return await give(parts, user_id, action="LOGIN_STREAK", attributes={}, **more)


async def test_a_login_streak_grows_day_by_day_and_begins_anew_after_a_missed_day(parts: Parts) -> None:
    assert parts.clock is not None
    points = []
    for days in (0, 1, 1, 1, 2, 1):
        await parts.clock.advance(timedelta(days=days))
        answer = await login(parts)
        points.append((answer.breakdown.streak, answer.entry.points))
    assert points == [(1, 5), (2, 10), (3, 15), (4, 20), (1, 5), (2, 10)]
    assert await wrongs(parts) == []


async def test_a_day_of_a_streak_counts_once_whatever_is_retried(parts: Parts) -> None:
    answers = await asyncio.gather(*(login(parts, request_id="r-1") for _ in range(5)))
    assert sorted(answer.replayed for answer in answers) == [False, True, True, True, True]
    with pytest.raises(LaurelError) as refused:
        await login(parts)
    assert refused.value.reason is Reason.COOLDOWN_ACTIVE
    assert refused.value.retry_after == timedelta(hours=12)
    assert (await login(parts, request_id="r-1")).breakdown.streak == 1
    assert await entries_of(parts, "ann") == [5]


async def test_two_logins_of_one_batch_are_one_day(parts: Parts) -> None:
    commands = [command("ann", action="LOGIN_STREAK", attributes={}) for _ in range(3)]
    results = await parts.awards.award_batch(commands, None)
    assert sum(isinstance(result, AwardAnswer) for result in results) == 1
    assert await entries_of(parts, "ann") == [5]


async def test_a_login_that_comes_late_keeps_the_streak(parts: Parts) -> None:
    assert parts.clock is not None
    await login(parts)
    await parts.clock.advance(timedelta(days=2))
    yesterday = parts.clock.now() - timedelta(days=1)
    assert (await login(parts, occurred_at=yesterday)).breakdown.streak == 2
    assert (await login(parts)).breakdown.streak == 3


async def test_a_referral_rewards_both_sides_when_told_to(parts: Parts) -> None:
    await parts.rule_book.put_action(replace(REFERRAL, referral_points=40), "tests")
    await give(parts, "bob", 10)

    answer = await give(parts, "ann", action="REFERRAL", referral_id="bob")

    assert answer.entry.points == 100
    assert answer.referral is not None
    assert (answer.referral.user_id, answer.referral.points, answer.referral.referral_id) == (
        "bob",
        40,
        "ann",
    )
    assert await entries_of(parts, "bob") == [10, 40]
    assert await listed(parts) == [("ann", 100), ("bob", 50)]
    assert await wrongs(parts) == []


async def test_a_referral_is_rewarded_once_on_both_sides_whatever_is_retried(parts: Parts) -> None:
    await parts.rule_book.put_action(replace(REFERRAL, referral_points=1000), "tests")
    answers = await asyncio.gather(
        *(give(parts, "ann", action="REFERRAL", referral_id="new", request_id="r-1") for _ in range(6))
    )
    assert await entries_of(parts, "ann") == [100]
    assert await entries_of(parts, "new") == [1000]
    assert len({answer.referral.transaction_id for answer in answers if answer.referral}) == 1
    told = [{(badge.user_id, badge.badge_type) for badge in answer.badges} for answer in answers]
    assert told == [{("ann", "EARLY_ADOPTER"), ("new", "EARLY_ADOPTER"), ("new", "POINTS_1K")}] * 6


async def test_a_referral_that_one_side_cannot_have_is_given_to_neither(parts: Parts) -> None:
    await parts.rule_book.put_action(replace(REFERRAL, referral_points=40), "tests")
    await adjust(parts, "bob", 1 << 53)
    with pytest.raises(LaurelError) as refused:
        await give(parts, "ann", action="REFERRAL", referral_id="bob")
    assert refused.value.reason is Reason.SCORE_OUT_OF_RANGE
    assert await listed(parts) == []
    assert await wrongs(parts) == []


async def test_referrals_across_one_another_do_not_lock_each_other_out(parts: Parts) -> None:
    await parts.rule_book.put_action(replace(REFERRAL, referral_points=40), "tests")
    users = [f"user:{number}" for number in range(8)]
    pairs = [(first, second) for first in users for second in users if first != second]
    await asyncio.gather(
        *(give(parts, first, action="REFERRAL", referral_id=second) for first, second in pairs)
    )
    assert {user_id: sum(await entries_of(parts, user_id)) for user_id in users} == dict.fromkeys(
        users, 7 * 140
    )
    assert await wrongs(parts) == []


@pytest.mark.parametrize("referral_id", ["ann", "no user", "x" * 65])
async def test_the_other_side_must_be_another_user(parts: Parts, referral_id: str) -> None:
    await parts.rule_book.put_action(replace(REFERRAL, referral_points=40), "tests")
    with pytest.raises(LaurelError) as refused:
        await give(parts, "ann", action="REFERRAL", referral_id=referral_id)
    assert (refused.value.reason, refused.value.field) == (Reason.INVALID_FIELD, "referral_id")
    assert await parts.pool.fetchval("SELECT count(*) FROM reward_transactions") == 0


async def test_a_referral_that_is_tried_out_changes_nothing(parts: Parts) -> None:
    await parts.rule_book.put_action(replace(REFERRAL, referral_points=40), "tests")
    tried = await give(parts, "ann", action="REFERRAL", referral_id="bob", validate_only=True)
    assert tried.referral is not None
    assert tried.referral.points == 40
    assert await parts.pool.fetchval("SELECT count(*) FROM users") == 0


async def test_by_default_only_one_side_is_rewarded(parts: Parts) -> None:
    answer = await give(parts, "ann", action="REFERRAL", referral_id="not a user at all")
    assert answer.referral is None
    assert await parts.pool.fetchval("SELECT count(*) FROM users") == 1


async def test_being_referred_is_no_referral(parts: Parts) -> None:
    await parts.rule_book.put_action(replace(REFERRAL, referral_points=40), "tests")
    await give(parts, "bob", action="REFERRAL", referral_id="ann")
    for number in range(9):
        answer = await give(parts, "ann", action="REFERRAL", referral_id=f"user:{number}")
        assert "REFERRAL_MASTER" not in [badge.badge_type for badge in answer.badges]
    answer = await give(parts, "ann", action="REFERRAL", referral_id="user:9")
    assert "REFERRAL_MASTER" in [badge.badge_type for badge in answer.badges]


async def run_job(parts: Parts, request_id: str) -> None:
    key = request_id.encode()
    run, _ = await parts.jobs.run_now("birthday_bonus", RunRequest(key, key, request_id))
    assert run.state is JobState.SUCCEEDED


def birthdays(parts: Parts) -> Birthdays:
    return Birthdays(parts.awards.award_batch, parts.pool, parts.business_clock, parts.zone)


async def test_birthdays_are_celebrated_on_the_day_and_once_a_year(parts: Parts) -> None:
    assert parts.clock is not None
    born = {"ann": date(1990, 11, 25), "bob": date(1991, 11, 26), "leap": date(2000, 2, 29), "none": None}
    await parts.profiles.upsert([User(user_id, birth_date=day) for user_id, day in born.items()])
    assert await birthdays(parts).run() == {"awarded": 1, "refused": 0}
    assert await birthdays(parts).run() == {"awarded": 0, "refused": 0}
    assert await entries_of(parts, "ann") == [500]

    for day, celebrated in (
        (datetime(2027, 2, 27, 12, tzinfo=UTC), []),
        (datetime(2027, 2, 28, 12, tzinfo=UTC), [500]),
        (datetime(2028, 2, 28, 12, tzinfo=UTC), [500]),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), [500, 500]),
    ):
        await parts.clock.set(day)
        await birthdays(parts).run()
        assert await entries_of(parts, "leap") == celebrated
    assert await entries_of(parts, "none") == []


async def test_who_tells_another_birthday_when_the_request_is_forgotten_gets_nothing_again(
    parts: Parts,
) -> None:
    assert parts.clock is not None
    await parts.profiles.upsert([User("ann", birth_date=date(1990, 11, 25))])
    await birthdays(parts).run()
    await parts.pool.execute("DELETE FROM idempotency_keys")
    assert await birthdays(parts).run() == {"awarded": 0, "refused": 0}
    await parts.profiles.upsert([User("ann", birth_date=date(1990, 12, 24))])
    await parts.clock.set(datetime(2026, 12, 24, 12, tzinfo=UTC))
    assert await birthdays(parts).run() == {"awarded": 0, "refused": 0}
    await parts.clock.set(datetime(2027, 12, 24, 12, tzinfo=UTC))
    assert await birthdays(parts).run() == {"awarded": 1, "refused": 0}
    assert await entries_of(parts, "ann") == [500, 500]


async def test_who_is_erased_before_his_bonus_does_not_come_back_by_it(parts: Parts) -> None:
    await parts.profiles.upsert([User(user_id, birth_date=date(1990, 11, 25)) for user_id in ("ann", "bob")])

    async def erase_and_award(
        commands: Sequence[AwardCommand | LaurelError], deadline: None
    ) -> Sequence[AwardAnswer | Exception]:
        await parts.people.erase(order("ann"))
        return await parts.awards.award_batch(commands, deadline)

    job = Birthdays(erase_and_award, parts.pool, parts.business_clock, parts.zone)
    assert await job.run() == {"awarded": 1, "refused": 1}
    assert not await parts.pool.fetchval("SELECT count(*) FROM users WHERE user_id = 'ann'")
    assert await entries_of(parts, "bob") == [500]


async def test_who_comes_under_the_id_of_an_erased_person_has_a_birthday_of_his_own(parts: Parts) -> None:
    for number in range(2):
        await parts.profiles.upsert([User("ann", birth_date=date(1990, 11, 25))])
        assert await birthdays(parts).run() == {"awarded": 1, "refused": 0}
        assert await birthdays(parts).run() == {"awarded": 0, "refused": 0}
        assert await entries_of(parts, "ann") == [500]
        await parts.people.erase(order("ann", f"r-{number}"))


async def test_who_can_have_no_more_points_keeps_nobody_from_his_bonus(parts: Parts) -> None:
    for user_id in ("ann", "bob"):
        await parts.profiles.upsert([User(user_id, birth_date=date(1990, 11, 25))])
    await adjust(parts, "ann", 1 << 53)
    assert await birthdays(parts).run() == {"awarded": 1, "refused": 1}
    assert await entries_of(parts, "bob") == [500]


async def test_missed_birthdays_are_made_up_for(parts: Parts) -> None:
    assert parts.clock is not None
    born = {"ann": date(1990, 11, 25), "bob": date(1991, 11, 26), "cleo": date(1992, 11, 29)}
    await run_job(parts, "before")
    await parts.profiles.upsert([User(user_id, birth_date=day) for user_id, day in born.items()])
    await parts.clock.advance(timedelta(days=3))
    await run_job(parts, "after")
    assert [await entries_of(parts, user_id) for user_id in born] == [[500], [500], []]


async def test_a_birthday_bonus_is_multiplied_by_the_tier(parts: Parts) -> None:
    await parts.profiles.upsert([User("ann", birth_date=date(1990, 11, 25))])
    await give(parts, "ann", 20_000)
    await birthdays(parts).run()
    assert (await parts.standing.tier("ann")).tier is Tier.PLATINUM
    assert await entries_of(parts, "ann") == [20_000, 1_500]


async def test_two_servers_celebrate_once(parts: Parts) -> None:
    users = [User(f"user:{number}", birth_date=date(1990, 11, 25)) for number in range(50)]
    await parts.profiles.upsert(users)
    counts = await asyncio.gather(*(birthdays(parts).run() for _ in range(3)))
    assert sum(each["awarded"] for each in counts) == 50
    assert await parts.pool.fetchval("SELECT count(*) FROM reward_transactions") == 50


async def test_a_birthday_bonus_that_a_rule_refuses_keeps_nobody_else_from_his(parts: Parts) -> None:
    await parts.profiles.upsert([User(user_id, birth_date=date(1990, 11, 25)) for user_id in ("ann", "bob")])
    seeded = next(config for config in SEEDED_ACTIONS if config.action == "BIRTHDAY_BONUS")
    await parts.rule_book.put_action(replace(seeded, max_daily_points=500), "tests")
    await give(parts, "ann", action="BIRTHDAY_BONUS")

    assert await birthdays(parts).run() == {"awarded": 1, "refused": 1}
    assert await entries_of(parts, "ann") == await entries_of(parts, "bob") == [500]
